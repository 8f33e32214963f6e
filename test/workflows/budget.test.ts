/** What an evaluation may cost, in weights, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';

const verdict = { rules: [], otherwise: 'allow' };

function plans(dir: string): object[] {
  const critic = (costWeight: number, stage: string, own: object = {}): object => ({ uses: 'scripted', stage, costWeight, ...own });
  const gated = { executionPolicy: 'on_violation' };
  return [
    {
      plan: 'tight',
      version: 1,
      timeouts: { global: '60s' },
      budget: { maxCost: 10 },
      critics: {
        first: critic(4, 'core_analysis'),
        local: critic(2, 'core_analysis', { dispatch: 'local' }),
        over: critic(5, 'core_analysis', { with: { record: join(dir, 'over.jsonl') } }),
        // Less than what is left: being over is for the one that does not fit, not for all after it.
        fits: critic(3, 'core_analysis'),
        behind_over: critic(0, 'deep_analysis', { dependsOn: ['over'] }),
        last: critic(1, 'deep_analysis'),
        too_late: critic(1, 'validation'),
      },
      verdict,
    },
    {
      plan: 'ignored',
      version: 1,
      timeouts: { global: '60s' },
      budget: { maxCost: 1 },
      critics: { cheap: critic(1, 'core_analysis'), dear: critic(2, 'core_analysis', { onFailure: { over_budget: 'ignore' } }) },
      verdict,
    },
    {
      plan: 'gives_back',
      version: 1,
      timeouts: { global: '60s' },
      budget: { maxCost: 10 },
      critics: {
        base: critic(1, 'core_analysis'),
        // Reserved when the stage begins, since only the end of `base` decides it; gated, and so given back.
        dear: critic(9, 'core_analysis', { ...gated, dependsOn: ['base'] }),
        over: critic(1, 'core_analysis'),
        later: critic(9, 'deep_analysis'),
      },
      verdict,
    },
    {
      plan: 'never_reserved',
      version: 1,
      timeouts: { global: '60s' },
      budget: { maxCost: 10 },
      critics: {
        base: critic(1, 'fast_critics'),
        // Known to be gated when the stage begins, so it takes nothing from its sibling.
        dear: critic(9, 'core_analysis', gated),
        sibling: critic(9, 'core_analysis'),
      },
      verdict,
    },
    {
      plan: 'retries',
      version: 1,
      timeouts: { global: '60s' },
      budget: { maxCost: 3 },
      defaults: { retryBackoffBase: 1 },
      critics: { shaky: critic(2, 'core_analysis', { with: { failTimes: 1 } }), next: critic(1, 'deep_analysis') },
      verdict,
    },
    {
      plan: 'cut',
      version: 1,
      timeouts: { global: '110s' },
      budget: { maxCost: 20 },
      defaults: { attemptTimeout: '100s' },
      critics: {
        clean: critic(1, 'fast_critics'),
        closed: critic(2, 'fast_critics', { executionPolicy: 'on_high_risk' }),
        severe: critic(3, 'core_analysis', { with: { finding: { severity: 1 }, barrier: { dir: join(dir, 'cut'), count: 2 } } }),
        hangs: critic(4, 'core_analysis', { with: { hang: true, barrier: { dir: join(dir, 'cut'), count: 2 } } }),
        later: critic(5, 'deep_analysis'),
      },
      verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true }], otherwise: 'allow' },
    },
  ];
}

describe('a budget', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans });
  });
  afterAll(() => harness.close());

  const judge = async (plan: string) => await harness.client.evaluate({ plan, content: 'text' });

  it.concurrent('is spent in plan order: who does not fit is over budget and not called, and the verdict is to escalate', async () => {
    const report = await judge('tight');
    expect(outcomesOf(report)).toEqual({
      first: 'succeeded',
      local: 'succeeded',
      over: 'over_budget',
      fits: 'succeeded',
      behind_over: 'skipped',
      last: 'succeeded',
      too_late: 'over_budget',
    });
    expect(await callsIn(join(harness.dir, 'over.jsonl'))).toEqual([]);
    expect(criticOf(report, 'over')).toMatchObject({ attempts: 0, code: 'BUDGET', gate: { open: false, by: 'budget', policy: 'always' } });
    expect(report).toMatchObject({
      decision: 'escalate',
      escalatedBy: 'failures',
      metrics: { cost: { spent: 10, saved: 0, savedShare: 0, unknown: 0 } },
    });
    expect(report.reasons.map(({ critic, code, effect }) => [critic, code, effect])).toEqual([
      ['over', 'BUDGET', 'escalate'],
      ['too_late', 'BUDGET', 'escalate'],
    ]);
  });

  it.concurrent('lets the plan say what being over it means', async () => {
    expect(await judge('ignored')).toMatchObject({
      decision: 'allow',
      degraded: true,
      coverage: { planned: 2, succeeded: 1, over_budget: 1 },
    });
  });

  it.concurrent('gets back what a gate kept from running, for the stages after it', async () => {
    const report = await judge('gives_back');
    expect(outcomesOf(report)).toEqual({ base: 'succeeded', dear: 'gated', over: 'over_budget', later: 'succeeded' });
    expect(report.metrics.cost).toMatchObject({ spent: 10, saved: 9, savedShare: 9 / 20, unknown: 0 });
  });

  it.concurrent('is not reserved for a critic whose gate is known to be closed', async () => {
    const report = await judge('never_reserved');
    expect(outcomesOf(report)).toEqual({ base: 'succeeded', dear: 'gated', sibling: 'succeeded' });
    expect(report).toMatchObject({ decision: 'allow', metrics: { cost: { spent: 10, saved: 9, unknown: 0 } } });
  });

  it.concurrent('counts a critic once, however often it is tried', async () => {
    const report = await judge('retries');
    expect(outcomesOf(report)).toEqual({ shaky: 'succeeded', next: 'succeeded' });
    expect(report.metrics).toMatchObject({ retried: 1, cost: { spent: 3 } });
  });

  it.concurrent('is accounted for as spent, saved and unknown when a decisive deny cuts the run', async () => {
    const report = await judge('cut');
    expect(report.decision).toBe('deny');
    expect(outcomesOf(report)).toEqual({
      clean: 'succeeded',
      closed: 'gated',
      severe: 'succeeded',
      hangs: 'cancelled',
      later: 'cancelled',
    });
    expect(report.metrics.cost).toEqual({ spent: 4, saved: 2, savedShare: 0.133333333, unknown: 4 });
  });
});
