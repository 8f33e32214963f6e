/** Reads what the server recorded of an evaluation, for tests that count it or compare a report with it. */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { AttemptFailure } from '../../src/contract.js';
import type { AttemptRecord, CriticResult } from '../../src/domain/outcomes.js';
import type { HistoryEvent } from './harness.js';

type Timestamp = temporal.api.history.v1.IHistoryEvent['eventTime'];

/** One activity of an evaluation: its events, and how its last attempt ended. */
export interface ActivityRun {
  readonly activityId: string;
  readonly type: string;
  readonly scheduled: HistoryEvent;
  readonly started?: HistoryEvent;
  readonly closed?: HistoryEvent;
}

export const eventMs = (time: Timestamp): number => Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

export function activitiesOf(history: readonly HistoryEvent[]): ActivityRun[] {
  return history.flatMap((scheduled) => {
    const attributes = scheduled.activityTaskScheduledEventAttributes;
    if (!attributes) return [];
    const isOfThis = (about: { scheduledEventId?: unknown } | null | undefined): boolean =>
      String(about?.scheduledEventId) === String(scheduled.eventId);
    const started = history.find((event) => isOfThis(event.activityTaskStartedEventAttributes));
    const closed = history.find((event) => closingAttributes(event).some(isOfThis));
    return [
      {
        activityId: attributes.activityId ?? '',
        type: attributes.activityType?.name ?? '',
        scheduled,
        ...(started !== undefined ? { started } : {}),
        ...(closed !== undefined ? { closed } : {}),
      },
    ];
  });
}

export function activityOf(history: readonly HistoryEvent[], type: string): ActivityRun {
  const found = activitiesOf(history).find((run) => run.type === type);
  if (found === undefined) throw new Error(`the history has no activity ${type}`);
  return found;
}

const closingAttributes = (event: HistoryEvent) => [
  event.activityTaskCompletedEventAttributes,
  event.activityTaskFailedEventAttributes,
  event.activityTaskTimedOutEventAttributes,
  event.activityTaskCanceledEventAttributes,
];

export function decode<T>(payloads: temporal.api.common.v1.IPayloads | null | undefined, index = 0): T | undefined {
  const payload: Payload | undefined = payloads?.payloads?.[index];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<T>(payload);
}

/** All attempts of a remote critic, as its last one told them when it succeeded or failed. */
export function attemptsOf(history: readonly HistoryEvent[], type: string): readonly AttemptRecord[] {
  const { closed } = activityOf(history, type);
  const result = decode<CriticResult>(closed?.activityTaskCompletedEventAttributes?.result);
  const failure = decode<AttemptFailure>(closed?.activityTaskFailedEventAttributes?.failure?.applicationFailureInfo?.details);
  const attempts = result?.attempts ?? failure?.attempts;
  if (attempts === undefined) throw new Error(`the activity ${type} has not told its attempts`);
  return attempts;
}

/** `WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND`: over a hundred events came during one task, which begins anew with them. */
const FORCED = 17;
/** `WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND`: an event came while a task would have closed the workflow; it begins anew with it. */
const UNHANDLED = 1;

/** Workflow tasks that failed or timed out, and timers: an evaluation has none of them. Nothing is wrong with a task that began anew. */
export const strangeEvents = (history: readonly HistoryEvent[]): HistoryEvent[] =>
  history.filter(
    ({ workflowTaskFailedEventAttributes: failed, workflowTaskTimedOutEventAttributes: timedOut, timerStartedEventAttributes: timer }) => {
      const hasFailed = failed != null && failed.cause !== FORCED && failed.cause !== UNHANDLED;
      return hasFailed || timedOut != null || timer != null;
    },
  );

/** Asks until the answer is there. The test's own time-out bounds it. */
export async function until<T>(ask: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
