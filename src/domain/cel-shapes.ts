/**
 * What expressions may name: the declared types, the names of each place, and the shape that an expression has.
 * Pure; knows the form of the syntax tree, never the CEL library itself.
 */
import type { CelNode, CelScope } from './cel.js';

type Place = CelScope['place'];
type TypeName = 'Span' | 'Violation' | 'Finding' | 'Output' | 'Critic' | 'Request';

/** Fields and their CEL types. `maybe` may be absent and must be guarded. */
interface Declared {
  readonly always: Readonly<Record<string, string>>;
  readonly maybe: Readonly<Record<string, string>>;
}

const JUDGED = { severity: 'double', violations: 'list<Violation>' };
const MEASURED = { score: 'double', value: 'double', uncertainty: 'double' };
const PLACED = { name: 'string', stage: 'string' };

/** A type stands after those that its fields name. */
export const DECLARED: Readonly<Record<TypeName, Declared>> = {
  Span: { always: { start: 'double', end: 'double' }, maybe: { path: 'string' } },
  Violation: { always: { code: 'string', message: 'string' }, maybe: { severity: 'double', span: 'Span' } },
  Finding: { always: { ...PLACED, ...JUDGED }, maybe: MEASURED },
  Output: { always: JUDGED, maybe: MEASURED },
  Critic: { always: { outcome: 'string' }, maybe: { ...PLACED, ...JUDGED, ...MEASURED } },
  Request: { always: { tenant: 'string', riskTier: 'string', size: 'double' }, maybe: {} },
};

const EVERYWHERE = { context: 'map<string, dyn>', request: 'Request' };

/** The names of each place with their CEL types. */
export const ROOTS: Readonly<Record<Place, Readonly<Record<string, string>>>> = {
  risk: EVERYWHERE,
  conditions: { ...EVERYWHERE, findings: 'list<Finding>', critics: 'map<string, Critic>' },
  output: { ...EVERYWHERE, output: 'Output' },
};

/** Most violations of one finding (`schemas/finding.ts`), and most entries of one list or map in `context` that a rule may loop over: longer lists would make every such loop too dear. */
const MAX_VIOLATIONS = 100;
export const MAX_CONTEXT_ITEMS = 1000;

/** What is known about a value before it is there. `json`: something under `context`, of which every part may be absent. */
export type Shape =
  | { readonly kind: 'json' | 'critics' | 'scalar' }
  | { readonly kind: 'object'; readonly type: TypeName }
  | { readonly kind: 'list'; readonly of: Shape; readonly max: number };

const JSON_SHAPE: Shape = { kind: 'json' };
const SCALAR: Shape = { kind: 'scalar' };

/** A name that an expression can read. `key` tells it from another loop variable of the same name. */
export interface Variable {
  readonly shape: Shape;
  readonly key: string;
  readonly loop: boolean;
}
export type Variables = ReadonlyMap<string, Variable>;

/** @param findings the most findings that the place can hold. */
export function rootVariables(place: Place, findings: number): Variables {
  return new Map(
    Object.entries(ROOTS[place]).map(([name, type]) => [name, { shape: shapeOfType(type, findings), key: name, loop: false }]),
  );
}

function shapeOfType(type: string, findings: number): Shape {
  switch (type) {
    case 'map<string, dyn>':
      return JSON_SHAPE;
    case 'map<string, Critic>':
      return { kind: 'critics' };
    case 'list<Finding>':
      return { kind: 'list', of: { kind: 'object', type: 'Finding' }, max: findings };
    case 'list<Violation>':
      return { kind: 'list', of: { kind: 'object', type: 'Violation' }, max: MAX_VIOLATIONS };
    default:
      return isTypeName(type) ? { kind: 'object', type } : SCALAR;
  }
}

const isTypeName = (name: string): name is TypeName => Object.hasOwn(DECLARED, name);

export const fieldNames = (type: TypeName): string[] => [...Object.keys(DECLARED[type].always), ...Object.keys(DECLARED[type].maybe)];

/** One step into a value; undefined when a declared type has no such field. */
export function fieldOf(shape: Shape, name: string): { readonly shape: Shape; readonly optional: boolean } | undefined {
  if (shape.kind === 'json') return { shape: JSON_SHAPE, optional: true };
  if (shape.kind === 'critics') return { shape: { kind: 'object', type: 'Critic' }, optional: false };
  if (shape.kind !== 'object') return { shape: SCALAR, optional: false };
  const { always, maybe } = DECLARED[shape.type];
  const fields = Object.hasOwn(always, name) ? always : maybe;
  const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return type === undefined ? undefined : { shape: shapeOfType(type, 0), optional: fields === maybe };
}

/** What a loop over the value runs through. */
export function itemsOf(shape: Shape): { readonly of: Shape; readonly max: number } {
  if (shape.kind === 'list') return shape;
  return shape.kind === 'json' ? { of: JSON_SHAPE, max: MAX_CONTEXT_ITEMS } : { of: SCALAR, max: 1 };
}

const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** A loop over a list: `list.exists(variable, body)`. `map` may have a condition before its body. */
export interface Macro {
  readonly name: string;
  readonly list: CelNode;
  readonly variable: string;
  readonly bodies: readonly CelNode[];
}

export function macroOf(node: CelNode): Macro | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, list, [variable, ...bodies]] = node.args;
  if (!MACROS.has(name) || variable?.op !== 'id' || bodies.length === 0) return undefined;
  return { name, list, variable: variable.args, bodies };
}

/** The variables inside a loop. */
export function insideOf(macro: Macro, variables: Variables, key: string): Variables {
  const { of } = itemsOf(shapeOf(macro.list, variables));
  return new Map(variables).set(macro.variable, { shape: of, key, loop: true });
}

export function shapeOf(node: CelNode, variables: Variables): Shape {
  switch (node.op) {
    case 'id':
      return variables.get(node.args)?.shape ?? SCALAR;
    case '.':
      return fieldOf(shapeOf(node.args[0], variables), node.args[1])?.shape ?? SCALAR;
    case '?:':
      return either(shapeOf(node.args[1], variables), shapeOf(node.args[2], variables));
    case 'list':
      return { kind: 'list', of: node.args.map((item) => shapeOf(item, variables)).reduce(either, SCALAR), max: node.args.length };
    case '+':
      return joined(shapeOf(node.args[0], variables), shapeOf(node.args[1], variables));
    case 'rcall':
      return shapeOfLoop(node, variables);
    default:
      return SCALAR;
  }
}

function shapeOfLoop(node: CelNode, variables: Variables): Shape {
  const macro = macroOf(node);
  const body = macro?.bodies.at(-1);
  if (macro === undefined || body === undefined) return SCALAR;
  const items = itemsOf(shapeOf(macro.list, variables));
  if (macro.name === 'filter') return { kind: 'list', ...items };
  if (macro.name === 'map') return { kind: 'list', of: shapeOf(body, insideOf(macro, variables, macro.variable)), max: items.max };
  return SCALAR;
}

/** The shape that promises least; the type check refuses what cannot be one of two. */
function either(a: Shape, b: Shape): Shape {
  if (a.kind === 'json' || b.kind === 'json') return JSON_SHAPE;
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', of: either(a.of, b.of), max: Math.max(a.max, b.max) };
  return a.kind === 'scalar' ? b : a;
}

function joined(a: Shape, b: Shape): Shape {
  const values = [a.kind, b.kind];
  if (!values.includes('list') && !values.includes('json')) return SCALAR;
  return { kind: 'list', of: either(itemsOf(a).of, itemsOf(b).of), max: itemsOf(a).max + itemsOf(b).max };
}
