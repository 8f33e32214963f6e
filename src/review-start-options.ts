/**
 * How a review is started, by the evaluation that asks for it or anew by the watchdog: what stands beside its input. Pure, for
 * the sandbox.
 */
import { DIGEST_MEMO, reviewQueue, SEARCH_ATTRIBUTES, type ReviewArgs } from './contract.js';
import type { ReviewInput } from './domain/review/review.js';
import { WORKFLOW_TASK_TIMEOUT } from './start-options.js';

/** Fields that the SDK's client and its workflow library take alike. */
export function reviewStartOptions(reviewId: string, input: ReviewInput, plan: string, nowMs: number) {
  const { packetDigest, tenant, tier, queue, rules } = input;
  const args: [ReviewArgs[0]] = [input];
  return {
    workflowId: reviewId,
    taskQueue: reviewQueue(input.deployment),
    args,
    // One that is over is over: nothing is decided twice.
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    memo: { [DIGEST_MEMO]: packetDigest },
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    staticSummary: `${tier} review, queue ${queue}`,
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.tenant, value: tenant },
      { key: SEARCH_ATTRIBUTES.plan, value: plan },
      { key: SEARCH_ATTRIBUTES.evaluationId, value: input.evaluationId },
      { key: SEARCH_ATTRIBUTES.reviewState, value: 'OPENING' },
      { key: SEARCH_ATTRIBUTES.reviewTier, value: tier },
      { key: SEARCH_ATTRIBUTES.reviewQueue, value: queue },
      { key: SEARCH_ATTRIBUTES.reviewOpenedAt, value: new Date(nowMs) },
      { key: SEARCH_ATTRIBUTES.reviewDueAt, value: new Date(nowMs + Math.min(rules.times.claimByMs, rules.times.decideByMs)) },
    ],
  };
}
