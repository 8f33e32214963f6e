/** Replays reviews and the workflows beside them, and makes the account of each run anew. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from './ends.js';
import { replayAll } from './replays.js';
import { accountOf, RESET_HEADER, type RunAccount, type Told } from './review-accounts.js';
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
  const kindOf = new Map(kinds.flatMap(({ kind, runs }) => runs.map((run) => [originalRunOf(run), kind] as const)));
  return {
    problems: Object.fromEntries(found.map(({ runId, message }) => [kindOf.get(runId) ?? runId, message])),
    accounts: Object.fromEntries(kinds.map(({ kind, runs }) => [kind, runs.map((run) => accountOf(told.get(originalRunOf(run)) ?? []))])),
  };
}

/** A run that a reset made replays as one only when it is told so. */
export function asReset(history: History): History {
  const [started, ...rest] = history.events ?? [];
  const attributes = started?.workflowExecutionStartedEventAttributes;
  if (attributes == null || runIdOf(history) === originalRunOf(history)) return history;
  const fields = { ...attributes.header?.fields, [RESET_HEADER]: defaultPayloadConverter.toPayload(true) };
  return { events: [{ ...started, workflowExecutionStartedEventAttributes: { ...attributes, header: { fields } } }, ...rest] };
}
