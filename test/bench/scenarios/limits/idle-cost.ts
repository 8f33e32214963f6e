/** What limits that never bind cost: an evaluation alone, and all that one owner process can do. */
import type { Fleet, FleetPlan } from '../../../faults/support/fleet.js';
import type { Ask } from '../../../faults/support/load.js';
import { figure, interleaved, load, median, pick, ratio, type Figure } from '../../measure.js';
import type { Bench, Scenario } from '../../scenario.js';
import { timed, timedInTurn, withFleet } from './fleet.js';

const SIDES = ['limited', 'free'] as const;
type Side = (typeof SIDES)[number];

const PER_EVALUATION = 10;
const AT_ONCE = 20;
const MOST = 200;
const INSTANT = { uses: 'scripted', with: { finding: { severity: 0, violations: [] } }, stage: 'core_analysis' };
const LIMITS = { maxConcurrentCritics: MOST, maxConcurrentPerStage: { core_analysis: MOST } };
const critics = (count: number, fields: object): FleetPlan['critics'] =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index + 1}`, { ...INSTANT, ...fields }]));

/** One critic with a limit of its own, of its stage and of its plan; many on one lane, which has one limit. */
const PLANS: FleetPlan[] = [
  { plan: 'free_one', critics: critics(1, {}) },
  { plan: 'limited_one', limits: LIMITS, critics: critics(1, { maxConcurrent: MOST }) },
  { plan: 'free_many', critics: critics(PER_EVALUATION, {}) },
  { plan: 'limited_many', limits: { maxConcurrentCritics: MOST }, critics: critics(PER_EVALUATION, {}) },
];

export const idleCost: Scenario = {
  name: 'limits/idle-cost',
  title: 'Limits that never bind, instant critics, one worker process',
  run: (bench) =>
    withFleet(bench, 1, { plans: PLANS }, async (fleet) => [...(await alone(bench, fleet)), ...(await ceiling(bench, fleet))]),
};

/** The two take turns one by one; a round of the spread is ten of each. */
async function alone(bench: Bench, fleet: Fleet): Promise<Figure[]> {
  const ask = (side: Side): Ask => ({ plan: `${side}_one`, script: {} });
  for (const side of SIDES) await timedInTurn(fleet, bench.quick ? 2 : 20, ask(side));
  const results = await interleaved(SIDES, bench.quick ? 10 : 300, (side) => timed(fleet, ask(side)));
  const rounds = (side: Side): number[][] => tens(pick(results, side));
  return [
    ratio('p50 of an evaluation of one critic, limited ÷ free', rounds('limited'), rounds('free'), 1.05),
    figure('p50 limited', rounds('limited').map(median), 'ms'),
    figure('p50 free', rounds('free').map(median), 'ms'),
  ];
}

const tens = (values: readonly number[]): number[][] =>
  Array.from({ length: Math.ceil(values.length / 10) }, (_, index) => values.slice(index * 10, (index + 1) * 10));

async function ceiling(bench: Bench, fleet: Fleet): Promise<Figure[]> {
  const count = bench.quick ? AT_ONCE : 2 * AT_ONCE;
  const run = async (side: Side): Promise<number> => {
    const begun = performance.now();
    await load(count, AT_ONCE, () => timed(fleet, { plan: `${side}_many`, script: {} }));
    return (count * PER_EVALUATION * 1_000) / (performance.now() - begun);
  };
  // The first one of each warms up.
  await interleaved(SIDES, 1, run);
  const perSecond = await interleaved(SIDES, bench.quick ? 1 : 6, run);
  const single = (side: Side): number[][] => pick(perSecond, side).map((value) => [value]);
  return [
    ratio('critics a second of one process, limited ÷ free', single('limited'), single('free')),
    figure('critics a second, limited', pick(perSecond, 'limited'), '/s'),
    figure('critics a second, free', pick(perSecond, 'free'), '/s'),
  ];
}
