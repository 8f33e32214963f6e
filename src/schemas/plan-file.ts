/**
 * YAML text to a value, with the line and column of every part of it. Imports the YAML library alone.
 * Refuses what a parser would accept and a reader would not see: duplicate keys, alias bombs, unknown tags.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  Parser,
  visit,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { MAX_DEPTH } from './plain.js';

/** Both count from 1. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

export interface YamlProblem extends Position {
  readonly message: string;
}

export interface Where {
  /** Point at the last step's key, not at its value. */
  readonly atKey?: boolean;
  /** Characters into the scalar. */
  readonly offset?: number;
}

export interface YamlText {
  readonly value: unknown;
  /** Of the part at a path; when there is none, of the nearest part around it. */
  position(path: readonly (string | number)[], where?: Where): Position;
}

export type YamlResult = ({ readonly ok: true } & YamlText) | { readonly ok: false; readonly problems: readonly YamlProblem[] };

/** More than the largest plan that compiles. */
const MAX_CHARACTERS = 1_048_576;
/** More than a person reads; a broken line is often followed by many. */
const MAX_PROBLEMS = 20;
/** The YAML library's own default, far below what an alias bomb needs. */
const MAX_ALIASES = 100;

export function readYaml(text: string): YamlResult {
  if (text.length > MAX_CHARACTERS) return refused(1, 1, `the file is longer than ${MAX_CHARACTERS} characters`);
  const deep = tooDeepAt(text);
  if (deep !== undefined) return refused(deep.line, deep.col, `is nested more than ${MAX_DEPTH} levels deep`);

  const lines = new LineCounter();
  const problem = (offset: number, message: string): YamlProblem => ({ ...positionAt(lines, offset), message });
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error', version: '1.2', stringKeys: true });
  // A warning is a tag that means nothing here: the value would not be what its writer thinks.
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) return { ok: false, problems: wrong.slice(0, MAX_PROBLEMS).map((one) => problem(one.pos[0], one.message)) };
  if (document.contents === null) return refused(1, 1, 'the file is empty');

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return {
      ok: false,
      problems: [problem(firstAlias(document), `uses aliases that blow the file up: more than ${MAX_ALIASES} values come from them`)],
    };
  }
  return { ok: true, value, position: (path, where = {}) => positionAt(lines, offsetOf(document, text, path, where)) };
}

const refused = (line: number, col: number, message: string): YamlResult => ({ ok: false, problems: [{ line, col, message }] });

const positionAt = (lines: LineCounter, offset: number): Position => lines.linePos(offset);

/**
 * Where nesting passes the limit. Asked of the token parser, which keeps a stack of its own: the library's composer
 * recurses, and Node itself can die of a regular expression compiled at the end of the stack.
 */
function tooDeepAt(text: string): Position | undefined {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  // Up to two entries a level, and a document with its first value.
  const most = 2 * MAX_DEPTH + 2;
  for (const token of new Lexer().lex(text)) {
    // A generator does its work while it is read; its documents are not needed here.
    for (const _ of parser.next(token));
    if (parser.stack.length > most) return positionAt(lines, parser.offset);
  }
  return undefined;
}

function firstAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias(_, node) {
      offset = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function offsetOf(document: Document, text: string, path: readonly (string | number)[], where: Where): number {
  let node: unknown = document.contents;
  let key: unknown = node;
  for (const [index, step] of path.entries()) {
    const pair = isAlias(node) ? childOf(node.resolve(document), step) : childOf(node, step);
    // What is missing is missed where it should stand: point at the name of what should hold it.
    if (pair === undefined) return startOf(key);
    if (where.atKey === true && index === path.length - 1) return startOf(pair.key ?? pair.value);
    key = pair.key ?? pair.value;
    node = pair.value ?? pair.key;
  }
  return startOf(node) + (where.offset === undefined ? 0 : offsetInScalar(node, text, where.offset));
}

function childOf(node: unknown, step: string | number): Partial<Pair> | undefined {
  if (isMap(node)) return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step));
  if (!isSeq(node) || typeof step !== 'number') return undefined;
  const value = node.items[step];
  return value === undefined ? undefined : { value };
}

const startOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;

/** Exact where the file holds the text as it is, quoted or not; the scalar's start where it is folded or escaped. */
function offsetInScalar(node: unknown, text: string, offset: number): number {
  if (!isScalar(node) || typeof node.value !== 'string') return 0;
  const start = startOf(node);
  const quote = text[start] === '"' || text[start] === "'" ? 1 : 0;
  const written = text.slice(start + quote, start + quote + node.value.length);
  return written === node.value ? quote + offset : 0;
}
