/** Patterns of plans, in RE2 syntax: matched in time linear to the text, whatever the pattern and the text are. */
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

/** The lines that match, or the whole text when a match goes over lines: where in a line a match stands, the engine does not say. */
export function stretchesOf(pattern: RE2JS, text: string): Stretch[] {
  if (!pattern.test(text)) return [];
  const lines = linesOf(text).filter(({ start, end }) => pattern.test(text.slice(start, end)));
  return lines.length > 0 ? lines : [{ start: 0, end: text.length }];
}

function linesOf(text: string): Stretch[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const stretch = { start, end: start + line.length };
    start = stretch.end + 1;
    return stretch;
  });
}
