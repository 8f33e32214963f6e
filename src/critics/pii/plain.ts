/**
 * Text as a reader takes it: digits of any script are digits, every space and dash is the plain one, invisible characters are
 * gone. With the way back, so that places are those of the text that was handed in. No imports.
 */

export interface Plain {
  readonly text: string;
  /** Where a stretch of the plain text stands in the original. */
  readonly original: (stretch: { readonly start: number; readonly end: number }) => { readonly start: number; readonly end: number };
}

/**
 * Format characters, what makes an emoji of a digit, digits of other scripts, spaces, dashes, the minus sign, wide Latin, and the
 * sign of e-mail addresses as addresses of pages and HTML write it.
 */
const UNUSUAL =
  /%40|&#0{0,4}64;|&#[xX]0{0,4}40;|&commat;|[\p{Cf}\ufe0f\u20e3\u00a0\p{Pd}\u2212\uff01-\uff5e]|(?![0-9])\p{Nd}|(?! )\p{Zs}/gu;
const INVISIBLE = /[\p{Cf}\ufe0f\u20e3]/u;
const DIGIT = /\p{Nd}/u;

export function plainOf(text: string): Plain {
  if (text.search(UNUSUAL) < 0) return { text, original: ({ start, end }) => ({ start, end }) };
  let plain = '';
  /** For each unit of the plain text, where its character begins and ends in the original. */
  const starts: number[] = [];
  const ends: number[] = [];
  const add = (part: string, start: number, end: number): void => {
    for (let index = 0; index < part.length; index += 1) {
      starts.push(end - start === part.length ? start + index : start);
      ends.push(end - start === part.length ? start + index + 1 : end);
    }
    plain += part;
  };
  let done = 0;
  for (const { index, 0: character } of text.matchAll(UNUSUAL)) {
    add(text.slice(done, index), done, index);
    done = index + character.length;
    add(plainCharacter(character), index, done);
  }
  add(text.slice(done), done, text.length);
  return { text: plain, original: ({ start, end }) => ({ start: starts[start] ?? text.length, end: ends[end - 1] ?? text.length }) };
}

function plainCharacter(character: string): string {
  if (character.startsWith('%') || character.startsWith('&')) return '@';
  if (INVISIBLE.test(character)) return '';
  if (DIGIT.test(character)) return digitOf(character);
  if (character >= '\uff01' && character <= '\uff5e') return String.fromCharCode(character.charCodeAt(0) - 0xfee0);
  return /\p{Zs}/u.test(character) ? ' ' : '-';
}

/** Unicode keeps the ten digits of a script beside each other, from zero on: the place in its run is the value. */
function digitOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  let before = 0;
  while (DIGIT.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
}
