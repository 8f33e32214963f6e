/**
 * Names, fields and guards of an expression, read off its syntax tree before anything runs. Pure.
 *
 * N1 Only the names of the place, the declared fields and a short list of functions are known: nothing that reads a clock,
 *    a time zone or a regular expression.
 * N2 What may be absent is read only where the expression has asked before: `has(p) && …`, `!has(p) || …`, or a ternary on it.
 * N3 A critic is read by name, never by an index, so that what an expression sees is known when the plan is read.
 */
import type { CelNode, CelProblem, CelScope } from './cel.js';
import {
  fieldNames,
  fieldOf,
  insideOf,
  itemsOf,
  macroOf,
  rootVariables,
  shapeOf,
  type Macro,
  type Shape,
  type Variables,
} from './cel-shapes.js';
import { didYouMean } from './nearest.js';

/** The name of a critic where it stands in the source. */
export interface CriticUse {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface Names {
  readonly problems: readonly CelProblem[];
  /** Static paths that the expression reads, in the order in which they stand there. */
  readonly paths: readonly string[];
  readonly critics: readonly CriticUse[];
  /** It runs through a list or map of `context`. */
  readonly loopsContext: boolean;
}

/** Function name → number of arguments. */
const FUNCTIONS: ReadonlyMap<string, number> = new Map([
  ['has', 1],
  ['size', 1],
  ['double', 1],
  ['int', 1],
  ['type', 1],
]);
const METHODS: ReadonlyMap<string, number> = new Map([
  ['size', 0],
  ['contains', 1],
  ['startsWith', 1],
  ['endsWith', 1],
]);
const MACRO_FORMS = 'exists(x, …), all(x, …), exists_one(x, …), filter(x, …) and map(x, …)';
const TIME_FUNCTIONS: ReadonlySet<string> = new Set([
  'timestamp',
  'duration',
  ...['Date', 'DayOfMonth', 'DayOfWeek', 'DayOfYear', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds'].map(
    (part) => `get${part}`,
  ),
]);
/** What `type(x)` can be compared with. */
export const TYPE_NAMES: ReadonlySet<string> = new Set(['bool', 'double', 'int', 'list', 'map', 'null_type', 'string']);

/** Keys of paths that are there wherever a node is evaluated. */
type Known = ReadonlySet<string>;
type Access = Extract<CelNode, { readonly op: '.' }>;

export function readNames(ast: CelNode, place: CelScope['place']): Names {
  const walk = new Walk(place);
  walk.visit(ast, rootVariables(place, 0), new Set());
  return { problems: walk.problems, paths: [...walk.paths], critics: walk.critics, loopsContext: walk.loopsContext };
}

class Walk {
  readonly problems: CelProblem[] = [];
  readonly paths = new Set<string>();
  readonly critics: CriticUse[] = [];
  loopsContext = false;
  #loops = 0;

  constructor(private readonly place: CelScope['place']) {}

  visit(node: CelNode, variables: Variables, known: Known): void {
    switch (node.op) {
      case 'value':
        return;
      case 'id':
      case '.':
        return this.#read(node, variables, known, 'value');
      case '[]':
      case '[?]':
      case '.?':
        return this.#refuse(
          node,
          'an index can miss when the rule runs; name fields with dots and has(), and look into lists with exists or all',
        );
      case 'map':
        return this.#refuse(node, 'a map written out has no use in a rule; use lists');
      case 'call':
        return this.#visitCall(node, node.args[0], node.args[1], variables, known);
      case 'rcall':
        return this.#visitMethod(node, variables, known);
      case 'list':
        return node.args.forEach((item) => this.visit(item, variables, known));
      case '!_':
      case '-_':
        return this.visit(node.args, variables, known);
      case '&&':
      case '||': {
        const [left, right] = node.args;
        this.visit(left, variables, known);
        return this.visit(right, variables, both(known, present(left, node.op === '&&', variables)));
      }
      case '?:': {
        const [condition, then, otherwise] = node.args;
        this.visit(condition, variables, known);
        this.visit(then, variables, both(known, present(condition, true, variables)));
        return this.visit(otherwise, variables, both(known, present(condition, false, variables)));
      }
      default:
        return this.#visitOperator(node, node.args, variables, known);
    }
  }

