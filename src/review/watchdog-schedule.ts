/** The schedule of the watchdog: one a deployment, made by whichever worker comes first and put right by every one that starts. */
import { ScheduleAlreadyRunning, type Client, type ScheduleDescription, type ScheduleOptions } from '@temporalio/client';
import { reviewQueue, WATCHDOG, watchdogId, watchdogScheduleId } from '../contract.js';
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
    const reason = error instanceof Error ? error.message : 'something was thrown that is not an Error';
    warn(`the watchdog of the reviews has no schedule, or an older one: ${reason}`);
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

/** Of what is written in the form, field by field; how many milliseconds a duration has is what is compared. */
function isSame({ spec, policies, action, state }: ScheduleDescription, wanted: ReturnType<typeof formOf>): boolean {
  const { calendars = [], intervals = [], skip = [], startAt, endAt, jitter = 0 } = spec;
  const isOften = intervals.length === 1 && intervals[0]?.every === EVERY_MS && intervals[0].offset === 0;
  const isAlways = calendars.length === 0 && skip.length === 0 && startAt === undefined && endAt === undefined && jitter === 0;
  const isLimited = action.workflowExecutionTimeout === LOOK_TIMEOUT_MS && state.remainingActions === undefined;
  const { overlap, catchupWindow, pauseOnFailure } = policies;
  const { workflowType, workflowId, taskQueue, args } = wanted.action;
  return (
    isOften &&
    isAlways &&
    isLimited &&
    JSON.stringify([overlap, catchupWindow, pauseOnFailure]) === JSON.stringify(Object.values(wanted.policies)) &&
    JSON.stringify([action.workflowType, action.workflowId, action.taskQueue, action.args]) ===
      JSON.stringify([workflowType, workflowId, taskQueue, args])
  );
}
