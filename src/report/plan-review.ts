/** The `review:` block of a plan in sentences, one a line. Pure; texts of the plan are not made safe here. */
import { durationText } from '../domain/review/duration-text.js';
import { REVIEW_TIERS, type PlanReview } from '../domain/review/policy.js';
import type { ReviewRoute } from '../domain/review/route.js';

export function reviewLines(review: PlanReview | undefined): string[] {
  if (review === undefined) return [];
  const { openOn, maxOpen, tiers, queues, leads, reasons, ladder } = review;
  return [
    `a review is opened on ${openOn.join(' or ')}, at most ${maxOpen} at once`,
    ...tiers.rules.map(({ tier, when }) => `its tier is ${tier} if ${when}`),
    `otherwise its tier is ${tiers.default}`,
    ...queues.rules.map(({ queue, when }) => `its queue is ${queue} if ${when}`),
    `otherwise its queue is ${queues.default}`,
    ...REVIEW_TIERS.filter((tier) => review.reviewers[tier].length > 0).map((tier) => `${tier} is of ${review.reviewers[tier].join(', ')}`),
    `assigned and withdrawn by ${leads.join(', ')}`,
    ...(reasons.length === 0 ? [] : [`reasons of triage are ${reasons.join(', ')}`]),
    timesLine(review),
    ...ladder.map(({ afterMs, notify }) => `after ${durationText(afterMs)} it is told to ${notify}`),
  ];
}

const timesLine = ({ times }: PlanReview): string =>
  `to be claimed in ${durationText(times.claimByMs)} and decided in ${durationText(times.decideByMs)}; held for ${durationText(times.leaseMs)}; expires after ${durationText(times.expiresMs)}`;

/** What would become of an escalation. */
export function routeLines(review: PlanReview | undefined, route: ReviewRoute | undefined): string[] {
  if (review === undefined || route === undefined) return [];
  if (!route.open) return [`No review would be opened: ${route.message}`];
  return [
    `A review would be opened: ${route.tier}, in the queue ${route.queue}, for ${review.reviewers[route.tier].join(', ')}`,
    `  ${timesLine(review)}`,
  ];
}
