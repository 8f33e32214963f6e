/**
 * Replays the history of an evaluation on the workflow code of this version, as a worker does that takes it over: to see
 * before a deployment whether runs that are under way go on. Needs no server.
 */
import type { DataConverter } from '@temporalio/common';
import { Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { workflowBundle } from './bundle.js';
import { withFailures } from './codec/failures.js';

export interface ReplayOptions {
  /** `<tenant>/<key>`; a history does not tell it. */
  readonly evaluationId: string;
  /** Where it was recorded. Default: `default`. */
  readonly namespace?: string;
  /** What it was recorded with. */
  readonly dataConverter?: DataConverter;
}

/**
 * @param history as a client of Temporal fetches it, or the JSON that `temporal workflow show --output json` prints.
 * @throws DeterminismViolationError of `@temporalio/workflow` when the code would go another way, ReplayError of
 *   `@temporalio/worker` when it cannot be replayed, as without its key.
 */
export async function replayEvaluation(
  history: unknown,
  { evaluationId, namespace = 'default', dataConverter }: ReplayOptions,
): Promise<void> {
  const converter = dataConverter === undefined ? undefined : withFailures(dataConverter);
  // Not in the SDK's types, which have no use for it; payloads are bound to it.
  const options: ReplayWorkerOptions & { namespace: string } = {
    namespace,
    workflowBundle: await workflowBundle(converter),
    ...(converter !== undefined ? { dataConverter: converter } : {}),
  };
  await Worker.runReplayHistory(options, history, evaluationId);
}
