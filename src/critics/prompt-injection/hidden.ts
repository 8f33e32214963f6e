/** Injections that people do not see or cannot read: invisible characters, and texts in an encoding, decoded once and judged. */
import type { Signal } from './rule.js';

const HIDDEN: readonly { readonly weight: number; readonly form: RegExp }[] = [
  // Tags spell ASCII without showing it; three flags of countries are written with them.
  { weight: 0.9, form: /(?<![\u{1f3f4}\u{e0020}-\u{e007f}])[\u{e0001}\u{e0020}-\u{e007f}]+/gu },
  { weight: 0.5, form: /[\u202d\u202e]/gu },
  // A row of them carries a text; one of them joins an emoji, a letter of Arabic or of India.
  { weight: 0.7, form: /[\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufeff\u180e]{4,}/gu },
  { weight: 0.7, form: /[\ufe00-\ufe0e\u{e0100}-\u{e01ef}]{3,}/gu },
];
/** Inside a word of Latin letters they break up words for whoever looks for words. */
const INSIDE_WORD = /(?<=[a-z])[\u200b-\u200f\u2060-\u2064\ufeff]{1,3}(?=[a-z])/gi;
/** Now and then a web page leaves one behind. */
const INSIDE_WORDS_MEANT = 3;

export function hiddenSignals(text: string): Signal[] {
  // Most texts have nothing to look at.
  // eslint-disable-next-line no-misleading-character-class -- single code units on purpose
  if (!/[\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff\u{e0000}-\u{e01ef}]/u.test(text)) return [];
  const signals = HIDDEN.flatMap(({ weight, form }) =>
    Array.from(text.matchAll(form), (found) => signal('hidden_characters', weight, found)),
  );
  const inside = Array.from(text.matchAll(INSIDE_WORD), (found) => signal('hidden_characters', 0.3, found));
  return [...signals, ...inside.map((one) => (inside.length < INSIDE_WORDS_MEANT ? one : { ...one, weight: 0.55 }))];
}

const signal = (technique: Signal['technique'], weight: number, { index, 0: match }: RegExpExecArray): Signal => ({
  technique,
  weight,
  start: index,
  end: index + match.length,
});

