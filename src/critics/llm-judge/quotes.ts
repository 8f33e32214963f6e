/**
 * Where a quote stands in the content. A judge copies nearly exactly: it wraps lines, straightens quotation marks, leaves
 * out what cannot be seen, or copies the escapes of the prompt. All of that is found; a paraphrase is not. Pure, and never
 * long at a stretch: what was done is told as it goes. What would take too long to look for counts as not found.
 */
import type { Json, Span } from '../../domain/finding.js';
import { eachPlace } from '../text.js';

/** Whether the quote is in the content at all, and where if a span can tell it. */
export interface MetQuote {
  readonly occurs: boolean;
  readonly span?: Span;
}
type QuoteFinder = (quote: string) => Promise<MetQuote>;

/** Told what was done since the last time, in characters; others may have their turn meanwhile. */
type Worked = (chars: number) => Promise<void>;

/** Characters that are looked through between two turns of the event loop: some 5 ms at worst. */
export const LOOKED_THROUGH_PER_TURN = 262_144;
/**
 * Characters that are looked through for all quotes together; one that is not there is looked for twice or more. A hundred
 * quotes in 80 KB, thirty in 256 KB, twenty in 20,000 texts that could hold them; some 0.4 s at worst.
 */
const MAX_LOOKED_THROUGH = 16_777_216;
/** What looking into a text costs beside its length, in characters. */
const CHARS_PER_LOOK = 16;
/** What it costs to read a text or to fold it. */
const CHARS_PER_TEXT = 256;
/** What folding a character costs. */
const CHARS_PER_FOLDED = 16;
/** Characters that are folded in one go. */
const FOLDED_PER_STEP = 4_096;
/** As many as a content has bytes. A judge quotes as few words as will do; what is longer is not looked for. */
const MAX_QUOTE_CHARS = 262_144;
/** What a character can become when it is folded. */
const LONGEST_FOLD = 3;
/** Longer places would crowd out violations; what is met there is told without its place. */
const MAX_PATH_CHARS = 400;

interface Folded {
  readonly text: string;
  /** For each code unit of the folded text where it began in the original one, and one more for the end. */
  readonly at: Uint32Array;
}

interface Text {
  readonly text: string;
  readonly path: string;
  folded: Folded | undefined;
}

/** Looks texts up as they are first, then folded; what was folded is kept, since an answer has many quotes. */
export function makeQuoteFinder(content: Json, worked: Worked): QuoteFinder {
  const known = new Map<string, MetQuote>();
  let texts: LongEnough | undefined;
  let names: string | undefined;
  let looked = 0;
  let untold = 0;

  const tell = async (): Promise<void> => {
    const chars = untold;
    untold = 0;
    await worked(chars);
  };
  const look = (chars: number): void => {
    looked += chars;
    untold += chars;
  };
  /** Walks to the end, with turns for others on the way. */
  const through = async <T>(steps: Generator<number, T>): Promise<T> => {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      untold += step.value;
      if (untold >= LOOKED_THROUGH_PER_TURN) await tell();
    }
  };
  const firstWith = async (needle: string, longEnough: LongEnough, isFolded: boolean): Promise<MetQuote | undefined> => {
    const shortest = isFolded ? Math.ceil(needle.length / LONGEST_FOLD) : needle.length;
    for (const one of longEnough(shortest)) {
      look(one.text.length < shortest ? 1 : CHARS_PER_LOOK + one.text.length);
      if (one.text.length < shortest) continue;
      if (untold >= LOOKED_THROUGH_PER_TURN) await tell();
      if (isFolded) one.folded ??= await through(fold(one.text));
      const start = indexIn(isFolded ? (one.folded?.text ?? '') : one.text, needle);
      if (start === -1) continue;
      const placeOf = (at: number): number => (isFolded ? (one.folded?.at[at] ?? 0) : at);
      return met(one.path, placeOf(start), placeOf(start + needle.length));
    }
    return undefined;
  };
  const search = async (quote: string): Promise<MetQuote> => {
    if (quote.length > MAX_QUOTE_CHARS || looked > MAX_LOOKED_THROUGH) return { occurs: false };
    texts ??= byLength(await through(readTexts(content)));
    const forms = formsOf(quote);
    for (const form of forms) {
      const found = await firstWith(form, texts, false);
      if (found !== undefined) return found;
    }
    for (const form of forms) {
      const needle = (await through(fold(form))).text.trim();
      const found = needle === '' ? undefined : await firstWith(needle, texts, true);
      if (found !== undefined) return found;
    }
    const fields = (names ??= await through(fieldNames(content)));
    look(fields.length * forms.length);
    return { occurs: forms.some((form) => indexIn(fields, form) !== -1) };
  };
  return async (quote) => {
    const found = known.get(quote) ?? (await search(quote));
    known.set(quote, found);
    await tell();
    return found;
  };
}

