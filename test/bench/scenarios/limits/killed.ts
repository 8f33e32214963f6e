/** How much later an evaluation without limits ends when the process of its critic is killed. */
import { setTimeout as pause } from 'node:timers/promises';
import { recorded, type Fleet } from '../../../faults/support/fleet.js';
import { askOne } from '../../../faults/support/load.js';
import { monotonicNow } from '../../../faults/support/recorder.js';
import { figure, median } from '../../measure.js';
import type { Scenario } from '../../scenario.js';
import { expectJudged, times, withFleet } from './fleet.js';

const AT_ONCE = 4;
const CRITIC_MS = 3_000;
const RUN_MS = 1_000;

interface Timed {
  readonly label: string;
  readonly tookMs: number;
}

export const killed: Scenario = {
  name: 'limits/killed',
  title: 'An evaluation whose worker is killed, lanes without limits, two worker processes',
  async run(bench) {
    const plans = [{ plan: 'free', critics: { one: recorded('one') } }];
    return await withFleet(bench, 2, { plans }, async (fleet) => {
      const undisturbed = (await round(fleet, 'quiet')).map(({ tookMs }) => tookMs);
      const delays: number[] = [];
      for (let index = 0; index < (bench.quick ? 1 : 4); index += 1)
        delays.push(...(await delaysByKill(fleet, index, median(undisturbed))));
      return [figure('delay without what the killed attempt had run', delays, 'ms', 10_000), figure('undisturbed', undisturbed, 'ms')];
    });
  },
};

/** Some evaluations at once, so that each process has critics of them. */
async function round({ client }: Fleet, phase: string): Promise<Timed[]> {
  const ask = { plan: 'free', script: { one: { ms: CRITIC_MS } } };
  return await Promise.all(
    times(AT_ONCE, ask).map(async (one, index) => {
      const label = `${phase}-${index}`;
      const begun = performance.now();
      await expectJudged([await askOne(client, { ...one, labels: { label } })]);
      return { label, tookMs: performance.now() - begun };
    }),
  );
}

async function delaysByKill(fleet: Fleet, index: number, undisturbedMs: number): Promise<number[]> {
  const { recorder } = fleet;
  const [phase, before] = [`kill-${index}`, recorder.runs().length];
  const evaluations = round(fleet, phase);
  await fleet.atOnce(AT_ONCE);
  await pause(RUN_MS);
  const victim = await fleet.owner();
  const cut = recorder.open().filter(({ pid }) => pid === victim.pid);
  const at = monotonicNow();
  victim.kill('SIGKILL');
  const ended = await evaluations;
  await fleet.worker();
  if (recorder.runs().length !== before + AT_ONCE + cut.length)
    throw new Error('other critics were begun anew than those that were killed');
  return cut.map((run) => {
    const tookMs = ended.find(({ label }) => label === run.labels['label'])?.tookMs ?? Number.NaN;
    return tookMs - undisturbedMs - (at - run.at);
  });
}
