/** The `review:` block as people wrote it to what runs: every default filled in. Pure and total, as `compile-plan.ts` is. */
import type { ParsedPlan } from '../../schemas/plan.js';
import { REVIEW_CAUSES, REVIEW_TIERS, type PlanReview } from './policy.js';

type ParsedReview = NonNullable<ParsedPlan['review']>;

/** Half a working day to be taken up, a day to be decided, a week until nobody will: chosen. */
const BUILT_IN = {
  claimByMs: 14_400_000,
  leaseMs: 1_800_000,
  decideByMs: 86_400_000,
  expiresMs: 604_800_000,
  maxOpen: 5_000,
  openOn: ['finding'],
  tier: 'acknowledgement',
  queue: 'reviews',
} as const;

export function compileReview(written: ParsedReview): PlanReview {
  const {
    openOn = BUILT_IN.openOn,
    maxOpen = BUILT_IN.maxOpen,
    tiers,
    queues,
    reviewers,
    leads,
    reasons = [],
    times,
    ladder = [],
  } = written;
  return {
    // In one order, so that how it was written down does not change the plan's hash.
    openOn: REVIEW_CAUSES.filter((cause) => openOn.some((one) => one === cause)),
    maxOpen,
    tiers: {
      default: tiers?.default ?? BUILT_IN.tier,
      rules: (tiers?.rules ?? []).flatMap((rule) =>
        REVIEW_TIERS.flatMap((tier) => (rule[tier] === undefined ? [] : [{ tier, when: rule[tier] }])),
      ),
    },
    queues: {
      default: queues?.default ?? BUILT_IN.queue,
      rules: (queues?.rules ?? []).flatMap((rule) => Object.entries(rule).map(([queue, when]) => ({ queue, when }))),
    },
    reviewers: {
      triage: reviewers.triage ?? [],
      acknowledgement: reviewers.acknowledgement ?? [],
      determination: reviewers.determination ?? [],
    },
    leads: leads ?? reviewers.determination ?? [],
    reasons,
    times: {
      claimByMs: times?.claimBy?.ms ?? BUILT_IN.claimByMs,
      leaseMs: times?.lease?.ms ?? BUILT_IN.leaseMs,
      decideByMs: times?.decideBy?.ms ?? BUILT_IN.decideByMs,
      expiresMs: times?.expires?.ms ?? BUILT_IN.expiresMs,
    },
    ladder: ladder.map(({ after, notify }) => ({ afterMs: after.ms, notify })),
  };
}
