/** Accounts of reviews as the client reads them, from the server or from an archive. */
import { call, type Host } from './client-calls.js';
import { EvaluationNotFound, ReviewNotFound } from './client-errors.js';
import { reviewQuery } from './client-review-list.js';
import { REVIEW } from './contract.js';
import { makeArchive } from './review/archive.js';
import { exportReview, type ReviewExport } from './review/export.js';
import { labelOf, type Label } from './review/labels.js';
import { readReview } from './review/read-review.js';
import { firstOf, inArchive, onServer, type Recorded } from './review/recorded.js';
import type { ReviewRecord } from './review/review-record.js';
import { timelineOf, type TimelineEntry } from './review/timeline.js';

/** @throws ReviewNotFound when neither the server nor the archive has it. */
export async function exportOf(host: Host, reviewId: string, archive?: string): Promise<ReviewExport> {
  const server = onServer(host);
  const recorded = archive === undefined ? server : firstOf(server, inArchive(makeArchive(archive)));
  return exportReview(await recordOf(host, reviewId, recorded));
}

/** @throws ReviewNotFound when the server has no review of this id. */
export async function timelineOfReview(host: Host, reviewId: string): Promise<readonly TimelineEntry[]> {
  return timelineOf(await recordOf(host, reviewId, onServer(host)));
}

async function recordOf(host: Host, reviewId: string, recorded: Recorded): Promise<ReviewRecord> {
  try {
    const record = await readReview(host, reviewId, recorded);
    if (record.workflowType === REVIEW) return record;
  } catch (error) {
    throw error instanceof EvaluationNotFound ? new ReviewNotFound(reviewId, host.namespace) : error;
  }
  // A workflow of another type, such as an evaluation.
  throw new ReviewNotFound(reviewId, host.namespace);
}

/** One row for each review of the deployment that people have decided; `undefined` for one that cannot be believed. Newest first. */
export async function* labelsOf(
  host: Host,
  queue?: string,
): AsyncGenerator<{ readonly reviewId: string; readonly row: Label['row'] | undefined; readonly unsigned?: true }> {
  const filter = { states: ['PROCEEDED', 'HALTED'], ...(queue !== undefined ? { queue } : {}) } as const;
  const query = `${reviewQuery(host.deployment, filter, Date.now())} AND ExecutionStatus = 'Completed'`;
  const found = await call(host, 'cannot list reviews', undefined, async () => {
    const ids = new Set<string>();
    for await (const { workflowId } of host.index.workflow.list({ query })) ids.add(workflowId);
    return ids;
  });
  for (const reviewId of found) {
    try {
      yield { reviewId, row: undefined, ...labelOf(await readReview(host, reviewId)) };
    } catch (error) {
      // Its retention has ended since it was listed.
      if (!(error instanceof EvaluationNotFound)) throw error;
    }
  }
}
