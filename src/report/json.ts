/** The `--json` form of a report: one object, printed on one line with `safeJson`. What scripts read; keys are never renamed. Pure. */
import type { Violation } from '../domain/finding.js';
import type { GateDecision } from '../domain/outcomes.js';
import type { EvaluationReport, Reason, ReportCritic, ReportMetrics, ReportStage } from '../domain/report.js';

export interface ReportLine {
  /** Of this form; keys are added, never renamed. */
  readonly v: 1;
  readonly evaluationId: string;
  readonly decision: EvaluationReport['decision'];
  readonly reasons: readonly Reason[];
  readonly coverage: EvaluationReport['coverage'];
  readonly critics: readonly (Pick<
    ReportCritic,
    'name' | 'stage' | 'outcome' | 'attempts' | 'queuedMs' | 'ranMs' | 'cost' | 'code' | 'held' | 'coveredBy' | 'mode'
  > & {
    readonly gate?: GateDecision;
    readonly severity?: number;
    /** Absent when there are none. */
    readonly violations?: readonly Violation[];
  })[];
  readonly stages: readonly Pick<ReportStage, 'stage' | 'ms' | 'ran' | 'gated'>[];
  readonly metrics: ReportMetrics;
  readonly plan: EvaluationReport['plan'];
  readonly planHash: string;
  readonly contentHash: string;
  readonly degraded: boolean;
  readonly riskTier: EvaluationReport['riskTier'];
  readonly gating: EvaluationReport['gating'];
  readonly escalatedBy?: EvaluationReport['escalatedBy'];
  readonly cancelled?: true;
  readonly truncated?: number;
  readonly reset?: EvaluationReport['reset'];
  readonly review?: EvaluationReport['review'];
}

export function reportLine(report: EvaluationReport): ReportLine {
  const { evaluationId, decision, reasons, coverage, metrics, plan, planHash, contentHash, degraded, riskTier, gating } = report;
  const { escalatedBy, cancelled, truncated, reset, review } = report;
  return {
    v: 1,
    evaluationId,
    decision,
    reasons,
    coverage,
    critics: report.critics.map(lineCritic),
    stages: report.stages.map(({ stage, ms, ran, gated }) => ({ stage, ms, ran, gated })),
    metrics,
    plan,
    planHash,
    contentHash,
    degraded,
    riskTier,
    gating,
    ...(escalatedBy !== undefined ? { escalatedBy } : {}),
    ...(cancelled !== undefined ? { cancelled } : {}),
    ...(truncated !== undefined ? { truncated } : {}),
    ...(reset !== undefined ? { reset } : {}),
    ...(review !== undefined ? { review } : {}),
  };
}

function lineCritic({
  name,
  stage,
  outcome,
  attempts,
  queuedMs,
  ranMs,
  cost,
  gate,
  finding,
  code,
  held,
  coveredBy,
  mode,
}: ReportCritic): ReportLine['critics'][number] {
  return {
    name,
    stage,
    outcome,
    attempts,
    queuedMs,
    ranMs,
    cost,
    ...(gate !== undefined ? { gate } : {}),
    ...(finding !== undefined ? { severity: finding.severity } : {}),
    ...(finding !== undefined && finding.violations.length > 0 ? { violations: finding.violations } : {}),
    ...(code !== undefined ? { code } : {}),
    ...(held !== undefined ? { held } : {}),
    ...(coveredBy !== undefined ? { coveredBy } : {}),
    ...(mode !== undefined ? { mode } : {}),
  };
}
