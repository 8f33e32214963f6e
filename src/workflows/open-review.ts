/**
 * From an escalation to its review: people decide it in a workflow of its own, which outlives the evaluation.
 *
 * O1 The review has been started before the evaluation closes; when it cannot be, the evaluation is not judged.
 * O2 Its id comes from the run that asked, as the marker of a local activity keeps it: a reset behind that marker finds the
 *    same review, a reset before it makes a new one and ends the old one.
 */
import {
  ApplicationFailure,
  CancellationScope,
  ParentClosePolicy,
  proxyLocalActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  REVIEW,
  type EvaluateInput,
  type EvaluationActivities,
  type OpenResult,
  type OpenReviewInput,
  type OpenReviewResult,
} from '../contract.js';
import type { EvaluationReport, ReportReview } from '../domain/report.js';
import { reviewRulesOf } from '../domain/review/policy.js';
import type { ReviewInput } from '../domain/review/review.js';
import { routeReview } from '../domain/review/route.js';
import { withReason, type Verdict } from '../domain/verdict.js';
import { reviewStartOptions } from '../review-start-options.js';
import type { Walk } from './walk.js';

/** A count and a list of the index, and a signal for each earlier review. */
const PREPARE_TIMEOUT_MS = 10_000;
const { openReview, isOurReview } = proxyLocalActivities<EvaluationActivities>({
  startToCloseTimeout: PREPARE_TIMEOUT_MS,
  // A server that is busy for a moment must not make an escalation fail.
  retry: { maximumAttempts: 3, initialInterval: 200 },
});

export interface Settled {
  readonly verdict: Verdict;
  readonly review?: ReportReview;
}

type ReportOf = (verdict: Verdict) => EvaluationReport;

/** Opens the review that the verdict asks for, if it does, and ends those of earlier runs. Never rejects. */
export async function settleReview(
  input: EvaluateInput,
  opened: OpenResult,
  walk: Walk,
  verdict: Verdict,
  reportOf: ReportOf,
): Promise<Settled> {
  const { plan } = opened;
  if (plan.review === undefined) return { verdict };
  const route = routeReview(plan, verdict, walk.records, walk.facts);
  const { runId, originalExecutionRunId: originalRunId } = workflowInfo();
  const of = { review: plan.review, plan: plan.name, originalRunId };
  if (route?.open !== true) {
    const noted = route === undefined ? verdict : withReason(verdict, { code: route.code, message: route.message, effect: 'none' });
    // Nothing but the end comes after it: what a later reset keeps never holds this.
    if (runId !== originalRunId) await supersede(of);
    return { verdict: noted };
  }
  const { request } = input;
  const asked: NonNullable<OpenReviewInput['open']> = {
    tenant: request.tenant,
    evaluationId: workflowInfo().workflowId,
    ...(request.requester !== undefined ? { requester: request.requester } : {}),
    ...(request.author !== undefined ? { author: request.author } : {}),
    tier: route.tier,
    queue: route.queue,
    rules: reviewRulesOf(plan.review),
    packet: { content: request.content, context: request.context, report: reportOf(verdict) },
  };
  return await CancellationScope.nonCancellable(() => start(opened, of, asked, verdict));
}

async function supersede(of: OpenReviewInput): Promise<void> {
  // What is still open then decides nothing: only a review of the newest run is asked for.
  await openReview(of).catch(() => undefined);
}

async function start(
  opened: OpenResult,
  of: OpenReviewInput,
  asked: NonNullable<OpenReviewInput['open']>,
  verdict: Verdict,
): Promise<Settled> {
  const failed = (message: string): Settled => ({
    verdict: withReason(verdict, { code: 'REVIEW_NOT_OPENED', message, effect: 'fail' }),
  });
  let prepared: OpenReviewResult;
  try {
    prepared = await openReview({ ...of, open: asked });
  } catch {
    return failed('the review could not be prepared: the server did not answer');
  }
  if (!prepared.open) {
    const { open, most } = prepared.full ?? { open: 0, most: 0 };
    const message = `${open} reviews of the plan are open, and it allows ${most} (review.maxOpen)`;
    return { verdict: withReason(verdict, { code: 'REVIEWS_FULL', message, effect: 'fail' }) };
  }
  const { reviewId, runId, reportHash, packetDigest } = prepared;
  const input: ReviewInput = { v: 1, deployment: opened.deployment, ...asked, evaluationRunId: runId, reportHash, packetDigest };
  if (!(await startReview(reviewId, input, of.plan))) return failed(`${reviewId} is taken by something else`);
  return { verdict, review: { id: reviewId, tier: asked.tier, queue: asked.queue, reportHash, packetDigest } };
}

/** Whether the review is there. */
async function startReview(reviewId: string, input: ReviewInput, plan: string): Promise<boolean> {
  const { packetDigest } = input;
  try {
    await startChild(REVIEW, { ...reviewStartOptions(reviewId, input, plan, Date.now()), parentClosePolicy: ParentClosePolicy.ABANDON });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return await isOurReview({ reviewId, packetDigest }).catch(() => false);
    if (error instanceof ApplicationFailure) return false;
    throw error;
  }
}
