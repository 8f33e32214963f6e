/**
 * What operators are told by the watchdog, and by which channels. Pure.
 *
 * Each notification has an id that says what it is about and since when, and its delivery is the workflow of that id: a look
 * that finds the same again starts nothing. A late review has one for each day of lateness, everything else one a day.
 */
import type { NotifyChannels } from './channels.js';
import { channelOf } from './channels.js';
import type { Notification } from './notification.js';
import type { ReviewTier } from './policy.js';

/** The channel that operators hear by. */
export const ONCALL = 'oncall';
const DAY_MS = 86_400_000;

/** A review as the index knows it. */
export interface KnownReview {
  readonly reviewId: string;
  readonly tenant?: string;
  readonly evaluationId?: string;
  readonly tier?: ReviewTier;
  readonly queue?: string;
}

/** `oncall`, or every channel that is not a program's; none: the log is all there is. */
export function operatorChannels(channels: NotifyChannels): string[] {
  if (channelOf(channels, ONCALL) !== undefined) return [ONCALL];
  return Object.entries(channels).flatMap(([name, { events }]) => (events === undefined ? [name] : []));
}

export function overduePage(review: KnownReview, dueMs: number, nowMs: number): Notification {
  const days = Math.floor((nowMs - dueMs) / DAY_MS) + 1;
  const due = new Date(dueMs).toISOString();
  const id = `${review.reviewId}/overdue/${due}/${days}`;
  return { id, event: 'review_overdue', at: new Date(nowMs).toISOString(), ...review, due, rung: days };
}

export function stuckPage(review: KnownReview, nowMs: number): Notification {
  const { at, day } = instants(nowMs);
  return { id: `${review.reviewId}/stuck/${day}`, event: 'review_stuck', at, ...review };
}

/** Ended from outside: it could tell nobody itself. A reset ends the run that it replaces, too. */
export function terminatedPage(review: KnownReview, nowMs: number): Notification {
  const { at, day } = instants(nowMs);
  return { id: `${review.reviewId}/terminated/${day}`, event: 'review_terminated', at, ...review };
}

/** `STARTED_ANEW`: it waits for people again, from its beginning. `NOT_STARTED`: nobody will decide it. */
export function missingPage(review: KnownReview, outcome: 'STARTED_ANEW' | 'NOT_STARTED', nowMs: number): Notification {
  const { at, day } = instants(nowMs);
  return { id: `${review.reviewId}/missing/${day}`, event: 'review_missing', at, ...review, outcome };
}

export function fullPage(deployment: string, plan: string, nowMs: number): Notification {
  const { at, day } = instants(nowMs);
  return { id: `${deployment}/full/${plan}/${day}`, event: 'reviews_full', at, plan };
}

function instants(nowMs: number): { readonly at: string; readonly day: string } {
  const at = new Date(nowMs).toISOString();
  return { at, day: at.slice(0, 'YYYY-MM-DD'.length) };
}
