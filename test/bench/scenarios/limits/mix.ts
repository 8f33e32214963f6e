/**
 * What evaluations that need local critics alone see of deep critics that wait for the places of a limit. The same deep
 * load in another deployment's processes tells how much of it is the machine's and the server's.
 */
import { chanceOf } from '../../../faults/support/chance.js';
import { recorded, type Fleet } from '../../../faults/support/fleet.js';
import type { Ask } from '../../../faults/support/load.js';
import { figure, interleaved, p95Ratio, percentile, pick, ratio, type Figure } from '../../measure.js';
import type { Bench, Scenario } from '../../scenario.js';
import { beside, timedInTurn, withFleet } from './fleet.js';

const SIDES = ['alone', 'beside', 'elsewhere'] as const;
type Side = (typeof SIDES)[number];

const PLACES = 4;
const DEEP_AT_ONCE = 4 * PLACES;
/** Not all alike: critics that end in step would begin and end their evaluations all at once. */
const DEEP_MS = [700, 1_300] as const;
const DEEP = { stage: 'deep_analysis', maxConcurrent: PLACES, executionPolicy: 'conditional', condition: 'has(context.kind)' };
const PLANS = [{ plan: 'mixed', critics: { quick: recorded('quick', { dispatch: 'local' }), deep: recorded('deep', DEEP) } }];

export const mix: Scenario = {
  name: 'limits/mix',
  title: `Evaluations of local critics beside deep ones, ${DEEP_AT_ONCE} at once for ${PLACES} places, two worker processes`,
  run: (bench) =>
    withFleet(bench, 2, { plans: PLANS }, (own) => withFleet(bench, 2, { plans: PLANS }, (other) => measure(bench, own, other))),
};

async function measure(bench: Bench, own: Fleet, other: Fleet): Promise<Figure[]> {
  const block = (): Promise<number[]> => timedInTurn(own, bench.quick ? 5 : 25, { plan: 'mixed', script: {} });
  const chance = chanceOf(1);
  const deep = (): Ask => ({ plan: 'mixed', kind: 'deep', script: { deep: { ms: chance.between(...DEEP_MS) } } });
  const besideDeep = (fleet: Fleet): Promise<number[]> =>
    beside(fleet, DEEP_AT_ONCE, deep, async () => {
      await fleet.atOnce(PLACES);
      return await block();
    });
  const run: Readonly<Record<Side, () => Promise<number[]>>> = {
    alone: block,
    beside: () => besideDeep(own),
    elsewhere: () => besideDeep(other),
  };
  await block();
  const blocks = await interleaved(SIDES, bench.quick ? 1 : 6, (side) => run[side]());
  const of = (side: Side): number[][] => pick(blocks, side);
  const p95 = (side: Side): number[] => of(side).map((values) => percentile(values, 0.95));
  return [
    p95Ratio('p95 of local evaluations, beside ÷ alone', of('beside'), of('alone'), 1.5),
    p95Ratio('p95 of local evaluations, the same load in other processes ÷ alone', of('elsewhere'), of('alone')),
    ratio('p50 of local evaluations, beside ÷ alone', of('beside'), of('alone')),
    figure('p95 alone', p95('alone'), 'ms'),
    figure('p95 beside', p95('beside'), 'ms'),
    figure('p95, the same load in other processes', p95('elsewhere'), 'ms'),
  ];
}
