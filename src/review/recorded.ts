/** Where histories of workflows are read: on the server, or in an archive once the server has forgotten them. */
import { isGrpcServiceError, type WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { call, named, type Host } from '../client-calls.js';
import { EvaluationNotFound } from '../client-errors.js';
import { isReviewId } from '../contract.js';
import type { Archive } from './archive.js';

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
export type HistoryEvent = NonNullable<History['events']>[number];

/** Of the pages of one history, which may have many megabytes. */
export const HISTORY_TIMEOUT_MS = 60_000;
const NOT_FOUND = 5;

export interface Recorded {
  /** Run id of the newest run; `undefined`: nothing of this id is there. */
  newestRun(workflowId: string): Promise<string | undefined>;
  /** `undefined`: it is gone. */
  events(workflowId: string, runId: string): Promise<readonly HistoryEvent[] | undefined>;
}

/** @throws ServerUnreachable and its like: that nothing is there is an answer, that nobody answers is none. */
export function onServer(host: Host): Recorded {
  return {
    async newestRun(workflowId) {
      return await orGone(() =>
        call(host, `cannot look up ${workflowId}`, workflowId, async () => {
          const described = await host.client.workflowService
            .describeWorkflowExecution({ namespace: host.namespace, execution: { workflowId } })
            .catch(asNotFound(workflowId));
          return described.workflowExecutionInfo?.execution?.runId ?? undefined;
        }),
      );
    },
    async events(workflowId, runId) {
      return await orGone(async () => {
        try {
          const read = (): Promise<History> =>
            host.client.workflow.getHandle(workflowId, runId).fetchHistory().catch(asNotFound(workflowId));
          return (await host.client.withDeadline(Date.now() + HISTORY_TIMEOUT_MS, read)).events ?? [];
        } catch (error) {
          throw named(host, `cannot read the history of ${workflowId}`, workflowId, error);
        }
      });
    },
  };
}

/** Records are written once a run has closed, and are checked when they are read. */
export function inArchive(archive: Archive): Recorded {
  return {
    async newestRun(workflowId) {
      if (!isReviewId(workflowId)) return (await archive.getEvaluation(workflowId))?.runId;
      return (await archive.getReview(workflowId))?.runId;
    },
    async events(workflowId, runId) {
      const histories = isReviewId(workflowId)
        ? (await archive.reviewRuns(workflowId)).flatMap((run) => run.histories)
        : await archive.evaluationRuns(workflowId);
      const found = histories.find((one) => one.runId === runId);
      return found === undefined ? undefined : (historyFromJSON(found.history).events ?? []);
    },
  };
}

/**
 * The first that has it. What the server has is never looked for elsewhere.
 * @param used called when the second one has answered what is the newest.
 */
export function firstOf(first: Recorded, second: Recorded, used: () => void = () => undefined): Recorded {
  return {
    async newestRun(workflowId) {
      const found = await first.newestRun(workflowId);
      if (found !== undefined) return found;
      const kept = await second.newestRun(workflowId);
      if (kept !== undefined) used();
      return kept;
    },
    events: async (workflowId, runId) => (await first.events(workflowId, runId)) ?? (await second.events(workflowId, runId)),
  };
}

/**
 * Calls below the SDK's client have no error of their own for it; a namespace that is missing is no answer about an id.
 * @returns what such a call is caught with. It throws WorkflowNotFoundError, or what it was given.
 */
export const asNotFound =
  (workflowId: string) =>
  (error: unknown): never => {
    if (isGrpcServiceError(error) && error.code === NOT_FOUND && !/^namespace /i.test(error.details))
      throw new WorkflowNotFoundError(error.details, workflowId, undefined);
    throw error;
  };

async function orGone<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof EvaluationNotFound) return undefined;
    throw error;
  }
}
