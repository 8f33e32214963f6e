/** The schedule of the watchdog: one a deployment, made by whichever worker comes first and put right by every one that starts. */
import { ScheduleAlreadyRunning, type Client, type ScheduleDescription, type ScheduleOptions } from '@temporalio/client';
import { reviewQueue, WATCHDOG, watchdogId, watchdogScheduleId } from '../contract.js';
import { reasonOf } from '../domain/error-name.js';
import { WORKFLOW_TASK_TIMEOUT } from '../start-options.js';

const EVERY_MS = 600_000;
/** A look that was missed is of no use later: the next one sees the same. */
const CATCH_UP_MS = 60_000;
/** One that cannot end, for whatever reason, must not keep the next ones from starting. */
const LOOK_TIMEOUT_MS = 540_000;
/** A start of a worker does not wait longer. */
const CALL_TIMEOUT_MS = 10_000;

/** Never rejects: reviews run without it, and the next worker that starts tries again. */
export async function keepWatchdog(client: Client, deployment: string, warn: (message: string) => void): Promise<void> {
  try {
    await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => makeOrMend(client, deployment));
  } catch (error) {
    warn(`the watchdog of the reviews has no schedule, or an older one: ${reasonOf(error)}`);
  }
}

async function makeOrMend(client: Client, deployment: string): Promise<void> {
  const wanted = formOf(deployment);
  try {
    await client.schedule.create(wanted);
    return;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(wanted.scheduleId);
  if (isSame(await handle.describe(), wanted)) return;
  const { spec, action, policies } = wanted;
  // Whether it is paused is an operator's word.
  await handle.update(({ state: { paused, note } }) => ({
    spec,
    action,
    policies,
    state: { paused, ...(note !== undefined ? { note } : {}) },
  }));
}

const formOf = (deployment: string) =>
  ({
    scheduleId: watchdogScheduleId(deployment),
    spec: { intervals: [{ every: EVERY_MS }] },
    policies: { overlap: 'SKIP', catchupWindow: CATCH_UP_MS, pauseOnFailure: false },
    action: {
      type: 'startWorkflow',
      workflowType: WATCHDOG,
      workflowId: watchdogId(deployment),
      taskQueue: reviewQueue(deployment),
      // No summary either: it would be encrypted for another id than that of the workflow that is started.
      args: [],
      workflowExecutionTimeout: LOOK_TIMEOUT_MS,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    },
  }) satisfies ScheduleOptions;

/** Field by field of what stands in the form; the server leaves out what is nothing. */
function isSame({ spec, policies, action, state }: ScheduleDescription, wanted: ReturnType<typeof formOf>): boolean {
  const { calendars = [], intervals = [], skip = [], startAt, endAt, jitter } = spec;
  const { workflowType, workflowId, taskQueue, args, workflowExecutionTimeout } = action;
  const found = {
    spec: [intervals.map(({ every, offset }) => [every, offset || 0]), calendars.length, skip.length, startAt, endAt, jitter || 0],
    policies: [policies.overlap, policies.catchupWindow, policies.pauseOnFailure],
    action: [workflowType, workflowId, taskQueue, args ?? [], workflowExecutionTimeout],
    state: state.remainingActions,
  };
  const expected: typeof found = {
    spec: [[[EVERY_MS, 0]], 0, 0, undefined, undefined, 0],
    policies: ['SKIP', CATCH_UP_MS, false],
    action: [WATCHDOG, wanted.action.workflowId, wanted.action.taskQueue, [], LOOK_TIMEOUT_MS],
    state: undefined,
  };
  return JSON.stringify(found) === JSON.stringify(expected);
}
