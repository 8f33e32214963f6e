/**
 * Whether what is recorded lets something out. Pure: a yes needs every one of these to hold, and whatever cannot be read is
 * a no. Each no has a code of its own and a sentence.
 */
import { evaluationId as idOf, EVALUATE, REVIEW, reviewQueue, workflowQueue } from '../contract.js';
import { contentHash, hashJson, requestDigest } from '../digest.js';
import type { EvaluationReport, ReportReview } from '../domain/report.js';
import { UNDO_MS } from '../domain/review/moves.js';
import { reviewRulesOf } from '../domain/review/policy.js';
import type { Permit, ReviewOutcome } from '../domain/review/review.js';
import type { RunStatus } from './payloads.js';
import type { EvaluationRecord } from './read-evaluation.js';
import type { ReviewRecord } from './review-record.js';
import { verifyReview } from './verify.js';

export const RELEASE_REFUSALS = [
  'NOT_FOUND',
  'UNREADABLE',
  'NOT_AN_EVALUATION',
  'OTHER_DEPLOYMENT',
  'INCONSISTENT',
  'CONTENT_DIFFERS',
  'RUNNING',
  'DENIED',
  'NOT_JUDGED',
  'CANCELLED',
  'TERMINATED',
  'TIMED_OUT',
  'NO_REVIEW',
  'REVIEW_GONE',
  'REVIEW_OPEN',
  'REVIEW_UNSOUND',
  'REVIEW_UNDECIDED',
  'HALTED',
  'EXPIRED',
  'WITHDRAWN',
  'QUARANTINED',
  'HALTED_BEFORE',
  'HISTORY_GONE',
  'NON_PRODUCTION',
  'PERMIT_EXPIRED',
] as const;
export type ReleaseRefusal = (typeof RELEASE_REFUSALS)[number];

export interface Refusal {
  readonly ok: false;
  readonly reason: ReleaseRefusal;
  readonly message: string;
}

export const no = (reason: ReleaseRefusal, message: string): Refusal => ({ ok: false, reason, message });

/** A record of another form than those that are checked here is no reason to throw: nothing in it is believed. */
export function checked<T>(check: () => T): T | Refusal {
  try {
    return check();
  } catch {
    return no('UNREADABLE', 'what is recorded is not what an evaluation or a review leaves behind');
  }
}

const OF_STATUS: Readonly<Record<Exclude<RunStatus, 'completed'>, readonly [ReleaseRefusal, string]>> = {
  running: ['RUNNING', 'it is still being judged: ask again later'],
  failed: ['NOT_JUDGED', 'it could not be judged: `tribunal show` says why, and how it is mended'],
  cancelled: ['CANCELLED', 'it was cancelled before it had a verdict'],
  terminated: ['TERMINATED', 'it was terminated before it had a verdict'],
  timed_out: ['TIMED_OUT', 'its time was over before it had a verdict'],
};

/** Why an evaluation says nothing that counts, whatever its verdict. */
export function evaluationRefusal(record: EvaluationRecord, deployment: string): Refusal | undefined {
  if (record.workflowType !== EVALUATE) return no('NOT_AN_EVALUATION', `${record.evaluationId} is a workflow of another type`);
  if (record.taskQueue !== workflowQueue(deployment))
    return no('OTHER_DEPLOYMENT', `${record.evaluationId} was judged by another deployment than ${deployment}`);
  if (record.status !== 'completed') return no(...OF_STATUS[record.status]);
  if (record.report === undefined || record.plan === undefined) return no('INCONSISTENT', 'it closed without a report, or without a plan');
  return disagreement(record, record.report);
}

/** The report speaks of this request, this content and this plan; all digests are made anew. */
function disagreement({ evaluationId, input, memoDigest, plan }: EvaluationRecord, report: EvaluationReport): Refusal | undefined {
  const { request, requestDigest: claimed } = input;
  const { hash, ...compiled } = plan ?? { hash: '', name: '', version: 0 };
  const planHash = hashJson(compiled);
  const facts: readonly (readonly [boolean, string])[] = [
    [
      idOf(request.tenant, request.key) === evaluationId && report.evaluationId === evaluationId,
      'the request or the report is that of another evaluation',
    ],
    [report.tenant === request.tenant, 'the report is that of another tenant'],
    [requestDigest(request) === claimed && memoDigest === claimed, 'the request is not what its digest was made of'],
    [contentHash(request.content) === report.contentHash, 'the report is about another content'],
    [planHash === hash && planHash === report.planHash, 'the report is by another plan than the one that was pinned'],
    [compiled.name === request.plan && compiled.name === report.plan.name, 'the plan is not the one that was asked for'],
    [compiled.version === report.plan.version, 'the plan is of another version than the report says'],
  ];
  const wrong = facts.find(([holds]) => !holds);
  return wrong === undefined ? undefined : no('INCONSISTENT', wrong[1]);
}

export const reportHashOf = ({ review: _review, ...report }: EvaluationReport): string => hashJson(report);

const OF_OUTCOME: Readonly<Record<Exclude<ReviewOutcome, 'PROCEEDED'>, readonly [ReleaseRefusal, string]>> = {
  HALTED: ['HALTED', 'people have decided that it does not go out'],
  EXPIRED: ['EXPIRED', 'nobody has decided it in time'],
  WITHDRAWN: ['WITHDRAWN', 'its review was withdrawn'],
  CANCELLED: ['REVIEW_UNDECIDED', 'its review was cancelled before people had decided'],
  QUARANTINED: ['QUARANTINED', 'its review was reset, so what it says may not be what people decided'],
};

