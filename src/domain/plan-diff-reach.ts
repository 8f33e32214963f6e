/** Which critics run in more cases when some do, and what the expressions of a plan read. Pure. */
import { checkCel, decisiveProblem, type CelScope } from './cel.js';
import { visibleTo } from './gate.js';
import type { Plan, PlanCritic } from './plan.js';

/** `why`: some of them may run in more cases as well as in fewer. */
interface Reach {
  readonly names: ReadonlySet<string>;
  readonly why?: string;
}

type Bond = { readonly name: string; readonly why?: string };

/** Who is opened by whom. */
export class Gates {
  readonly #plan: Plan;
  #bonds: ReadonlyMap<string, readonly Bond[]> | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** The critics of these names and whoever may run in more cases when they do. */
  reach(names: readonly string[]): Reach {
    const open = this.#plan.critics.filter((one) => names.includes(one.name)).map((one) => one.name);
    const reached = new Set(open);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const { name, why } of this.#opens(next)) {
        if (reached.has(name)) continue;
        if (why !== undefined) return { names: reached, why };
        reached.add(name);
        open.push(name);
      }
    }
    return { names: reached };
  }

  /** Those that look at the end of a critic when they decide whether to look closer. */
  closerLooks(name: string): string[] {
    const opened = new Set(this.#opens(name).map((bond) => bond.name));
    const asks = ({ policy }: PlanCritic): boolean => policy === 'on_violation' || policy === 'on_uncertainty';
    return this.#plan.critics.filter((critic) => opened.has(critic.name) && asks(critic)).map((critic) => critic.name);
  }

  #opens(name: string): readonly Bond[] {
    this.#bonds ??= bondsOf(this.#plan);
    return this.#bonds.get(name) ?? [];
  }
}

function bondsOf(plan: Plan): ReadonlyMap<string, readonly Bond[]> {
  const bonds = new Map<string, Bond[]>();
  for (const critic of plan.critics) {
    for (const other of new Set([...visibleTo(plan, critic), ...critic.dependsOn])) {
      const bond = bondOf(plan, critic, other);
      if (bond === undefined) continue;
      // Which way a shadow critic goes changes no decision.
      const opened = critic.mode === 'shadow' ? { name: bond.name } : bond;
      const known = bonds.get(other);
      if (known === undefined) bonds.set(other, [opened]);
      else known.push(opened);
    }
  }
  return bonds;
}

/** What it means for a critic that another, which it sees or waits for, runs in more cases. */
function bondOf(plan: Plan, { name, dependsOn, fallbackFor, policy, condition = '' }: PlanCritic, other: string): Bond | undefined {
  if (fallbackFor === other) return { name };
  if (dependsOn.includes(other)) {
    // Until now gated with it, and so no cover for a failure that was there already.
    return fallbackFor === undefined ? { name } : { name, why: `${name}, which stands in for ${fallbackFor}, depends on it` };
  }
  if (policy === 'on_violation' || policy === 'on_uncertainty') return { name };
  if (policy !== 'conditional') return undefined;
  if (growsWithFindings(condition)) return { name };
  return readsCritics(plan, condition, new Set([other])) ? { name, why: `the condition of ${name} looks at it` } : undefined;
}

/** Whether findings that are added can only make the expression true: the form that decisive rules have. */
export const growsWithFindings = (source: string): boolean => decisiveProblem(source) === undefined;

/** Whether the expression looks at findings at large, or at one of these critics. */
export function readsCritics(plan: Plan, source: string, names: ReadonlySet<string>): boolean {
  const paths = pathsOf(plan, source, 'conditions');
  return paths?.some((path) => path.split('.')[0] === 'findings' || names.has(criticIn(path))) ?? true;
}

function criticIn(path: string): string {
  const [root, name] = path.split('.');
  return root === 'critics' && name !== undefined ? name : '';
}

/** Whether some expression of the plan looks at the risk tier; `on_high_risk` is none. */
export function readsTier(plan: Plan): boolean {
  const expressions: readonly (readonly [string, CelScope['place']])[] = [
    ...plan.risk.atLeast.map(({ when }) => [when, 'risk'] as const),
    ...plan.critics.flatMap(({ condition, validateOutput }) => [
      ...(condition === undefined ? [] : [[condition, 'conditions'] as const]),
      ...(validateOutput === undefined ? [] : [[validateOutput, 'output'] as const]),
    ]),
    ...plan.verdict.rules.map(({ when }) => [when, 'conditions'] as const),
  ];
  const isTier = (path: string): boolean => path === 'request' || path.startsWith('request.riskTier');
  return expressions.some(([source, place]) => pathsOf(plan, source, place)?.some(isTier) ?? true);
}

/** Whether some expression may tell in which order findings stand: no other function keeps it. */
export const readsOrder = (plan: Plan): boolean =>
  [...plan.verdict.rules.map((rule) => rule.when), ...plan.critics.flatMap((critic) => critic.condition ?? [])].some(
    (source) => /\bmap\b/.test(source) && readsCritics(plan, source, new Set()),
  );

/** `undefined`: the expression cannot be read, and so may read anything. */
function pathsOf(plan: Plan, source: string, place: CelScope['place']): readonly string[] | undefined {
  const checked = checkCel(source, { place, critics: plan.critics.map((critic) => critic.name) });
  return checked.ok ? checked.paths : undefined;
}
