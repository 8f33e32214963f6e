/**
 * Whether a content has the form it must have: a JSON Schema, sizes, depth, fields that must be there. The value is the content,
 * a part of it, or the JSON that a text holds. Messages name rules of the schema, never fields or values of the content.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { findNodeAtLocation, parseTree, type Node } from 'jsonc-parser';
import { z } from 'zod';
import type { Finding, Json, Violation } from '../domain/finding.js';
import { pointerStep, stepsOf } from './json-pointer.js';
import { strict } from '../schemas/issues.js';
import { CriticError, defineCritic } from './critic.js';
import { parseStrictJson, stripFence, type JsonProblem } from './network/strict-json.js';
import { compileSchema, schemaProblem, TooManySteps, type SchemaCheck, type SchemaProblem } from './structure/schema.js';
import { findingOf } from './text.js';

const pointer = z
  .string()
  .max(400)
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/, { error: 'must be a JSON Pointer, such as /output' });

const sizeField = z.int().min(0).max(262_144);

const Options = strict({
  /** JSON Schema, draft 2020-12, or draft-07 when its `$schema` says so. Patterns are RE2; `format` is refused. */
  schema: z
    .union([z.boolean(), z.record(z.string(), z.json())])
    .superRefine((schema, context) => {
      const problem = schemaProblem(schema);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .exactOptional(),
  /** JSON Pointer to the part of a structured content that is judged. Default: all of it. */
  at: pointer.default(''),
  /** The part is a text that must be JSON; `schema`, `required` and `maxDepth` then hold for what it says. Default false. */
  parse: z.boolean().default(false),
  /** With `parse`: the JSON may stand between three back-ticks. Default false. */
  allowFence: z.boolean().default(false),
  /** JSON Pointers to fields that must be there and not be null. */
  required: z.array(pointer).max(100).default([]),
  /** Of the part: UTF-16 units of a text, else of its JSON form. */
  minChars: sizeField.exactOptional(),
  maxChars: sizeField.exactOptional(),
  /** Levels of lists and maps; 0 for a text. */
  maxDepth: z.int().min(0).max(100).exactOptional(),
  /** Severity of every violation, 0 to 1. */
  severity: z.number().min(0).max(1).default(0.6),
});

export type StructureOptions = z.output<typeof Options>;

/** Above this many UTF-16 units of JSON only the first problem is listed: a list of all could hold up the event loop. */
const ALL_PROBLEMS_CHARS = 32_768;
/** As many as a finding may have; the rest is counted. */
const MAX_PLACES = 20;
/** Longer ways are not told. */
const MAX_PATH_CHARS = 400;

const JSON_PROBLEMS: Readonly<Record<JsonProblem, string>> = {
  empty: 'is empty instead of JSON',
  prose: 'is not JSON',
  cut_in_transit: 'is JSON that ends too soon',
  too_deep: 'is JSON nested deeper than 100 levels',
  duplicate_keys: 'is JSON that names a field twice',
  forbidden_key: 'is JSON with a field that is not allowed',
};

const prepared = new WeakMap<StructureOptions, { first: SchemaCheck; all: SchemaCheck }>();

export const structure = defineCritic<StructureOptions>({
  name: 'structure',
  version: '1.0.0',
  options: Options,
  warm: (options) => void checksOf(options),
  async evaluate({ content }, tools) {
    const { options } = tools;
    const part = at(content, stepsOf(options.at));
    if (part === undefined) return finish([problem('missing', 'lacks the part that is to be judged', [])], options, undefined);
    const problems = sizeProblems(part, options);
    const read = options.parse ? parsed(part, options) : { ok: true as const, value: part };
    if (!read.ok) return finish([...problems, problem('not_json', read.message, [])], options, part);
    tools.heartbeat();
    await nextTurn();
    tools.signal.throwIfAborted();
    const { found, firstOnly } = formProblems(read.value, options);
    return finish([...problems, ...found], options, part, firstOnly);
  },
});

interface Problem {
  readonly code: string;
  readonly message: string;
  /** In the value that was judged. */
  readonly path: readonly string[];
}

const problem = (code: string, message: string, path: readonly string[]): Problem => ({ code, message, path });
const pathOf = (steps: readonly string[]): string => steps.map(pointerStep).join('');

function at(value: Json, steps: readonly string[]): Json | undefined {
  let here: Json | undefined = value;
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Readonly<Record<string, Json>>)[step];
  }
  return here;
}

function parsed(part: Json, { allowFence }: StructureOptions): { ok: true; value: Json } | { ok: false; message: string } {
  if (typeof part !== 'string') return { ok: false, message: 'is no text that could hold JSON' };
  const read = parseStrictJson(allowFence ? stripFence(part) : part);
  return read.ok ? read : { ok: false, message: JSON_PROBLEMS[read.problem] };
}