/** Where a review stands that is not over, by its newest entries. */
export function stillOpen({ reviewId, entries }: Pick<ReviewRecord, 'reviewId' | 'entries'>): string {
  const decide = entries.findLast(({ entry }) => entry.type === 'decide')?.entry;
  if (decide === undefined || entries.at(-1)?.entry.to !== 'COMMITTING') return `people have not decided yet: ${reviewId} is open`;
  if (decide.facts?.['tier'] !== 'triage') return `people have decided, which has yet to take effect: ${reviewId} is open until then`;
  const effectiveAt = new Date(Date.parse(decide.at) + UNDO_MS).toISOString();
  return `people have decided, which takes effect at ${effectiveAt} unless it is undone: ${reviewId} is open until then`;
}

/** Why a review does not let its evaluation out. The evaluation was found to agree with itself. */
export function reviewRefusal(
  evaluation: EvaluationRecord,
  named: ReportReview,
  review: ReviewRecord,
  deployment: string,
): Refusal | undefined {
  if (review.isReset) return no(...OF_OUTCOME.QUARANTINED);
  if (!review.isWhole) return no('HISTORY_GONE', 'the histories of the first runs of its review are gone');
  if (review.status === 'running') return no('REVIEW_OPEN', stillOpen(review));
  if (review.workflowType !== REVIEW || review.taskQueue !== reviewQueue(deployment) || review.input.deployment !== deployment)
    return no('INCONSISTENT', `${review.reviewId} is no review of the deployment ${deployment}`);
  const foreign = bindingProblem(evaluation, named, review);
  if (foreign !== undefined) return no('INCONSISTENT', `${review.reviewId}: ${foreign}`);
  const verified = verifyReview(review);
  if (!verified.sound) return no('REVIEW_UNSOUND', `${review.reviewId}: ${verified.problem.record}: ${verified.problem.message}`);
  if (review.result === undefined) return no('REVIEW_UNDECIDED', `its review ended without a decision (${review.status})`);
  const { outcome } = review.result;
  return outcome === 'PROCEEDED' ? undefined : no(...OF_OUTCOME[outcome]);
}

/** The review is about this report of this request, by the rules of the pinned plan. */
function bindingProblem(
  evaluation: EvaluationRecord,
  named: ReportReview,
  { input, memoDigest, reviewId }: ReviewRecord,
): string | undefined {
  const { evaluationId, input: asked, plan, report, runId, originalRunId, baseRunIds } = evaluation;
  const { request } = asked;
  if (report === undefined || plan?.review === undefined) return 'the plan opens no reviews';
  const { review: _review, ...bare } = report;
  const packetDigest = hashJson({ content: request.content, context: request.context, report: bare });
  const facts: readonly (readonly [boolean, string])[] = [
    [reviewId === named.id && input.evaluationId === evaluationId && input.tenant === request.tenant, 'it is about another evaluation'],
    [[runId, originalRunId, ...baseRunIds].includes(input.evaluationRunId), 'another run of the evaluation has asked for it'],
    [input.tier === named.tier && input.queue === named.queue, 'it was opened in another tier or queue than the report says'],
    [input.reportHash === hashJson(bare) && named.reportHash === input.reportHash, 'it is about another report'],
    [[named.packetDigest, input.packetDigest, memoDigest].every((one) => one === packetDigest), 'it is about another packet'],
    [input.requester === request.requester && input.author === request.author, 'it names others as requester or author'],
    [hashJson(input.rules) === hashJson(reviewRulesOf(plan.review)), 'it was decided by other rules than those of the plan'],
  ];
  return facts.find(([holds]) => !holds)?.[1];
}

/** Why a permit does not hold now. Its review was verified, so that it is the permit of this review. */
export function permitRefusal(
  permit: Permit | undefined,
  { evaluationId, report }: EvaluationRecord,
  { input }: ReviewRecord,
  { nowMs, acceptNonProduction }: { readonly nowMs: number; readonly acceptNonProduction: boolean },
): Refusal | undefined {
  const isBound =
    permit !== undefined &&
    report !== undefined &&
    permit.evaluationId === evaluationId &&
    permit.tenant === report.tenant &&
    permit.contentHash === report.contentHash &&
    permit.planHash === report.planHash &&
    permit.reportHash === reportHashOf(report) &&
    permit.packetDigest === input.packetDigest;
  if (!isBound) return no('INCONSISTENT', 'the permit is for something else');
  // Written so that a time that is none never lies ahead.
  if (!(nowMs < Date.parse(permit.notAfter)))
    return no('PERMIT_EXPIRED', `the permit was good until ${permit.notAfter}: have it judged again`);
  if (permit.nonProduction === true && !acceptNonProduction)
    return no('NON_PRODUCTION', 'commands without a signature were taken when it was decided, so anybody may have decided it');
  return undefined;
}

/** What takes a deciding vote away again. */
const UNDOING: readonly string[] = ['undo', 'vote_void'];

/** Whether people have said no at some time, be it that the review came to another end since, also before the vote took effect. */
export function wasHalted({ entries, result }: Pick<ReviewRecord, 'entries' | 'result'>): boolean {
  if (result?.outcome === 'HALTED' || entries.some(({ entry }) => entry.to === 'HALTED')) return true;
  const newest = entries.findLast(({ entry: { type, facts } }) => UNDOING.includes(type) || facts?.['disposition'] !== undefined)?.entry;
  return newest?.to === 'COMMITTING' && newest.facts?.['disposition'] === 'HALT';
}
