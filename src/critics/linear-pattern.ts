/**
 * Patterns of plans, matched in time linear to the text, whatever the pattern and the text are (RE2 syntax).
 * The engine only says whether a text matches; places are found by asking it about ever smaller parts.
 */
import { RE2JS } from '@bufbuild/re2';
import type { Stretch } from './text.js';

/** @throws Error of the engine when the pattern is not RE2. */
export function compilePattern(re: string, caseSensitive: boolean): RE2JS {
  return RE2JS.compile(re, caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE);
}

/** What keeps a text from being a usable pattern, as the end of a sentence; `undefined` when it is one. */
export function patternProblem(re: string): string | undefined {
  try {
    return compilePattern(re, true).test('') ? 'matches the empty text, and so every content' : undefined;
  } catch (error) {
    return `is not a pattern in RE2 syntax: ${error instanceof Error ? error.message : 'it could not be compiled'}`;
  }
}

/**
 * One stretch for each line that matches, or one for the whole text when the match goes over lines.
 * Without assertions in the pattern it is the earliest end of a match and the latest start before it;
 * with assertions it may be the whole line.
 */
export function stretchesOf(pattern: RE2JS, text: string): Stretch[] {
  if (!pattern.test(text)) return [];
  const stretches: Stretch[] = [];
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end);
    if (pattern.test(line)) {
      const inside = narrow(pattern, line);
      stretches.push({ start: start + inside.start, end: start + inside.end });
    }
    start = end + 1;
  }
  return stretches.length > 0 ? stretches : [narrow(pattern, text)];
}

/** @param text that the pattern matches. */
function narrow(pattern: RE2JS, text: string): Stretch {
  const end = least(text.length, (length) => pattern.test(text.slice(0, length)));
  const size = least(end, (length) => pattern.test(text.slice(end - length, end)));
  const stretch = { start: wholeCharacter(text, end - size, -1), end: wholeCharacter(text, end, 1) };
  // `\b`, `^` and `$` also hold where a part was cut off: true in the text only if one more character on each side keeps it.
  const around = text.slice(Math.max(0, stretch.start - 1), stretch.end + 1);
  return pattern.test(around) ? stretch : { start: 0, end: text.length };
}

/** The least number from 0 to `most` for which the test holds, given that it holds for `most` and for all above the least. */
function least(most: number, holds: (length: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** Moves a place out of the middle of a surrogate pair. */
function wholeCharacter(text: string, at: number, step: 1 | -1): number {
  const inPair = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(0, at - 1), at + 1));
  return inPair ? at + step : at;
}
