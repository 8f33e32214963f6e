/**
 * How one critic ended: a closed set. Types and constants only.
 */
import type { FindingCost, Finding } from './finding.js';
import type { ExecutionPolicy, ExecutionStage } from './plan.js';

/** In the order in which reports list them. Planned = the sum of all of them, always. */
export const CRITIC_OUTCOMES = [
  'succeeded',
  'failed',
  'timed_out',
  'invalid_output',
  'unavailable',
  'gated',
  'skipped',
  'over_budget',
  'not_reached',
  'cancelled',
] as const;

/**
 * `failed`: permanent error, or retries used up. `unavailable`: no worker took it, or its implementation is unknown there.
 * `not_reached`: a deadline came before it started. `cancelled`: a decisive finding (or a caller) ended the run.
 */
export type CriticOutcome = (typeof CRITIC_OUTCOMES)[number];

/** What the plan does about an outcome other than `succeeded` and `gated`. */
export const FAILURE_EFFECTS = ['ignore', 'escalate', 'fail', 'deny'] as const;
export type FailureEffect = (typeof FAILURE_EFFECTS)[number];

/** Outcomes for which `onFailure` may name an effect. */
export const FAILURE_OUTCOMES = [
  'failed',
  'timed_out',
  'invalid_output',
  'unavailable',
  'skipped',
  'over_budget',
  'not_reached',
  'cancelled',
] as const satisfies readonly CriticOutcome[];
export type FailureOutcome = (typeof FAILURE_OUTCOMES)[number];

/** How one attempt ended. `worker_lost`: the process died or froze. */
export const ATTEMPT_CLASSES = [
  'ok',
  'transient',
  'rate_limited',
  'permanent',
  'timed_out',
  'invalid_output',
  'unavailable',
  'worker_lost',
  'cancelled',
] as const;
export type AttemptClass = (typeof ATTEMPT_CLASSES)[number];

/** A pause of the lane under which an attempt waited: by whom, why, and for how long of its waiting time. */
export interface Held {
  readonly by: string;
  readonly reason: string;
  readonly ms: number;
}

export const MAX_HELD_BY_CHARS = 100;
export const MAX_HELD_REASON_CHARS = 200;

/** One attempt as the worker saw it. */
export interface AttemptRecord {
  readonly class: AttemptClass;
  /** From when this attempt was due (after back-off) to when it began to run, budgets included. */
  readonly queuedMs: number;
  readonly ranMs: number;
  /** By the worker's clock; of remote critics. */
  readonly startedAt?: number;
  readonly code?: string;
  readonly cost?: FindingCost;
  readonly held?: Held;
}

/** What running one critic came to, whichever way it was dispatched. */
export interface CriticResult {
  readonly outcome: CriticOutcome;
  readonly finding?: Finding;
  /** Of every attempt, first to last; empty when it never ran. */
  readonly attempts: readonly AttemptRecord[];
  /** Milliseconds since the epoch by the worker's clock, of the first start and the last end. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Code of the error catalogue, when it did not succeed. */
  readonly code?: string;
  /** One sentence without content, at most 500 characters. */
  readonly message?: string;
  /** The deadline cut it: it still ran, or retries that could have followed did not fit. */
  readonly cut?: 'deadline';
}

/** The recorded decision of a policy, with the values that it saw. */
export interface GateDecision {
  readonly open: boolean;
  /** What decided: the policy, a dependency's end, the end of the critic that a fallback stands in for, the budget, a deadline, a decisive finding, the caller who cancelled, or `--gating off`. */
  readonly by: 'policy' | 'dependency' | 'fallback' | 'budget' | 'deadline' | 'decisive' | 'cancelled' | 'gating_off';
  readonly policy: ExecutionPolicy;
  /** The values seen: name or path to value, cut to 200 characters each. */
  readonly saw?: Readonly<Record<string, string | number | boolean>>;
  /** A condition that erred (the critic runs). */
  readonly error?: string;
}

/** Everything known about one critic of a run. */
export interface CriticRecord extends CriticResult {
  readonly name: string;
  readonly stage: ExecutionStage;
  readonly gate: GateDecision;
  /** For `skipped` and `gated` by dependency: the critic at the root. */
  readonly root?: string;
  /** Never recorded, only put in by `withFallbacks`: the fallback whose finding stands here. */
  readonly coveredBy?: string;
}
