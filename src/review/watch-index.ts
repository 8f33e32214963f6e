/** One question to the server's index: everything of a deployment that the watchdog looks at. Made of checked values: nothing needs escaping. */
import { isGrpcServiceError, type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { EVALUATE, REVIEW, reviewQueue, SEARCH_ATTRIBUTES, workflowQueue } from '../contract.js';
import type { KnownReview } from '../domain/review/pages.js';
import { REVIEW_TIERS } from '../domain/review/policy.js';

/** Set by the server after some workflow tasks of an execution have failed one after the other, and removed by one that did not. */
const PROBLEMS = defineSearchAttributeKey('TemporalReportedProblems', SearchAttributeType.KEYWORD_LIST);
/** An evaluation asks for its review before it closes; no plan gives it longer than that. */
const SLACK_MS = 3_600_000;
/** What is listed without an end would be a load on the server. */
const MAX_ROWS = 10_000;
const INVALID_ARGUMENT = 3;

export interface Escalated {
  readonly evaluationId: string;
  readonly runId: string;
  /** `<name>@<version>` of its plan. */
  readonly plan?: string;
}

export interface Watched {
  readonly overdue: readonly { readonly review: KnownReview; readonly dueMs: number }[];
  readonly stuck: readonly KnownReview[];
  /** Since then, from outside. */
  readonly terminated: readonly KnownReview[];
  /** Evaluations that escalated since then and have no review in the index. */
  readonly unreviewed: readonly Escalated[];
}

export interface WatchIndex {
  look(nowMs: number, sinceMs: number): Promise<Watched>;
}

export function makeWatchIndex(client: Client, deployment: string, warn: (message: string) => void): WatchIndex {
  let knowsProblems = true;
  async function list(nowMs: number, sinceMs: number): Promise<WorkflowExecutionInfo[]> {
    try {
      return await rowsOf(client, queryOf(deployment, nowMs, sinceMs, knowsProblems), warn);
    } catch (error) {
      if (!knowsProblems || !isGrpcServiceError(causeOf(error)) || codeOf(causeOf(error)) !== INVALID_ARGUMENT) throw error;
      // An older server. What else is asked is asked again, so that a fault of ours still shows.
      const rows = await rowsOf(client, queryOf(deployment, nowMs, sinceMs, false), warn);
      knowsProblems = false;
      warn(`the server has no search attribute ${PROBLEMS.name}: reviews whose workflow tasks fail are told only once they are late`);
      return rows;
    }
  }
  return { look: async (nowMs, sinceMs) => sorted(await list(nowMs, sinceMs), nowMs) };
}

function queryOf(deployment: string, nowMs: number, sinceMs: number, knowsProblems: boolean): string {
  const { reviewDueAt, reviewOpenedAt, decision } = SEARCH_ATTRIBUTES;
  const at = (ms: number): string => `'${new Date(ms).toISOString()}'`;
  const troubled = [`${reviewDueAt.name} < ${at(nowMs)}`, ...(knowsProblems ? [`${PROBLEMS.name} IS NOT NULL`] : [])].join(' OR ');
  const late = `(ExecutionStatus = 'Running' AND (${troubled}))`;
  const recent = `${reviewOpenedAt.name} > ${at(sinceMs - SLACK_MS)}`;
  const terminated = `(ExecutionStatus = 'Terminated' AND CloseTime > ${at(sinceMs)})`;
  const reviews = `TaskQueue = '${reviewQueue(deployment)}' AND WorkflowType = '${REVIEW}' AND (${late} OR ${recent} OR ${terminated})`;
  const ended = `ExecutionStatus = 'Completed' AND ${decision.name} = 'escalate' AND CloseTime > ${at(sinceMs)}`;
  return `(${reviews}) OR (TaskQueue = '${workflowQueue(deployment)}' AND WorkflowType = '${EVALUATE}' AND ${ended})`;
}

async function rowsOf(client: Client, query: string, warn: (message: string) => void): Promise<WorkflowExecutionInfo[]> {
  const rows: WorkflowExecutionInfo[] = [];
  for await (const row of client.workflow.list({ query })) {
    rows.push(row);
    if (rows.length < MAX_ROWS) continue;
    warn(`there are more than ${MAX_ROWS} reviews and escalations to look at: the oldest are left out`);
    break;
  }
  return rows;
}

function sorted(rows: readonly WorkflowExecutionInfo[], nowMs: number): Watched {
  const reviews = rows.filter(({ type }) => type === REVIEW);
  const open = reviews.filter(({ status }) => status.name === 'RUNNING');
  const reviewed = new Set(reviews.map((row) => row.typedSearchAttributes.get(SEARCH_ATTRIBUTES.evaluationId)));
  return {
    overdue: open.flatMap((row) => {
      const dueMs = row.typedSearchAttributes.get(SEARCH_ATTRIBUTES.reviewDueAt)?.getTime();
      return dueMs === undefined || dueMs >= nowMs ? [] : [{ review: knownOf(row), dueMs }];
    }),
    stuck: open.filter((row) => (row.typedSearchAttributes.get(PROBLEMS) ?? []).length > 0).map(knownOf),
    terminated: reviews.filter(({ status }) => status.name === 'TERMINATED').map(knownOf),
    unreviewed: rows.filter(({ type, workflowId }) => type === EVALUATE && !reviewed.has(workflowId)).map(escalatedOf),
  };
}

function escalatedOf({ workflowId, runId, typedSearchAttributes: found }: WorkflowExecutionInfo): Escalated {
  const plan = found.get(SEARCH_ATTRIBUTES.plan);
  return { evaluationId: workflowId, runId, ...(plan !== undefined ? { plan } : {}) };
}

function knownOf({ workflowId, typedSearchAttributes: found }: WorkflowExecutionInfo): KnownReview {
  const tenant = found.get(SEARCH_ATTRIBUTES.tenant);
  const evaluationId = found.get(SEARCH_ATTRIBUTES.evaluationId);
  const queue = found.get(SEARCH_ATTRIBUTES.reviewQueue);
  const tier = REVIEW_TIERS.find((one) => one === found.get(SEARCH_ATTRIBUTES.reviewTier));
  return {
    reviewId: workflowId,
    ...(tenant !== undefined ? { tenant } : {}),
    ...(evaluationId !== undefined ? { evaluationId } : {}),
    ...(tier !== undefined ? { tier } : {}),
    ...(queue !== undefined ? { queue } : {}),
  };
}

/** The SDK puts the server's answer into the cause of an error of its own. */
const causeOf = (error: unknown): unknown => (error instanceof Error && !isGrpcServiceError(error) ? error.cause : error);
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
