/** Accounts of reviews as the client reads them, from the server or from an archive. */
import { call, type Host } from './client-calls.js';
import { EvaluationNotFound, ReviewNotFound } from './client-errors.js';
import { REVIEW, reviewQueue, SEARCH_ATTRIBUTES } from './contract.js';
import { makeArchive } from './review/archive.js';
import { exportReview, type ReviewExport } from './review/export.js';
import { labelRow, type LabelRow } from './review/labels.js';
import { readReview } from './review/read-review.js';
import { firstOf, inArchive, onServer } from './review/recorded.js';

/** @throws ReviewNotFound when neither the server nor the archive has it. */
export async function exportOf(host: Host, reviewId: string, archive?: string): Promise<ReviewExport> {
  const server = onServer(host);
  const recorded = archive === undefined ? server : firstOf(server, inArchive(makeArchive(archive)));
  try {
    return exportReview(await readReview(host, reviewId, recorded));
  } catch (error) {
    throw error instanceof EvaluationNotFound ? new ReviewNotFound(reviewId, host.namespace) : error;
  }
}

/** One row for each review of the deployment that people have decided; `undefined` for one that cannot be believed. Newest first. */
export async function* labelsOf(
  host: Host,
  queue?: string,
): AsyncGenerator<{ readonly reviewId: string; readonly row: LabelRow | undefined }> {
  const { reviewState, reviewQueue: inQueue } = SEARCH_ATTRIBUTES;
  const of = queue === undefined ? '' : ` AND ${inQueue.name} = '${queue}'`;
  const decided = `${reviewState.name} IN ('PROCEEDED', 'HALTED') AND ExecutionStatus = 'Completed'`;
  const query = `WorkflowType = '${REVIEW}' AND TaskQueue = '${reviewQueue(host.deployment)}' AND ${decided}${of}`;
  const found = await call(host, 'cannot list reviews', undefined, async () => {
    const ids = new Set<string>();
    for await (const { workflowId } of host.index.workflow.list({ query })) ids.add(workflowId);
    return ids;
  });
  for (const reviewId of found) {
    try {
      yield { reviewId, row: labelRow(await readReview(host, reviewId)) };
    } catch (error) {
      // Its retention has ended since it was listed.
      if (!(error instanceof EvaluationNotFound)) throw error;
    }
  }
}