/** A part of a text and what it says. */
export interface Decoded {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const bytesToText = (bytes: readonly number[]): string => String.fromCharCode(...bytes);
const hexToText = (hex: string): string => Buffer.from(hex.replace(/0x|\\x|[^0-9a-f]/gi, ''), 'hex').toString('utf8');

const MORSE = new Map(
  '.- a -... b -.-. c -.. d . e ..-. f --. g .... h .. i .--- j -.- k .-.. l -- m -. n --- o .--. p --.- q .-. r ... s - t ..- u ...- v .-- w -..- x -.-- y --.. z ..--.. ? .-.-.- . --..-- , ----- 0 .---- 1 ..--- 2 ...-- 3 ....- 4 ..... 5 -.... 6 --... 7 ---.. 8 ----. 9'
    .split(' ')
    .reduce<[string, string][]>((pairs, item, index, items) => (index % 2 === 0 ? [...pairs, [item, items[index + 1] ?? '']] : pairs), []),
);

/** Bounded, so that a match and its surroundings fit the reach of a piece. */
const ENCODINGS: readonly { readonly form: RegExp; readonly decode: (match: string) => string }[] = [
  { form: /(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{16,1000}={0,2}/g, decode: (match) => Buffer.from(match, 'base64').toString('utf8') },
  { form: /(?<![0-9a-z])(?:0x|\\x|%)?[0-9a-f]{2}(?:[ ,:]{0,2}(?:0x|\\x|%)?[0-9a-f]{2}){9,400}(?![0-9a-z])/gi, decode: hexToText },
  {
    form: /(?<![0-9])[01]{8}(?:[ ,]{0,2}[01]{8}){4,120}(?![0-9])/g,
    decode: (match) => bytesToText((match.match(/[01]{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))),
  },
  {
    form: /(?<![0-9.])(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])(?:[ ,;]{1,2}(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])){9,250}(?![0-9.])/g,
    decode: (match) => bytesToText((match.match(/\d+/g) ?? []).map(Number)),
  },
  {
    form: /\\u[0-9a-f]{4}(?:\\u[0-9a-f]{4}){4,160}/gi,
    decode: (match) => bytesToText((match.match(/[0-9a-f]{4}/gi) ?? []).map((unit) => Number.parseInt(unit, 16))),
  },
  {
    form: /(?<![.-])[.-]{1,6}(?:[ /|]{1,3}[.-]{1,6}){9,250}/g,
    decode: (match) =>
      match
        .split(/\s{0,2}[/|]\s{0,2}|\s{2,3}/)
        .map((word) =>
          word
            .split(' ')
            .map((letter) => MORSE.get(letter) ?? '')
            .join(''),
        )
        .join(' '),
  },
];

/** A hostile text may be full of them; a real one has few. More than these in a piece are not read, and are a signal. */
export const MAX_DECODED = 40;

/** What looks like an encoding and reads as a text when it is decoded. */
export function decodedIn(text: string): Decoded[] {
  const all: Decoded[] = [];
  for (const { form, decode } of ENCODINGS) {
    for (const { index, 0: match } of text.matchAll(form)) {
      const decoded = decode(match);
      if (isReadable(decoded)) all.push({ start: index, end: index + match.length, text: decoded });
      if (all.length > MAX_DECODED) return all;
    }
  }
  return all;
}

/** Hardly anything but letters, spaces and signs of sentences. */
function isReadable(text: string): boolean {
  const readable = text.match(/[\p{L}\p{M} .,;:!?'"\n-]/gu)?.length ?? 0;
  // eslint-disable-next-line no-control-regex -- what decodes to control characters is not a text
  return text.length >= 8 && readable >= 0.9 * Array.from(text).length && !/[\0-\u0008\u000e-\u001f\ufffd]/.test(text);
}

/** A sentence rather than a name or a word: some words, and one that English sentences have. */
export const isProse = (text: string): boolean => {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return words.length >= 4 && words.some((word) => COMMON.has(word));
};

const COMMON = new Set([
  'the',
  'and',
  'was',
  'are',
  'you',
  'is',
  'of',
  'to',
  'in',
  'what',
  'with',
  'that',
  'this',
  'your',
  'have',
  'from',
  'where',
  'when',
  'which',
  'who',
  'how',
]);
/** Words that stand in most hidden requests; with three of them a text written with shifted letters is recognised. */
const SHIFTED_WORDS = [
  ...COMMON,
  'ignore',
  'previous',
  'instructions',
  'system',
  'prompt',
  'password',
  'secret',
  'reveal',
  'tell',
  'please',
  'write',
  'state',
  'output',
  'answer',
  'user',
  'most',
  'first',
  'name',
  'they',
  'about',
  'following',
  'say',
  'all',
  'now',
].filter(({ length }) => length >= 3);

const shifted = (text: string, by: number): string =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + by + 26) % 26) + 97));
const reversed = (text: string): string => Array.from(text).toReversed().join('');

/** 1 to 25: letters moved by so many places; 0: written backwards. */
type Disguise = number;
const DISGUISED = new Map<string, Set<Disguise>>();
for (const word of SHIFTED_WORDS) {
  for (let by = 1; by < 26; by += 1) disguiseOf(shifted(word, by)).add(by);
  disguiseOf(reversed(word)).add(0);
}

function disguiseOf(word: string): Set<Disguise> {
  const known = DISGUISED.get(word) ?? new Set<Disguise>();
  DISGUISED.set(word, known);
  return known;
}

/** So many different words in one disguise within this many characters are no accident. */
const DISGUISED_MEANT = 3;
const DISGUISED_WITHIN = 240;

/** Texts in a letter cipher or written backwards; `text` in lower case. */
export function undisguisedIn(text: string): Decoded[] {
  const hits = new Map<Disguise, { word: string; start: number; end: number }[]>();
  for (const { index, 0: word } of text.matchAll(/[a-z]{3,14}/g)) {
    for (const how of DISGUISED.get(word) ?? []) {
      const list = hits.get(how) ?? [];
      list.push({ word, start: index, end: index + word.length });
      hits.set(how, list);
    }
  }
  return Array.from(hits).flatMap(([how, list]) =>
    clusters(list).map(({ start, end }) => ({ start, end, text: undo(text.slice(start, end), how) })),
  );
}

const undo = (text: string, how: Disguise): string => (how === 0 ? reversed(text) : shifted(text, -how));

function clusters(hits: readonly { word: string; start: number; end: number }[]): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let first = 0; first < hits.length; first += 1) {
    const from = hits[first]?.start ?? 0;
    const near: (typeof hits)[number][] = [];
    for (let at = first; at < hits.length && (hits[at]?.start ?? 0) <= from + DISGUISED_WITHIN; at += 1)
      near.push(hits[at] as (typeof hits)[number]);
    const words = new Set(near.map(({ word }) => word));
    if (words.size < DISGUISED_MEANT || !Array.from(words).some(({ length }) => length > 3)) continue;
    found.push({ start: from, end: near.at(-1)?.end ?? from });
    first += near.length - 1;
  }
  return found;
}
