/**
 * The compiled `review:` block of a plan: who decides escalated cases, in which time, and who is told. Frozen into a review
 * when it opens, so that a plan edited afterwards moves no deadline and no right. JSON; durations in milliseconds.
 */

/** Lowest first. A review may rise, never fall. */
export const REVIEW_TIERS = ['triage', 'acknowledgement', 'determination'] as const;
/**
 * `triage`: one person, a reason code of the plan. `acknowledgement`: one person, a reason for each signal.
 * `determination`: two distinct people to proceed, one to halt; the second does not see the reasons of the first.
 */
export type ReviewTier = (typeof REVIEW_TIERS)[number];

/** Why an evaluation escalated. `finding`: a verdict rule or the plan's `otherwise`; `failure`: everything else. */
export const REVIEW_CAUSES = ['finding', 'failure'] as const;
export type ReviewCause = (typeof REVIEW_CAUSES)[number];

export interface ReviewTimes {
  /** Until somebody should have claimed it. */
  readonly claimByMs: number;
  /** How long one person may hold it without doing anything. */
  readonly leaseMs: number;
  /** Until it should be decided. */
  readonly decideByMs: number;
  /** Until it ends undecided, with the gate shut. Nothing moves it. */
  readonly expiresMs: number;
}

export interface LadderRung {
  /** From the opening of the review. */
  readonly afterMs: number;
  /** A channel of the deployment's `notify`. */
  readonly notify: string;
}

/** What of the block a review holds to. */
export interface ReviewRules {
  /** Groups whose people decide, for each tier. */
  readonly reviewers: Readonly<Record<ReviewTier, readonly string[]>>;
  /** Groups whose people may assign and withdraw. */
  readonly leads: readonly string[];
  /** Reason codes of triage. */
  readonly reasons: readonly string[];
  readonly times: ReviewTimes;
  readonly ladder: readonly LadderRung[];
}

/** Of queues and reason codes: they stand in search attributes, and reviewers type them. */
export const WORD_FORM = /^[a-z][a-z0-9_]{0,63}$/;

/** In the order in which histories have the fields. */
export const reviewRulesOf = ({ reviewers, leads, reasons, times, ladder }: ReviewRules): ReviewRules => ({
  reviewers,
  leads,
  reasons,
  times,
  ladder,
});

export interface PlanReview extends ReviewRules {
  readonly openOn: readonly ReviewCause[];
  /** Reviews of this plan that may be open at once. */
  readonly maxOpen: number;
  readonly tiers: { readonly default: ReviewTier; readonly rules: readonly { readonly tier: ReviewTier; readonly when: string }[] };
  readonly queues: { readonly default: string; readonly rules: readonly { readonly queue: string; readonly when: string }[] };
}
