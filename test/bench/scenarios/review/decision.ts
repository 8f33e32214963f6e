/** From the send of a decision, its signing included, to the receipt, beside the least that an update can be. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import type { Fleet } from '../../../faults/support/fleet.js';
import { ann, decided, peopleOf, readyFor, TIER_PLANS } from '../../../faults/support/reviews.js';
import { eventually } from '../../../support/processes.js';
import type { answering, nothing } from '../../anchors/workflows.js';
import { figure, interleaved, median, pick, ratio } from '../../measure.js';
import type { Bench, Scenario } from '../../scenario.js';
import { withFleet } from '../limits/fleet.js';

const WORKER = fileURLToPath(new URL('../../anchors/empty-worker.mjs', import.meta.url));
const SIDES = ['decision', 'empty'] as const;
type Side = (typeof SIDES)[number];
const A_ROUND = 10;

export const decision: Scenario = {
  name: 'review/decision',
  title: 'A decision from its send to the receipt, beside an empty update',
  run: (bench) =>
    withFleet(bench, 1, { plans: TIER_PLANS, reviews: peopleOf([ann]) }, (fleet) =>
      withAnchor(bench, fleet, async (anchor) => {
        const run = { decision: () => decisionMs(fleet), empty: () => emptyMs(anchor) };
        await interleaved(SIDES, bench.quick ? 2 : 20, (side) => run[side]());
        const times = await interleaved(SIDES, bench.quick ? A_ROUND : 100, (side) => run[side]());
        const rounds = (side: Side): number[][] => tens(pick(times, side));
        return [
          ratio('p50, decision ÷ empty update', rounds('decision'), rounds('empty'), 3),
          figure('p50 decision', rounds('decision').map(median), 'ms'),
          figure('p50 empty update', rounds('empty').map(median), 'ms'),
        ];
      }),
    ),
};

const tens = (values: readonly number[]): number[][] =>
  Array.from({ length: Math.ceil(values.length / A_ROUND) }, (_, index) => values.slice(index * A_ROUND, (index + 1) * A_ROUND));

async function decisionMs(fleet: Fleet): Promise<number> {
  const ready = await readyFor(fleet, 'acknowledgement', 'PROCEED');
  const begun = performance.now();
  await decided(fleet, ready);
  const tookMs = performance.now() - begun;
  // What it still does must not take time of what comes next.
  await fleet.temporal.workflow.getHandle(ready.id).result();
  return tookMs;
}

async function emptyMs(anchor: WorkflowHandle): Promise<number> {
  const begun = performance.now();
  await anchor.executeUpdate<void, []>('nothing' satisfies (typeof nothing)['name']);
  return performance.now() - begun;
}

/** A workflow that answers, in a worker process of its own. */
async function withAnchor<T>({ address, bundles }: Bench, { temporal }: Fleet, use: (anchor: WorkflowHandle) => Promise<T>): Promise<T> {
  const taskQueue = `bench-answering-${randomUUID().slice(0, 8)}`;
  const worker = spawn(process.execPath, [WORKER, address, taskQueue, bundles.anchors], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(worker, 'exit');
  try {
    const handle = await temporal.workflow.start<typeof answering>('answering', { taskQueue, workflowId: randomUUID() });
    await eventually('the anchor answers', async () => {
      await handle.executeUpdate('nothing');
      return true;
    });
    const used = await use(handle);
    await handle.terminate();
    return used;
  } finally {
    worker.kill('SIGKILL');
    await ended;
  }
}
