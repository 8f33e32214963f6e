/**
 * One review: opens, takes signed commands of people, keeps its clocks, and ends with a permit or a shut gate.
 *
 * R1 Handlers only transition; everything that leaves goes through the outbox, which the main loop empties.
 * R2 Every update has a synchronous, pure, total validator: what it refuses leaves no trace and fails no task.
 * R3 A run that was reset counts for nothing: its validators refuse everything, and it ends as quarantined.
 * R4 Nothing that decides is an activity that somebody else could complete: people are read by local activities alone.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  makeContinueAsNewFunc,
  patched,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
  ParentClosePolicy,
} from '@temporalio/workflow';
import {
  NOTIFICATION,
  REFRESH_SIGNAL,
  REVIEW_RECEIPT_QUERY,
  REVIEW_STATE_QUERY,
  SEARCH_ATTRIBUTES,
  SUPERSEDED_SIGNAL,
  type NotificationInput,
  type ReviewHost,
  type ReviewView,
} from '../contract.js';
import type { HashedEntry } from '../domain/review/chain.js';
import { climb, fireDue, nextDue, promisedMs } from '../domain/review/clock.js';
import { REVIEW_CODES, type ReviewCode } from '../domain/review/codes.js';
import { judgeCommand, refusal, type Moment } from '../domain/review/guard.js';
import { changePeople, commit, endBy, open, openingState, voidVotes, applyCommand, type Moved, type Told } from '../domain/review/moves.js';
import type { Notification } from '../domain/review/notification.js';
import { notDeciding, resultOf, viewOf } from '../domain/review/outcome.js';
import {
  REVIEW_ACTIONS,
  statusOf,
  type Receipt,
  type ReviewAction,
  type ReviewInput,
  type ReviewResult,
  type ReviewState,
} from '../domain/review/review.js';
import { reviewDetails } from '../report/review-details.js';
import { loadHost, record } from './review-proxies.js';

export const reviewStateQuery = defineQuery<ReviewView>(REVIEW_STATE_QUERY);
export const reviewReceiptQuery = defineQuery<Receipt | null, [string]>(REVIEW_RECEIPT_QUERY);
const supersededSignal = defineSignal<[unknown]>(SUPERSEDED_SIGNAL);
const refreshSignal = defineSignal(REFRESH_SIGNAL);

/** The file of people is read again at least so often, so that whoever has left is gone without anybody's doing. */
const REFRESH_MS = 24 * 3_600_000;
/** Until the file is tried again when it could not be read: at first, and at most, since all open reviews try. */
const HOST_RETRY_MS = 10_000;
const HOST_RETRY_MOST_MS = 600_000;
/** The least that a timer can have. */
const CHECK_AFTER_MS = 1;
/** Of an entry's hash, in the id of what is told of it. */
const ID_HASH_CHARS = 12;
/** Written into the history of a reset run when it is quarantined: replay of what was kept must not see it. */
const RESET_MARK = 'review-reset';

export async function review(input: ReviewInput, carried?: Omit<ReviewState, 'people'>): Promise<ReviewResult> {
  const run = new ReviewRun(input, carried);
  try {
    return await run.untilOver();
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // What was decided before stays decided.
    const result = await CancellationScope.nonCancellable(() => run.cancel());
    if (result.outcome === 'CANCELLED') throw error;
    return result;
  }
}

/** On its way to people: to a channel of its own, or to those of the groups that it names. */
interface Outgoing {
  readonly notification: Notification;
  readonly channel?: string;
}

class ReviewRun {
  readonly #reviewId = workflowInfo().workflowId;
  /** A reset makes a run whose history began as another one's. */
  readonly #isReset = workflowInfo().runId !== workflowInfo().originalExecutionRunId;
  #state: ReviewState;
  /** What the world around was when it was last looked at; not carried. */
  #host: ReviewHost | undefined;
  #hostDueMs = 0;
  #hostFailures = 0;
  /** The deciding vote whose check was put off once. */
  #toCheck: ReviewState['pending'];
  #outbox: HashedEntry[] = [];
  #tells: Outgoing[] = [];
  #wasChanged = false;
  #shown = '';

