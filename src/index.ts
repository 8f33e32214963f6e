/** The public surface: the client, plans and critics as code, the report and how it is shown. Named exports only. */
export * from './client.js';

export { definePlan, type PlanSource } from './schemas/plan.js';
export {
  CriticError,
  defineCritic,
  type Critic,
  type CriticErrorKind,
  type CriticInput,
  type CriticTools,
  type SecretSource,
} from './critics/critic.js';

export type { Finding, FindingCost, Json, Span, Violation } from './domain/finding.js';
export type { CriticOutcome, GateDecision } from './domain/outcomes.js';
export type { ExecutionPolicy, ExecutionStage, RiskTier } from './domain/plan.js';
export type { Coverage, ReportMetrics, ReportStage } from './domain/report.js';
export type { JsonObject } from './domain/request.js';

export { reportLine, type ReportLine } from './report/json.js';
export { reportMarkdown } from './report/markdown.js';
export { reportText, type TextOptions } from './report/text.js';
export { batchSummary, type BatchEntry } from './report/summary.js';
