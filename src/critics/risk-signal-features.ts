/**
 * What the linear model of `risk_signal` sees of a text: hashed words, pairs of words and parts of words. Shared by the
 * critic and by the script that trains the model, so that both see the same. Pure; no imports.
 *
 * The hashing trick: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
 */

/** Places of the hash: 32,768 weights of a byte each. Twice as many found no more on held-out records. */
export const HASH_BITS = 15;
const MASK = 2 ** HASH_BITS - 1;

/**
 * Words that are judged together: a harmful sentence must not drown in a long text. On held-out records windows of 150 words
 * let fewer ordinary texts through at the same recall, but three threats amid 2,000 harmless words scored 0.12 with them and
 * 0.97 with 50. Half of the words are shared with the next window.
 */
const WINDOW_WORDS = 50;
/** A longer "word" is none: only its beginning is looked at, so that the work stays in proportion to the text. */
const MAX_WORD_CHARS = 40;

/** Index of a place and its value; the values of a window have length 1. */
export type Features = ReadonlyMap<number, number>;

/** The windows of a text, each as features; none when the text has no words. */
export function* windowsOf(text: string): Generator<Features> {
  const words: string[] = [];
  for (const [word] of text
    .normalize('NFKC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}']+/gu)) {
    words.push(word.slice(0, MAX_WORD_CHARS));
    if (words.length < WINDOW_WORDS) continue;
    yield featuresOf(words);
    words.splice(0, WINDOW_WORDS / 2);
  }
  if (words.length > 0) yield featuresOf(words);
}

function featuresOf(words: readonly string[]): Features {
  const counts = new Map<number, number>();
  const add = (feature: string, weight: number): void => {
    const place = hash(feature);
    counts.set(place, (counts.get(place) ?? 0) + weight);
  };
  for (const [index, word] of words.entries()) {
    add(`w${word}`, 1);
    if (index > 0) add(`p${words[index - 1]} ${word}`, 1);
    for (const part of partsOf(`<${word}>`)) add(`c${part}`, 0.5);
  }
  // Sublinear counts, then length 1: a repeated word says little more than the word.
  const values = [...counts].map(([place, count]): [number, number] => [place, 1 + Math.log(Math.max(count, 0.5))]);
  const length = Math.hypot(...values.map(([, value]) => value));
  return new Map(values.map(([place, value]) => [place, value / length]));
}

/** Parts of three and four letters: they stand for endings, spellings and words that were not met in training. */
function* partsOf(word: string): Generator<string> {
  for (let length = 3; length <= 4; length += 1) for (let at = 0; at + length <= word.length; at += 1) yield word.slice(at, at + length);
}

/** FNV-1a, 32 bits, over UTF-16 units. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(feature: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < feature.length; index += 1) value = Math.imul(value ^ feature.charCodeAt(index), 0x01000193);
  return (value >>> 0) & MASK;
}