function sizeProblems(part: Json, { minChars, maxChars }: StructureOptions): Problem[] {
  if (minChars === undefined && maxChars === undefined) return [];
  const chars = typeof part === 'string' ? part.length : JSON.stringify(part).length;
  const told = (code: string, rule: string): Problem[] => [problem(code, `has ${chars} characters, ${rule}`, [])];
  if (maxChars !== undefined && chars > maxChars) return told('too_long', `at most ${maxChars} are allowed`);
  if (minChars !== undefined && chars < minChars) return told('too_short', `at least ${minChars} are needed`);
  return [];
}

function formProblems(value: Json, options: StructureOptions): { found: Problem[]; firstOnly: boolean } {
  const missing = options.required
    .filter((path) => (at(value, stepsOf(path)) ?? null) === null)
    .map((path) => problem('missing', `lacks ${path === '' ? 'a value' : path}`, []));
  const deep =
    options.maxDepth !== undefined && depthOf(value) > options.maxDepth
      ? [problem('too_deep', `is nested deeper than ${options.maxDepth} levels`, [])]
      : [];
  const { problems, firstOnly } = schemaProblems(value, options);
  const broken = problems.map(({ keyword, message, path }) => problem(`schema:${codeOf(keyword)}`, message.slice(0, 400), path));
  return { found: [...missing, ...deep, ...broken], firstOnly };
}

const codeOf = (keyword: string): string => keyword.replaceAll(/[^a-zA-Z0-9_]/g, '_').slice(0, 50);

function schemaProblems(value: Json, options: StructureOptions): { problems: readonly SchemaProblem[]; firstOnly: boolean } {
  const checks = checksOf(options);
  if (checks === undefined) return { problems: [], firstOnly: false };
  try {
    const first = checks.first(value);
    if (first.length === 0) return { problems: [], firstOnly: false };
    if (JSON.stringify(value).length > ALL_PROBLEMS_CHARS) return { problems: first.slice(0, 1), firstOnly: true };
    return { problems: checks.all(value), firstOnly: false };
  } catch (error) {
    if (error instanceof TooManySteps)
      throw new CriticError(
        'permanent',
        'SCHEMA_TOO_COSTLY',
        'checking the content by the schema takes too many steps: simplify its patterns and references',
      );
    throw error;
  }
}

function checksOf(options: StructureOptions): { first: SchemaCheck; all: SchemaCheck } | undefined {
  const { schema } = options;
  if (schema === undefined) return undefined;
  const known = prepared.get(options) ?? compileSchema(schema);
  prepared.set(options, known);
  return known;
}

function depthOf(value: Json): number {
  const open: { value: Json; depth: number }[] = [{ value, depth: 0 }];
  let deepest = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    deepest = Math.max(deepest, next.depth + 1);
    for (const inner of Object.values(next.value)) open.push({ value: inner, depth: next.depth + 1 });
  }
  return deepest;
}

/** A problem stands at a text or a number, or at a place of the JSON inside a text; other places are told in `details.places`. */
function finish(problems: readonly Problem[], options: StructureOptions, part: Json | undefined, firstOnly = false): Finding {
  const base = stepsOf(options.at);
  const tree =
    options.parse && typeof part === 'string' && problems.some(({ path }) => path.length > 0) ? treeOf(part, options) : undefined;
  const places = new Set<string>();
  const violations = problems.map(({ code, message, path }): Violation => {
    const span = options.parse && typeof part === 'string' ? spanInText(part, base, path, tree) : spanOf(part, base, path);
    if (span === undefined) places.add(pathOf([...base, ...path]));
    return { code, message, severity: options.severity, ...(span !== undefined && { span }) };
  });
  const told = [...places].filter((place) => place !== '' && place.length <= MAX_PATH_CHARS).slice(0, MAX_PLACES);
  return findingOf(violations, { ...(told.length > 0 && { places: told }), ...(firstOnly && { firstOnly }) });
}

/** The places of the values in a text of JSON. */
interface Tree {
  readonly root: Node | undefined;
  /** Where the JSON begins in the text. */
  readonly offset: number;
}

function treeOf(text: string, { allowFence }: StructureOptions): Tree {
  const json = allowFence ? stripFence(text) : text;
  return { root: parseTree(json), offset: text.indexOf(json) };
}

type Span = NonNullable<Violation['span']>;

function spanOf(part: Json | undefined, base: readonly string[], path: readonly string[]): Span | undefined {
  const value = part === undefined ? undefined : at(part, path);
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return within(pathOf([...base, ...path]), 0, String(value).length);
}

function spanInText(text: string, base: readonly string[], path: readonly string[], tree: Tree | undefined): Span | undefined {
  const node = tree?.root && nodeAt(tree.root, path);
  if (tree === undefined || node === undefined) return within(pathOf(base), 0, text.length);
  return within(pathOf(base), tree.offset + node.offset, tree.offset + node.offset + node.length);
}

function nodeAt(tree: Node, path: readonly string[]): Node | undefined {
  let here: Node | undefined = tree;
  for (const step of path) here = here && findNodeAtLocation(here, [here.type === 'array' ? Number(step) : step]);
  return here;
}

function within(path: string, start: number, end: number): Span | undefined {
  if (path.length > MAX_PATH_CHARS || start === end) return undefined;
  return { ...(path !== '' && { path }), start, end };
}
