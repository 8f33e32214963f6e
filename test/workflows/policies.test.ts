/** Which critics run, and what the report says about why, on the real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';

const VIOLATION = { finding: { severity: 0.3, violations: [{ code: 'rude', message: 'is rude' }] } };

/** A first critic that finds what its plan says, and one of each policy behind it. */
const fivePolicies = (name: string, first: object): object => ({
  plan: name,
  version: 1,
  timeouts: { global: '60s' },
  defaults: { maxRetries: 0 },
  critics: {
    first: { uses: 'scripted', stage: 'fast_critics', with: first },
    by_always: { uses: 'scripted', stage: 'core_analysis' },
    by_violation: { uses: 'scripted', stage: 'core_analysis', executionPolicy: 'on_violation' },
    by_risk: { uses: 'scripted', stage: 'core_analysis', executionPolicy: 'on_high_risk', dispatch: 'local' },
    by_uncertainty: { uses: 'scripted', stage: 'core_analysis', executionPolicy: 'on_uncertainty', uncertaintyThreshold: 0.5 },
    by_context: {
      uses: 'scripted',
      stage: 'core_analysis',
      executionPolicy: 'conditional',
      condition: "has(context.domain) && context.domain == 'financial'",
    },
    by_finding: {
      uses: 'scripted',
      stage: 'core_analysis',
      executionPolicy: 'conditional',
      condition: 'findings.exists(f, f.severity > 0.2)',
    },
    by_name: {
      uses: 'scripted',
      stage: 'core_analysis',
      executionPolicy: 'conditional',
      condition: "critics.first.outcome != 'succeeded' || has(critics.first.uncertainty) && critics.first.uncertainty > 0.5",
    },
  },
  verdict: { rules: [], otherwise: 'allow' },
});

const RISK = {
  plan: 'risk',
  version: 1,
  risk: {
    default: 'low',
    atLeast: [
      { high: "has(context.domain) && context.domain == 'medical'" },
      { medium: "request.tenant == 'clinic'" },
      { critical: 'has(context.age) && context.age < 10' },
    ],
  },
  timeouts: { global: '60s' },
  critics: {
    always_there: { uses: 'scripted', stage: 'fast_critics' },
    dear: { uses: 'scripted', stage: 'core_analysis', executionPolicy: 'on_high_risk' },
  },
  verdict: { rules: [], otherwise: 'allow' },
};

const ERRS = {
  plan: 'errs',
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    base: { uses: 'scripted', stage: 'fast_critics' },
    asked: {
      uses: 'scripted',
      stage: 'core_analysis',
      executionPolicy: 'conditional',
      condition: 'has(context.amount) && context.amount > 1000',
    },
  },
  verdict: { rules: [], otherwise: 'allow' },
};

const ON = ['by_violation', 'by_risk', 'by_uncertainty', 'by_context', 'by_finding', 'by_name'] as const;

