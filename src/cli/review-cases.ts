/** Cases for one person, claimed and loaded, the next one while the one before is looked at. */
import type { ReviewFilter, ReviewSummary } from '../client.js';
import { ReviewNotFound, ReviewRefused } from '../client-errors.js';
import type { ReviewView } from '../contract.js';
import type { ReviewCode } from '../domain/review/codes.js';
import type { Receipt, ReviewInput } from '../domain/review/review.js';
import { act, type Desk } from './review-desk.js';

export interface HeldCase {
  readonly view: ReviewView;
  readonly input: ReviewInput;
  /** Of the claim. */
  readonly epoch: number;
}

/** Of a queue that many work on, the first ones will be taken by others. */
const LISTED = 200;

/** Whoever leaves does not wait long for a server that is away: the lease ends by itself. */
const UNCLAIM_TIMEOUT_MS = 5_000;

/** Why somebody does not get a case, and may get the next one. */
const NOT_THIS_ONE: readonly ReviewCode[] = [
  'CLAIM_TAKEN',
  'SEPARATION_OF_DUTIES',
  'NOT_CANDIDATE',
  'FOUR_EYES',
  'KEY_UNKNOWN',
  'BAD_SIGNATURE',
  'NOT_READY',
  'NOT_OPEN',
  'EXPIRED',
  'QUARANTINED',
  'LIMIT',
];

export class ReviewCases {
  readonly #desk: Desk;
  readonly #filter: ReviewFilter;
  /** Decided, given back or not to be had: never offered again in this session. The index is a moment behind. */
  readonly #seen = new Set<string>();
  readonly #refusals = new Map<ReviewCode, number>();
  #listed: ReviewSummary[] = [];
  #held: HeldCase[] = [];
  #coming: Promise<HeldCase | undefined> | undefined;

  constructor(desk: Desk, filter: ReviewFilter) {
    this.#desk = desk;
    this.#filter = filter;
  }

  /** How often and why cases of the queue were not to be had. */
  get refusals(): ReadonlyMap<ReviewCode, number> {
    return this.#refusals;
  }

  /** The next one, held; `undefined` when there is none to be had. */
  async next(): Promise<HeldCase | undefined> {
    const kept = this.#held.shift();
    if (kept !== undefined) return kept;
    const coming = this.#coming ?? this.#claimNext();
    this.#coming = undefined;
    return await coming;
  }

  /** Claims and loads one more meanwhile. */
  prefetch(): void {
    if (this.#held.length > 0 || this.#coming !== undefined) return;
    this.#coming = this.#claimNext();
    // Told to whoever takes it.
    this.#coming.catch(() => undefined);
  }

  /** Keeps one for later: it is the next. */
  putBack(one: HeldCase): void {
    this.#held.unshift(one);
  }

  async giveBack({ view, epoch }: HeldCase): Promise<void> {
    // A lease that is over has given it back already.
    await act(this.#desk, 'unclaim', view, { epoch }, { timeoutMs: UNCLAIM_TIMEOUT_MS }).catch((error: unknown) => {
      if (!(error instanceof ReviewRefused)) throw error;
    });
  }

  /** Of all that is held the claims are given back, as far as the server answers. */
  async giveAllBack(): Promise<void> {
    const coming = await this.#coming?.catch(() => undefined);
    const all = [...this.#held, ...(coming !== undefined ? [coming] : [])];
    this.#held = [];
    this.#coming = undefined;
    await Promise.allSettled(all.map((one) => this.giveBack(one)));
  }

  async #claimNext(): Promise<HeldCase | undefined> {
    let isFresh = false;
    for (;;) {
      const candidate = this.#listed.shift();
      if (candidate !== undefined) {
        const held = await this.#claimed(candidate);
        if (held !== undefined) return held;
      } else if (isFresh) return undefined;
      else {
        this.#listed = (await this.#desk.reviews.list({ ...this.#filter, limit: LISTED })).filter((one) => this.#mayBeHad(one));
        isFresh = true;
      }
    }
  }

  /** What the index says others hold, and cannot be shared, is not asked for. */
  #mayBeHad({ reviewId, status, tier, assignees }: ReviewSummary): boolean {
    if (this.#seen.has(reviewId) || status === 'COMMITTING') return false;
    return status !== 'CLAIMED' || tier === 'determination' || assignees.includes(this.#desk.me);
  }

  async #claimed({ reviewId }: ReviewSummary): Promise<HeldCase | undefined> {
    if (this.#seen.has(reviewId)) return undefined;
    this.#seen.add(reviewId);
    const { reviews } = this.#desk;
    try {
      const [view, input] = await Promise.all([reviews.view(reviewId), reviews.input(reviewId)]);
      // Whom one review does not know the others will not know either: not asked for anew for each of many cases.
      const receipt = await act(this.#desk, 'claim', view, {}, { refresh: this.#refusals.size === 0 });
      return heldBy(this.#desk.me, view, input, receipt);
    } catch (error) {
      if (error instanceof ReviewNotFound) return undefined;
      if (!(error instanceof ReviewRefused) || !NOT_THIS_ONE.includes(error.reason)) throw error;
      this.#refusals.set(error.reason, (this.#refusals.get(error.reason) ?? 0) + 1);
      return undefined;
    }
  }
}

/** As it is after the receipt, without asking once more. */
export function heldBy(me: string, view: ReviewView, input: ReviewInput, { status, epoch = 0, leaseUntil = '' }: Receipt): HeldCase {
  const { claimBy: _claimBy, effectiveAt: _effectiveAt, ...rest } = view;
  const claims = [...view.claims.filter(({ by }) => by !== me), { by: me, epoch, until: leaseUntil }];
  return { view: { ...rest, status, claims }, input, epoch };
}