  constructor(
    readonly input: ReviewInput,
    carried: Omit<ReviewState, 'people'> | undefined,
  ) {
    this.#state = carried ?? openingState(Date.now(), input);
    for (const action of REVIEW_ACTIONS) this.#takes(action);
    setHandler(supersededSignal, () => {
      if (this.isOpen) this.#take(endBy(this.#moment(), 'WITHDRAWN', 'superseded'));
    });
    setHandler(refreshSignal, () => this.#lookAgain());
    setHandler(reviewStateQuery, () => viewOf(this.#moment()));
    setHandler(reviewReceiptQuery, (commandId) => this.#state.seen.find(({ id }) => id === commandId)?.receipt ?? null);
  }

  get isOpen(): boolean {
    return this.#state.outcome === undefined;
  }

  async untilOver(): Promise<ReviewResult> {
    for (;;) {
      this.#quarantine();
      if (this.isOpen && Date.now() >= this.#hostDueMs) await this.#readHost();
      await this.#empty();
      // What was kept of the other run may have ended while this one waited.
      if (this.#isResetSeen()) continue;
      if (!this.isOpen && this.#isIdle()) return resultOf(this.#moment());
      if (this.isOpen && workflowInfo().continueAsNewSuggested && this.#isIdle()) await this.#goOn();
      if (await this.#commitDue()) continue;
      const due = this.#state.seq === 0 ? undefined : fireDue(this.#moment());
      if (due !== undefined) {
        this.#take(due);
        continue;
      }
      if (!this.#isIdle()) continue;
      this.#wasChanged = false;
      const { atMs, what } = this.#nextAlarm();
      await condition(() => this.#wasChanged || this.#isResetSeen(), Math.max(1, atMs - Date.now()), { summary: what });
    }
  }

  async cancel(): Promise<ReviewResult> {
    do {
      this.#quarantine();
      if (this.isOpen) this.#take(endBy(this.#moment(), 'CANCELLED'));
      await this.#empty();
    } while (this.#isResetSeen());
    return resultOf(this.#moment());
  }

  #quarantine(): void {
    if (this.#isResetSeen()) this.#take(endBy(this.#moment(), 'QUARANTINED', 'reset'));
  }

  #moment(): Moment {
    return { reviewId: this.#reviewId, input: this.input, state: this.#state, nowMs: Date.now() };
  }

  #isIdle(): boolean {
    return this.#outbox.length === 0 && this.#tells.length === 0 && allHandlersFinished();
  }

  /** True once, in the task in which a reset run first does something of its own: a patch marker tells replays which one it was. */
  #isResetSeen(): boolean {
    return this.#isReset && this.#state.outcome?.is !== 'QUARANTINED' && patched(RESET_MARK);
  }

  #takes(action: ReviewAction): void {
    setHandler(
      defineUpdate<Receipt, [unknown]>(action),
      (given) => {
        const moment = this.#moment();
        const judged = judgeCommand(moment, action, given, false);
        // The validator has let it pass in this very state; what is not so must not be half done.
        if (!judged.ok) throw refused(judged.code);
        if (judged.seen !== undefined) return { ...judged.seen.receipt, duplicate: true };
        const code = refusal(moment, judged.command, judged.by);
        if (code !== undefined) throw refused(code);
        const { receipt, ...done } = applyCommand(moment, judged.command, judged.by);
        this.#take(done);
        return receipt;
      },
      {
        validator: (given, ...more: unknown[]) => {
          if (this.#isReset) throw refused('QUARANTINED');
          // The history would keep whatever stands beside a command, of whatever size.
          if (more.length > 0) throw refused('BAD_REQUEST');
          const judged = judgeCommand(this.#moment(), action, given, true);
          if (!judged.ok) throw refused(judged.code);
        },
      },
    );
  }

  #take({ state, entry, tells }: Moved): void {
    this.#state = state;
    this.#outbox.push(entry);
    this.#tells.push(...tells.map((told, index) => this.#notification(told, entry, index)));
    this.#wasChanged = true;
  }

  #notification({ event, channel, to, rung }: Told, { entry, hash }: HashedEntry, index: number): Outgoing {
    const { tenant, evaluationId, queue, rules } = this.input;
    const { outcome, tier } = this.#state;
    const notification: Notification = {
      // By the hash it is known from an entry of the same number in another life of the review: reset, or deleted and begun anew.
      id: `${this.#reviewId}/${entry.seq}-${hash.slice(0, ID_HASH_CHARS)}${index === 0 ? '' : `.${index}`}`,
      event,
      at: entry.at,
      tenant,
      evaluationId,
      reviewId: this.#reviewId,
      tier,
      queue,
      to: to ?? rules.reviewers[tier],
      ...(outcome !== undefined ? { outcome: outcome.is } : { due: new Date(promisedMs(this.#moment())).toISOString() }),
      ...(rung !== undefined ? { rung } : {}),
    };
    return { notification, ...(channel !== undefined ? { channel } : {}) };
  }

  #lookAgain(): void {
    this.#hostDueMs = 0;
    this.#hostFailures = 0;
    this.#wasChanged = true;
  }

  /** False: the file of people could not be read, and nobody can decide on the word of an older one. */
  async #readHost(): Promise<boolean> {
    const { tenant, requester, author, rules } = this.input;
    const groups = [...new Set([...Object.values(rules.reviewers).flat(), ...rules.leads])];
    const names = [requester, author].filter((name) => name !== undefined);
    this.#hostDueMs = Date.now() + REFRESH_MS;
    try {
      const known = this.#state.people?.digest;
      this.#host = await loadHost({ tenant, groups, names, ...(known !== undefined ? { knownDigest: known } : {}) });
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.#hostDueMs = Date.now() + Math.min(HOST_RETRY_MS * 2 ** this.#hostFailures, HOST_RETRY_MOST_MS);
      this.#hostFailures += 1;
      return false;
    }
    this.#hostFailures = 0;
    const { insecure } = this.#host;
    const people = this.#host.people ?? this.#state.people;
    if (!this.isOpen || people === undefined) return true;
    const done = this.#state.seq === 0 ? open(this.#moment(), people, insecure) : changePeople(this.#moment(), people, insecure);
    if (done.entry === undefined) this.#state = done.state;
    else this.#take(done);
    return true;
  }

  /** Entries into the history first: what people are told has happened. Whoever has a receipt finds the entry, though the review be cancelled meanwhile. */
  async #empty(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      while (this.#outbox.length > 0 || this.#tells.length > 0) {
        const entries = this.#outbox;
        const tells = this.#tells;
        this.#outbox = [];
        this.#tells = [];
        if (entries.length > 0) await record({ reviewId: this.#reviewId, entries });
        this.#show();
        for (const told of tells) await this.#send(told);
      }
    });
  }

  /** The delivery is a workflow of its own: nothing here waits for it, and the end of this run does not end it. */
  async #send({ notification, channel }: Outgoing): Promise<void> {
    const channels = this.#channelsOf(notification, channel);
    if (channels.length === 0) return;
    const args: [NotificationInput] = [{ v: 1, channels, notification }];
    try {
      const child = await startChild(NOTIFICATION, {
        workflowId: `notification/${notification.id}`,
        args,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        // A run that was reset tells nothing twice.
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: `${notification.event} to ${channels.join(', ')}`,
      });
      child.result().catch(() => this.#climb());
    } catch {
      // Told already, by a run that was reset.
    }
  }

  #channelsOf({ event, to = [] }: Notification, channel: string | undefined): readonly string[] {
    const { channels = [], hearing = [] } = this.#host ?? {};
    const groups = event === 'review_decided' ? hearing : to;
    return [...new Set(channel !== undefined ? [channel] : groups)].filter((name) => channels.includes(name));
  }

  /** What should have told people did not reach them: the next rung comes at once. */
  #climb(): void {
    const next = this.isOpen ? climb(this.#moment()) : undefined;
    if (next !== undefined) this.#take(next);
  }

  /** Whether something was done about a deciding vote. */
  async #commitDue(): Promise<boolean> {
    const { pending } = this.#state;
    if (pending === undefined || Date.now() < pending.effectiveAtMs) return false;
    if (this.#toCheck !== pending) {
      this.#toCheck = pending;
      // In a workflow task of its own: who decided has the receipt before it.
      await condition(() => this.#state.pending !== pending || this.#isResetSeen(), CHECK_AFTER_MS, { summary: 'decision is checked' });
      return true;
    }
    // Whoever has left the file meanwhile does not decide.
    const isRead = await this.#readHost();
    if (this.#state.pending !== pending || this.#isResetSeen()) return true;
    if (!isRead) {
      const isOther = (): boolean => this.#state.pending !== pending || this.#hostDueMs === 0 || this.#isResetSeen();
      await condition(isOther, Math.max(1, this.#hostDueMs - Date.now()), { summary: 'read reviewers.yaml again' });
      return true;
    }
    const whose = notDeciding(this.#moment());
    this.#take(whose.length === 0 ? commit(this.#moment()) : voidVotes(this.#moment(), whose));
    return true;
  }

  #nextAlarm(): { readonly atMs: number; readonly what: string } {
    const { pending } = this.#state;
    const look = { atMs: this.#hostDueMs, what: 'read reviewers.yaml' };
    const others = [pending && { atMs: pending.effectiveAtMs, what: 'decision takes effect' }, nextDue(this.#moment())];
    return others.reduce<typeof look>((first, due) => (due !== undefined && due.atMs < first.atMs ? due : first), look);
  }

  #show(): void {
    const moment = this.#moment();
    const status = statusOf(this.#state);
    const due = this.isOpen ? new Date(promisedMs(moment)) : undefined;
    const assignees = this.#state.claims.map(({ by }) => by);
    const shown = JSON.stringify([status, this.#state.tier, due, assignees]);
    setCurrentDetails(reviewDetails(viewOf(moment)));
    if (shown === this.#shown) return;
    this.#shown = shown;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.reviewState, value: status },
      { key: SEARCH_ATTRIBUTES.reviewTier, value: this.#state.tier },
      { key: SEARCH_ATTRIBUTES.reviewDueAt, value: due ?? null },
      { key: SEARCH_ATTRIBUTES.reviewAssignees, value: assignees },
    ]);
  }

  async #goOn(): Promise<never> {
    const { people: _people, ...carried } = this.#state;
    const { memo } = workflowInfo();
    return await makeContinueAsNewFunc<typeof review>(memo !== undefined ? { memo } : {})(this.input, carried);
  }
}

const refused = (code: ReviewCode): ApplicationFailure =>
  ApplicationFailure.create({ type: code, message: REVIEW_CODES[code], nonRetryable: true });
