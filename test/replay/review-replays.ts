/** Replays reviews and the workflows beside them, and makes the account of each run anew. */
import { asReset, replayAll } from './replays.js';
import { accountOf, type RunAccount, type Told } from './review-accounts.js';
import type { RecordedKind } from './review-histories.js';
import { originalRunOf, workflowIdOf } from './runs.js';

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
