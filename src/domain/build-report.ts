/**
 * Records and verdict to the account of one evaluation. Pure: runs inside the workflow sandbox, imports types and domain only.
 *
 * R1 Every planned critic stands in the report once; planned = the sum of all outcomes. Shadow critics are listed, not planned.
 * R2 Nothing is dropped: a critic without a record belongs to a run that was cut, and is `cancelled`.
 */
import type { RunFacts } from './gate.js';
import { cancelledBeforeStart, type Records } from './admit.js';
import { fallbacksOf } from './dependencies.js';
import { covererOf } from './fallback.js';
import type { FindingCost } from './finding.js';
import { attemptsBegun, begunAttempts, isCostUnknown, metricsOf, sumKnown, tidy, tidyMs } from './metrics.js';
import { CRITIC_OUTCOMES, type AttemptRecord, type CriticRecord, type Held } from './outcomes.js';
import { stagesOf, type ExecutionStage, type Plan, type PlanCritic } from './plan.js';
import type { Coverage, EvaluationReport, ReportCritic, ReportStage } from './report.js';
import { isAboutFindings } from './about-findings.js';
import { coveredShare, type Verdict } from './verdict.js';

export interface ReportInput {
  readonly evaluationId: string;
  readonly tenant: string;
  readonly plan: Plan;
  readonly facts: RunFacts;
  readonly contentHash: string;
  /** In any order; those of critics that are not in the plan are left out. */
  readonly records: readonly CriticRecord[];
  readonly stages: readonly { readonly stage: ExecutionStage; readonly ms: number }[];
  readonly verdict: Verdict;
  readonly totalMs: number;
  readonly cancelled?: boolean;
  /** Texts that local batches dropped to fit their size limit. */
  readonly dropped?: number;
  readonly reset?: EvaluationReport['reset'];
}

export function buildReport(input: ReportInput): EvaluationReport {
  const { plan, facts, verdict } = input;
  const given = new Map(input.records.map((record) => [record.name, record]));
  const ended = plan.critics.map((critic) => [critic, given.get(critic.name) ?? cancelledBeforeStart(critic, 'CANCELLED')] as const);
  const records: Records = new Map(ended.map(([critic, record]) => [critic.name, record]));
  const fallbacks = fallbacksOf(plan);
  const critics = ended.map(([critic, record]) => reportCritic(critic, record, covererOf(critic.name, records, fallbacks)?.name));
  const escalatedBy = whatEscalated(verdict);
  return {
    v: 1,
    evaluationId: input.evaluationId,
    tenant: input.tenant,
    plan: { name: plan.name, version: plan.version },
    planHash: plan.hash,
    contentHash: input.contentHash,
    riskTier: facts.riskTier,
    gating: facts.gating,
    decision: verdict.decision,
    reasons: verdict.reasons,
    ...(escalatedBy !== undefined ? { escalatedBy } : {}),
    coverage: coverageOf(critics),
    covered: tidy(coveredShare(plan, records)),
    degraded: verdict.degraded,
    ...(input.cancelled === true ? { cancelled: true } : {}),
    critics,
    stages: stagesOf(plan).map((stage) => reportStage(stage, critics, input.stages)),
    metrics: metricsOf(plan, records, input.totalMs),
    ...(input.dropped !== undefined && input.dropped > 0 ? { truncated: input.dropped } : {}),
    ...(input.reset !== undefined ? { reset: input.reset } : {}),
  };
}

function reportCritic(critic: PlanCritic, record: CriticRecord, coveredBy: string | undefined): ReportCritic {
  const attempts = begunAttempts(record);
  const { policy, open, by, error } = record.gate;
  const held = longestHeld(attempts);
  const always = policy === 'always' && open && by !== 'fallback' && error === undefined;
  return {
    name: critic.name,
    stage: critic.stage,
    outcome: record.outcome,
    attempts: attemptsBegun(record),
    queuedMs: tidyMs(attempts.reduce((sum, attempt) => sum + attempt.queuedMs, 0)),
    ranMs: tidyMs(attempts.reduce((sum, attempt) => sum + attempt.ranMs, 0)),
    cost: { weight: critic.costWeight, ...knownCost(record), ...(isCostUnknown(record) ? { unknown: true } : {}) },
    ...(always ? {} : { gate: record.gate }),
    ...(record.finding !== undefined ? { finding: record.finding } : {}),
    ...(record.code !== undefined ? { code: record.code } : {}),
    ...(record.message !== undefined ? { message: record.message } : {}),
    ...(record.cut !== undefined ? { cut: record.cut } : {}),
    ...(held !== undefined ? { held } : {}),
    ...(record.root !== undefined ? { root: record.root } : {}),
    ...(coveredBy !== undefined ? { coveredBy } : {}),
    ...(critic.mode === 'shadow' ? { mode: 'shadow' } : {}),
  };
}

const longestHeld = (attempts: readonly AttemptRecord[]): Held | undefined =>
  attempts.flatMap(({ held }) => held ?? []).toSorted((a, b) => b.ms - a.ms)[0];

/** Sums over all attempts: a failed one costs too. */
function knownCost(record: CriticRecord): FindingCost {
  const sum = (field: keyof FindingCost): number | undefined => sumKnown(record.attempts.map((attempt) => attempt.cost?.[field]));
  const [usd, inputTokens, outputTokens] = [sum('usd'), sum('inputTokens'), sum('outputTokens')];
  return {
    ...(usd !== undefined ? { usd } : {}),
    ...(inputTokens !== undefined ? { inputTokens } : {}),
    ...(outputTokens !== undefined ? { outputTokens } : {}),
  };
}

function coverageOf(critics: readonly ReportCritic[]): Coverage {
  const planned = critics.filter((critic) => critic.mode === undefined);
  const counts = CRITIC_OUTCOMES.map((outcome) => [outcome, planned.filter((critic) => critic.outcome === outcome).length] as const);
  return { planned: planned.length, ...Object.fromEntries(counts.filter(([, count]) => count > 0)) };
}

function reportStage(stage: ExecutionStage, critics: readonly ReportCritic[], times: ReportInput['stages']): ReportStage {
  const planned = critics.filter((critic) => critic.stage === stage && critic.mode === undefined);
  return {
    stage,
    ms: tidyMs(times.filter((time) => time.stage === stage).reduce((sum, time) => sum + time.ms, 0)),
    planned: planned.length,
    ran: planned.filter((critic) => critic.attempts > 0).length,
    gated: planned.filter((critic) => critic.outcome === 'gated').length,
  };
}

/** Rules that held, and the plan's `otherwise`, speak of findings; every other reason to escalate is something that is missing or broke. */
function whatEscalated(verdict: Verdict): EvaluationReport['escalatedBy'] {
  if (verdict.decision !== 'escalate') return undefined;
  const reasons = verdict.reasons.filter((reason) => reason.effect === 'escalate');
  const byFindings = reasons.some((reason) => isAboutFindings(reason));
  const byFailures = reasons.some((reason) => !isAboutFindings(reason));
  if (byFindings && byFailures) return 'both';
  return byFailures ? 'failures' : 'findings';
}
