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
 * let fewer ordinary texts through at the same recall, but three threats amid 2,000 harmless words scored 0.33 with them and
 * 0.93 with 50. Half of the words are shared with the next window.
 */
const WINDOW_WORDS = 50;
/** A longer "word" is none: only its beginning is looked at, so that the work stays in proportion to the text. */
const MAX_WORD_CHARS = 40;

/**
 * What stands in a row over one letter: marks, and two Japanese signs that become marks. Normalising puts a row in order, which
 * takes the square of its length; Unicode's format for streams has rows of 30 at most, more than any language writes.
 */
const LONG_ROWS = /(?<![\p{M}\uff9e\uff9f])([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu;

/** Places of a window and their values, one beside the other; the values have length 1. */
export interface Features {
  readonly places: Uint16Array;
  readonly values: Float64Array;
}

/** Gives the windows of texts, each as features; none for a text without words. Make one for many texts: it has 256 KB. */
export function makeWindows(): (text: string) => Generator<Features> {
  const steps = makeSteps();
  return function* windowsOf(text) {
    for (const step of steps(text)) if (step !== undefined) yield step;
  };
}

/** The same with `undefined` for each part of a text that is done: one without words, or with one endless word, has no windows. */
export function makeSteps(): (text: string) => Generator<Features | undefined> {
  const counter = new Counter();
  return (text) => stepsOf(text, counter);
}

/** Parts end before white space where there is any, so that no word is cut. */
const PARTS = /[^]{1,16384}(?!\S)|[^]{1,16384}/gu;

function* stepsOf(text: string, counter: Counter): Generator<Features | undefined> {
  const words: Word[] = [];
  for (const [part] of text.replace(LONG_ROWS, '$1').matchAll(PARTS)) {
    for (const [whole] of part
      .normalize('NFKC')
      .toLowerCase()
      .matchAll(/[\p{L}\p{N}']+/gu)) {
      words.push(counter.word(whole.slice(0, MAX_WORD_CHARS)));
      if (words.length < WINDOW_WORDS) continue;
      yield counter.featuresOf(words);
      words.splice(0, WINDOW_WORDS / 2);
    }
    yield undefined;
  }
  if (words.length > 0) yield counter.featuresOf(words);
}

/** A word with its places: as a word, and of its parts. */
interface Word {
  readonly text: string;
  readonly place: number;
  readonly parts: readonly number[];
}

/** Counts the features of windows; words come again and again, and most of a window stands in the next. */
class Counter {
  readonly #words = new Map<string, Word>();
  readonly #counts = new Float64Array(2 ** HASH_BITS);

  word(text: string): Word {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    const word = { text, place: placeOf('w', text), parts: partsOf(`<${text}>`) };
    this.#words.set(text, word);
    return word;
  }

  featuresOf(words: readonly Word[]): Features {
    const counts = this.#counts;
    const met: number[] = [];
    const add = (place: number, weight: number): void => {
      if (counts[place] === 0) met.push(place);
      counts[place] = (counts[place] ?? 0) + weight;
    };
    let before = '';
    for (const { text, place, parts } of words) {
      add(place, 1);
      if (before !== '') add(placeOf('p', before, ' ', text), 1);
      for (const part of parts) add(part, 0.5);
      before = text;
    }
    const places = Uint16Array.from(met);
    const values = new Float64Array(places.length);
    let squares = 0;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] ?? 0;
      // Sublinear: a repeated word says little more than the word.
      const value = 1 + Math.log(Math.max(counts[place] ?? 0, 0.5));
      squares += value * value;
      values[index] = value;
      counts[place] = 0;
    }
    const length = Math.sqrt(squares);
    for (let index = 0; index < values.length; index += 1) values[index] = (values[index] ?? 0) / length;
    return { places, values };
  }
}

/** Parts of three and four letters: they stand for endings, spellings and words that were not met in training. */
function partsOf(word: string): number[] {
  const places: number[] = [];
  for (let length = 3; length <= 4; length += 1)
    for (let at = 0; at + length <= word.length; at += 1) places.push(placeOf('c', word.slice(at, at + length)));
  return places;
}

/** FNV-1a, 32 bits, over the UTF-16 units of all texts together. http://www.isthe.com/chongo/tech/comp/fnv/ */
function placeOf(...texts: readonly string[]): number {
  let value = 0x811c9dc5;
  for (const text of texts)
    for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return (value >>> 0) & MASK;
}
