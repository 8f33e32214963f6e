/** What leaves towards people and programs about reviews and verdicts. Ids, codes and times; never content, never a reason. Types only. */
import type { ReviewTier } from './policy.js';

export type NotificationEvent =
  /** Towards reviewers. */
  | 'review_opened'
  | 'review_reminder'
  | 'review_claim_overdue'
  | 'review_decide_overdue'
  | 'review_ladder'
  | 'review_assigned'
  | 'review_second_wanted'
  | 'review_quarantined'
  /** Towards operators, by the watchdog. */
  | 'review_overdue'
  | 'review_stuck'
  | 'review_missing'
  | 'review_terminated'
  | 'reviews_full'
  /** Towards consumers. */
  | 'review_decided'
  | 'verdict';

export interface Notification {
  /** The same for every attempt to send it: what receivers tell repeats by. */
  readonly id: string;
  readonly event: NotificationEvent;
  /** ISO 8601, of workflow time. */
  readonly at: string;
  readonly tenant?: string;
  readonly evaluationId?: string;
  /** Of `reviews_full`. */
  readonly plan?: string;
  readonly reviewId?: string;
  readonly tier?: ReviewTier;
  readonly queue?: string;
  /** Groups or people it is meant for. */
  readonly to?: readonly string[];
  /** ISO 8601. */
  readonly due?: string;
  /** How a review ended, a verdict's decision, or what became of a review that was missing. */
  readonly outcome?: string;
  /** Rung of the ladder, from 1; of `review_overdue` the day of lateness. */
  readonly rung?: number;
}
