/** The `--json` form of a report: one object, printed on one line with `safeJson`. What scripts read; keys are never renamed. Pure. */
import type { GateDecision } from '../domain/outcomes.js';
import type { EvaluationReport, Reason, ReportCritic, ReportMetrics, ReportStage } from '../domain/report.js';

export interface ReportLine {
  readonly evaluationId: string;
  readonly decision: EvaluationReport['decision'];
  readonly reasons: readonly Reason[];
  readonly coverage: EvaluationReport['coverage'];
  readonly critics: readonly (Pick<ReportCritic, 'name' | 'stage' | 'outcome' | 'attempts' | 'queuedMs' | 'ranMs' | 'cost' | 'code' | 'mode'> & {
    readonly gate?: GateDecision;
    readonly severity?: number;
  })[];
  readonly stages: readonly Pick<ReportStage, 'stage' | 'ms' | 'ran' | 'gated'>[];
  readonly metrics: ReportMetrics;
  readonly plan: EvaluationReport['plan'];
  readonly planHash: string;
  readonly contentHash: string;
  readonly degraded: boolean;
}

export function reportLine(report: EvaluationReport): ReportLine {
  const { evaluationId, decision, reasons, coverage, metrics, plan, planHash, contentHash, degraded } = report;
  return {
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
  };
}

function lineCritic({ name, stage, outcome, attempts, queuedMs, ranMs, cost, gate, finding, code, mode }: ReportCritic): ReportLine['critics'][number] {
  return {
    name, stage, outcome, attempts, queuedMs, ranMs, cost,
    ...(gate !== undefined ? { gate } : {}),
    ...(finding !== undefined ? { severity: finding.severity } : {}),
    ...(code !== undefined ? { code } : {}),
    ...(mode !== undefined ? { mode } : {}),
  };
}
