/**
 * The first local activity of every evaluation: check the request, hash the content, pin the plan, run the leading
 * local stages. A refusal is a typed failure that is not retried.
 */
import { ApplicationFailure } from '@temporalio/common';
import { evaluationId, type EvaluateInput, type LocalBatchResult, type OpenResult } from '../contract.js';
import { MAX_FINDING_BYTES } from '../critics/clean-finding.js';
import { contentHash, requestDigest } from '../digest.js';
import { MAX_HANDED_FINDINGS_BYTES } from '../domain/drop-to-fit.js';
import { effectiveRisk } from '../domain/effective-risk.js';
import { FAILURE_TYPES, type Code } from '../domain/errors.js';
import { jsonBytes } from '../domain/bytes.js';
import { STAGES, useOf, type Plan } from '../domain/plan.js';
import { channelsFor, type NotifyChannels } from '../domain/review/channels.js';
import type { EvaluationRequest } from '../domain/request.js';
import type { Tenants } from '../domain/tenants.js';
import { parseEvaluateInput, requestBytes } from '../schemas/request.js';
import { runLocalStages, type BatchHost } from './run-local-critics.js';

/** Of a scheduled activity without its arguments' own parts: names, queue, time-outs, envelope. About 600 were measured. */
const MAX_CALL_BYTES = 1_024;
/** Content times remote critics: each has it in its own event, and a history ends at 50 MB. */
const MAX_COPIES_BYTES = 16 * 1_048_576;
/** What one workflow task schedules goes to the server in one request of at most 4 MB. */
const MAX_STAGE_BYTES = 3 * 1_048_576;

/** All problems of a request in one message, and no more than a person reads. */
const MAX_MESSAGE = 2000;

export interface OpenDeps {
  readonly deployment: string;
  readonly priorityLevels: 5 | 10;
  readonly plans: ReadonlyMap<string, Plan>;
  /** Tenants whose weight is not 1. */
  readonly tenants?: Tenants;
  /** Of which those that hear verdicts are told to the evaluation. */
  readonly notify?: NotifyChannels;
}

export interface OpenOptions {
  /** Whether to run the leading local stages. */
  readonly lead: boolean;
  /** The digest in the memo of the start, if it has one. */
  readonly memo?: unknown;
}

export async function openEvaluation(deps: OpenDeps, host: BatchHost, value: unknown, { lead, memo }: OpenOptions): Promise<OpenResult> {
  const parsed = parseEvaluateInput(value);
  if (!parsed.ok) throw refuse('BAD_REQUEST', parsed.message);
  const { request } = parsed.input;
  checkDigest(parsed.input, memo);
  checkId(host.workflowId, request);
  const plan = deps.plans.get(request.plan);
  if (plan === undefined)
    throw refuse(
      'UNKNOWN_PLAN',
      `the deployment ${deps.deployment} has no plan ${request.plan}; it has ${[...deps.plans.keys()].toSorted().join(', ') || 'none'}`,
    );
  const size = requestBytes(request);
  checkSize(plan, size);
  const { tenant, gating, context } = request;
  const { riskTier, riskErrors } = effectiveRisk(plan, request, size);
  const facts = { tenant, gating, size, riskTier, ...(riskErrors !== undefined ? { riskErrors } : {}) };
  const { deployment, priorityLevels } = deps;
  const weight = weightOf(deps.tenants, tenant);
  const led: LocalBatchResult = lead
    ? await runLocalStages(host, {
        plan,
        content: request.content,
        facts: { ...facts, context },
        state: { records: [], usedMs: 0, stageUsedMs: 0 },
      })
    : { records: [], stages: [] };
  return { plan, contentHash: contentHash(request.content), facts, deployment, priorityLevels, ...weight, ...hearingOf(deps), led };
}

/** A tenant may be called `constructor`. */
function weightOf(tenants: Tenants = {}, tenant: string): Pick<OpenResult, 'fairnessWeight'> {
  const own = Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
  return own === undefined ? {} : { fairnessWeight: own.weight };
}

function hearingOf({ notify = {} }: OpenDeps): Pick<OpenResult, 'hearing'> {
  const hearing = channelsFor(notify, 'verdict');
  return hearing.length === 0 ? {} : { hearing };
}

function refuse(code: Code, message: string): ApplicationFailure {
  const type = FAILURE_TYPES.requestRefused;
  const failure = ApplicationFailure.create({
    type,
    message: `refused: ${message}`.slice(0, MAX_MESSAGE),
    nonRetryable: true,
    details: [{ code }],
  });
  failure.stack = '';
  return failure;
}

/** The digest in the memo is what a second start is compared with: a start that lies about it is refused. */
function checkDigest({ request, requestDigest: claimed }: EvaluateInput, memo: unknown): void {
  if (memo !== undefined && memo !== claimed) throw refuse('DIGEST_MISMATCH', 'the digest in the memo is that of another request');
  if (requestDigest(request) !== claimed) throw refuse('DIGEST_MISMATCH', 'the digest was not made of this request');
}

/** The id is what makes a key unique: a run under another id would be a second evaluation of the same key. */
function checkId(workflowId: string, { tenant, key }: EvaluationRequest): void {
  const id = evaluationId(tenant, key);
  if (workflowId !== id)
    throw refuse('BAD_REQUEST', `the workflow is called ${JSON.stringify(workflowId.slice(0, 200))}, and this request's id is ${id}`);
}

function checkSize(plan: Plan, size: number): void {
  if (size > plan.limits.maxContentBytes)
    throw refuse('TOO_LARGE', `content and context are ${size} bytes, plan ${plan.name} takes ${plan.limits.maxContentBytes}`);
  const remote = plan.critics.filter((critic) => critic.dispatch === 'activity');
  if (size * remote.length > MAX_COPIES_BYTES) {
    throw refuse(
      'TOO_LARGE',
      `content and context are ${size} bytes and ${remote.length} critics get a copy each; together at most ${MAX_COPIES_BYTES} bytes fit`,
    );
  }
  for (const stage of STAGES) {
    const inStage = remote.filter((critic) => critic.stage === stage);
    const findings = inStage.reduce(
      (sum, critic) => sum + Math.min(critic.dependsOn.length * MAX_FINDING_BYTES, MAX_HANDED_FINDINGS_BYTES),
      0,
    );
    const calls = inStage.reduce((sum, critic) => sum + jsonBytes(useOf(critic)) + MAX_CALL_BYTES, 0);
    const bytes = size * inStage.length + findings + calls;
    if (bytes > MAX_STAGE_BYTES)
      throw refuse(
        'TOO_LARGE',
        `stage ${stage} would hand ${bytes} bytes to its ${inStage.length} critics at once, at most ${MAX_STAGE_BYTES} fit`,
      );
  }
}
