/** The little of SVG that the plots need. Pure. Every text passes {@link safeHtml}. */
import { safeText } from '../../report/safe.js';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text of others inside HTML, between tags and inside quoted attributes: no markup, no control and bidi characters. */
export const safeHtml = (text: string): string => safeText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

type Attributes = Readonly<Record<string, string | number>>;

/** Tenths of a unit: nobody sees more, and the page stays small. */
const written = (value: string | number): string => (typeof value === 'number' ? String(Math.round(value * 10) / 10) : safeHtml(value));

/** `inner` is markup already. */
export function element(name: string, attributes: Attributes, inner = ''): string {
  const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${written(value)}"`);
  return inner === '' ? `<${name}${all.join('')}/>` : `<${name}${all.join('')}>${inner}</${name}>`;
}

export const line = (x1: number, y1: number, x2: number, y2: number, cls: string): string =>
  element('line', { x1, y1, x2, y2, class: cls });

export const rect = (x: number, y: number, width: number, height: number, cls: string, more: Attributes = {}): string =>
  element('rect', { x, y, width: Math.max(0, width), height, class: cls, ...more });

export const dot = (cx: number, cy: number, r: number, cls: string): string => element('circle', { cx, cy, r, class: cls });

export function label(x: number, y: number, text: string, cls: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return element('text', { x, y, class: cls, 'text-anchor': anchor }, safeHtml(text));
}

/** A text cut to what fits; the whole of it shows under the pointer. */
export function cutLabel(x: number, y: number, text: string, most: number, cls: string, anchor: 'start' | 'end' = 'start'): string {
  if (text.length <= most) return label(x, y, text, cls, anchor);
  const inner = `${safeHtml(`${text.slice(0, most - 1)}…`)}<title>${safeHtml(text)}</title>`;
  return element('text', { x, y, class: cls, 'text-anchor': anchor }, inner);
}

/** @param title what a screen reader says. */
export function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  const inner = `<title>${safeHtml(title)}</title>${parts.join('')}`;
  return `<div class="plot">${element('svg', { viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}`, role: 'img', width, height }, inner)}</div>`;
}

/** From a range of values to a range of places. */
export function scale(from: number, to: number, left: number, right: number): (value: number) => number {
  return (value) => left + ((Math.min(to, Math.max(from, value)) - from) / (to - from || 1)) * (right - left);
}

/** The least of 1, 2, 5, 10, 20, 50, 100 per cent that is not below the value: an axis that people can read off. */
export function niceShare(value: number): number {
  return [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((limit) => value <= limit) ?? 1;
}
