/** Reviews for whoever decides, watches or leads them: found in the index, asked of their workflows, acted on by commands. */
import { WorkflowFailedError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { ReviewCommandSender, type ActOptions } from './client-review-act.js';
import { byDue, reviewQuery, reviewSummaryOf, type ReviewFilter, type ReviewSummary } from './client-review-list.js';
import { closedStats, openStats, type ReviewStats } from './client-review-stats.js';
import { call, type Host } from './client-calls.js';
import { RequestRefused, ReviewNotFound } from './client-errors.js';
import { REVIEW_STATE_QUERY, type ReviewView } from './contract.js';
import type { Payloads } from './domain/review/command.js';
import {
  REVIEW_OUTCOMES,
  type Receipt,
  type ReviewAction,
  type ReviewInput,
  type ReviewOutcome,
  type ReviewResult,
} from './domain/review/review.js';
import type { ReviewExport } from './review/export.js';
import type { LabelRow } from './review/labels.js';
import { readPacket } from './review/read-packet.js';
import type { TimelineEntry } from './review/timeline.js';

/** A screen. */
const DEFAULT_LIMIT = 50;
/** The list is held in memory, since the index gives it in another order. */
const MAX_LIMIT = 10_000;
/** Each is a call of its own. */
const DEFAULT_RESULTS = 200;
const MAX_RESULTS = 2_000;
/** Results that are fetched at once. */
const AT_ONCE = 10;
const PAGE = 1_000;

export interface ReviewStatsFilter extends Pick<ReviewFilter, 'tier' | 'queue' | 'tenant'> {
  /** How many closed reviews, the newest, are read for what only their results say. Default 200. */
  readonly results?: number;
}

export class Reviews {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Those that are due first, first. The index follows the truth within a second or so. More than 10,000 that fit are looked
   * at in the order of the index, the newest first.
   * @throws RequestRefused when a value of the filter has not its form.
   */
  async list(filter: ReviewFilter = {}): Promise<ReviewSummary[]> {
    const limit = checkedCount('limit', filter.limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT);
    const found = await this.#indexed(reviewQuery(this.#host.deployment, filter, Date.now()), MAX_LIMIT);
    return found.toSorted(byDue).slice(0, limit);
  }

  /**
   * Where a review stands, asked of a worker.
   * @throws ReviewNotFound, NoWorker, ServerUnreachable.
   */
  async view(reviewId: string): Promise<ReviewView> {
    return await this.#of(reviewId, 'look at', () => this.#host.client.workflow.getHandle(reviewId).query<ReviewView>(REVIEW_STATE_QUERY));
  }

  /**
   * What a review was opened with: the packet, and the rules that it holds to. Asked of the server alone.
   * @throws ReviewNotFound, Undecodable.
   */
  async input(reviewId: string): Promise<ReviewInput> {
    const input = await this.#of(reviewId, 'read', () => readPacket(this.#host, reviewId));
    if (input === undefined) throw new ReviewNotFound(reviewId, this.#host.namespace);
    return input;
  }

  /**
   * What has happened to it, with the words of those who acted: whoever shows it decides what of it others may see.
   * @throws ReviewNotFound, Undecodable.
   */
  async timeline(reviewId: string): Promise<readonly TimelineEntry[]> {
    const { timelineOfReview } = await import('./client-review-account.js');
    return await timelineOfReview(this.#host, reviewId);
  }

  /**
   * Sends a command until there is a receipt or a refusal. However often it is sent, it happens once: by its command id.
   * @throws ReviewRefused with the code, ReviewNotFound, NotRecorded when nobody has answered in time.
   */
  async act<Action extends ReviewAction>(
    action: Action,
    reviewId: string,
    payload: Payloads[Action],
    options: ActOptions,
  ): Promise<Receipt> {
    return await new ReviewCommandSender(this.#host, action, reviewId, payload, options).send();
  }

  /**
   * The account of a review as a file that proves itself; holds its content in clear.
   * @param archive folder that workers write with `--archive`: asked for what the server has no more.
   * @throws ReviewNotFound when neither has it, Undecodable when it cannot be read here.
   */
  async export(reviewId: string, archive?: string): Promise<ReviewExport> {
    // Signatures and hashes are loaded by those who ask for them.
    const { exportOf } = await import('./client-review-account.js');
    return await exportOf(this.#host, reviewId, archive);
  }

  /**
   * What people have decided, one row a review, as `tribunal assess` reads it; `undefined` for a review that cannot be believed,
   * `unsigned` for one that anybody may have decided.
   * @param queue of this one alone; default: of all.
   * @throws RequestRefused when the queue has not the form of one.
   */
  async *labels(
    queue?: string,
  ): AsyncGenerator<{ readonly reviewId: string; readonly row: LabelRow | undefined; readonly unsigned?: true }> {
    const { labelsOf } = await import('./client-review-account.js');
    yield* labelsOf(this.#host, queue);
  }

  /**
   * How much waits, and how people have decided.
   * @throws RequestRefused when a value of the filter has not its form, or more than 2,000 results are asked for.
   */
  async stats(filter: ReviewStatsFilter = {}): Promise<ReviewStats> {
    const { results = DEFAULT_RESULTS, ...of } = filter;
    checkedCount('results', results, 0, MAX_RESULTS);
    const { deployment } = this.#host;
    const nowMs = Date.now();
    const open = await this.#indexed(reviewQuery(deployment, of, nowMs), MAX_LIMIT);
    const counts = await Promise.all(
      REVIEW_OUTCOMES.map(
        async (outcome) => [outcome, await this.#count(reviewQuery(deployment, { ...of, states: [outcome] }, nowMs))] as const,
      ),
    );
    const closed = new Map<ReviewOutcome, number>(counts);
    const read = results === 0 ? [] : await this.#results(reviewQuery(deployment, { ...of, states: REVIEW_OUTCOMES }, nowMs), results);
    return {
      ...openStats(open, nowMs),
      decided: (closed.get('PROCEEDED') ?? 0) + (closed.get('HALTED') ?? 0),
      expired: closed.get('EXPIRED') ?? 0,
      closed: Object.fromEntries(counts.filter(([, count]) => count > 0)),
      ...closedStats(read),
    };
  }

  async #indexed(query: string, most: number): Promise<ReviewSummary[]> {
    return await call(this.#host, 'cannot list reviews', undefined, async () => {
      const found: ReviewSummary[] = [];
      for await (const info of this.#host.index.workflow.list({ query, pageSize: Math.min(most, PAGE) })) {
        if (found.push(reviewSummaryOf(info)) >= most) break;
      }
      return found;
    });
  }

  async #count(query: string): Promise<number> {
    return await call(this.#host, 'cannot count reviews', undefined, async () => (await this.#host.index.workflow.count(query)).count);
  }

  /** Results of the newest closed ones; those that closed otherwise, cancelled or terminated, have none. */
  async #results(query: string, most: number): Promise<ReviewResult[]> {
    const closed = (await this.#indexed(query, most)).filter(({ endedAt }) => endedAt !== undefined);
    const results: ReviewResult[] = [];
    for (let at = 0; at < closed.length; at += AT_ONCE) {
      const some = await Promise.all(closed.slice(at, at + AT_ONCE).map(({ reviewId }) => this.#result(reviewId)));
      results.push(...some.filter((result) => result !== undefined));
    }
    return results;
  }

  async #result(reviewId: string): Promise<ReviewResult | undefined> {
    const { client } = this.#host;
    return await call(this.#host, `cannot read how ${reviewId} ended`, undefined, async () => {
      try {
        return (await client.workflow.getHandle(reviewId).result()) as ReviewResult;
      } catch (error) {
        // Cancelled, terminated, or gone since the index was asked.
        if (error instanceof WorkflowFailedError || error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    });
  }

  async #of<T>(reviewId: string, what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await call(this.#host, `cannot ${what} ${reviewId}`, undefined, run);
    } catch (error) {
      throw error instanceof WorkflowNotFoundError ? new ReviewNotFound(reviewId, this.#host.namespace) : error;
    }
  }
}

function checkedCount(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RequestRefused([`${name} must be a whole number from ${least} to ${most}`]);
}
