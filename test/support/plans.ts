/** Small compiled plans for tests of the pure parts; the plan language has tests of its own. */
import { FAILURE_OUTCOMES, type FailureEffect, type FailureOutcome } from '../../src/domain/outcomes.js';
import type { Plan, PlanCritic } from '../../src/domain/plan.js';

export function onFailure(overrides: Partial<Record<FailureOutcome, FailureEffect>> = {}): Record<FailureOutcome, FailureEffect> {
  const table = Object.fromEntries(FAILURE_OUTCOMES.map((outcome) => [outcome, 'fail'])) as Record<FailureOutcome, FailureEffect>;
  return { ...table, invalid_output: 'escalate', over_budget: 'escalate', skipped: 'ignore', ...overrides };
}

export function critic(name: string, overrides: Partial<PlanCritic> = {}): PlanCritic {
  return {
    name,
    uses: 'scripted',
    version: '1.0.0',
    with: {},
    stage: 'core_analysis',
    dispatch: 'activity',
    priority: 5,
    dependsOn: [],
    policy: 'always',
    costWeight: 1,
    attemptTimeoutMs: 5_000,
    maxRetries: 2,
    retryBackoffBase: 2,
    retryOnTimeout: true,
    requiredOutputFields: [],
    onFailure: onFailure(),
    mode: 'enforce',
    tags: [],
    ...overrides,
  };
}

export function plan(critics: readonly PlanCritic[], overrides: Partial<Plan> = {}): Plan {
  return {
    name: 'test_plan',
    version: 1,
    hash: '0'.repeat(64),
    risk: { default: 'medium', floor: 'low', atLeast: [] },
    limits: { maxConcurrentPerStage: {}, maxContentBytes: 262_144 },
    timeouts: { globalMs: 120_000, stagesMs: {} },
    budget: {},
    critics,
    verdict: { rules: [], otherwise: 'allow' },
    ...overrides,
  };
}

export const facts = { tenant: 'default', riskTier: 'medium', gating: 'on', context: {}, size: 10 } as const;
