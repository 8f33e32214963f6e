/**
 * May it go out? The one question of a consumer, answered from what is recorded and nothing else.
 *
 * L1 Yes is for positive evidence alone. Under way, expired, terminated, reset, unknown, unreadable, gone: all mean no.
 * L2 Nothing that a record says of itself is believed: digests are made anew, signatures verified, the account of the review
 *    is made once more from its commands.
 * L3 Neither a reset nor a second start washes away what people have decided: a halt of an earlier run stands.
 * L4 That nobody answers is thrown, and is no yes either.
 */
import { call, type Host } from './client-calls.js';
import { EvaluationNotFound, Undecodable } from './client-errors.js';
import { isEvaluationId, isReviewId, REVIEW_ID_FORM, reviewId, SEARCH_ATTRIBUTES } from './contract.js';
import { contentHash } from './digest.js';
import type { Json } from './domain/finding.js';
import type { EvaluationReport } from './domain/report.js';
import type { ReviewTier } from './domain/review/policy.js';
import { positionIn, retentionMs } from './review/archive-position.js';
import { ArchiveDamaged, makeArchive, type Archive } from './review/archive.js';
import { evaluationOf, readEvaluation, type EvaluationRecord } from './review/read-evaluation.js';
import { readReview, readReviewRun } from './review/read-review.js';
import type { ReviewRecord } from './review/review-record.js';
import { firstOf, inArchive, onServer, type Recorded } from './review/recorded.js';
import {
  checked,
  evaluationRefusal,
  no,
  permitRefusal,
  reportHashOf,
  reviewRefusal,
  wasHalted,
  type Refusal,
} from './review/release-checks.js';

export interface ReleaseOptions {
  /** What is about to go out: refused when it is not what was judged. Without it compare the permit's `contentHash` yourself. */
  readonly content?: Json;
  /** Folder that workers write with `--archive`: asked for what the server has no more. */
  readonly archive?: string;
  /** Take what was decided by commands without a signature. Never where it matters. Default: no. */
  readonly acceptNonProduction?: boolean;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
}

/** Positive evidence that this content may go out, and by what. */
export interface ReleasePermit {
  readonly v: 1;
  readonly evaluationId: string;
  /** Of the evaluation. */
  readonly runId: string;
  readonly tenant: string;
  readonly plan: { readonly name: string; readonly version: number };
  readonly planHash: string;
  /** SHA-256 over RFC 8785 of the content: of nothing else is anything known. */
  readonly contentHash: string;
  /** Of the report without the part that names the review. */
  readonly reportHash: string;
  /** Absent where the verdict alone allowed it. */
  readonly review?: {
    readonly id: string;
    readonly tier: ReviewTier;
    /** Ids of the people who let it pass. */
    readonly by: readonly string[];
    readonly issuedAt: string;
    readonly notAfter: string;
    /** Hash of the account's last entry. */
    readonly head: string;
    readonly nonProduction?: true;
  };
}

export type Release = { readonly ok: true; readonly permit: ReleasePermit } | Refusal;

/**
 * Whether an evaluation lets its content out.
 * @param id `<tenant>/<key>`.
 * @throws ServerUnreachable and its like when nobody answers: then it is not released.
 */
export async function release(host: Host, id: string, options: ReleaseOptions = {}): Promise<Release> {
  // Also what keeps queries from meaning something else.
  if (!isEvaluationId(id))
    return no('NOT_FOUND', `${JSON.stringify(id.slice(0, 200))} is not the id of an evaluation: write <tenant>/<key>`);
  try {
    return await new Releasing(host, id, options).decide();
  } catch (error) {
    if (error instanceof EvaluationNotFound) return no('NOT_FOUND', error.message);
    if (error instanceof Undecodable || error instanceof ArchiveDamaged) return no('UNREADABLE', error.message);
    throw error;
  }
}

class Releasing {
  readonly #archive: Archive | undefined;
  readonly #recorded: Recorded;
  #isOfArchive = false;

  constructor(
    readonly host: Host,
    readonly id: string,
    readonly options: ReleaseOptions,
  ) {
    this.#archive = options.archive === undefined ? undefined : makeArchive(options.archive);
    this.#recorded =
      this.#archive === undefined ? onServer(host) : firstOf(onServer(host), inArchive(this.#archive), () => (this.#isOfArchive = true));
  }

