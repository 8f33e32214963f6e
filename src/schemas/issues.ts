/**
 * What zod finds wrong, in sentences that name the value met and what to write instead, each with its path.
 * Imports zod alone.
 */
import { z } from 'zod';
import { didYouMean } from '../domain/nearest.js';

export interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The path's last step is a field that should not be there: point at the field, not at its value. */
  readonly atKey?: true;
}

/** Strict object: an unknown field is refused, since an ignored safety field is an open door. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    // One line a field; `issuesOf` makes one issue of each.
    error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknownField(key, known)).join('\n') : undefined),
  });
}

const unknownField = (key: string, known: readonly string[]): string =>
  `unknown field ${show(key)}${didYouMean(key, known) || `: known fields are ${known.join(', ')}`}`;

export type ParseResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] };

/** Parses with our sentences; all issues at once. */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown): ParseResult<z.output<Schema>> {
  const result = schema.safeParse(value, { error: sentence, reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, issues: issuesOf(result.error.issues, []) };
}

function issuesOf(issues: readonly z.core.$ZodIssue[], base: readonly (string | number)[]): Issue[] {
  return issues.flatMap((issue): Issue[] => {
    const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? step.toString() : step))];
    if (issue.code === 'unrecognized_keys') {
      const lines = issue.message.split('\n');
      return issue.keys.map((key, index) => ({ path: [...path, key], message: lines[index] ?? issue.message, atKey: true }));
    }
    if (issue.code === 'invalid_union') return unionIssues(issue, path);
    return [{ path, message: issue.message }];
  });
}

/** The issues of the alternative that came furthest: the one whose kind fits and that fails only inside. */
function unionIssues(issue: z.core.$ZodIssueInvalidUnion, path: readonly (string | number)[]): Issue[] {
  const inside = issue.errors.find((errors) => errors.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
  return inside === undefined || inside.length === 0 ? [{ path, message: issue.message }] : issuesOf(inside, path);
}

/** One sentence a rule. Schemas with a sentence of their own take precedence. */
function sentence(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing: it must be ${kind(issue.expected)}`
        : `must be ${kind(issue.expected)}, is ${show(issue.input)}`;
    case 'invalid_value': {
      const values = issue.values.map(String);
      const hint = typeof issue.input === 'string' ? didYouMean(issue.input, values) : '';
      if (issue.input === undefined) return `is missing: it must be ${oneOf(values)}`;
      return `must be ${oneOf(values)}, is ${show(issue.input)}${hint}`;
    }
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}, is ${show(issue.input)}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}, is ${show(issue.input)}`;
    default:
      return undefined;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};
const kind = (expected: string): string => KINDS[expected] ?? expected;

const oneOf = (values: readonly string[]): string => (values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`);

function amount(limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${limit} character${limit === 1 ? '' : 's'} long`;
  if (origin === 'array') return `${limit} ${limit === 1 ? 'entry' : 'entries'} long`;
  return String(limit);
}

/** A value as people wrote it, cut. */
export function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
