/** What reviews cost that wait for people: memory and processor time of the one worker process that has them all. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { escalating, inParallel, openOne, peopleOf, ann } from '../../../faults/support/reviews.js';
import type { Fleet } from '../../../faults/support/fleet.js';
import { eventually } from '../../../support/processes.js';
import type { Scenario } from '../../scenario.js';
import { withFleet } from '../limits/fleet.js';

const QUIET_MS = 20_000;
/** Of `/proc`. */
const TICKS_A_SECOND = 100;
const MB = 1_024;

const [PLAIN, SLEEPING] = ['plain', 'sleeping'];
const { review: _review, ...plain } = escalating(PLAIN, 'acknowledgement');

export const sleeping: Scenario = {
  name: 'review/sleeping',
  title: 'Sleeping reviews in one worker process',
  run: (bench) =>
    withFleet(bench, 1, { plans: [plain, escalating(SLEEPING, 'acknowledgement')], reviews: peopleOf([ann]) }, async (fleet) => {
      const count = bench.quick ? 50 : 1_000;
      const [worker] = fleet.members;
      if (worker === undefined) throw new Error('there is no worker');
      // Evaluations alone take memory too: as many of them first, and a few reviews.
      await inParallel(count, () => fleet.client.evaluate({ plan: PLAIN, content: 'a text' }));
      await opened(fleet, Math.ceil(count / 20));
      await sleep(QUIET_MS / 10);
      const before = residentMb(worker.pid);
      await opened(fleet, count);
      await sleep(QUIET_MS / 4);
      const cpuBefore = cpuMs(worker.pid);
      const begun = performance.now();
      await sleep(bench.quick ? QUIET_MS / 10 : QUIET_MS);
      const share = (100 * (cpuMs(worker.pid) - cpuBefore)) / (performance.now() - begun);
      return [
        {
          name: 'memory of the process, growth a review',
          value: (residentMb(worker.pid) - before) / count,
          unit: 'MB',
          goal: 0.3,
          samples: count,
        },
        { name: 'processor time while nothing happens, of a core', value: share, unit: '%', samples: 1 },
      ];
    }),
};

/** Reviews that have come to rest. */
async function opened(fleet: Fleet, count: number): Promise<void> {
  const reviews = await inParallel(count, () => openOne(fleet, SLEEPING));
  await inParallel(count, (index) =>
    eventually('a review is open', async () => {
      const { status } = await fleet.client.reviews.view(reviews[index]?.id ?? '');
      return status === 'OPEN' ? true : undefined;
    }),
  );
}

const residentMb = (pid: number): number => {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error('this system does not tell the memory of a process');
  return Number(kilobytes) / MB;
};

/** In user mode and in the kernel. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
}
