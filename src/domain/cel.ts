/**
 * Policy expressions: checked when a plan is read, evaluated by the workflow. Pure, and the only place that imports the CEL library.
 *
 * C1 An expression that passed the check names only what its place shows it, and reads what may be absent only behind has().
 * C2 Evaluation never throws: an error is a value, its message holds types and names of the plan, never content.
 * C3 Only the boolean `true` is true.
 */
import { Environment, EvaluationError, ParseError, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';
import type { CelBindings, CelCritic } from './cel-bindings.js';
import { costOf } from './cel-cost.js';
import { readNames, TYPE_NAMES, type Names } from './cel-guards.js';
import { DECLARED, macroOf, MAX_CONTEXT_ITEMS, ROOTS, rootVariables } from './cel-shapes.js';
import { didYouMean } from './nearest.js';

export { conditionBindings, seenValues, type CelBindings, type CelCritic, type CelFinding } from './cel-bindings.js';
export type CelNode = ASTNode;

/** What an expression may see. */
export interface CelScope {
  /** `risk`: context, request. `conditions`: also findings, critics. `output`: output (a finding), context, request. */
  readonly place: 'risk' | 'conditions' | 'output';
  /** Names that `critics.x` may use (conditions only). Also the bound on the length of `findings`. */
  readonly critics: readonly string[];
}

/** UTF-16 offsets into the source, `end` exclusive. */
export interface CelProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export type CelChecked =
  /** `cost`: upper bound in steps, see `cel-cost.ts`. `paths`: what it reads, such as `context.domain` or `findings`. */
  | { readonly ok: true; readonly cost: number; readonly paths: readonly string[] }
  | { readonly ok: false; readonly problems: readonly CelProblem[] };

export type CelValue = { readonly ok: true; readonly value: boolean } | { readonly ok: false; readonly message: string };
export type CelProgram = (bindings: CelBindings) => CelValue;

/** Most steps of all expressions of a plan together: about 0.7 s. */
export const CEL_MAX_PLAN_COST = 1_000_000;

// What is read must fit a stack of the usual size; a rule that people can read is much smaller.
export const MAX_CEL_CHARS = 4096;
const MAX_TREE_DEPTH = 250;
/** One sentence in a report. */
const MAX_MESSAGE_CHARS = 200;
const LIMITS = { maxAstNodes: 2000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 100, maxCallArguments: 10 };

/** Whether the expression can be used in this place; it must be true or false. */
export function checkCel(source: string, scope: CelScope): CelChecked {
  const analysis = analyse(source, scope.place);
  const problems = analysis.ok ? unseenCritics(analysis.names, scope) : analysis.problems;
  if (!analysis.ok || problems.length > 0) return { ok: false, problems };
  const cost = costOf(analysis.parsed.ast, rootVariables(scope.place, scope.critics.length));
  return { ok: true, cost, paths: analysis.names.paths };
}

/** Memoised. What the check refuses becomes a program whose value is always an error. */
export function compileCel(source: string, scope: CelScope): CelProgram {
  const analysis = analyse(source, scope.place);
  const [problem] = analysis.ok ? unseenCritics(analysis.names, scope) : analysis.problems;
  if (analysis.ok && problem === undefined) return analysis.program;
  return () => ({ ok: false, message: short(`the expression was refused: ${problem?.message}`) });
}

/** Undefined when a decisive rule may have this form: `findings.exists(x, P)`, or `&&` and `||` of such, P naming only x, context and request. */
export function decisiveProblem(source: string): CelProblem | undefined {
  const parsed = parse(source, 'conditions');
  return 'message' in parsed ? parsed : decisiveForm(parsed.ast);
}

/** Whether a rule of decisive form holds by one finding alone: `findings.exists(x, P)` or `||` of such. */
export function holdsByOneFinding(source: string): boolean {
  const parsed = parse(source, 'conditions');
  const isUnion = (node: CelNode): boolean => (node.op === '||' ? isUnion(node.args[0]) && isUnion(node.args[1]) : node.op !== '&&');
  return !('message' in parsed) && isUnion(parsed.ast);
}

function decisiveForm(node: CelNode): CelProblem | undefined {
  if (node.op === '&&' || node.op === '||') return decisiveForm(node.args[0]) ?? decisiveForm(node.args[1]);
  const macro = macroOf(node);
  const [body] = macro?.bodies ?? [];
  if (macro?.name === 'exists' && macro.list.op === 'id' && macro.list.args === 'findings' && body !== undefined) {
    return foreignName(body, new Set(['context', 'request', macro.variable]));
  }
  const message = 'a decisive rule must be findings.exists(x, …), or && and || of such, so that no later finding can unsay it';
  return { message, start: node.start, end: node.end };
}

function foreignName(node: CelNode, allowed: ReadonlySet<string>): CelProblem | undefined {
  if (node.op === 'id' && !allowed.has(node.args) && !TYPE_NAMES.has(node.args)) {
    const message = `inside a decisive rule only ${[...allowed].join(', ')} may be read, not ${node.args}, so that no later finding can unsay it`;
    return { message, start: node.start, end: node.end };
  }
  const macro = macroOf(node);
  if (macro === undefined) return first(childrenOf(node), (child) => foreignName(child, allowed));
  const inside = new Set([...allowed, macro.variable]);
  return foreignName(macro.list, allowed) ?? first(macro.bodies, (body) => foreignName(body, inside));
}

function first<T>(nodes: readonly CelNode[], find: (node: CelNode) => T | undefined): T | undefined {
  for (const node of nodes) {
    const found = find(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

// ---- reading a source, once for each place

type Analysis =
  | { readonly ok: true; readonly parsed: ParseResult; readonly names: Names; readonly program: CelProgram }
  | { readonly ok: false; readonly problems: readonly CelProblem[] };

/** What is the same whichever critics a scope shows. Bounded: a client may read many plans in its life. */
const analyses = new Map<string, Analysis>();
const MAX_ANALYSES = 4096;

function analyse(source: string, place: CelScope['place']): Analysis {
  const key = `${place}:${source}`;
  const known = analyses.get(key);
  if (known !== undefined) return known;
  if (analyses.size >= MAX_ANALYSES) analyses.clear();
  const analysis = analyseNew(source, place);
  analyses.set(key, analysis);
  return analysis;
}

function analyseNew(source: string, place: CelScope['place']): Analysis {
  const parsed = parse(source, place);
  if ('message' in parsed) return { ok: false, problems: [parsed] };
  const names = readNames(parsed.ast, place);
  if (names.problems.length > 0) return { ok: false, problems: names.problems };
  const mistyped = typeProblem(source, parsed);
  if (mistyped !== undefined) return { ok: false, problems: [mistyped] };
  return { ok: true, parsed, names, program: programOf(parsed, names) };
}

/** Nothing that is too long or too deep for a stack of the usual size comes out of here. */
function parse(source: string, place: CelScope['place']): ParseResult | CelProblem {
  const whole = { start: 0, end: source.length };
  if (source.trim() === '') return { message: 'is empty; write an expression that is true or false', ...whole };
  if (source.length > MAX_CEL_CHARS)
    return { message: `is ${source.length} characters long, at most ${MAX_CEL_CHARS} are allowed`, ...whole };
  try {
    const parsed = environment(place).parse(source);
    return depthOf(parsed.ast) > MAX_TREE_DEPTH ? { message: 'is nested too deeply', ...whole } : parsed;
  } catch (error) {
    if (!(error instanceof ParseError)) return { message: 'is nested too deeply', ...whole };
    const what = error.code === 'limit_exceeded' ? 'is too large' : 'cannot be read';
    return { message: `${what}: ${error.summary}`, ...(error.range ?? whole) };
  }
}

function depthOf(ast: CelNode): number {
  let depth = 0;
  for (let level: readonly CelNode[] = [ast]; level.length > 0; level = level.flatMap(childrenOf)) depth += 1;
  return depth;
}

function childrenOf(node: CelNode): readonly CelNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case '!_':
    case '-_':
      return [node.args];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    default:
      return node.args;
  }
}

function typeProblem(source: string, parsed: ParseResult): CelProblem | undefined {
  const whole = { start: parsed.ast.start, end: parsed.ast.end };
  const { type, error } = parsed.check();
  if (error !== undefined) {
    const at = error.range ?? whole;
    return { message: error.summary + numberHint(error.summary, source.slice(at.start, at.end)), ...at };
  }
  // `dyn` is a value of the context: what it is shows when the rule runs.
  return type === 'bool' || type === 'dyn' ? undefined : { message: `must be true or false, is ${type}`, ...whole };
}

/** JSON has only doubles, and CEL does not mix them with whole numbers. */
function numberHint(summary: string, text: string): string {
  if (!/\bint\b/.test(summary) || !/\bdouble\b/.test(summary)) return '';
  const whole = /(?<![\w.])\d+(?![\w.])/.exec(text);
  return whole === null ? '; a count is a whole number: write it without a point, or use double(…)' : `; write ${whole[0]}.0`;
}

function unseenCritics(names: Names, scope: CelScope): CelProblem[] {
  return names.critics
    .filter((use) => !scope.critics.includes(use.name))
    .map(({ name, start, end }) => ({
      message: `there is no critic "${name}" that this place can see${didYouMean(name, scope.critics)}`,
      start,
      end,
    }));
}

// ---- evaluation

/** The library reads fields of a value inside a map only from a class that it knows. */
class CriticView {
  constructor(critic: CelCritic) {
    Object.assign(this, critic);
  }
}

const environments = new Map<CelScope['place'], Environment>();

function environment(place: CelScope['place']): Environment {
  const known = environments.get(place);
  if (known !== undefined) return known;
  const made = new Environment({ limits: LIMITS });
  for (const [name, { always, maybe }] of Object.entries(DECLARED)) {
    made.registerType({ name, fields: { ...always, ...maybe }, ...(name === 'Critic' && { ctor: CriticView }) });
  }
  for (const [name, type] of Object.entries(ROOTS[place])) made.registerVariable(name, type);
  environments.set(place, made);
  return made;
}

function programOf(parsed: ParseResult, names: Names): CelProgram {
  return (bindings) => {
    if (names.loopsContext && hasLongList(bindings.context)) {
      return {
        ok: false,
        message: `a list or map of the context has more than ${MAX_CONTEXT_ITEMS} entries, too many for a rule that looks through it`,
      };
    }
    try {
      const value: unknown = parsed({ ...bindings, findings: bindings.findings ?? [], critics: viewsOf(names, bindings) });
      if (typeof value === 'boolean') return { ok: true, value };
      return { ok: false, message: `must be true or false, is ${value === null ? 'null' : typeof value}` };
    } catch (error) {
      return { ok: false, message: errorMessage(error) };
    }
  };
}

function viewsOf(names: Names, bindings: CelBindings): ReadonlyMap<string, CriticView> {
  const views = new Map<string, CriticView>();
  for (const { name } of names.critics) {
    const critic = bindings.critics !== undefined && Object.hasOwn(bindings.critics, name) ? bindings.critics[name] : undefined;
    if (critic !== undefined) views.set(name, new CriticView(critic));
  }
  return views;
}

/** Keeps the promise that the cost bound of a loop over `context` rests on. */
function hasLongList(context: unknown): boolean {
  const open = [context];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const items: unknown[] = Object.values(value);
    if (items.length > MAX_CONTEXT_ITEMS) return true;
    open.push(...items);
  }
  return false;
}

/** Codes whose text names types and names of the plan only. */
const PLAIN_CODES: ReadonlySet<string> = new Set([
  'division_by_zero',
  'double_conversion_error',
  'field_type_mismatch',
  'int_conversion_error',
  'invalid_comprehension_range',
  'invalid_condition_type',
  'invalid_logical_operand',
  'modulo_by_zero',
  'no_matching_overload',
  'no_such_key',
  'no_such_overload',
  'unknown_variable',
  'variable_type_mismatch',
]);

function errorMessage(error: unknown): string {
  if (!(error instanceof EvaluationError)) return 'the expression could not be evaluated';
  const what = PLAIN_CODES.has(error.code) ? error.summary : `the expression could not be evaluated: ${error.code}`;
  return short(error.range === undefined ? what : `${what} (characters ${error.range.start} to ${error.range.end})`);
}

const short = (text: string): string => text.slice(0, MAX_MESSAGE_CHARS);