  async decide(): Promise<Release> {
    const record = await readEvaluation(this.host, this.id, this.#recorded);
    const refusal = checked(() => evaluationRefusal(record, this.host.deployment));
    if (refusal !== undefined) return refusal;
    const { report } = record;
    if (report === undefined) return no('INCONSISTENT', 'it closed without a report');
    const other = this.#contentRefusal(report);
    if (other !== undefined) return other;
    const answer = await this.#byDecision(record, report);
    if (!answer.ok) return answer;
    return (await this.#earlierRefusal(record, answer.permit.review?.id)) ?? (await this.#archiveRefusal(record)) ?? answer;
  }

  /** A newer run that nobody has kept may say something else. */
  async #archiveRefusal({ lastMs }: EvaluationRecord): Promise<Refusal | undefined> {
    const { archive } = this.options;
    if (!this.#isOfArchive || archive === undefined) return undefined;
    const position = positionIn(archive, this.host.deployment);
    const [swept, gaps, keptMs] = await Promise.all([position.swept(), position.gaps(), retentionMs(this.host)]);
    if (swept < Date.now() - keptMs) return gone('no worker has kept the archive up to what the server still has');
    return gaps.some(({ toMs }) => toMs > lastMs) ? gone('the archive lacks a time after it was judged') : undefined;
  }

  #contentRefusal({ contentHash: judged }: EvaluationReport): Refusal | undefined {
    const { content } = this.options;
    if (content === undefined) return undefined;
    const isSame = checked(() => contentHash(content) === judged);
    return isSame === true ? undefined : no('CONTENT_DIFFERS', 'what is to go out is not what was judged');
  }

  async #byDecision(record: EvaluationRecord, report: EvaluationReport): Promise<Release> {
    if (report.decision === 'allow') return { ok: true, permit: permitOf(record, report) };
    if (report.decision === 'escalate') return await this.#byPeople(record, report);
    if (report.decision === 'deny') return no('DENIED', 'the verdict is deny: `tribunal show` says why');
    return no('NOT_JUDGED', 'it was not judged');
  }

  async #byPeople(record: EvaluationRecord, report: EvaluationReport): Promise<Release> {
    const named = report.review;
    if (named === undefined) return no('NO_REVIEW', 'it was escalated, and no review was opened: nobody has decided it');
    if (!isReviewId(named.id) || !named.id.startsWith(reviewId(this.id, '')))
      return no('INCONSISTENT', 'the report names a review of another evaluation');
    const review = await readReview(this.host, named.id, this.#recorded).catch(ifGone(named.id));
    if ('ok' in review) return review;
    const { deployment } = this.host;
    const nowMs = (this.options.now ?? Date.now)();
    const acceptNonProduction = this.options.acceptNonProduction === true;
    const refusal = checked(
      () =>
        reviewRefusal(record, named, review, deployment) ??
        permitRefusal(review.result?.permit, record, review, { nowMs, acceptNonProduction }),
    );
    if (refusal !== undefined) return refusal;
    const { result } = review;
    if (result?.permit === undefined) return no('REVIEW_UNDECIDED', 'its review has issued no permit');
    const { issuedAt, notAfter, head, nonProduction } = result.permit;
    const by = result.deciders.map((one) => one.by);
    const told = { id: named.id, tier: result.tier, by, issuedAt, notAfter, head, ...(nonProduction === true ? { nonProduction } : {}) };
    return { ok: true, permit: { ...permitOf(record, report), review: told } };
  }

