/** The public surface: the client, plans and critics as code, the report and how it is shown. Named exports only. */
export { TribunalClient, type ConnectOptions } from './client.js';
export type { EvaluationHandle } from './client-handle.js';
export type { EvaluationSummary, ListFilter } from './client-summary.js';
export {
  AlreadyEnded,
  EvaluationCancelled,
  EvaluationFailed,
  EvaluationNotFound,
  EvaluationTerminated,
  KeyConflict,
  NoWorker,
  RequestRefused,
  ServerNotSetUp,
  ServerRefusal,
  ServerUnreachable,
  StillRunning,
  TribunalError,
  type ClientCode,
} from './client-errors.js';
export type { EvaluationRecord, StartRequest } from './schemas/request.js';
export type { Progress } from './contract.js';

export { definePlan, type PlanSource } from './schemas/plan.js';
export { CriticError, defineCritic, type Critic, type CriticErrorKind, type CriticInput, type CriticTools } from './critics/critic.js';

export type { Finding, FindingCost, Json, Span, Violation } from './domain/finding.js';
export type { CriticOutcome, GateDecision } from './domain/outcomes.js';
export type { ExecutionPolicy, ExecutionStage, RiskTier } from './domain/plan.js';
export type { Coverage, Decision, EvaluationReport, Reason, ReportCritic, ReportMetrics, ReportStage } from './domain/report.js';
export type { JsonObject } from './domain/request.js';

export { reportLine, type ReportLine } from './report/json.js';
export { reportMarkdown } from './report/markdown.js';
export { reportText, type TextOptions } from './report/text.js';
export { batchSummary, type BatchEntry } from './report/summary.js';
