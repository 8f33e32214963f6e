/** The densest minute of a real service: how long its requests take beside a queue in which nothing but the critics takes time. */
import { arriveAll, tracedArrivals } from '../../../faults/support/arrivals.js';
import { perfectQueue } from '../../../faults/support/figures.js';
import { recorded } from '../../../faults/support/fleet.js';
import { percentile, type Figure } from '../../measure.js';
import type { Scenario } from '../../scenario.js';
import { withFleet } from './fleet.js';

const PLACES = 3;
/** Places are in use for five sixths of the time. */
const MS_PER_TOKEN = 2;
const QUICK = 100;

export const arrivals: Scenario = {
  name: 'limits/arrivals',
  title: `Arrivals and lengths of a real service's requests, ${PLACES} places, two worker processes`,
  run: (bench) =>
    withFleet(bench, 2, { plans: [{ plan: 'traced', critics: { one: recorded('one', { maxConcurrent: PLACES }) } }] }, async (fleet) => {
      const jobs = tracedArrivals()
        .slice(0, bench.quick ? QUICK : undefined)
        .map(({ atMs, tokens }) => ({ atMs, ms: tokens * MS_PER_TOKEN }));
      const ask = (ms: number) => ({ plan: 'traced', script: { '*': { ms } } });
      await arriveAll(fleet, [{ atMs: 0, ask: ask(0) }]);
      const arrived = await arriveAll(
        fleet,
        jobs.map(({ atMs, ms }) => ({ atMs, ask: ask(ms) })),
      );
      const wrong = arrived.flatMap((one) => one.wrong ?? []);
      if (wrong.length > 0) throw new Error(`evaluations went wrong:\n${wrong.join('\n')}`);
      const ideal = perfectQueue(jobs, PLACES).map((endsAt, index) => endsAt - (jobs[index]?.atMs ?? 0));
      const took = arrived.map(({ atMs, judgedAtMs = Number.POSITIVE_INFINITY }) => judgedAtMs - atMs);
      const samples = jobs.length;
      return [0.5, 0.95, 0.99].flatMap((share): Figure[] => {
        const [ours, best] = [percentile(took, share), percentile(ideal, share)];
        const name = `p${share * 100}`;
        return [
          { name: `${name} ÷ perfect queue`, value: ours / best, unit: 'x', samples },
          { name: `${name} of a perfect queue`, value: best, unit: 'ms', samples },
        ];
      });
    }),
};
