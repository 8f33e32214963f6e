/** What of the places of a limit is used while critics wait for them. */
import type { Run } from '../../../faults/support/figures.js';
import { several } from '../../../faults/support/fleet.js';
import { askAll, timesOf } from '../../../faults/support/load.js';
import type { Scenario } from '../../scenario.js';
import { expectJudged, times, withFleet } from './fleet.js';

const PLACES = 4;
const PER_EVALUATION = 10;
const MS = 1_000;

export const places: Scenario = {
  name: 'limits/places',
  title: `Use of ${PLACES} places by critics of ${MS / 1_000} s, two worker processes`,
  async run(bench) {
    const plans = [{ plan: 'limited', limits: { maxConcurrentCritics: PLACES }, critics: several(PER_EVALUATION) }];
    return await withFleet(bench, 2, { plans }, async (fleet) => {
      await expectJudged(await askAll(fleet, [{ plan: 'limited', labels: { phase: 'warm' }, script: {} }]));
      const ask = { plan: 'limited', labels: { phase: 'load' }, script: { '*': { ms: MS } } };
      await expectJudged(await askAll(fleet, times(bench.quick ? 2 : 10, ask)));
      const runs = fleet.recorder.runs().filter(({ labels }) => labels['phase'] === 'load');
      return [{ name: 'busy ÷ places', value: use(runs), unit: 'x', goal: 0.95, atLeast: true, samples: runs.length }];
    });
  },
};

/** From when all places were taken for the first time until the last critic begins: until then there is always one that waits. */
function use(runs: readonly Run[]): number {
  const starts = timesOf(runs).toSorted((a, b) => a - b);
  const [from = 0, until = 0] = [starts[PLACES - 1], starts.at(-1)];
  const busyMs = runs
    .map(({ at, endedAt = until }) => Math.min(endedAt, until) - Math.max(at, from))
    .reduce((sum, ms) => sum + Math.max(0, ms), 0);
  return busyMs / (PLACES * (until - from));
}
