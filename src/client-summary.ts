/** What the server's index knows of an evaluation without reading its history. Imports `@temporalio/client` for types alone. */
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { EVALUATE, SEARCH_ATTRIBUTES, TENANT_FORM, workflowQueue } from './contract.js';
import { RequestRefused } from './client-errors.js';
import { RISK_TIERS, type RiskTier } from './domain/plan.js';
import type { Decision } from './domain/report.js';

const DECISIONS = ['allow', 'deny', 'escalate', 'not_judged'] as const satisfies readonly Decision[];
const PLAN_FORM = /^[a-z][a-z0-9_]{0,63}(@\d+)?$/;

export interface EvaluationSummary {
  readonly evaluationId: string;
  readonly runId: string;
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
  /** Absent while it runs, and when it ended without one. */
  readonly decision?: Decision;
  readonly tenant?: string;
  /** The name; after the end `name@version`. */
  readonly plan?: string;
  readonly riskTier?: RiskTier;
  readonly degraded?: boolean;
  readonly startedAt: Date;
  readonly endedAt?: Date;
}

export interface ListFilter {
  readonly decision?: Decision;
  /** `chat_safety` for every version, `chat_safety@3` for one. */
  readonly plan?: string;
  readonly tenant?: string;
  /** Newest first. Default 20. */
  readonly limit?: number;
}

/** The index query of a filter. Values are checked by form before they are written into it: nothing needs escaping. */
export function listQuery(deployment: string, filter: ListFilter): string {
  const problems: string[] = [];
  const parts = [`WorkflowType = '${EVALUATE}'`, `TaskQueue = '${workflowQueue(deployment)}'`];
  if (filter.decision !== undefined) {
    if (!DECISIONS.includes(filter.decision)) problems.push(`decision must be one of ${DECISIONS.join(', ')}`);
    parts.push(`${SEARCH_ATTRIBUTES.decision.name} = '${filter.decision}'`);
  }
  if (filter.tenant !== undefined) {
    if (!TENANT_FORM.test(filter.tenant)) problems.push(`tenant must be of the form ${TENANT_FORM.source}`);
    parts.push(`${SEARCH_ATTRIBUTES.tenant.name} = '${filter.tenant}'`);
  }
  if (filter.plan !== undefined) {
    if (!PLAN_FORM.test(filter.plan)) problems.push('plan must be a name, or name@version');
    const plan = SEARCH_ATTRIBUTES.plan.name;
    parts.push(
      filter.plan.includes('@') ? `${plan} = '${filter.plan}'` : `(${plan} = '${filter.plan}' OR ${plan} STARTS_WITH '${filter.plan}@')`,
    );
  }
  if (problems.length > 0) throw new RequestRefused(problems);
  return parts.join(' AND ');
}

/** What a listing and a description have in common. */
type IndexedInfo = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'status' | 'startTime' | 'typedSearchAttributes'> & {
  readonly closeTime?: Date | undefined;
};

const STATUS: Readonly<Record<string, EvaluationSummary['status']>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
};

export function summaryOf(info: IndexedInfo): EvaluationSummary {
  const attributes = info.typedSearchAttributes;
  const tenant = attributes.get(SEARCH_ATTRIBUTES.tenant);
  const plan = attributes.get(SEARCH_ATTRIBUTES.plan);
  const decision = DECISIONS.find((known) => known === attributes.get(SEARCH_ATTRIBUTES.decision));
  const riskTier = RISK_TIERS.find((known) => known === attributes.get(SEARCH_ATTRIBUTES.risk));
  const degraded = attributes.get(SEARCH_ATTRIBUTES.degraded);
  return {
    evaluationId: info.workflowId,
    runId: info.runId,
    status: STATUS[info.status.name] ?? 'running',
    ...(decision !== undefined ? { decision } : {}),
    ...(tenant !== undefined ? { tenant } : {}),
    ...(plan !== undefined ? { plan } : {}),
    ...(riskTier !== undefined ? { riskTier } : {}),
    ...(degraded !== undefined ? { degraded } : {}),
    startedAt: info.startTime,
    ...(info.closeTime !== undefined ? { endedAt: info.closeTime } : {}),
  };
}
