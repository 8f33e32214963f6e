/** Before the verdict of an evaluation closes: its earlier reviews are over, and digests for the new one are made. */
import type { OpenReviewInput, OpenReviewResult } from '../contract.js';
import { reviewId } from '../contract.js';
import { hashJson } from '../digest.js';
import type { ReviewIndex } from '../review/index-queries.js';

/** @throws Error of the server, when it cannot be asked: then the escalation is not judged. */
export async function openReview(
  index: ReviewIndex,
  input: OpenReviewInput,
  run: { readonly workflowId: string; readonly runId: string },
): Promise<OpenReviewResult> {
  const { open, plan, review, originalRunId } = input;
  const id = reviewId(run.workflowId, run.runId);
  // The index follows the truth: the review of the run that was reset may not stand there yet.
  const known = [...(await index.openOf(run.workflowId)), reviewId(run.workflowId, originalRunId)];
  const earlier = [...new Set(known)].filter((other) => other !== id);
  const superseded = (await Promise.all(earlier.map((other) => index.supersede(other)))).filter(Boolean).length;
  if (open === undefined) return { open: false, superseded };
  // Those that have just been ended free their places.
  const count = Math.max(0, (await index.countOpen(plan)) - superseded);
  if (count >= review.maxOpen) return { open: false, superseded, full: { open: count, most: review.maxOpen } };
  return { open: true, reviewId: id, runId: run.runId, reportHash: hashJson(open.packet.report), packetDigest: hashJson(open.packet) };
}
