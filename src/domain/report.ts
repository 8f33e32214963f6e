/**
 * The account of one evaluation: types only. `build-report.ts` makes it, `src/report/` shows it.
 */
import type { Finding } from './finding.js';
import type { CriticOutcome, GateDecision, Held } from './outcomes.js';
import type { ExecutionStage, RiskTier } from './plan.js';
import type { ReviewTier } from './review/policy.js';

export type Decision = 'allow' | 'deny' | 'escalate' | 'not_judged';

/** Why the decision is what it is. Codes: see `errors.ts`. */
export interface Reason {
  readonly critic?: string;
  /** The `reason` of the verdict rule. */
  readonly rule?: string;
  readonly code: string;
  readonly message: string;
  /** Which way this reason pushed. `none`: named only, such as a failure that is ignored or covered by a fallback. */
  readonly effect: 'deny' | 'fail' | 'escalate' | 'none';
}

export interface ReportCritic {
  readonly name: string;
  readonly stage: ExecutionStage;
  readonly outcome: CriticOutcome;
  /** How many attempts began. */
  readonly attempts: number;
  /** Sums over the attempts. */
  readonly queuedMs: number;
  readonly ranMs: number;
  /** `weight` is the plan's, whether or not the critic ran; the rest sums over all attempts, failed ones too. */
  readonly cost: {
    readonly weight: number;
    readonly usd?: number;
    readonly inputTokens?: number;
    readonly outputTokens?: number;
    readonly unknown?: true;
  };
  /** Absent for an `always` that ran. */
  readonly gate?: GateDecision;
  readonly finding?: Finding;
  readonly code?: string;
  readonly message?: string;
  readonly cut?: 'deadline';
  /** Of the attempt that waited longest under a pause of its lane. */
  readonly held?: Held;
  /** The critic at the root of `skipped` or `gated` by dependency. */
  readonly root?: string;
  /** The fallback that succeeded in its place: its end has no effect of its own. */
  readonly coveredBy?: string;
  readonly mode?: 'shadow';
}

/** Planned, and one count for each outcome that occurred; shadow critics are not in it. */
export type Coverage = { readonly planned: number } & Partial<Record<CriticOutcome, number>>;

export interface ReportStage {
  readonly stage: ExecutionStage;
  readonly ms: number;
  readonly planned: number;
  readonly ran: number;
  readonly gated: number;
}

export interface ReportMetrics {
  /** Planned critics that began at least one attempt. */
  readonly executed: number;
  /** Over the attempts that began: waiting and running time in milliseconds. */
  readonly queueMs: { readonly mean: number; readonly p95: number };
  readonly runMs: { readonly mean: number; readonly p95: number };
  /** Most critics of this evaluation that ran at once, and the plan's limit. */
  readonly mostAtOnce: { readonly critics: number; readonly limit?: number };
  /** Attempts that were answered "too many requests". */
  readonly rateLimited: number;
  /** Attempts after the first. */
  readonly retried: number;
  readonly cost: {
    /** Cost weight of the critics that ran. */
    readonly spent: number;
    /** Cost weight of the critics that a true gate kept from running. */
    readonly saved: number;
    /** saved ÷ weight of all planned, 0..1. */
    readonly savedShare: number;
    /** Cost weight of critics that were cut: what they cost is not known. */
    readonly unknown: number;
    readonly usd?: number;
  };
  readonly totalMs: number;
  /** The longest chain of running time that the plan's order forces. */
  readonly criticalPathMs: number;
  /** totalMs − criticalPathMs. */
  readonly overheadMs: number;
  /** Whether limits hold in each worker process or over all of them. */
  readonly scope: 'worker' | 'deployment';
}

/** By which a permit is bound to what was judged. */
export interface ReportReview {
  /** Workflow id of the review. */
  readonly id: string;
  readonly tier: ReviewTier;
  readonly queue: string;
  /** SHA-256 over RFC 8785 of this report without this part. */
  readonly reportHash: string;
  /** SHA-256 over RFC 8785 of `{ content, context, report }`. */
  readonly packetDigest: string;
}

export interface EvaluationReport {
  readonly v: 1;
  readonly evaluationId: string;
  readonly tenant: string;
  readonly plan: { readonly name: string; readonly version: number };
  readonly planHash: string;
  readonly contentHash: string;
  readonly riskTier: RiskTier;
  readonly gating: 'on' | 'off';
  readonly decision: Decision;
  readonly reasons: readonly Reason[];
  readonly escalatedBy?: 'findings' | 'failures' | 'both';
  readonly coverage: Coverage;
  /** Share of cost weight that succeeded, is covered by a fallback or was truly gated, 0..1. */
  readonly covered: number;
  /** A condition or rule erred, or a failure was ignored. */
  readonly degraded: boolean;
  /** The run was cancelled before it had a verdict. */
  readonly cancelled?: true;
  readonly critics: readonly ReportCritic[];
  readonly stages: readonly ReportStage[];
  readonly metrics: ReportMetrics;
  /** The review that the escalation has opened. Its parts are no part of `reportHash`. */
  readonly review?: ReportReview;
  /** How many texts were cut to keep the report under its size limit. */
  readonly truncated?: number;
  /** Where `temporal workflow reset --event-id` mends a failed run. */
  readonly reset?: { readonly keepSiblings: number; readonly stageBoundary: number };
}
