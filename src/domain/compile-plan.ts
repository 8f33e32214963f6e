/**
 * From what people wrote to what a run pins: every default filled in. Pure and total: it compiles a plan with problems
 * too, so that `plan-checks.ts` can judge the values that would hold. Imports types of `schemas` alone.
 */
import type { ParsedCritic, ParsedPlan } from '../schemas/plan.js';
import type { Json } from './finding.js';
import { FAILURE_OUTCOMES, type FailureEffect, type FailureOutcome } from './outcomes.js';
import {
  MAX_CONTENT_BYTES,
  STAGES,
  type Dispatch,
  type ExecutionStage,
  type Plan,
  type PlanCritic,
  type Price,
  type VerdictRule,
} from './plan.js';
import { compileReview } from './review/compile-review.js';

/** The longest attempt of a local critic: it holds up the whole batch. */
export const LOCAL_ATTEMPT_MS = 1_000;

/** Two retries, 2 s and 4 s apart, ride out a provider's hiccup; priority 5 is the middle of ten. */
const BUILT_IN = {
  attemptTimeoutMs: 5_000,
  maxRetries: 2,
  retryBackoffBase: 2,
  retryOnTimeout: true,
  priority: 5,
  costWeight: 1,
  dispatch: 'activity',
  uncertaintyThreshold: 0.7,
} as const;

const BUILT_IN_ON_FAILURE: Readonly<Record<FailureOutcome, FailureEffect>> = {
  failed: 'fail',
  timed_out: 'fail',
  invalid_output: 'escalate',
  unavailable: 'fail',
  // No raise of its own: the effect of the critic at the root holds.
  skipped: 'ignore',
  over_budget: 'escalate',
  not_reached: 'fail',
  cancelled: 'fail',
};

/** What the registry says about a critic's `uses` and `with`. */
export interface ResolvedCritic {
  readonly version: string;
  /** As written. */
  readonly options: Json;
}

/** A plan before its hash is taken. */
export type CompiledPlan = Omit<Plan, 'hash'>;

/**
 * @param resolved by the critic's name in the plan; a critic that is absent gets version 0.0.0 and its options as written.
 */
export function compilePlan(source: ParsedPlan, resolved: ReadonlyMap<string, ResolvedCritic>): CompiledPlan {
  const entries = Object.entries(source.critics);
  const inOrder = STAGES.flatMap((stage) => entries.filter(([, critic]) => critic.stage === stage));
  return {
    name: source.plan,
    version: source.version,
    risk: compileRisk(source),
    limits: compileLimits(source),
    timeouts: { globalMs: source.timeouts.global.ms, stagesMs: stagesMs(source) },
    budget: source.budget?.maxCost !== undefined ? { maxCost: source.budget.maxCost } : {},
    critics: inOrder.map(([name, critic]) => compileCritic(name, critic, source, resolved.get(name))),
    verdict: compileVerdict(source),
    ...(source.review !== undefined ? { review: compileReview(source.review) } : {}),
  };
}

export function dispatchOf(critic: ParsedCritic, source: ParsedPlan): Dispatch {
  return critic.dispatch ?? source.defaults?.dispatch ?? BUILT_IN.dispatch;
}

function compileCritic(name: string, critic: ParsedCritic, source: ParsedPlan, resolved: ResolvedCritic | undefined): PlanCritic {
  const defaults = source.defaults ?? {};
  const dispatch = dispatchOf(critic, source);
  const local = dispatch === 'local';
  const policy = critic.executionPolicy ?? 'always';
  const options = resolved?.options ?? critic.with ?? {};
  const price = priceOf(source, modelOf(options));
  const attemptTimeoutMs = (critic.attemptTimeout ?? defaults.attemptTimeout)?.ms ?? BUILT_IN.attemptTimeoutMs;
  return {
    name,
    uses: critic.uses,
    version: resolved?.version ?? '0.0.0',
    with: options,
    stage: critic.stage,
    dispatch,
    priority: critic.priority ?? defaults.priority ?? BUILT_IN.priority,
    dependsOn: critic.dependsOn ?? [],
    ...(critic.fallbackFor !== undefined ? { fallbackFor: critic.fallbackFor } : {}),
    policy,
    ...(critic.condition !== undefined ? { condition: critic.condition } : {}),
    ...(policy === 'on_uncertainty' ? { uncertaintyThreshold: critic.uncertaintyThreshold ?? BUILT_IN.uncertaintyThreshold } : {}),
    ...(price !== undefined ? { price } : {}),
    costWeight: critic.costWeight ?? defaults.costWeight ?? BUILT_IN.costWeight,
    ...(critic.maxConcurrent !== undefined ? { maxConcurrent: critic.maxConcurrent } : {}),
    ...(critic.rateLimitPerSecond !== undefined ? { rateLimitPerSecond: critic.rateLimitPerSecond } : {}),
    ...(critic.lane !== undefined ? { lane: critic.lane } : {}),
    ...(critic.timeout !== undefined ? { timeoutMs: critic.timeout.ms } : {}),
    attemptTimeoutMs: local ? Math.min(attemptTimeoutMs, LOCAL_ATTEMPT_MS) : attemptTimeoutMs,
    maxRetries: local ? 0 : (critic.maxRetries ?? defaults.maxRetries ?? BUILT_IN.maxRetries),
    retryBackoffBase: critic.retryBackoffBase ?? defaults.retryBackoffBase ?? BUILT_IN.retryBackoffBase,
    retryOnTimeout: critic.retryOnTimeout ?? defaults.retryOnTimeout ?? BUILT_IN.retryOnTimeout,
    ...(critic.isolation === 'thread' ? { isolation: critic.isolation } : {}),
    requiredOutputFields: critic.requiredOutputFields ?? [],
    ...(critic.validateOutput !== undefined ? { validateOutput: critic.validateOutput } : {}),
    onFailure: otherThanFail({ ...BUILT_IN_ON_FAILURE, ...effects(defaults.onFailure), ...effects(critic.onFailure) }),
    mode: critic.mode ?? 'enforce',
    tags: critic.tags ?? [],
  };
}

