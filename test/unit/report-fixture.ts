/** Plans, records and reports for the tests of the account. */
import type { RunFacts } from '../../src/domain/gate.js';
import { buildReport, type ReportInput } from '../../src/domain/build-report.js';
import type { CriticRecord } from '../../src/domain/outcomes.js';
import { STAGES, type Plan, type PlanCritic } from '../../src/domain/plan.js';
import type { EvaluationReport } from '../../src/domain/report.js';

export function criticOf(name: string, stage: PlanCritic['stage'], over: Partial<PlanCritic> = {}): PlanCritic {
  return {
    name,
    uses: 'scripted',
    version: '1.0.0',
    with: {},
    stage,
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
    onFailure: {
      failed: 'fail',
      timed_out: 'fail',
      invalid_output: 'escalate',
      unavailable: 'fail',
      skipped: 'ignore',
      over_budget: 'escalate',
      not_reached: 'fail',
      cancelled: 'fail',
    },
    mode: 'enforce',
    tags: [],
    ...over,
  };
}

export function planOf(critics: readonly PlanCritic[], limits: Partial<Plan['limits']> = {}): Plan {
  return {
    name: 'chat_safety',
    version: 3,
    hash: 'ab12cd34ef56'.repeat(6).slice(0, 64),
    risk: { default: 'medium', floor: 'low', atLeast: [] },
    limits: { maxConcurrentPerStage: {}, maxContentBytes: 262_144, ...limits },
    timeouts: { globalMs: 120_000, stagesMs: {} },
    budget: {},
    critics: critics.toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage)),
    verdict: { rules: [], otherwise: 'allow' },
  };
}

export function recordFor(critic: PlanCritic, over: Partial<CriticRecord> = {}): CriticRecord {
  return {
    name: critic.name,
    stage: critic.stage,
    outcome: 'succeeded',
    attempts: [{ class: 'ok', queuedMs: 2, ranMs: 10 }],
    startedAt: 1_000,
    endedAt: 1_010,
    finding: { severity: 0, violations: [] },
    gate: { open: true, by: 'policy', policy: critic.policy },
    ...over,
  };
}

/** A critic that did not run: no attempts, no times, no finding. */
export function closedRecord(critic: PlanCritic, outcome: CriticRecord['outcome'], over: Partial<CriticRecord> = {}): CriticRecord {
  return {
    name: critic.name,
    stage: critic.stage,
    outcome,
    attempts: [],
    gate: { open: false, by: 'policy', policy: critic.policy },
    ...over,
  };
}

const FACTS: RunFacts = { tenant: 'default', riskTier: 'medium', gating: 'on', context: {}, size: 42 };

export function reportOf(plan: Plan, records: readonly CriticRecord[], over: Partial<ReportInput> = {}): EvaluationReport {
  return buildReport({
    evaluationId: 'default/req-1',
    tenant: 'default',
    plan,
    facts: FACTS,
    contentHash: '0123456789abcdef'.repeat(4),
    records,
    stages: [],
    verdict: { decision: 'allow', reasons: [], degraded: false },
    totalMs: 100,
    ...over,
  });
}

/** Ten critics, four of which ran: the print-out of the golden tests. */
export function printedReport(): EvaluationReport {
  const critics = [
    criticOf('secrets', 'pre_validation', { dispatch: 'local' }),
    criticOf('pii', 'fast_critics', { costWeight: 2 }),
    criticOf('toxicity', 'fast_critics', { costWeight: 2 }),
    criticOf('fairness', 'core_analysis', { costWeight: 3 }),
    ...['deep_bias', 'deep_facts', 'deep_law'].map((name) => criticOf(name, 'deep_analysis', { policy: 'on_high_risk', costWeight: 10 })),
    criticOf('tone', 'post_processing', { policy: 'on_uncertainty' }),
    criticOf('style', 'post_processing', { dependsOn: ['tone'] }),
    criticOf('finance', 'validation', { policy: 'conditional', condition: 'false' }),
  ];
  const plan = planOf(critics, { maxConcurrentCritics: 10 });
  const gated = (name: string, saw: Record<string, string | number>): CriticRecord => {
    const critic = critics.find((one) => one.name === name) ?? critics[0]!;
    return closedRecord(critic, 'gated', { gate: { open: false, by: 'policy', policy: critic.policy, saw } });
  };
  const [secrets, pii, toxicity, fairness] = [critics[0]!, critics[1]!, critics[2]!, critics[3]!];
  const records: CriticRecord[] = [
    recordFor(secrets, { attempts: [{ class: 'ok', queuedMs: 0, ranMs: 1.2 }], startedAt: 1_000, endedAt: 1_001 }),
    recordFor(pii, {
      startedAt: 1_002,
      endedAt: 1_050,
      attempts: [{ class: 'ok', queuedMs: 4, ranMs: 46 }],
      finding: {
        severity: 0.6,
        violations: [
          { code: 'email', message: 'an e-mail address stands in the answer' },
          { code: 'card', message: 'a card number', severity: 0.9 },
        ],
      },
    }),
    recordFor(toxicity, {
      startedAt: 1_003,
      endedAt: 3_400,
      attempts: [
        { class: 'rate_limited', queuedMs: 5, ranMs: 90, code: 'HTTP_429', cost: { usd: 0.001 } },
        { class: 'ok', queuedMs: 12, ranMs: 300, cost: { usd: 0.002, inputTokens: 1_200, outputTokens: 80 } },
      ],
    }),
    recordFor(fairness, { startedAt: 3_402, endedAt: 3_952, attempts: [{ class: 'ok', queuedMs: 2, ranMs: 550 }] }),
    gated('deep_bias', { riskTier: 'medium' }),
    gated('deep_facts', { riskTier: 'medium' }),
    gated('deep_law', { riskTier: 'medium' }),
    gated('tone', { threshold: 0.7, mostUncertain: 0 }),
    {
      ...gated('style', { tone: 'gated' }),
      gate: { open: false, by: 'dependency', policy: 'always', saw: { tone: 'gated' } },
      root: 'tone',
    },
    gated('finance', { 'context.domain': 'chat' }),
  ];
  return reportOf(plan, records, {
    stages: [
      { stage: 'pre_validation', ms: 1.2 },
      { stage: 'fast_critics', ms: 2_400 },
      { stage: 'core_analysis', ms: 552 },
      { stage: 'deep_analysis', ms: 0 },
    ],
    verdict: {
      decision: 'escalate',
      reasons: [{ rule: 'violation found', code: 'RULE', message: 'violation found', effect: 'escalate' }],
      degraded: false,
    },
    totalMs: 2_953,
  });
}