  /** What people have come to about this evaluation before: in reviews of its other runs, or in another life of its own one. */
  async #earlierRefusal(record: EvaluationRecord, own: string | undefined): Promise<Refusal | undefined> {
    const asked = new Set(own === undefined ? [] : [own]);
    for (const id of await this.#listed(`${SEARCH_ATTRIBUTES.evaluationId.name} = '${this.id}'`, ({ workflowId }) => workflowId))
      asked.add(id);
    for (const id of (await this.#archive?.listReviews(this.id)) ?? []) asked.add(id);
    const maybe = new Set<string>();
    for (const runId of await this.#runsBefore(record)) {
      const events = await this.#recorded.events(this.id, runId);
      // It may have opened a review of which nothing else tells.
      if (events === undefined && runId === record.originalRunId)
        return gone('the run that was reset is gone, and with it what people had decided');
      const named = events === undefined ? undefined : (await evaluationOf(this.host, this.id, runId, events)).report?.review?.id;
      if (named !== undefined) asked.add(named);
      else maybe.add(reviewId(this.id, runId));
    }
    for (const id of new Set([...asked, ...maybe])) {
      const refusal = id === own ? await this.#begunAgain(id) : await this.#halted(id, asked.has(id));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** Run ids of this evaluation beside the newest one, as far as anybody knows of them. */
  async #runsBefore({ runId, originalRunId, baseRunIds }: EvaluationRecord): Promise<readonly string[]> {
    const listed = await this.#listed(`WorkflowId = '${this.id}'`, (info) => info.runId);
    const archived = ((await this.#archive?.evaluationRuns(this.id)) ?? []).map((one) => one.runId);
    return [...new Set([originalRunId, ...baseRunIds, ...listed, ...archived])].filter((one) => one !== runId);
  }

  /** Whether a review that decided about an earlier run stands in the way. */
  async #halted(id: string, isKnown: boolean): Promise<Refusal | undefined> {
    if (!REVIEW_ID_FORM.test(id)) return no('INCONSISTENT', 'something that is no review says that it is one of this evaluation');
    const newest = await readReview(this.host, id, this.#recorded).catch(ifGone(id));
    if ('ok' in newest) return isKnown ? newest : undefined;
    const { listed, archived } = await this.#otherLives(newest);
    const others = [...new Set([...listed, ...archived])];
    if (newest.isReset && others.length === 0) return gone(`${id} was reset, and what people had decided before is gone`);
    const refusal = await this.#haltedIn(newest, others);
    if (refusal !== undefined) return refusal;
    return newest.status === 'running' ? no('REVIEW_OPEN', `people still look at an earlier run of it (${id})`) : undefined;
  }

  /** Whether its own review was begun once more: by hand, since a review refuses a second start while the server knows it. */
  async #begunAgain(id: string): Promise<Refusal | undefined> {
    const newest = await readReview(this.host, id, this.#recorded).catch(ifGone(id));
    if ('ok' in newest) return newest;
    const { listed, archived } = await this.#otherLives(newest);
    const refusal = await this.#haltedIn(newest, [...new Set([...listed, ...archived])]);
    if (refusal !== undefined) return refusal;
    // What somebody took back in one life could be sent again in the next.
    return listed.length > 0
      ? no('REVIEW_UNSOUND', `${id} was started more than once, so what people said in it may be older than it`)
      : undefined;
  }

  /** Runs of a review's id that are none of its chain: on the server, and in the archive. */
  async #otherLives({ reviewId: id, runs }: ReviewRecord): Promise<{ readonly listed: string[]; readonly archived: string[] }> {
    const own = new Set(runs.map(({ runId }) => runId));
    const listed = await this.#listed(`WorkflowId = '${id}'`, (info) => (info.status.name === 'CONTINUED_AS_NEW' ? undefined : info.runId));
    const archived = ((await this.#archive?.reviewRuns(id)) ?? []).map((one) => one.runId);
    return { listed: listed.filter((one) => !own.has(one)), archived: archived.filter((one) => !own.has(one)) };
  }

  async #haltedIn(newest: ReviewRecord, others: readonly string[]): Promise<Refusal | undefined> {
    const id = newest.reviewId;
    const records = await Promise.all(
      others.map(async (runId) => await readReviewRun(this.host, id, runId, this.#recorded).catch(ifGone(id))),
    );
    for (const record of [newest, ...records]) {
      if ('ok' in record) return record;
      const isHalted = checked(() => wasHalted(record));
      if (isHalted !== false) return no('HALTED_BEFORE', `people have halted an earlier run of it (${id})`);
    }
    return undefined;
  }

  async #listed(query: string, pick: (info: Listed) => string | undefined): Promise<string[]> {
    return await call(this.host, `cannot look up ${this.id}`, this.id, async () => {
      const found: string[] = [];
      for await (const info of this.host.index.workflow.list({ query })) found.push(...[pick(info)].filter((one) => one !== undefined));
      return found;
    });
  }
}

interface Listed {
  readonly workflowId: string;
  readonly runId: string;
  readonly status: { readonly name: string };
}

const gone = (why: string): Refusal => no('HISTORY_GONE', `${why}: ask with the archive, or have it judged again under a new key`);

const ifGone =
  (id: string) =>
  (error: unknown): Refusal => {
    if (error instanceof EvaluationNotFound) return no('REVIEW_GONE', `${id} is gone, so nobody can tell what people decided`);
    throw error;
  };

const permitOf = ({ evaluationId, runId }: EvaluationRecord, report: EvaluationReport): ReleasePermit => ({
  v: 1,
  evaluationId,
  runId,
  tenant: report.tenant,
  plan: report.plan,
  planHash: report.planHash,
  contentHash: report.contentHash,
  reportHash: reportHashOf(report),
});
