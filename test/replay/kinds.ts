/** The kinds of evaluation that are recorded, and how each must end. Nobody acts in these; those where somebody does are in `kinds-acted.ts`, those with a review in `kinds-reviewed.ts`. */
import { ACTED, HEARING } from './kinds-acted.js';
import { REVIEWED } from './kinds-reviewed.js';
import { core, deep, local, plan, type Kind } from './kind.js';

const BAD = { finding: { severity: 0.5, violations: [{ code: 'rude', message: 'is rude' }] } };
const DENY_SEVERE = { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe finding' };
const DECISIVE = { ...DENY_SEVERE, decisive: true };
const SEVERE = { finding: { severity: 0.95, violations: [{ code: 'threat', message: 'is a threat' }] } };

/** `name_0`, `name_1` and so on, all with the same value. */
const many = <Value>(count: number, name: string, value: Value): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}_${index}`, value]));

/** Every stage, every policy, both dispatches, lanes with and without limits, a budget. */
const TEN = plan(
  {
    secrets: { uses: 'secrets', stage: 'pre_validation', dispatch: 'local', priority: 1 },
    pii: { uses: 'pii', stage: 'fast_critics', dispatch: 'local' },
    tone: core(BAD, { priority: 2, costWeight: 3 }),
    limited: core({}, { maxConcurrent: 1, rateLimitPerSecond: 50 }),
    dependent: core({ echo: true }, { dependsOn: ['tone'] }),
    unsure: core({ finding: { uncertainty: 0.8 } }, { priority: 9 }),
    by_violation: deep({}, { executionPolicy: 'on_violation', costWeight: 10 }),
    by_uncertainty: deep({}, { executionPolicy: 'on_uncertainty', dependsOn: ['unsure'] }),
    by_condition: core(
      {},
      { stage: 'post_processing', executionPolicy: 'conditional', condition: "has(context.domain) && context.domain == 'chat'" },
    ),
    last: core({}, { stage: 'validation', executionPolicy: 'on_high_risk', timeout: '10s' }),
  },
  {
    limits: { maxConcurrentPerStage: { deep_analysis: 2 } },
    timeouts: { global: '60s', stages: { core_analysis: '30s' } },
    budget: { maxCost: 40 },
    verdict: {
      rules: [DECISIVE, { escalate: 'findings.exists(f, has(f.uncertainty) && f.uncertainty > 0.7)', reason: 'not sure' }],
      allowNeeds: { critics: ['secrets', 'pii'] },
      otherwise: 'allow',
    },
  },
);

const PLAIN: Readonly<Record<string, Kind>> = {
  'allow-gated': {
    plan: plan({
      quick: local(),
      dear: core({}, { executionPolicy: 'on_violation' }),
      dearer: deep({}, { executionPolicy: 'on_high_risk' }),
    }),
    request: { riskTier: 'low' },
    end: 'allow',
    outcomes: { dear: 'gated', dearer: 'gated' },
  },
  'full-ten': { plan: TEN, request: { context: { domain: 'chat' }, riskTier: 'high' }, end: 'escalate' },
  'deny-by-rule': {
    plan: plan({ severe: core(SEVERE), other: core() }, { verdict: { rules: [DENY_SEVERE], otherwise: 'allow' } }),
    end: 'deny',
  },
  'decisive-cancels-remote': {
    plan: plan(
      {
        // They meet first, so that the other one runs when the decisive finding comes.
        severe: core({ barrier: { dir: 'met', count: 2 }, ...SEVERE }),
        cut: core({ barrier: { dir: 'met', count: 2 }, waitFor: 'never' }),
        later: deep(),
      },
      { verdict: { rules: [DECISIVE], otherwise: 'allow' } },
    ),
    end: 'deny',
    outcomes: { cut: 'cancelled', later: 'cancelled' },
  },
  'decisive-in-local-batch': {
    plan: plan(
      { severe: local(SEVERE), cut: local({ waitFor: 'never' }), later: core() },
      { verdict: { rules: [DECISIVE], otherwise: 'allow' } },
    ),
    end: 'deny',
    outcomes: { cut: 'cancelled', later: 'cancelled' },
  },
  'escalate-by-finding': {
    plan: plan(
      { bad: core(BAD) },
      { verdict: { rules: [{ escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation found' }], otherwise: 'allow' } },
    ),
    end: 'escalate',
  },
  'escalate-by-failure': {
    plan: plan({ wrong: core({ return: 'out_of_range' }), fine: core() }),
    end: 'escalate',
    outcomes: { wrong: 'invalid_output' },
  },
  'escalate-by-need': {
    plan: plan(
      { needed: core({}, { executionPolicy: 'on_high_risk' }), fine: core() },
      { verdict: { allowNeeds: { critics: ['needed'] }, otherwise: 'allow' } },
    ),
    end: 'escalate',
    outcomes: { needed: 'gated' },
  },
  'verdict-heard': {
    plan: plan({ wrong: core({ return: 'out_of_range' }), fine: core() }),
    notify: HEARING,
    end: 'escalate',
    outcomes: { wrong: 'invalid_output' },
  },
  'not-judged-failed': {
    plan: plan({ broken: core({ throw: 'permanent' }), fine: core() }),
    end: 'not_judged',
    outcomes: { broken: 'failed' },
  },
  'failure-ignored': {
    plan: plan({ broken: core({ throw: 'permanent' }, { onFailure: 'ignore' }), fine: core() }),
    end: 'allow',
    outcomes: { broken: 'failed' },
  },
  'failure-denies': {
    plan: plan({ broken: core({ throw: 'permanent' }, { onFailure: 'deny' }), fine: core() }),
    end: 'deny',
    outcomes: { broken: 'failed' },
  },
  'rate-limited-then-success': {
    plan: plan({ limited: core({ throw: 'rate_limited', retryAfter: '1s', failTimes: 1 }, { maxRetries: 1 }) }),
    end: 'allow',
  },
  'timed-out-for-good': {
    plan: plan({ hangs: core({ hang: true }, { attemptTimeout: '100ms', maxRetries: 1, retryBackoffBase: 1 }) }),
    end: 'not_judged',
    outcomes: { hangs: 'timed_out' },
  },
  'retries-cut-by-deadline': {
    plan: plan({ failing: core({ throw: 'transient' }, { maxRetries: 9, retryBackoffBase: 2, timeout: '4s' }) }),
    end: 'not_judged',
    outcomes: { failing: 'failed' },
  },
  'not-reached': {
    plan: plan(
      { fine: local(), hangs: core({ hang: true }), late: deep() },
      { timeouts: { global: '1s' }, defaults: { maxRetries: 0, onFailure: 'ignore' } },
    ),
    end: 'allow',
    outcomes: { hangs: 'timed_out', late: 'not_reached' },
  },
  'cut-by-stage': {
    plan: plan(
      { hangs: core({ hang: true }), next: deep() },
      {
        timeouts: { global: '60s', stages: { core_analysis: '500ms' } },
        defaults: { maxRetries: 0, attemptTimeout: '10s', onFailure: 'escalate' },
      },
    ),
    end: 'escalate',
    outcomes: { hangs: 'timed_out' },
  },
  'over-budget': {
    plan: plan({ cheap: core({}, { costWeight: 2 }), dear: core({}, { costWeight: 5 }), late: deep() }, { budget: { maxCost: 3 } }),
    end: 'escalate',
    outcomes: { dear: 'over_budget' },
  },
  'skipped-chain': {
    plan: plan({
      base: core({ throw: 'permanent' }),
      leaf: core({}, { dependsOn: ['base'] }),
      deeper: deep({}, { dependsOn: ['leaf'] }),
      fine: core(),
    }),
    end: 'not_judged',
    outcomes: { base: 'failed', leaf: 'skipped', deeper: 'skipped' },
  },
  'skipped-raises': {
    plan: plan({
      base: core({ throw: 'permanent' }, { onFailure: 'escalate' }),
      leaf: core({}, { dependsOn: ['base'], onFailure: { skipped: 'fail' } }),
      fine: core(),
    }),
    end: 'not_judged',
    outcomes: { base: 'failed', leaf: 'skipped' },
  },
  'gated-chain': {
    plan: plan({ risky: core({}, { executionPolicy: 'on_high_risk' }), leaf: deep({}, { dependsOn: ['risky'] }), fine: core() }),
    end: 'allow',
    outcomes: { risky: 'gated', leaf: 'gated' },
  },
  'condition-errs': {
    plan: plan({
      base: core(),
      asked: deep({}, { executionPolicy: 'conditional', condition: 'has(context.amount) && context.amount > 1000' }),
    }),
    request: { context: { amount: 'a lot' } },
    end: 'allow',
  },
  'gating-off': {
    plan: plan({
      quick: local(),
      dear: core({}, { executionPolicy: 'on_violation' }),
      dearer: deep({}, { executionPolicy: 'on_high_risk' }),
    }),
    request: { gating: 'off' },
    end: 'allow',
  },
  shadow: {
    plan: plan(
      { fine: core(), watched: core(SEVERE, { mode: 'shadow' }), dear: deep({}, { executionPolicy: 'on_violation' }) },
      { verdict: { rules: [DENY_SEVERE], otherwise: 'allow' } },
    ),
    end: 'allow',
    outcomes: { dear: 'gated' },
  },
  'mixed-stage': {
    plan: plan({
      cheap: core(BAD, { dispatch: 'local' }),
      before: core({}, { dispatch: 'local', dependsOn: ['cheap'] }),
      dear: core({}, { dependsOn: ['cheap'], executionPolicy: 'on_violation' }),
      after: local({}, { stage: 'deep_analysis' }),
    }),
    end: 'allow',
  },
  background: {
    plan: plan({ first: core({}, { priority: 1 }), last: core({}, { priority: 10 }) }),
    request: { class: 'background' },
    end: 'allow',
  },
  'five-priority-levels': {
    plan: plan({ first: core({}, { priority: 1 }), middle: core(), last: core({}, { priority: 10 }) }),
    priorityLevels: 5,
    end: 'allow',
  },
  'risk-raised': {
    plan: plan(
      { fine: local(), dear: core({}, { executionPolicy: 'on_high_risk' }) },
      { risk: { default: 'low', atLeast: [{ high: "has(context.domain) && context.domain == 'medical'" }] } },
    ),
    request: { context: { domain: 'medical' }, riskTier: 'low' },
    end: 'allow',
  },
  'structured-content': {
    plan: plan(
      { pii: { uses: 'pii', stage: 'fast_critics', dispatch: 'local' }, secrets: { uses: 'secrets', stage: 'core_analysis' } },
      { verdict: { rules: [{ escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation found' }], otherwise: 'allow' } },
    ),
    request: { content: { input: 'Who may I write to?', output: 'Write to ada@example.org.', tags: ['mail', 1, null] } },
    end: 'escalate',
  },
  'nothing-succeeded': {
    plan: plan({ risky: local({}, { executionPolicy: 'on_high_risk' }) }),
    end: 'escalate',
    outcomes: { risky: 'gated' },
  },
  'rule-errs': {
    plan: plan(
      { fine: core() },
      { verdict: { rules: [{ deny: 'has(context.amount) && context.amount > 1000', reason: 'a large amount' }], otherwise: 'allow' } },
    ),
    request: { context: { amount: 'a lot' } },
    end: 'escalate',
  },
  'fallback-covers': {
    plan: plan(
      {
        judge: core({ throw: 'permanent' }),
        spare: core(BAD, { fallbackFor: 'judge' }),
        after: core({ echo: true }, { dependsOn: ['judge'] }),
        unneeded: core({}, { fallbackFor: 'after' }),
        looks: deep({}, { executionPolicy: 'on_violation' }),
      },
      { verdict: { allowNeeds: { critics: ['judge'], coverage: 1 }, otherwise: 'allow' } },
    ),
    end: 'allow',
    outcomes: { judge: 'failed', unneeded: 'gated' },
  },
  'fallback-fails-too': {
    plan: plan({
      judge: core({ throw: 'permanent' }, { onFailure: 'escalate' }),
      spare: core({ throw: 'permanent' }, { fallbackFor: 'judge' }),
      after: core({}, { dependsOn: ['judge'] }),
      fine: core(),
    }),
    end: 'not_judged',
    outcomes: { judge: 'failed', spare: 'failed', after: 'skipped' },
  },
  'fallback-chain': {
    plan: plan(
      {
        judge: core({ throw: 'permanent' }),
        spare: core({ return: 'nan' }, { fallbackFor: 'judge' }),
        third: deep(SEVERE, { fallbackFor: 'spare' }),
      },
      { verdict: { rules: [{ ...DECISIVE, deny: "findings.exists(f, f.name == 'judge' && f.severity >= 0.9)" }], otherwise: 'allow' } },
    ),
    end: 'deny',
    outcomes: { judge: 'failed', spare: 'invalid_output' },
  },
  'fallback-local': {
    plan: plan({
      judge: local({ throw: 'permanent' }),
      spare: local({}, { fallbackFor: 'judge' }),
      dear: core({}, { fallbackFor: 'spare' }),
      looks: core({}, { executionPolicy: 'on_violation' }),
    }),
    end: 'allow',
    outcomes: { judge: 'failed', dear: 'gated', looks: 'gated' },
  },
  priced: {
    plan: plan(
      { judge: core({ model: 'small', finding: { cost: { inputTokens: 1_000, outputTokens: 50 } } }) },
      { prices: { small: { inputPerMillion: 0.15, outputPerMillion: 0.6 } } },
    ),
    end: 'allow',
  },
  otherwise: { plan: plan({ fine: core() }, { verdict: { otherwise: 'deny' } }), end: 'deny' },
  'hostile-critic': {
    plan: plan({ throws: core({ throw: 'hostile' }), loops: core({ return: 'cycle' }), lies: local({ return: 'nan' }), fine: core() }),
    end: 'not_judged',
    outcomes: { throws: 'failed', loops: 'invalid_output', lies: 'invalid_output' },
  },
  hundred: {
    plan: plan({
      ...many(48, 'local', local()),
      ...many(12, 'remote', core()),
      ...many(40, 'gated', deep({}, { executionPolicy: 'on_violation' })),
    }),
    end: 'allow',
    outcomes: many(40, 'gated', 'gated'),
  },
};

export const KINDS: Readonly<Record<string, Kind>> = { ...PLAIN, ...ACTED, ...REVIEWED };
