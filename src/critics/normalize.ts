/**
 * A text as a person reads it, for rules about words: lower case, without invisible characters, accents and look-alike letters;
 * and the way back, so that a match can be told where it stands in the original. Pure.
 */
import { resolveConfusablesTransformer } from 'obscenity';
import type { Stretch } from './text.js';

/** A changed text; `starts` and `ends` give each of its UTF-16 units the place of what it came from. Absent: the same places. */
export interface PlainText {
  readonly text: string;
  readonly starts?: Uint32Array;
  readonly ends?: Uint32Array;
}

/** Characters that show nothing: format characters, selectors, fillers; and marks that only change the letter before. */
const INVISIBLE = /[\p{Cf}\p{Variation_Selector}\u034f\u115f\u1160\u3164\uffa0]/u;
const INVISIBLE_RUN = /[\p{Cf}\p{Variation_Selector}\u034f\u115f\u1160\u3164\uffa0]{1,1024}/gu;
/** Marks over Latin, Greek and Cyrillic letters, Arabic vowels and the stroke that lengthens a word. */
// eslint-disable-next-line no-misleading-character-class -- marks alone are meant
const MARKS = /[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]/g;
const WITH_MARKS = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;
/** Letters that hardly any language writes words with: phonetic and small capitals, negative circles and squares, regional signs. */
const FANCY = /[\u0250-\u02af\u1d00-\u1dbf\ua730-\ua731\ua7ae\u{1f150}-\u{1f189}]/u;
/** Latin letters that Unicode does not take apart. */
const PLAIN_TWIN: Readonly<Record<string, string>> = { ı: 'i', ł: 'l', đ: 'd', ø: 'o', ß: 'ss', æ: 'ae', œ: 'oe', ð: 'd', þ: 'th' };
const FIRST_REGIONAL = 0x1f1e6;
const LAST_REGIONAL = 0x1f1ff;

const confusables = resolveConfusablesTransformer();
const latinTwin = (character: string): string | undefined => {
  const twin = confusables.transform(character.codePointAt(0) ?? 0);
  return twin === undefined ? undefined : String.fromCodePoint(twin).toLowerCase();
};

/** What was folded once; the same characters come again and again. */
const folded = new Map<string, string>();
/** More different characters than any real text has; a hostile one makes no more than this stay in memory. */
const MAX_KEPT = 8_192;

function foldCharacter(character: string): string {
  const known = folded.get(character);
  if (known !== undefined) return known;
  const made = foldAnew(character);
  if (folded.size < MAX_KEPT) folded.set(character, made);
  return made;
}

/** Whole phrases in one sign (there are two, of Arabic) stay: a text full of them would become eighteen times as long. */
const MAX_LETTERS = 8;

function foldAnew(character: string): string {
  if (INVISIBLE.test(character)) return '';
  const code = character.codePointAt(0) ?? 0;
  if (code >= FIRST_REGIONAL && code <= LAST_REGIONAL) return String.fromCodePoint(0x61 + code - FIRST_REGIONAL);
  if (FANCY.test(character)) return latinTwin(character) ?? character;
  const composed = character.normalize('NFKC');
  const whole = (composed.length > MAX_LETTERS ? character : composed).toLowerCase();
  return PLAIN_TWIN[whole] ?? (WITH_MARKS.test(whole) ? whole.normalize('NFD') : whole).replace(MARKS, '');
}

/** The letters of a rule as {@link plainText} makes them, so that rules may be written with their accents. */
export const plainWords = (words: string): string =>
  Array.from(words, (character) => (character > '\u007f' ? foldCharacter(character) : character)).join('');

/** Only ASCII: nothing to be folded but the case, and every place stays. */
const ASCII_ONLY = /^[\0-\u007f]*$/;

/** Most of most texts is ASCII: it is taken over in whole runs. */
const RUNS = /[\0-\u007f]+|[^\0-\u007f]+/g;