/** The texts in their order, without most of those that are shorter. */
type LongEnough = (shortest: number) => readonly Text[];

/** A content of very many texts has few that can hold a quote; they are picked once for each power of two. */
function byLength(texts: readonly Text[]): LongEnough {
  const picked = new Map<number, readonly Text[]>();
  return (shortest) => {
    const least = 2 ** Math.floor(Math.log2(shortest));
    const some = picked.get(least) ?? texts.filter(({ text }) => text.length >= least);
    picked.set(least, some);
    return some;
  };
}

/** All but the empty ones, in which nothing stands. Yields what each place costs. */
function* readTexts(content: Json): Generator<number, Text[]> {
  const texts: Text[] = [];
  for (const place of eachPlace(content)) {
    if (place !== undefined && place.text !== '') texts.push({ ...place, folded: undefined });
    yield CHARS_PER_TEXT;
  }
  return texts;
}

const met = (path: string, start: number, end: number): MetQuote =>
  // A part of one character that is folded to three has no length of its own.
  path.length > MAX_PATH_CHARS || end <= start ? { occurs: true } : { occurs: true, span: { ...(path !== '' && { path }), start, end } };

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

/**
 * Spaces become one, quotation marks and dashes the plain ones, what cannot be seen goes. Yields what each step costs, and the
 * first step before it is done.
 */
function* fold(text: string): Generator<number, Folded> {
  yield CHARS_PER_TEXT;
  const at = new Uint32Array(text.length * LONGEST_FOLD + 1);
  let whole = '';
  let step = '';
  let length = 0;
  let spaced = false;
  let index = 0;
  let stepFrom = 0;
  for (const character of text) {
    // Most of most texts.
    const plain = character >= '!' && character <= '~';
    const isSpace = !plain && /^\s$/.test(character);
    if (plain || (!(isSpace && spaced) && !UNSEEN.test(character))) {
      const folded = isSpace ? ' ' : (FOLDS[character] ?? character);
      for (let unit = 0; unit < folded.length; unit += 1) at[length + unit] = index;
      length += folded.length;
      step += folded;
      spaced = isSpace;
    }
    index += character.length;
    at[length] = index;
    if (index - stepFrom < FOLDED_PER_STEP) continue;
    yield (index - stepFrom) * CHARS_PER_FOLDED;
    stepFrom = index;
    whole += step;
    step = '';
  }
  return { text: whole + step, at };
}

const UNSEEN = /^(?!\s)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]$/u;

/** Names of fields are no text with a place, but a judge may quote one. Yields what each value costs. */
function* fieldNames(content: Json): Generator<number, string> {
  const names: string[] = [];
  const open: Json[] = [content];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    // One by one: a call takes fewer arguments than a content may have values, and a list of thousands takes long to make.
    for (const key of Array.isArray(next) ? next.keys() : Object.keys(next)) {
      if (typeof key === 'string') names.push(key);
      open.push((next as Record<string | number, Json>)[key] ?? null);
      yield CHARS_PER_TEXT;
    }
  }
  return names.join('\n');
}
