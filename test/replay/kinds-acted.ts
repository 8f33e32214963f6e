/** Kinds of evaluation in which somebody acts: a caller who cancels, an operator who resets, a process that dies. */
import { writeFile } from 'node:fs/promises';
import { prepareEvaluation } from '../../src/client-prepare.js';
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import { core, deep, local, plan, type Kind } from './kind.js';
import { GO, MENDED } from './mendable.js';
import type { Recording } from './recording.js';

/** One channel waits for verdicts. */
export const HEARING: NotifyChannels = { app: { log: true, events: ['verdict'] }, console: { log: true } };
const mendable = { uses: 'mendable', stage: 'core_analysis' };
const waiting = { record: 'calls', waitFor: GO };
const go = async (): Promise<void> => await writeFile(GO, '');

/** The worker process dies while the critic runs in it; another one takes over. */
async function loseWorker(recording: Recording): Promise<void> {
  const child = await recording.addProcess();
  await recording.start();
  await recording.untilCalls('start');
  child.kill('SIGKILL');
  await go();
  await recording.addWorker();
  await recording.untilClosed();
}

/** Not judged at first; its cause is removed, and an operator resets the run to where the report says. */
async function failAndReset(recording: Recording, where: 'keepSiblings' | 'stageBoundary'): Promise<void> {
  await recording.addWorker();
  const handle = await recording.start();
  // The sibling's end is in an activation of its own, before the failure.
  await recording.until(async () => (await handle.progress()).ended.some((critic) => critic.name === 'sibling'));
  await go();
  const { reset } = await handle.result();
  if (reset === undefined) throw new Error('the report names no event to reset to');
  await writeFile(MENDED, '');
  await recording.reset(reset[where]);
  await recording.untilClosed();
}

const RESET_PLAN = plan({
  first: local(),
  before: core({}, { stage: 'pre_validation' }),
  sibling: core(),
  broken: mendable,
  after: deep(),
});

export const ACTED: Readonly<Record<string, Kind>> = {
  'not-judged-unavailable': {
    plan: plan({ nobody: core({}, { timeout: '1s' }), cheap: local() }),
    async run(recording) {
      await recording.addWorkerWithoutLanes();
      await recording.start();
      await recording.untilClosed();
    },
    end: 'not_judged',
    outcomes: { nobody: 'unavailable' },
  },
  'timed-out-then-success': {
    plan: plan({ slow: core(waiting, { attemptTimeout: '300ms', maxRetries: 1, retryBackoffBase: 1 }) }),
    async run(recording) {
      await recording.addWorker();
      await recording.start();
      await recording.untilCalls('end');
      await go();
      await recording.untilClosed();
    },
    end: 'allow',
  },
  cancelled: {
    plan: plan({ done: local(), running: core({ record: 'calls', waitFor: 'never' }), later: deep() }),
    async run(recording) {
      await recording.addWorker();
      const handle = await recording.start();
      await recording.untilCalls('start');
      await handle.cancel();
      await recording.untilClosed();
    },
    end: 'cancelled',
    outcomes: { running: 'cancelled', later: 'cancelled' },
  },
  'cancelled-and-heard': {
    plan: plan({ done: local(), running: core({ record: 'calls', waitFor: 'never' }) }),
    notify: HEARING,
    async run(recording) {
      await recording.addWorker();
      const handle = await recording.start();
      await recording.untilCalls('start');
      await handle.cancel();
      await recording.untilClosed();
    },
    end: 'cancelled',
    outcomes: { running: 'cancelled' },
  },
  'heard-and-reset': {
    plan: plan({ fine: core() }),
    notify: HEARING,
    // To the last task, which knows already that the delivery has begun.
    async run(recording) {
      await recording.addWorker();
      await recording.start();
      await recording.untilClosed();
      const { events } = await recording.history();
      const last = (events ?? []).findLast((event) => event.workflowTaskCompletedEventAttributes);
      await recording.reset(Number(last?.eventId));
      await recording.untilClosed();
    },
    end: 'allow',
  },
  'refused-unknown-plan': {
    plan: plan({ fine: core() }),
    // A client would have refused to start it.
    async run(recording) {
      await recording.addWorker();
      await recording.startRaw(prepareEvaluation({ plan: 'unknown', content: 'some text', key: recording.name }).input);
      await recording.untilClosed();
    },
    end: 'refused',
  },
  'refused-malformed-input': {
    plan: plan({ fine: core() }),
    async run(recording) {
      await recording.addWorker();
      await recording.startRaw({ v: 1, request: 'judge this' });
      await recording.untilClosed();
    },
    end: 'refused',
  },
  'reset-keeps-siblings': { plan: RESET_PLAN, run: async (recording) => await failAndReset(recording, 'keepSiblings'), end: 'allow' },
  'reset-to-stage': { plan: RESET_PLAN, run: async (recording) => await failAndReset(recording, 'stageBoundary'), end: 'allow' },
  'worker-lost-and-retried': { plan: plan({ slow: core(waiting, { maxRetries: 1, retryBackoffBase: 1 }) }), run: loseWorker, end: 'allow' },
  // No retry is left: the walk schedules the critic once more.
  'worker-lost-in-last-attempt': { plan: plan({ slow: core(waiting) }), run: loseWorker, end: 'allow' },
};
