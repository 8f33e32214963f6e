/** How long nothing of a limited lane begins when its owner is killed, and when it is stopped. */
import { LEASE_TIMEOUT_MS } from '../../../../src/lanes/lease-times.js';
import { eventually } from '../../../support/processes.js';
import { several, type Fleet } from '../../../faults/support/fleet.js';
import { askAll } from '../../../faults/support/load.js';
import { monotonicNow } from '../../../faults/support/recorder.js';
import { figure, interleaved, pick } from '../../measure.js';
import type { Scenario } from '../../scenario.js';
import { expectJudged, times, withFleet } from './fleet.js';

const LIMIT = 4;
const SIGNALS = ['SIGKILL', 'SIGTERM'] as const;
type Signal = (typeof SIGNALS)[number];

export const takeOver: Scenario = {
  name: 'limits/take-over',
  title: 'From the owner of a limited lane to the next one, two worker processes',
  async run(bench) {
    const plans = [{ plan: 'limited', limits: { maxConcurrentCritics: LIMIT }, critics: several(10) }];
    return await withFleet(bench, 2, { plans }, async (fleet) => {
      const gaps = await interleaved(SIGNALS, bench.quick ? 1 : 5, (signal) => gapMs(fleet, signal));
      const leases = pick(gaps, 'SIGKILL').map((ms) => ms / LEASE_TIMEOUT_MS);
      return [
        figure("kill -9 to the next owner's first start ÷ time-out of the lease", leases, 'x', 1.15),
        figure("SIGTERM: old owner's last end to the next one's first start", pick(gaps, 'SIGTERM'), 'ms', 1_000),
      ];
    });
  },
};

/** Critics wait all the time; afterwards there are two workers again. */
async function gapMs(fleet: Fleet, signal: Signal): Promise<number> {
  const { recorder } = fleet;
  const before = recorder.runs().length;
  const asked = await askAll(fleet, times(4, { plan: 'limited', script: { '*': { ms: 250 } } }));
  await eventually('every place was taken twice', () => (recorder.runs().length >= before + 2 * LIMIT ? true : undefined));
  const owner = await fleet.owner();
  const at = monotonicNow();
  owner.kill(signal);
  const next = await eventually('another process runs critics', () => recorder.runs().find((run) => run.pid !== owner.pid && run.at > at));
  await owner.ended;
  await fleet.worker();
  await expectJudged(asked);
  if (signal === 'SIGKILL') return next.at - at;
  return next.at - Math.max(...recorder.runs().map((run) => (run.pid === owner.pid ? (run.endedAt ?? 0) : 0)));
}