describe('policies', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [
        fivePolicies('clean', {}),
        fivePolicies('dirty', { finding: { ...VIOLATION.finding, uncertainty: 0.6 } }),
        fivePolicies('broken', { throw: 'permanent' }),
        RISK,
        ERRS,
      ],
    });
  });
  afterAll(() => harness.close());

  const gatesOf = (report: Parameters<typeof criticOf>[0]) => Object.fromEntries(ON.map((name) => [name, criticOf(report, name).gate]));

  it.concurrent('of every kind but always stay closed over a clean record, and the report says what each of them saw', async () => {
    const report = await harness.client.evaluate({ plan: 'clean', content: 'text', context: { domain: 'chat' } });
    expect(outcomesOf(report)).toEqual({
      first: 'succeeded',
      by_always: 'succeeded',
      ...Object.fromEntries(ON.map((name) => [name, 'gated'])),
    });
    expect(gatesOf(report)).toEqual({
      by_violation: { open: false, by: 'policy', policy: 'on_violation', saw: { violations: 0 } },
      by_risk: { open: false, by: 'policy', policy: 'on_high_risk', saw: { riskTier: 'medium' } },
      by_uncertainty: { open: false, by: 'policy', policy: 'on_uncertainty', saw: { threshold: 0.5, mostUncertain: 0 } },
      by_context: { open: false, by: 'policy', policy: 'conditional', saw: expect.objectContaining({ 'context.domain': 'chat' }) },
      by_finding: { open: false, by: 'policy', policy: 'conditional', saw: { 'findings.size()': 1 } },
      by_name: { open: false, by: 'policy', policy: 'conditional', saw: expect.objectContaining({ 'critics.first.outcome': 'succeeded' }) },
    });
    expect(report).toMatchObject({ decision: 'allow', degraded: false, coverage: { planned: 8, succeeded: 2, gated: 6 } });
  });

  it.concurrent('of every kind open when what they look for is there, and the report says what each of them saw', async () => {
    const report = await harness.client.evaluate({ plan: 'dirty', content: 'text', context: { domain: 'financial' }, riskTier: 'high' });
    expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['succeeded']));
    expect(gatesOf(report)).toEqual({
      by_violation: { open: true, by: 'policy', policy: 'on_violation', saw: { violations: 1, first: 'succeeded' } },
      by_risk: { open: true, by: 'policy', policy: 'on_high_risk', saw: { riskTier: 'high' } },
      by_uncertainty: {
        open: true,
        by: 'policy',
        policy: 'on_uncertainty',
        saw: { threshold: 0.5, mostUncertain: 0.6, first: 'succeeded' },
      },
      by_context: { open: true, by: 'policy', policy: 'conditional', saw: expect.objectContaining({ 'context.domain': 'financial' }) },
      by_finding: { open: true, by: 'policy', policy: 'conditional', saw: { 'findings.size()': 1 } },
      by_name: { open: true, by: 'policy', policy: 'conditional', saw: expect.objectContaining({ 'critics.first.uncertainty': 0.6 }) },
    });
    expect(criticOf(report, 'by_always').gate).toBeUndefined();
  });

  it.concurrent('that look for a violation or a doubt open behind a critic that failed: unknown is not clean', async () => {
    const report = await harness.client.evaluate({ plan: 'broken', content: 'text' });
    expect(outcomesOf(report)).toMatchObject({
      first: 'failed',
      by_violation: 'succeeded',
      by_uncertainty: 'succeeded',
      by_name: 'succeeded',
      by_finding: 'gated',
    });
    expect(criticOf(report, 'by_violation').gate).toMatchObject({ open: true, saw: { violations: 0, first: 'failed' } });
    expect(report.decision).toBe('not_judged');
  });

  it.concurrent('with a condition over the context differ from one request to the next', async () => {
    const ask = async (context: { readonly [key: string]: string }) => {
      const report = await harness.client.evaluate({ plan: 'clean', content: 'text', context });
      return criticOf(report, 'by_context').outcome;
    };
    expect(await Promise.all([ask({}), ask({ domain: 'Financial' }), ask({ domain: 'financial' })])).toEqual([
      'gated',
      'gated',
      'succeeded',
    ]);
  });

  it.concurrent('with a condition that cannot be evaluated run their critic, and the report is degraded', async () => {
    const report = await harness.client.evaluate({ plan: 'errs', content: 'text', context: { amount: 'a lot' } });
    expect(outcomesOf(report)).toEqual({ base: 'succeeded', asked: 'succeeded' });
    expect(criticOf(report, 'asked').gate).toMatchObject({ open: true, by: 'policy', policy: 'conditional', error: expect.any(String) });
    expect(report).toMatchObject({
      decision: 'allow',
      degraded: true,
      reasons: [{ critic: 'asked', code: 'CONDITION_ERROR', effect: 'none' }],
    });
    const fine = await harness.client.evaluate({ plan: 'errs', content: 'text', context: { amount: 10 } });
    expect(fine).toMatchObject({ degraded: false, coverage: { gated: 1 } });
  });

  it.concurrent('of risk: the plan raises what the caller said, and never lowers it', async () => {
    const ask = async (request: object) => {
      const report = await harness.client.evaluate({ plan: 'risk', content: 'text', ...request });
      return [report.riskTier, criticOf(report, 'dear').outcome];
    };
    const asked = [
      ask({}),
      ask({ riskTier: 'low', context: { domain: 'medical' } }),
      ask({ riskTier: 'critical', context: { domain: 'medical' } }),
      ask({ riskTier: 'critical', tenant: 'clinic' }),
      ask({ riskTier: 'low', tenant: 'clinic' }),
      ask({ tenant: 'clinic', context: { domain: 'medical' } }),
      // A rule that cannot be evaluated raises too.
      ask({ context: { age: 'nine' } }),
    ];
    expect(await Promise.all(asked)).toEqual([
      ['low', 'gated'],
      ['high', 'succeeded'],
      ['critical', 'succeeded'],
      ['critical', 'succeeded'],
      ['medium', 'gated'],
      ['high', 'succeeded'],
      ['critical', 'succeeded'],
    ]);
  });

  it.concurrent('are all off with gating off: everything runs, and nothing is said to be saved', async () => {
    const report = await harness.client.evaluate({ plan: 'clean', content: 'text', gating: 'off' });
    expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['succeeded']));
    for (const name of ON) expect(criticOf(report, name).gate).toMatchObject({ open: true, by: 'gating_off' });
    expect(report).toMatchObject({ gating: 'off', coverage: { planned: 8, succeeded: 8 }, metrics: { cost: { spent: 8, saved: 0 } } });
  });
});
