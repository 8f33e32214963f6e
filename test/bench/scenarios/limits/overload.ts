/** What is judged when twice as much is asked as can be done, beside the most that is judged when callers wait their turn. */
import {
  askOverloaded,
  CAPACITY,
  judgedPerSecond,
  OVERLOADED,
  PLACES,
  refusalsMs,
  twiceTheCapacity,
  workflowTasks,
} from '../../../faults/support/overload.js';
import type { Fleet } from '../../../faults/support/fleet.js';
import { figure, median, percentile, type Figure } from '../../measure.js';
import type { Scenario } from '../../scenario.js';
import { timed, withFleet } from './fleet.js';

/** Callers that wait their turn: enough that a critic always waits for a place. */
const CALLERS = 4 * PLACES;
/** What is judged before the first requests have passed through is not counted. */
const RAMP_MS = 5_000;

export const overload: Scenario = {
  name: 'limits/overload',
  title: `Twice the capacity of ${CAPACITY} evaluations a second, two worker processes`,
  run: ({ quick, ...bench }) =>
    withFleet({ quick, ...bench }, 2, { plans: [OVERLOADED] }, async (fleet) => {
      const forMs = quick ? 15_000 : 65_000;
      const peaks = [await peak(fleet, quick ? 10_000 : 30_000)];
      const arrived = await twiceTheCapacity(fleet, forMs);
      peaks.push(await peak(fleet, quick ? 10_000 : 30_000));
      const wrong = arrived.flatMap((one) => one.wrong ?? []);
      if (wrong.length > 0) throw new Error(`evaluations went wrong:\n${wrong.join('\n')}`);
      const goodput = judgedPerSecond(arrived, RAMP_MS, forMs);
      const refusals = refusalsMs(arrived);
      const waits = arrived.flatMap(({ askedAtMs, judgedAtMs }) => (judgedAtMs === undefined ? [] : [judgedAtMs - askedAtMs]));
      const { all, timedOut } = await workflowTasks(fleet, arrived);
      const samples = arrived.length;
      return [
        {
          name: 'judged a second, twice the capacity ÷ peak',
          value: goodput / median(peaks),
          unit: 'x',
          goal: 0.9,
          atLeast: true,
          samples,
        },
        { name: 'p99 of a refusal, keys of their own', value: percentile(refusals, 0.99), unit: 'ms', goal: 50, samples: refusals.length },
        { name: 'workflow tasks that timed out ÷ all', value: timedOut / all, unit: 'x', goal: 0.02, samples: all },
        figure('judged a second at peak', peaks, '/s'),
        { name: 'judged a second at twice the capacity', value: goodput, unit: '/s', samples },
        { name: 'refused', value: refusals.length, unit: '', samples },
        { name: 'p95 of what was let in', value: percentile(waits, 0.95), unit: 'ms', samples: waits.length },
      ] satisfies Figure[];
    }),
};

/** Evaluations a second that callers see who come again when they have their verdict. */
async function peak(fleet: Fleet, forMs: number): Promise<number> {
  const begun = performance.now();
  let judged = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() - begun < RAMP_MS + forMs) {
      await timed(fleet, askOverloaded('peak'));
      const at = performance.now() - begun;
      if (at >= RAMP_MS && at < RAMP_MS + forMs) judged += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return judged / (forMs / 1_000);
}
