/**
 * Where a quote stands in the content. A judge copies nearly exactly: it wraps lines, straightens quotation marks, leaves
 * out what cannot be seen, or copies the escapes of the prompt. All of that is found; a paraphrase is not. Pure.
 */
import type { Json, Span } from '../domain/finding.js';
import { textPieces } from './text.js';

/** Whether the quote is in the content at all, and where if a span can tell it. */
export interface MetQuote {
  readonly occurs: boolean;
  readonly span?: Span;
}
export interface QuoteFinder {
  (quote: string): MetQuote;
  /** How many characters it looks through for one quote. */
  readonly chars: number;
}

/** Longer places would crowd out violations; what is met there is told without its place. */
const MAX_PATH_CHARS = 400;

interface Folded {
  readonly text: string;
  /** For each code unit of the folded text where it began in the original one, and one more for the end. */
  readonly at: Uint32Array;
}

/** Looks texts up as they are first, then folded; what was folded is kept, since an answer has many quotes. */
export function makeQuoteFinder(content: Json): QuoteFinder {
  const pieces = textPieces(content).map((piece) => ({ ...piece, folded: lazily(() => fold(piece.text)) }));
  const names = lazily(() => fieldNames(content));
  const known = new Map<string, MetQuote>();

  const search = (quote: string): MetQuote => {
    const forms = formsOf(quote);
    for (const form of forms) {
      for (const { text, path } of pieces) {
        const start = indexIn(text, form);
        if (start !== -1) return met(path, start, start + form.length);
      }
    }
    for (const form of forms) {
      const needle = fold(form).text.trim();
      if (needle === '') continue;
      for (const { path, folded } of pieces) {
        const { text, at } = folded();
        const start = indexIn(text, needle);
        if (start !== -1) return met(path, at[start] ?? 0, at[start + needle.length] ?? 0);
      }
    }
    return { occurs: forms.some((form) => names().includes(form)) };
  };
  const find = (quote: string): MetQuote => {
    const found = known.get(quote) ?? search(quote);
    known.set(quote, found);
    return found;
  };
  return Object.assign(find, { chars: pieces.reduce((sum, { text }) => sum + text.length, 0) });
}

const met = (path: string, start: number, end: number): MetQuote =>
  // A part of one character that is folded to three has no length of its own.
  path.length > MAX_PATH_CHARS || end <= start ? { occurs: true } : { occurs: true, span: { ...(path !== '' && { path }), start, end } };

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The engine's own search is linear for needles that are no longer; beyond it a hostile pair of texts takes seconds. */
const LONGEST_NEEDLE = 240;

/** Where the needle first stands in the text, in linear time; -1 when it does not. */
function indexIn(text: string, needle: string): number {
  if (needle.length <= LONGEST_NEEDLE) return text.indexOf(needle);
  if (needle.length > text.length || !text.includes(needle.slice(0, LONGEST_NEEDLE))) return -1;
  return knuthMorrisPratt(text, needle);
}

function knuthMorrisPratt(text: string, needle: string): number {
  /** For each length of a match so far: the longest shorter one that ends at the same place. */
  const shorter = new Int32Array(needle.length);
  for (let index = 1, length = 0; index < needle.length; index += 1) {
    while (length > 0 && needle.charCodeAt(index) !== needle.charCodeAt(length)) length = shorter[length - 1] ?? 0;
    if (needle.charCodeAt(index) === needle.charCodeAt(length)) length += 1;
    shorter[index] = length;
  }
  for (let index = 0, length = 0; index < text.length; index += 1) {
    while (length > 0 && text.charCodeAt(index) !== needle.charCodeAt(length)) length = shorter[length - 1] ?? 0;
    if (text.charCodeAt(index) === needle.charCodeAt(length)) length += 1;
    if (length === needle.length) return index - length + 1;
  }
  return -1;
}

/** The quote itself, without the marks that a judge puts around it, and with the prompt's escapes undone. */
function formsOf(quote: string): string[] {
  const bare = withoutEdges(quote.trim());
  const forms = [quote, bare, unescaped(quote), unescaped(bare)];
  return [...new Set(forms)].filter((form) => form.trim() !== '');
}

const EDGES: ReadonlySet<string> = new Set('.…"\'“”‘’«»');

/** By hand: a pattern for the end of a text takes quadratic time on texts that are made for it. */
function withoutEdges(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && EDGES.has(text[start] ?? '')) start += 1;
  while (end > start && EDGES.has(text[end - 1] ?? '')) end -= 1;
  return text.slice(start, end);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

const unescaped = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/g, (_, code: string | undefined, short: string) =>
    code === undefined ? (SHORT_ESCAPES[short] ?? short) : String.fromCharCode(Number.parseInt(code, 16)),
  );

const FOLDS: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‛': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '…': '...',
};

/** Spaces become one, quotation marks and dashes the plain ones, what cannot be seen goes. */
function fold(text: string): Folded {
  const parts: string[] = [];
  const at = new Uint32Array(text.length * 3 + 1);
  let length = 0;
  let spaced = false;
  let index = 0;
  for (const character of text) {
    const plain = PLAIN.test(character);
    const isSpace = !plain && /^\s$/.test(character);
    if (plain || (!(isSpace && spaced) && !UNSEEN.test(character))) {
      const folded = isSpace ? ' ' : (FOLDS[character] ?? character);
      for (let unit = 0; unit < folded.length; unit += 1) at[length + unit] = index;
      length += folded.length;
      parts.push(folded);
      spaced = isSpace;
    }
    index += character.length;
    at[length] = index;
  }
  return { text: parts.join(''), at };
}

/** Most of most texts. */
const PLAIN = /^[!-~]$/;
const UNSEEN = /^(?!\s)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]$/u;

/** Names of fields are no text with a place, but a judge may quote one. */
function fieldNames(content: Json): string {
  const names: string[] = [];
  const open: Json[] = [content];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) names.push(...Object.keys(next));
    open.push(...Object.values(next));
  }
  return names.join('\n');
}