  #visitOperator(node: CelNode, [left, right]: readonly [CelNode, CelNode], variables: Variables, known: Known): void {
    this.visit(left, variables, known);
    this.visit(right, variables, known);
    if (node.op === 'in' && holdsJson(shapeOf(right, variables))) this.loopsContext = true;
    const whole = [left, right].find((side) => isWhole(shapeOf(side, variables)));
    if (whole !== undefined && ['==', '!=', 'in'].includes(node.op))
      this.#refuse(whole, 'whole findings cannot be compared; compare their fields');
  }

  #visitCall(node: CelNode, name: string, args: readonly CelNode[], variables: Variables, known: Known): void {
    if (FUNCTIONS.get(name) !== args.length) return this.#refuseFunction(node, name, FUNCTIONS);
    const [arg] = args;
    if (arg === undefined) return;
    if (name !== 'has') return this.visit(arg, variables, known);
    if (arg.op === '.') return this.#read(arg, variables, known, 'has');
    this.#refuse(arg, 'has() asks for a field, such as has(context.domain)');
  }

  #visitMethod(node: Extract<CelNode, { readonly op: 'rcall' }>, variables: Variables, known: Known): void {
    const macro = macroOf(node);
    if (macro !== undefined) return this.#visitMacro(macro, variables, known);
    const [name, receiver, args] = node.args;
    if (METHODS.get(name) !== args.length) return this.#refuseFunction(node, name, METHODS);
    for (const child of [receiver, ...args]) this.visit(child, variables, known);
  }

  #visitMacro(macro: Macro, variables: Variables, known: Known): void {
    this.visit(macro.list, variables, known);
    if (holdsJson(shapeOf(macro.list, variables))) this.loopsContext = true;
    this.#loops += 1;
    const inside = insideOf(macro, variables, `${macro.variable}#${this.#loops}`);
    let here = known;
    for (const body of macro.bodies) {
      this.visit(body, inside, here);
      // Only `map` has two: its second is evaluated where its first is true.
      here = both(here, present(body, true, inside));
    }
  }

  /** A name, or a chain of fields on one. `has` may name a last step that is absent; the steps before it are read. */
  #read(node: Access | Extract<CelNode, { readonly op: 'id' }>, variables: Variables, known: Known, use: 'value' | 'has'): void {
    const { base, steps } = chainOf(node);
    if (base.op !== 'id') this.visit(base, variables, known);
    const variable = base.op === 'id' ? variables.get(base.args) : undefined;
    if (base.op === 'id' && variable === undefined) return this.#unknownName(base, base.args, variables);
    let shape = shapeOf(base, variables);
    if (shape.kind === 'critics' && steps.length === 0) return this.#refuse(base, 'critics is read by name, such as critics.pii.outcome');
    let key = variable?.key ?? '';
    let shown = base.op === 'id' ? base.args : '…';
    const missing: string[] = [];
    for (const step of steps) {
      const name = step.args[1];
      const field = this.#field(step, shape, shown);
      if (field === undefined) return;
      if (shape.kind === 'critics') this.critics.push({ name, start: step.pos, end: step.end });
      shape = field.shape;
      key += `.${name}`;
      shown += `.${name}`;
      if (field.optional && !known.has(key) && !(use === 'has' && step === node)) missing.push(shown);
    }
    if (variable?.loop === false) this.paths.add(shown);
    if (missing.length === 0) return;
    const guard = `guard it: ${missing.map((path) => `has(${path}) && `).join('')}…`;
    const how = variable === undefined ? 'no has() can ask for it in this form; name it by a path' : guard;
    this.#refuse(node, `${missing.at(-1)} may be absent; ${how}`);
  }

  #field(step: Access, shape: Shape, shown: string): ReturnType<typeof fieldOf> {
    const name = step.args[1];
    const at = { start: step.pos, end: step.end };
    if (shape.kind === 'list') {
      this.#refuse(at, `${shown} is a list: use ${shown}.exists(x, …), ${shown}.all(x, …) or ${shown}.size()`);
      return undefined;
    }
    const field = fieldOf(shape, name);
    if (field === undefined && shape.kind === 'object') {
      const fields = fieldNames(shape.type);
      this.#refuse(at, `${shown} has no field "${name}"${didYouMean(name, fields) || `; its fields are ${fields.join(', ')}`}`);
    }
    return field;
  }

  #unknownName(node: CelNode, name: string, variables: Variables): void {
    if (TYPE_NAMES.has(name)) return;
    const names = [...variables.keys()];
    const hidden = this.place !== 'conditions' && (name === 'findings' || name === 'critics') ? ' here' : '';
    this.#refuse(node, `"${name}" is not known${hidden}${didYouMean(name, names) || `; known are ${names.join(', ')}`}`);
  }

  #refuseFunction(node: CelNode, name: string, known: ReadonlyMap<string, number>): void {
    if (name === 'matches')
      return this.#refuse(node, 'rules have no regular expressions; let a critic that uses `pattern` do it and read its finding');
    if (TIME_FUNCTIONS.has(name))
      return this.#refuse(node, `rules have no ${name}(): they may not depend on clocks or time zones; hand numbers in by context`);
    const forms = [...known.keys()].map((one) => `${one}()`).join(', ');
    const used = known.has(name) ? `${name}() takes ${known.get(name)} argument(s)` : `there is no function ${name}()`;
    this.#refuse(node, `${used}; known are ${forms}${known === METHODS ? `, and on lists ${MACRO_FORMS}` : ''}`);
  }

  #refuse(at: { readonly start: number; readonly end: number }, message: string): void {
    this.problems.push({ message, start: at.start, end: at.end });
  }
}

