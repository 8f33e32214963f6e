/**
 * What counts as JSON here: everything RFC 8785 can put into one canonical form, so that a digest means one value.
 * Used by schemas for values of free form. No imports but types and zod.
 */
import { z } from 'zod';
import type { Json } from '../domain/finding.js';
import type { JsonObject } from '../domain/request.js';

/** Deeper values would exhaust the stack of the many recursive readers that come later. */
const MAX_DEPTH = 100;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text that has a UTF-8 form. */
export const isWellFormed = (text: string): boolean => !LONE_SURROGATE.test(text);

/**
 * What keeps a value from being JSON: the place inside it, then what is wrong there, quoting nothing; `undefined` when it is JSON.
 * @param at JSON Pointer of the value, for the sentence.
 */
export function jsonProblem(value: unknown, at = '', depth = 0): string | undefined {
  if (depth > MAX_DEPTH) return `${at.slice(0, 60)}… is nested deeper than ${MAX_DEPTH} levels`;
  const here = at === '' ? '' : `${at} `;
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string')
    return isWellFormed(value) ? undefined : `${here}holds half of a surrogate pair, which no UTF-8 text can hold`;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${here}is ${value}, which JSON does not have`;
  if (typeof value !== 'object') return `${here}is of type ${typeof value}, which JSON does not have`;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const problem = jsonProblem(value[index], `${at}/${index}`, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (!isPlain(value)) return `${here}is not a plain object, so JSON has no form for it`;
  for (const [key, entry] of Object.entries(value)) {
    if (key === '__proto__')
      return `${here}has a key __proto__, which is refused because many programs read it as something else than data`;
    if (!isWellFormed(key)) return `${here}has a key with half of a surrogate pair, which no UTF-8 text can hold`;
    const problem = jsonProblem(entry, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Objects of literals and of `JSON.parse`, in any realm: their prototype has none itself. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Any JSON value. */
export const JsonSchema = z.custom<Json>((value) => jsonProblem(value) === undefined, {
  error: (issue) => (issue.input === undefined ? 'is missing' : (jsonProblem(issue.input) ?? 'is not JSON')),
});

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON object. */
export const JsonObjectSchema = z.custom<JsonObject>((value) => isObject(value) && jsonProblem(value) === undefined, {
  error: (issue) => (isObject(issue.input) ? (jsonProblem(issue.input) ?? 'is not JSON') : 'is not an object'),
});
