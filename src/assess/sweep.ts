/** One option of one critic through a range of values: what each would mean for the critic and for the plan's verdicts. */
import type { AnyCritic } from '../critics/critic.js';
import { parseOptions } from '../critics/attempt.js';
import type { CriticRegistry } from '../critics/registry.js';
import type { Json } from '../domain/finding.js';
import { tidy } from '../domain/metrics.js';
import type { Plan, PlanCritic } from '../domain/plan.js';

export interface WantedSweep {
  readonly critic: string;
  /** Dotted path into `with`. */
  readonly option: string;
  readonly values: readonly number[];
}

export class SweepProblem extends Error {
  override readonly name = 'SweepProblem';
}

/** Steps when none is said: enough to see where a curve bends. */
const DEFAULT_STEPS = 10;
/** Steps of decimals do not add up exactly. */
const ROUNDING = 1e-9;
/** More points than a plot shows. */
const MAX_POINTS = 101;

/**
 * `critic.option=from..to[:step]`.
 * @throws SweepProblem
 */
export function parseSweep(spec: string): WantedSweep {
  const [, critic = '', option = '', first = '', last = '', by] =
    /^([a-z][a-z0-9_]*)\.([A-Za-z0-9_.-]+)=(-?[\d.]+)\.\.(-?[\d.]*\d)(?::([\d.]+))?$/.exec(spec) ?? [];
  const [from, to] = [Number(first), Number(last)];
  const step = by === undefined ? (to - from) / DEFAULT_STEPS : Number(by);
  if (critic === '' || !Number.isFinite(from) || !Number.isFinite(to))
    throw new SweepProblem(`--sweep: ${JSON.stringify(spec)} is not of the form critic.option=from..to or critic.option=from..to:step`);
  const points = Math.floor((to - from) / step + ROUNDING) + 1;
  if (!(step > 0) || to <= from || points > MAX_POINTS)
    throw new SweepProblem(`--sweep: from ${from} to ${to} by ${step} is no range of 2 to ${MAX_POINTS} values`);
  return { critic, option, values: Array.from({ length: points }, (_, index) => tidy(from + index * step)) };
}

/**
 * The plan with the option at that value.
 * @throws SweepProblem when there is no such critic, or it refuses the value.
 */
export async function planAt(plan: Plan, registry: CriticRegistry, { critic: name, option }: WantedSweep, value: number): Promise<Plan> {
  const critic = plan.critics.find((one) => one.name === name);
  if (critic === undefined)
    throw new SweepProblem(
      `--sweep: there is no critic ${JSON.stringify(name)}; there are ${plan.critics.map((one) => one.name).join(', ')}`,
    );
  const changed: PlanCritic = { ...critic, with: withOption(critic.with, option.split('.'), value) };
  const implementation = await registry.find(critic.uses);
  const problem = implementation === undefined ? 'is not here' : optionProblem(implementation, changed.with);
  if (problem !== undefined) throw new SweepProblem(`--sweep: ${critic.uses} refuses ${option} = ${value}: ${problem}`);
  return { ...plan, critics: plan.critics.map((one) => (one === critic ? changed : one)) };
}

function withOption(options: Json, [first = '', ...rest]: readonly string[], value: number): Json {
  const map = typeof options === 'object' && options !== null && !Array.isArray(options) ? { ...(options as Record<string, Json>) } : {};
  return { ...map, [first]: rest.length === 0 ? value : withOption(map[first] ?? {}, rest, value) };
}

function optionProblem(implementation: AnyCritic, options: Json): string | undefined {
  const parsed = parseOptions(implementation, options);
  if (parsed.ok) return undefined;
  const { path = [], message = 'it does not say why' } = parsed.issues[0] ?? {};
  return `${path.join('.')} ${message}`.trim();
}