export function plainText(original: string): PlainText {
  if (ASCII_ONLY.test(original)) return { text: original.toLowerCase() };
  const writer = new Writer(original.length);
  for (const { index, 0: run } of original.matchAll(RUNS)) {
    if (run.charCodeAt(0) <= 0x7f) writer.copy({ text: original }, index, index + run.length, run.toLowerCase());
    else addFolded(writer, run, index);
  }
  return withoutTwins(writer.done());
}

/** A text as it is but for what shows nothing. */
export const visibleText = (original: string): PlainText =>
  ASCII_ONLY.test(original) ? { text: original } : rewritten({ text: original }, INVISIBLE_RUN, () => '');

function addFolded(writer: Writer, run: string, from: number): void {
  let at = from;
  for (const character of run) {
    const end = at + character.length;
    writer.add(foldCharacter(character), at, end);
    at = end;
  }
}

const ANY_WORD = /[\p{L}\p{N}]{2,64}/gu;
const FOREIGN_TWIN = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;

/** A word with letters of two alphabets is meant to be read in one: its foreign letters become the Latin ones they look like. */
function withoutTwins(plain: PlainText): PlainText {
  if (!FOREIGN_TWIN.test(plain.text)) return plain;
  return rewritten(plain, ANY_WORD, (word) => {
    if (!/[a-z]/.test(word) || !FOREIGN_TWIN.test(word)) return word;
    return Array.from(word, (letter) => (FOREIGN_TWIN.test(letter) ? (latinTwin(letter) ?? letter) : letter)).join('');
  });
}

/** Replaces words; a new word stands for the whole place of the old one where their lengths differ. */
export function rewritten(plain: PlainText, words: RegExp, change: (word: string) => string): PlainText {
  let writer: Writer | undefined;
  let copied = 0;
  for (const { index, 0: word } of plain.text.matchAll(words)) {
    const next = change(word);
    if (next === word) continue;
    writer ??= new Writer(plain.text.length);
    writer.copy(plain, copied, index);
    copied = index + word.length;
    const { start, end } = originalOf(plain, { start: index, end: copied });
    if (next.length === word.length) writer.copy(plain, index, copied, next);
    else writer.add(next, start, end);
  }
  if (writer === undefined) return plain;
  writer.copy(plain, copied, plain.text.length);
  return writer.done();
}

/** Where a stretch of the changed text stands in the original. */
export function originalOf({ starts, ends }: PlainText, { start, end }: Stretch): Stretch {
  if (starts === undefined || ends === undefined) return { start, end };
  return { start: starts[start] ?? start, end: Math.max(ends[end - 1] ?? end, starts[start] ?? start) };
}

/** Collects the changed text with its places. */
class Writer {
  private parts: string[] = [];
  private length = 0;
  private starts: Uint32Array;
  private ends: Uint32Array;

  constructor(room: number) {
    this.starts = new Uint32Array(room + 16);
    this.ends = new Uint32Array(room + 16);
  }

  add(text: string, start: number, end: number): void {
    this.grow(text.length);
    // Mostly one unit, for which `fill` would take longer than the rest.
    for (const until = this.length + text.length; this.length < until; this.length += 1) {
      this.starts[this.length] = start;
      this.ends[this.length] = end;
    }
    this.parts.push(text);
  }

  /** A part of another text with its places, or as many other letters in their place. */
  copy({ text, starts, ends }: PlainText, from: number, to: number, letters = text.slice(from, to)): void {
    this.grow(to - from);
    for (let at = from; at < to; at += 1) {
      this.starts[this.length + at - from] = starts?.[at] ?? at;
      this.ends[this.length + at - from] = ends?.[at] ?? at + 1;
    }
    this.parts.push(letters);
    this.length += to - from;
  }

  done(): PlainText {
    return { text: this.parts.join(''), starts: this.starts.subarray(0, this.length), ends: this.ends.subarray(0, this.length) };
  }

  /** One character can become several. */
  private grow(more: number): void {
    if (this.length + more <= this.starts.length) return;
    const room = Math.max(this.starts.length * 2, this.length + more);
    const [starts, ends] = [new Uint32Array(room), new Uint32Array(room)];
    starts.set(this.starts);
    ends.set(this.ends);
    this.starts = starts;
    this.ends = ends;
  }
}
