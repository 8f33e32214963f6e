/**
 * The judged content, for people who decide on it. It is not to be trusted: it may address whoever reads it, hold escapes that
 * a terminal obeys, or letters that turn a line around. What comes from it here is inert, and every line of it is marked. Pure.
 */
import type { Json, Span } from '../domain/finding.js';
import { number } from './format.js';
import { safeText } from './safe.js';
import { wrap } from './table.js';

/** In front of every line, so that no line of the content can pass for one of ours. */
const MARK = '  | ';
/** Of a quote. */
const MAX_QUOTE_CHARS = 120;

export interface ContentOptions {
  /** Characters; absent: all. */
  readonly most?: number;
  /** Where the rest is to be had. */
  readonly rest: string;
  readonly width?: number;
}

export function contentLines(content: Json, { most, rest, width }: ContentOptions): string[] {
  const text = typeof content === 'string' ? content : JSON.stringify(content, undefined, 2);
  const shown = most === undefined || text.length <= most ? text : text.slice(0, most);
  const left = text.length - shown.length;
  return [
    ...shown.split(/\r?\n/).flatMap((line) => markedLines(line, width)),
    ...(left > 0 ? [`  … ${number(left)} more characters: ${rest}`] : []),
  ];
}

function markedLines(line: string, width: number | undefined): string[] {
  const safe = safeText(line);
  return safe === '' ? [MARK.trimEnd()] : wrap(safe, width, MARK);
}

/** `120-133 "words"`: where a violation stands, and what stands there. */
export function rangeText(content: Json, { path, start, end }: Span): string {
  const place = `${path === undefined || path === '' ? '' : `${safeText(path)} `}${start}-${end}`;
  const text = valueAt(content, path ?? '');
  if (typeof text !== 'string' || end > text.length || start >= end) return place;
  const quote = text.slice(start, end);
  const cut = quote.length > MAX_QUOTE_CHARS ? `${quote.slice(0, MAX_QUOTE_CHARS)}…` : quote;
  return `${place} "${safeText(cut)}"`;
}

/** What a JSON Pointer names; `undefined` where there is nothing. */
function valueAt(content: Json, pointer: string): unknown {
  let value: unknown = content;
  for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
