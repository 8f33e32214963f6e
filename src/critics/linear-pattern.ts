/** Patterns of plans, in RE2 syntax: matched in time linear to the text, whatever the pattern and the text are. */
import { RE2JS } from 're2js';
import type { Stretch } from './text.js';

/** @throws Error of the engine when the pattern is not RE2. */
export function compilePattern(re: string, caseSensitive: boolean): RE2JS {
  return RE2JS.compile(re, caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE);
}

/** What keeps a text from being a usable pattern, as the end of a sentence; `undefined` when it is one. */
export function patternProblem(re: string): string | undefined {
  try {
    return compilePattern(re, true).matcher('').find() ? 'matches the empty text, and so every content' : undefined;
  } catch (error) {
    return `is not a pattern in RE2 syntax: ${error instanceof Error ? error.message : 'it could not be compiled'}`;
  }
}

/** Where the pattern matches, in UTF-16 units, from the start of the text; matches do not overlap. */
export function stretchesOf(pattern: RE2JS, text: string): Stretch[] {
  const stretches: Stretch[] = [];
  const matcher = pattern.matcher(text);
  while (matcher.find()) stretches.push({ start: matcher.start(), end: matcher.end() });
  return stretches;
}
