/**
 * How dear an expression can become, before it runs. Pure.
 *
 * Every node is one step; `&&`, `||` and `?:` count all their branches. A loop counts its body once for each item that its
 * list can have, so nested loops multiply. Lists are as long as they may be: findings one for each critic that the place sees,
 * violations 100, lists under `context` 1,000 (longer ones make the loop an error), others as they are written.
 * Comparing lists counts the shorter one, `in` and `+` count the items they pass, and a string function on a value of
 * `context` counts 1,000, about what reading a string of 256 KB takes.
 */
import type { CelNode } from './cel.js';
import { insideOf, itemsOf, macroOf, MAX_CONTEXT_ITEMS, shapeOf, type Variables } from './cel-shapes.js';

export function costOf(node: CelNode, variables: Variables): number {
  return Math.min(1 + ownCost(node, variables), Number.MAX_SAFE_INTEGER);
}

function ownCost(node: CelNode, variables: Variables): number {
  const cost = (child: CelNode) => costOf(child, variables);
  const sum = (children: readonly CelNode[]) => children.reduce((total, child) => total + cost(child), 0);
  const items = (child: CelNode) => itemsOf(shapeOf(child, variables)).max;
  switch (node.op) {
    case 'value':
    case 'id':
      return 0;
    case '.':
    case '.?':
      return cost(node.args[0]);
    case '!_':
    case '-_':
      return cost(node.args);
    case 'call': {
      const [name, args] = node.args;
      return sum(args) + (name === 'size' ? textCost(args[0], variables) : 0);
    }
    case 'rcall': {
      const [, receiver, args] = node.args;
      return loopCost(node, variables) ?? sum([receiver, ...args]) + textCost(receiver, variables);
    }
    case 'map':
      return sum(node.args.flat());
    case '==':
    case '!=':
      return sum(node.args) + Math.min(items(node.args[0]), items(node.args[1]));
    case 'in':
      return sum(node.args) + items(node.args[1]);
    case '+':
      return sum(node.args) + items(node.args[0]) + items(node.args[1]);
    default:
      return sum(node.args);
  }
}

function loopCost(node: CelNode, variables: Variables): number | undefined {
  const macro = macroOf(node);
  if (macro === undefined) return undefined;
  const inside = insideOf(macro, variables, macro.variable);
  const body = macro.bodies.reduce((total, child) => total + costOf(child, inside), 1);
  return costOf(macro.list, variables) + itemsOf(shapeOf(macro.list, variables)).max * body;
}

const textCost = (text: CelNode | undefined, variables: Variables): number =>
  text !== undefined && shapeOf(text, variables).kind === 'json' ? MAX_CONTEXT_ITEMS : 0;
