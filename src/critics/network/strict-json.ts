/** JSON of others, read without a choice of meanings: one value for one text, of a bounded depth. Pure. */
import { createScanner, visit } from 'jsonc-parser';
import type { Json } from '../../domain/finding.js';

/** As deep as a request may be; a finding's details end sooner. */
const MAX_DEPTH = 100;

/** The library's kinds of tokens; its own names for them are gone once it is compiled. */
const TOKEN = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, end: 17 } as const;

export type JsonProblem = 'empty' | 'prose' | 'cut_in_transit' | 'too_deep' | 'duplicate_keys' | 'forbidden_key';

export type StrictJson = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly problem: JsonProblem };

/**
 * Refuses, beside what is not JSON: a field that is named twice (readers differ in which one counts), a field `__proto__`
 * (some readers take it for something else than data), and what is nested deeper than 100 levels.
 */
export function parseStrictJson(text: string): StrictJson {
  const refused = (problem: JsonProblem): StrictJson => ({ ok: false, problem });
  if (text.trim() === '') return refused('empty');
  const { deepest, open } = depthsOf(text);
  // Before anything that reads it by recursion.
  if (deepest > MAX_DEPTH) return refused('too_deep');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return refused(open && /^\s*[[{]/.test(text) ? 'cut_in_transit' : 'prose');
  }
  const problem = fieldProblem(text);
  return problem === undefined ? { ok: true, value } : refused(problem);
}

/** How deep the brackets go, and whether one of them, or a text, is open at the end. */
function depthsOf(text: string): { deepest: number; open: boolean } {
  const scanner = createScanner(text, true);
  let depth = 0;
  let deepest = 0;
  for (let token: number = scanner.scan(); token !== TOKEN.end && deepest <= MAX_DEPTH; token = scanner.scan()) {
    if (token === TOKEN.openBrace || token === TOKEN.openBracket) depth += 1;
    if (token === TOKEN.closeBrace || token === TOKEN.closeBracket) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return { deepest, open: depth > 0 };
}

function fieldProblem(text: string): JsonProblem | undefined {
  const open: Set<string>[] = [];
  let problem: JsonProblem | undefined;
  visit(
    text,
    {
      onObjectBegin: () => void open.push(new Set()),
      onObjectEnd: () => void open.pop(),
      onObjectProperty(name) {
        const names = open.at(-1);
        if (name === '__proto__') problem ??= 'forbidden_key';
        if (names?.has(name) === true) problem ??= 'duplicate_keys';
        names?.add(name);
      },
    },
    { disallowComments: true },
  );
  return problem;
}

/** The first line of a fence. */
const FENCE_OPENS = /^```(?:json)?[ \t]*\r?$/i;
const FENCE = '```';

/**
 * Three back-ticks around the whole of a text, as models like to write JSON; other text is returned as it is. One look at each
 * end: an expression over the whole would go back and forth in a text full of spaces.
 */
export function stripFence(text: string): string {
  const fenced = text.trim();
  const lineEnd = fenced.indexOf('\n');
  const isFenced = lineEnd !== -1 && fenced.endsWith(FENCE) && fenced.length - FENCE.length > lineEnd;
  if (!isFenced || !FENCE_OPENS.test(fenced.slice(0, lineEnd))) return text;
  return fenced.slice(lineEnd + 1, -FENCE.length).trimEnd();
}
