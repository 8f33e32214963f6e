/** Replays reviews and the workflows beside them, and makes the account of each run anew. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from './ends.js';
import { replayAll } from './replays.js';
import { accountOf, RUN_HEADER, type RunAccount, type Told } from './review-accounts.js';
import { originalRunOf, runIdOf, workflowIdOf, type RecordedKind } from './review-histories.js';

export interface ReplayedReviews {
  /** What was wrong with a replay, by kind. */
  readonly problems: Readonly<Record<string, string>>;
  /** By kind, one for each run; of a capturing bundle only. */
  readonly accounts: Readonly<Record<string, readonly RunAccount[]>>;
}

export async function replayReviews(codePath: string, kinds: readonly RecordedKind[]): Promise<ReplayedReviews> {
  const told = new Map<string, Told[]>();
  const histories = kinds.flatMap(({ runs }) => runs.map((run) => ({ workflowId: workflowIdOf(run), history: asReset(run) })));
  const found = await replayAll(codePath, histories, {
    closed: () => undefined,
    told: ({ runId }, one) => void told.set(runId, [...(told.get(runId) ?? []), one]),
  });
  const ofRuns = new Map(kinds.flatMap(({ kind, runs }) => runs.flatMap((run) => [[runIdOf(run), kind] as const, [originalRunOf(run), kind] as const])));
  return {
    problems: Object.fromEntries(found.map(({ runId, message }) => [ofRuns.get(runId) ?? runId, message])),
    accounts: Object.fromEntries(kinds.map(({ kind, runs }) => [kind, runs.map((run) => accountOf(told.get(runIdOf(run)) ?? []))])),
  };
}

/** A run that a reset made replays as one only when it is told its id. */
export function asReset(history: History): History {
  const [started, ...rest] = history.events ?? [];
  const attributes = started?.workflowExecutionStartedEventAttributes;
  if (attributes == null || runIdOf(history) === originalRunOf(history)) return history;
  const fields = { ...attributes.header?.fields, [RUN_HEADER]: defaultPayloadConverter.toPayload(runIdOf(history)) };
  return { events: [{ ...started, workflowExecutionStartedEventAttributes: { ...attributes, header: { fields } } }, ...rest] };
}
