/** What the server's index knows of reviews: queries, and what they find. Pure; imports `@temporalio/client` for types alone. */
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { isEvaluationId, reviewsOf, SEARCH_ATTRIBUTES, TENANT_FORM } from './contract.js';
import { RequestRefused } from './client-errors.js';
import { PERSON_ID_FORM } from './domain/review/people.js';
import { REVIEW_TIERS, WORD_FORM, type ReviewTier } from './domain/review/policy.js';
import { isOpenStatus, OPEN_STATUSES, REVIEW_OUTCOMES, type ReviewStatus } from './domain/review/review.js';

export const REVIEW_STATUSES: readonly ReviewStatus[] = [...OPEN_STATUSES, ...REVIEW_OUTCOMES];

export interface ReviewSummary {
  /** Also the workflow id. */
  readonly reviewId: string;
  readonly evaluationId: string;
  readonly tenant: string;
  readonly plan?: string;
  readonly status: ReviewStatus;
  readonly tier?: ReviewTier;
  readonly queue?: string;
  /** Who holds it. */
  readonly assignees: readonly string[];
  readonly openedAt: Date;
  /** The next promise; absent once it is over. */
  readonly dueAt?: Date;
  readonly endedAt?: Date;
}

export interface ReviewFilter {
  /** Default: those that are open. */
  readonly states?: readonly ReviewStatus[];
  readonly tier?: ReviewTier;
  readonly queue?: string;
  readonly tenant?: string;
  /** Id of a person who holds it. */
  readonly assignee?: string;
  /** Whose next promise is past. */
  readonly overdue?: boolean;
  /** `<tenant>/<key>`. */
  readonly evaluationId?: string;
  /** Opened at least so many milliseconds ago. */
  readonly olderThanMs?: number;
  /** Default 50. */
  readonly limit?: number;
}

/** The index query of a filter. Values are checked by form before they are written into it: nothing needs escaping. */
export function reviewQuery(deployment: string, filter: ReviewFilter, nowMs: number): string {
  const { states = OPEN_STATUSES, tier, queue, tenant, assignee, overdue, evaluationId, olderThanMs } = filter;
  const problems: string[] = [];
  const parts = [reviewsOf(deployment)];
  const add = (problem: string, isRight: boolean, part: () => string): void => {
    if (isRight) parts.push(part());
    else problems.push(problem);
  };
  const areStates = states.length > 0 && states.every((state) => REVIEW_STATUSES.includes(state));
  add(
    `states must be of ${REVIEW_STATUSES.join(', ')}`,
    areStates,
    () => `${SEARCH_ATTRIBUTES.reviewState.name} IN (${states.map(quoted).join(', ')})`,
  );
  // One that was terminated keeps the state that it had.
  if (states.every(isOpenStatus)) parts.push("ExecutionStatus = 'Running'");
  const equal = (name: string, value: string) => (): string => `${name} = ${quoted(value)}`;
  if (tier !== undefined)
    add(`tier must be one of ${REVIEW_TIERS.join(', ')}`, REVIEW_TIERS.includes(tier), equal(SEARCH_ATTRIBUTES.reviewTier.name, tier));
  if (queue !== undefined)
    add(`queue must be of the form ${WORD_FORM.source}`, WORD_FORM.test(queue), equal(SEARCH_ATTRIBUTES.reviewQueue.name, queue));
  if (tenant !== undefined)
    add(`tenant must be of the form ${TENANT_FORM.source}`, TENANT_FORM.test(tenant), equal(SEARCH_ATTRIBUTES.tenant.name, tenant));
  if (assignee !== undefined)
    add('assignee must be the id of a person', PERSON_ID_FORM.test(assignee), equal(SEARCH_ATTRIBUTES.reviewAssignees.name, assignee));
  if (evaluationId !== undefined)
    add('evaluationId must be <tenant>/<key>', isEvaluationId(evaluationId), equal(SEARCH_ATTRIBUTES.evaluationId.name, evaluationId));
  if (overdue === true) parts.push(`${SEARCH_ATTRIBUTES.reviewDueAt.name} < ${quoted(new Date(nowMs).toISOString())}`);
  if (olderThanMs !== undefined)
    add(
      'olderThanMs must be a number of milliseconds',
      olderThanMs >= 0 && olderThanMs <= nowMs,
      () => `${SEARCH_ATTRIBUTES.reviewOpenedAt.name} <= ${quoted(new Date(nowMs - olderThanMs).toISOString())}`,
    );
  if (problems.length > 0) throw new RequestRefused(problems);
  return parts.join(' AND ');
}

const quoted = (text: string): string => `'${text}'`;

type IndexedReview = Pick<WorkflowExecutionInfo, 'workflowId' | 'startTime' | 'closeTime' | 'typedSearchAttributes'>;

export function reviewSummaryOf(info: IndexedReview): ReviewSummary {
  const of = info.typedSearchAttributes;
  const [plan, tier, queue] = [of.get(SEARCH_ATTRIBUTES.plan), of.get(SEARCH_ATTRIBUTES.reviewTier), of.get(SEARCH_ATTRIBUTES.reviewQueue)];
  const knownTier = REVIEW_TIERS.find((known) => known === tier);
  const dueAt = of.get(SEARCH_ATTRIBUTES.reviewDueAt);
  return {
    reviewId: info.workflowId,
    evaluationId: of.get(SEARCH_ATTRIBUTES.evaluationId) ?? '',
    tenant: of.get(SEARCH_ATTRIBUTES.tenant) ?? '',
    ...(plan !== undefined ? { plan } : {}),
    status: REVIEW_STATUSES.find((known) => known === of.get(SEARCH_ATTRIBUTES.reviewState)) ?? 'OPENING',
    ...(knownTier !== undefined ? { tier: knownTier } : {}),
    ...(queue !== undefined ? { queue } : {}),
    assignees: of.get(SEARCH_ATTRIBUTES.reviewAssignees) ?? [],
    openedAt: of.get(SEARCH_ATTRIBUTES.reviewOpenedAt) ?? info.startTime,
    ...(dueAt !== undefined ? { dueAt } : {}),
    ...(info.closeTime !== undefined ? { endedAt: info.closeTime } : {}),
  };
}

/** What is due first, first; of those that are due at one time the oldest. What is over has no due date and comes last. */
export function byDue(one: ReviewSummary, other: ReviewSummary): number {
  const due = dueMs(one) - dueMs(other);
  if (due !== 0) return due;
  const opened = one.openedAt.getTime() - other.openedAt.getTime();
  return opened !== 0 ? opened : one.reviewId < other.reviewId ? -1 : 1;
}

/** Not infinite: the difference of two has to be a number. */
const dueMs = ({ dueAt }: ReviewSummary): number => dueAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