const holdsJson = (shape: Shape): boolean => itemsOf(shape).of.kind === 'json';
const isWhole = (shape: Shape): boolean => shape.kind === 'object' || (shape.kind === 'list' && isWhole(shape.of));

function chainOf(node: CelNode): { readonly base: CelNode; readonly steps: readonly Access[] } {
  const steps: Access[] = [];
  let base = node;
  for (; base.op === '.'; base = base.args[0]) steps.unshift(base);
  return { base, steps };
}

/** Keys of the paths that must be there when the node came out as `outcome`. */
function present(node: CelNode, outcome: boolean, variables: Variables): Known {
  switch (node.op) {
    case 'call': {
      const key = outcome && node.args[0] === 'has' ? keyOf(node.args[1][0], variables) : undefined;
      return new Set(key === undefined ? [] : [key]);
    }
    case '!_':
      return present(node.args, !outcome, variables);
    case '&&':
    case '||': {
      const [left, right] = [present(node.args[0], outcome, variables), present(node.args[1], outcome, variables)];
      // A true `&&` and a false `||` need both sides; of the others one side is enough, and it may be either.
      return (node.op === '&&') === outcome ? both(left, right) : common(left, right);
    }
    case '?:': {
      const [condition, then, otherwise] = node.args;
      return common(
        both(present(condition, true, variables), present(then, outcome, variables)),
        both(present(condition, false, variables), present(otherwise, outcome, variables)),
      );
    }
    default:
      return new Set();
  }
}

function keyOf(node: CelNode | undefined, variables: Variables): string | undefined {
  if (node === undefined) return undefined;
  const { base, steps } = chainOf(node);
  const variable = base.op === 'id' ? variables.get(base.args) : undefined;
  return variable && [variable.key, ...steps.map((step) => step.args[1])].join('.');
}

const both = (a: Known, b: Known): Known => (b.size === 0 ? a : new Set([...a, ...b]));
const common = (a: Known, b: Known): Known => new Set([...a].filter((key) => b.has(key)));
