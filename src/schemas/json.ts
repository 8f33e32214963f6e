/**
 * What counts as JSON here: everything RFC 8785 can put into one canonical form, so that a digest means one value.
 * Used by schemas for values of free form. No imports but types and zod.
 */
import { z } from 'zod';
import type { Json } from '../domain/finding.js';
import type { JsonObject } from '../domain/request.js';

/** Deeper values would exhaust the stack of the many recursive readers that come later. */
const MAX_DEPTH = 100;
/** Of a place: somebody has to count along. */
const MAX_TOLD_LEVELS = 8;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text that has a UTF-8 form. */
export const isWellFormed = (text: string): boolean => !LONE_SURROGATE.test(text);

/**
 * What keeps a value from being JSON, and where; `undefined` when it is JSON. Names of fields may be as private as what
 * stands in them: none is quoted, and the place is told by numbers.
 */
export function jsonProblem(value: unknown): string | undefined {
  return problemAt(value, []);
}

function problemAt(value: unknown, place: readonly number[]): string | undefined {
  const problem = ownProblem(value, place.length);
  if (problem !== undefined) return place.length === 0 ? problem : `${problem}, at ${placeOf(place)}`;
  if (typeof value !== 'object' || value === null) return undefined;
  // By index: a list may have holes, which its entries would leave out.
  const entries: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (let index = 0; index < entries.length; index += 1) {
    const inside = problemAt(entries[index], [...place, index]);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** What is wrong with a value itself, whatever it holds. */
function ownProblem(value: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return isWellFormed(value) ? undefined : 'holds half of a surrogate pair, which no UTF-8 text can hold';
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `is ${value}, which JSON does not have`;
  if (typeof value !== 'object') return `is of type ${typeof value}, which JSON does not have`;
  if (Array.isArray(value)) return undefined;
  if (!isPlain(value)) return 'is not a plain object, so JSON has no form for it';
  const names = Object.keys(value);
  if (names.includes('__proto__')) return 'has a key __proto__, which is refused because many programs read it as something else than data';
  return names.every(isWellFormed) ? undefined : 'has a key with half of a surrogate pair, which no UTF-8 text can hold';
}

/** `3/1`: the first entry of the third one. Deep places are cut. */
function placeOf(place: readonly number[]): string {
  const told = place.slice(0, MAX_TOLD_LEVELS).map((index) => index + 1);
  return `entry ${told.join('/')}${place.length > told.length ? '/…' : ''} (counted from 1 at each level)`;
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
