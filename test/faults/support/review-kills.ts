/** Where a kill fell in the way of a decision, as the histories of its review and its notifications have it. Knows no test runner. */
import type { Fleet } from './fleet.js';
import type { HistoryEvent } from '../../support/harness.js';

/**
 * `unseen`: the decision had not come to the worker. `in hand`: the worker had it and took with it what it may have accepted,
 * since acceptance, receipt and entry are recorded by one workflow task, all or none. `recorded`: they stood, and another worker
 * closed the review. `telling`: the notification of the end had begun, and another worker ended it.
 */
export const PLACES = ['unseen', 'in hand', 'recorded', 'telling'] as const;
export type Place = (typeof PLACES)[number];

type History = readonly HistoryEvent[];

const historyOf = async ({ temporal }: Pick<Fleet, 'temporal'>, id: string): Promise<History> =>
  (await temporal.workflow.getHandle(id).fetchHistory()).events ?? [];

/** Histories of the notifications that a review has sent; each has ended. */
async function notificationsOf(fleet: Pick<Fleet, 'temporal'>, history: History): Promise<History[]> {
  const ids = history.flatMap((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? []);
  return await Promise.all(
    ids.map(async (id) => {
      await fleet.temporal.workflow.getHandle(id).result();
      return await historyOf(fleet, id);
    }),
  );
}

/** @param pid of the worker that was killed after the decision of this command was sent. */
export async function placesOf(
  fleet: Pick<Fleet, 'temporal'>,
  { id, commandId }: { readonly id: string; readonly commandId: string },
  pid: number,
): Promise<ReadonlySet<Place>> {
  const history = await historyOf(fleet, id);
  const places = new Set<Place>();
  const accepted = history.findIndex((event) => updateOf(event)?.endsWith(`:${commandId}`));
  const acceptedBy = workerOf(history[accepted], history);
  if (!isOf(acceptedBy, pid)) places.add(history.slice(0, accepted).some(isLostTask) ? 'in hand' : 'unseen');
  else if (!isOf(workerOf(history.at(-1), history), pid)) places.add('recorded');
  for (const told of await notificationsOf(fleet, history)) if (changedHands(told)) places.add('telling');
  return places;
}

const updateOf = (event: HistoryEvent): string | undefined =>
  event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId ?? undefined;

const isOf = (identity: string | undefined, pid: number): boolean => identity?.includes(` ${pid}@`) === true;

/** Who completed the workflow task that made the event. */
function workerOf(event: HistoryEvent | undefined, history: History): string | undefined {
  const task =
    event?.workflowExecutionUpdateAcceptedEventAttributes == null
      ? event?.workflowExecutionCompletedEventAttributes?.workflowTaskCompletedEventId
      : taskBefore(event, history);
  const completed = history.find(({ eventId }) => task != null && String(eventId) === String(task));
  return completed?.workflowTaskCompletedEventAttributes?.identity ?? undefined;
}

const taskBefore = (event: HistoryEvent, history: History): HistoryEvent['eventId'] =>
  history.slice(0, history.indexOf(event)).findLast(({ workflowTaskCompletedEventAttributes: completed }) => completed != null)?.eventId;

/** On the wire: a task that a worker began and did not end in time. */
const START_TO_CLOSE = 1;

const isLostTask = ({ workflowTaskTimedOutEventAttributes: timedOut }: HistoryEvent): boolean => timedOut?.timeoutType === START_TO_CLOSE;

function changedHands(history: History): boolean {
  const identities = history.flatMap(
    ({ workflowTaskStartedEventAttributes: task, activityTaskStartedEventAttributes: activity }) =>
      task?.identity ?? activity?.identity ?? [],
  );
  const attempts = history.map(({ activityTaskStartedEventAttributes: activity }) => activity?.attempt ?? 1);
  return new Set(identities).size > 1 || attempts.some((attempt) => attempt > 1);
}
