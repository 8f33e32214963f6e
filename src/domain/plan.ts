/**
 * The compiled plan: what a run pins in its history. Every default is filled in, every duration is in milliseconds,
 * and only JSON is in it. `compile-plan.ts` makes it; nothing changes it afterwards.
 */
import type { Json } from './finding.js';
import type { FailureEffect, FailureOutcome } from './outcomes.js';
import type { PlanReview } from './review/policy.js';

/** In the order in which they run. */
export const STAGES = ['pre_validation', 'fast_critics', 'core_analysis', 'deep_analysis', 'post_processing', 'validation'] as const;
export type ExecutionStage = (typeof STAGES)[number];

export const EXECUTION_POLICIES = ['always', 'on_violation', 'on_high_risk', 'on_uncertainty', 'conditional'] as const;
export type ExecutionPolicy = (typeof EXECUTION_POLICIES)[number];

/** Lowest first. */
export const RISK_TIERS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskTier = (typeof RISK_TIERS)[number];

/** Most bytes of content plus context in canonical UTF-8 JSON; a plan may lower it. Every remote critic's event holds a copy. */
export const MAX_CONTENT_BYTES = 262_144;

/** What a model costs, in US dollars per million tokens. */
export interface Price {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

export type Dispatch = 'local' | 'activity';

export interface PlanCritic {
  readonly name: string;
  /** Name of the implementation in the registry. */
  readonly uses: string;
  /** The implementation's version when the plan was compiled, for example `1.0.0`. */
  readonly version: string;
  /** Options as written; the implementation has accepted them and checks them again where it runs. */
  readonly with: Json;
  readonly stage: ExecutionStage;
  readonly dispatch: Dispatch;
  /** 1 (first) to 10. */
  readonly priority: number;
  readonly dependsOn: readonly string[];
  /** The critic it stands in for: it runs only when that one gave no finding. See `fallback.ts`. */
  readonly fallbackFor?: string;
  readonly policy: ExecutionPolicy;
  /** CEL; with `conditional` only. */
  readonly condition?: string;
  /** With `on_uncertainty` only. */
  readonly uncertaintyThreshold?: number;
  readonly costWeight: number;
  /** Of the model in its options, when the plan knows one. */
  readonly price?: Price;
  readonly maxConcurrent?: number;
  /** Starts a second; may be below 1. */
  readonly rateLimitPerSecond?: number;
  /** Name of a lane of the deployment, whose limits it shares with critics of other plans. */
  readonly lane?: string;
  /** All attempts, with back-off and queueing. Absent: what the stage has left. */
  readonly timeoutMs?: number;
  /** One attempt, from the moment it may run. */
  readonly attemptTimeoutMs: number;
  readonly maxRetries: number;
  /** Seconds; waits base, base², base³ … */
  readonly retryBackoffBase: number;
  readonly retryOnTimeout: boolean;
  /** Each attempt runs in a thread that can be killed. Absent: in the worker's own. */
  readonly isolation?: 'thread';
  readonly requiredOutputFields: readonly string[];
  /** CEL over `output`. */
  readonly validateOutput?: string;
  /** Only what is not `fail`, which every other outcome means: see {@link effectOn}. */
  readonly onFailure: Readonly<Partial<Record<FailureOutcome, FailureEffect>>>;
  readonly mode: 'enforce' | 'shadow';
  readonly tags: readonly string[];
}

/** What running a critic takes of its plan entry; with every remote critic it goes into the history. */
export type CriticUse = Pick<
  PlanCritic,
  | 'name'
  | 'uses'
  | 'version'
  | 'with'
  | 'priority'
  | 'price'
  | 'attemptTimeoutMs'
  | 'retryOnTimeout'
  | 'isolation'
  | 'requiredOutputFields'
  | 'validateOutput'
>;

export interface VerdictRule {
  readonly effect: 'deny' | 'escalate';
  /** CEL over findings, critics, context and request. */
  readonly when: string;
  readonly reason: string;
  readonly decisive: boolean;
}

export interface Plan {
  readonly name: string;
  readonly version: number;
  /** SHA-256 (hex) over RFC 8785 of everything else in this object. */
  readonly hash: string;
  readonly risk: {
    readonly default: RiskTier;
    readonly floor: RiskTier;
    readonly atLeast: readonly { readonly tier: RiskTier; readonly when: string }[];
  };
  readonly limits: {
    readonly maxConcurrentCritics?: number;
    readonly maxConcurrentPerStage: Readonly<Partial<Record<ExecutionStage, number>>>;
    readonly maxQueueSize?: number;
    /** `worker`: limits hold in each worker process. Absent: over all of the deployment. */
    readonly scope?: 'worker';
    /** Bytes of content plus context; at most 262,144. */
    readonly maxContentBytes: number;
  };
  readonly timeouts: {
    readonly globalMs: number;
    /** A stage that is absent has the global one. */
    readonly stagesMs: Readonly<Partial<Record<ExecutionStage, number>>>;
  };
  /** In cost weights. */
  readonly budget: { readonly maxCost?: number };
  /** In plan order: by stage, then as written. */
  readonly critics: readonly PlanCritic[];
  readonly verdict: {
    readonly rules: readonly VerdictRule[];
    readonly allowNeeds?: { readonly critics: readonly string[]; readonly coverage?: number };
    readonly otherwise: 'allow' | 'escalate' | 'deny';
  };
  /** Absent: escalations open no review. */
  readonly review?: PlanReview;
}

export function useOf(critic: PlanCritic): CriticUse {
  const { name, uses, version, with: options, priority, price } = critic;
  const { attemptTimeoutMs, retryOnTimeout, isolation, requiredOutputFields, validateOutput } = critic;
  return {
    name,
    uses,
    version,
    with: options,
    priority,
    ...(price !== undefined ? { price } : {}),
    attemptTimeoutMs,
    retryOnTimeout,
    ...(isolation !== undefined ? { isolation } : {}),
    requiredOutputFields,
    ...(validateOutput !== undefined ? { validateOutput } : {}),
  };
}

/** What an outcome of a critic does to the verdict. What the plan does not name is never harmless. */
export const effectOn = (critic: PlanCritic, outcome: FailureOutcome): FailureEffect => critic.onFailure[outcome] ?? 'fail';

/** The stages that have critics, in order. */
export function stagesOf(plan: Plan): ExecutionStage[] {
  return STAGES.filter((stage) => plan.critics.some((critic) => critic.stage === stage));
}
