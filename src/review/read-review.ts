/**
 * What the server, or an archive, has recorded of a review: the histories of all its runs, decoded. Says nothing of whether
 * it is sound: `verify.ts` does.
 */
import type { Host } from '../client-calls.js';
import { EvaluationNotFound } from '../client-errors.js';
import { DIGEST_MEMO, LOAD_HOST, RECORD_ENTRIES } from '../contract.js';
import type { HashedEntry } from '../domain/review/chain.js';
import type { People } from '../domain/review/people.js';
import { REVIEW_ACTIONS, type ReviewInput, type ReviewResult } from '../domain/review/review.js';
import { markersOf, Payloads, statusOfRun, timeOf } from './payloads.js';
import { onServer, type HistoryEvent, type Recorded } from './recorded.js';
import { isReset, type AcceptedCommand, type RecordedRun, type ReviewRecord } from './review-record.js';

/** One run and its events. */
export interface Run extends RecordedRun {
  readonly events: readonly HistoryEvent[];
}

/**
 * @param recorded where the histories are read; default: the server.
 * @throws EvaluationNotFound when nothing of this id is there, Undecodable when it cannot be read here.
 */
export async function readReview(host: Host, reviewId: string, recorded: Recorded = onServer(host)): Promise<ReviewRecord> {
  const newest = await recorded.newestRun(reviewId);
  if (newest === undefined) throw new EvaluationNotFound(reviewId, host.namespace);
  return await readReviewRun(host, reviewId, newest, recorded);
}

/** The same, of the chain that ends in a run that need not be the newest. */
export async function readReviewRun(
  host: Host,
  reviewId: string,
  runId: string,
  recorded: Recorded = onServer(host),
): Promise<ReviewRecord> {
  const { runs, isWhole } = await chainOf(reviewId, runId, recorded);
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined) throw new EvaluationNotFound(reviewId, host.namespace);
  const payloads = new Payloads(host, reviewId);
  const started = first.events[0]?.workflowExecutionStartedEventAttributes;
  const events = runs.flatMap((run) => run.events);
  const result = await payloads.ofWorkflow(last.events.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]);
  return {
    reviewId,
    workflowType: started?.workflowType?.name ?? '',
    taskQueue: started?.taskQueue?.name ?? '',
    memoDigest: await payloads.ofWorkflow(started?.memo?.fields?.[DIGEST_MEMO]),
    status: statusOfRun(last.events),
    isWhole,
    isReset: runs.some(isReset),
    runs: runs.map(({ runId: id, originalRunId }) => ({ runId: id, originalRunId })),
    // What is not of this form fails the checks.
    input: (await payloads.ofWorkflow(started?.input?.payloads?.[0])) as ReviewInput,
    openedAt: new Date(firstTaskMs(first.events)).toISOString(),
    entries: await entriesOf(payloads, events),
    commands: await commandsOf(payloads, runs),
    people: await peopleOf(payloads, events),
    ...(result !== undefined ? { result: result as ReviewResult } : {}),
  };
}

/** Oldest first. */
export async function chainOf(reviewId: string, newest: string, recorded: Recorded): Promise<{ runs: Run[]; isWhole: boolean }> {
  const runs: Run[] = [];
  for (let runId = newest; runId !== '';) {
    const events = await recorded.events(reviewId, runId);
    if (events === undefined) return { runs, isWhole: false };
    const started = events[0]?.workflowExecutionStartedEventAttributes;
    runs.unshift({ runId, originalRunId: started?.originalExecutionRunId ?? '', events });
    const before = started?.continuedExecutionRunId ?? '';
    // A history that goes on from itself would be read for ever.
    if (runs.some((run) => run.runId === before)) return { runs, isWhole: false };
    runId = before;
  }
  return { runs, isWhole: true };
}

/** Workflow time of the task that began it: a task that was lost left no decision behind. */
function firstTaskMs(events: readonly HistoryEvent[]): number {
  const completed = events.find((event) => event.workflowTaskCompletedEventAttributes != null);
  const id = String(completed?.workflowTaskCompletedEventAttributes?.startedEventId ?? '');
  const began = events.find(({ eventId }) => String(eventId) === id) ?? events[0];
  return began === undefined ? 0 : timeOf(began);
}

async function entriesOf(payloads: Payloads, events: readonly HistoryEvent[]): Promise<HashedEntry[]> {
  const entries: HashedEntry[] = [];
  for (const marker of markersOf(events).filter(({ activity }) => activity === RECORD_ENTRIES)) {
    const recorded = await payloads.ofMarker(marker);
    if (Array.isArray(recorded)) entries.push(...(recorded as HashedEntry[]));
  }
  return entries;
}

async function peopleOf(payloads: Payloads, events: readonly HistoryEvent[]): Promise<People[]> {
  const people: People[] = [];
  for (const marker of markersOf(events).filter(({ activity }) => activity === LOAD_HOST)) {
    const host = await payloads.ofMarker(marker);
    // Absent where they were those that the review knew.
    if (typeof host === 'object' && host !== null && 'people' in host) people.push(host.people as People);
  }
  return people;
}

async function commandsOf(payloads: Payloads, runs: readonly Run[]): Promise<AcceptedCommand[]> {
  const commands: AcceptedCommand[] = [];
  for (const { events } of runs) {
    const refused = new Set(
      events.flatMap(({ workflowExecutionUpdateCompletedEventAttributes: ended }) =>
        ended?.outcome?.failure != null ? [String(ended.acceptedEventId)] : [],
      ),
    );
    for (const { eventId, workflowExecutionUpdateAcceptedEventAttributes: accepted } of events) {
      const name = accepted?.acceptedRequest?.input?.name;
      const action = REVIEW_ACTIONS.find((one) => one === name);
      if (accepted == null || action === undefined) continue;
      commands.push({
        action,
        command: await payloads.ofWorkflow(accepted.acceptedRequest?.input?.args?.payloads?.[0]),
        updateId: accepted.acceptedRequest?.meta?.updateId ?? '',
        ...(refused.has(String(eventId)) ? { refused: true } : {}),
      });
    }
  }
  return commands;
}