/** The model that a critic's options name, if they do. */
export function modelOf(options: Json): string | undefined {
  const model = typeof options === 'object' && options !== null && 'model' in options ? options.model : undefined;
  return typeof model === 'string' ? model : undefined;
}

/** By the name as it is: a model is never another one's neighbour. */
const priceOf = ({ prices = {} }: ParsedPlan, model: string | undefined): Price | undefined =>
  model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;

/** One word sets every outcome, a map some. */
function effects(written: ParsedCritic['onFailure']): Partial<Record<FailureOutcome, FailureEffect>> {
  if (written === undefined) return {};
  const table: Partial<Record<FailureOutcome, FailureEffect>> = {};
  for (const outcome of FAILURE_OUTCOMES) {
    const effect = typeof written === 'string' ? written : written[outcome];
    if (effect !== undefined) table[outcome] = effect;
  }
  return table;
}

/** The table stands in every pinned plan, critic by critic: what is not in it means `fail`. */
function otherThanFail(table: Record<FailureOutcome, FailureEffect>): PlanCritic['onFailure'] {
  return Object.fromEntries(Object.entries(table).filter(([, effect]) => effect !== 'fail'));
}

function stagesMs(source: ParsedPlan): Partial<Record<ExecutionStage, number>> {
  const written = source.timeouts.stages ?? {};
  return perStage((stage) => written[stage]?.ms);
}

function perStage(valueOf: (stage: ExecutionStage) => number | undefined): Partial<Record<ExecutionStage, number>> {
  const values: Partial<Record<ExecutionStage, number>> = {};
  for (const stage of STAGES) {
    const value = valueOf(stage);
    if (value !== undefined) values[stage] = value;
  }
  return values;
}

function compileRisk({ risk }: ParsedPlan): Plan['risk'] {
  const atLeast = (risk?.atLeast ?? []).flatMap((rule) =>
    (['medium', 'high', 'critical'] as const).flatMap((tier) => (rule[tier] === undefined ? [] : [{ tier, when: rule[tier] }])),
  );
  return { default: risk?.default ?? 'medium', floor: risk?.floor ?? 'low', atLeast };
}

function compileLimits({ limits }: ParsedPlan): Plan['limits'] {
  return {
    ...(limits?.maxConcurrentCritics !== undefined ? { maxConcurrentCritics: limits.maxConcurrentCritics } : {}),
    maxConcurrentPerStage: perStage((stage) => limits?.maxConcurrentPerStage?.[stage]),
    ...(limits?.maxQueueSize !== undefined ? { maxQueueSize: limits.maxQueueSize } : {}),
    ...(limits?.scope === 'worker' ? { scope: limits.scope } : {}),
    maxContentBytes: limits?.maxContentBytes ?? MAX_CONTENT_BYTES,
  };
}

function compileVerdict({ verdict }: ParsedPlan): Plan['verdict'] {
  const rules = (verdict.rules ?? []).flatMap(({ deny, escalate, reason, decisive = false }): VerdictRule[] => {
    if (deny !== undefined) return [{ effect: 'deny', when: deny, reason, decisive }];
    return escalate === undefined ? [] : [{ effect: 'escalate', when: escalate, reason, decisive }];
  });
  const needs = verdict.allowNeeds;
  return {
    rules,
    ...(needs !== undefined
      ? { allowNeeds: { critics: needs.critics ?? [], ...(needs.coverage !== undefined ? { coverage: needs.coverage } : {}) } }
      : {}),
    otherwise: verdict.otherwise,
  };
}
