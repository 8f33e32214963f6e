/** Dependencies on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';

const PLAN = (dir: string) => ({
  plan: 'deps',
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    base: { uses: 'scripted', stage: 'core_analysis', with: { finding: { severity: 0.2, violations: [] } } },
    other: { uses: 'scripted', stage: 'core_analysis' },
    look: { uses: 'scripted', stage: 'core_analysis', dependsOn: ['base'], with: { echo: true, record: join(dir, 'look.jsonl') } },
    risky: { uses: 'scripted', stage: 'core_analysis', executionPolicy: 'on_high_risk' },
    behind: { uses: 'scripted', stage: 'deep_analysis', dependsOn: ['risky'] },
  },
  verdict: { rules: [], otherwise: 'allow' },
});

const BROKEN = {
  plan: 'broken',
  version: 1,
  timeouts: { global: '60s' },
  defaults: { maxRetries: 0 },
  critics: {
    base: { uses: 'scripted', stage: 'core_analysis', with: { throw: 'permanent' } },
    leaf: { uses: 'scripted', stage: 'core_analysis', dependsOn: ['base'] },
    deeper: { uses: 'scripted', stage: 'deep_analysis', dependsOn: ['leaf'] },
    fine: { uses: 'scripted', stage: 'core_analysis' },
  },
  verdict: { rules: [], otherwise: 'allow' },
};

describe('dependencies', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: (dir) => [PLAN(dir), BROKEN] });
  });
  afterAll(() => harness.close());

  it('hand a dependent the findings of its own dependencies and nothing of its siblings', async () => {
    await harness.client.evaluate({ plan: 'deps', content: 'text' });
    const calls = await callsIn(join(harness.dir, 'look.jsonl'));
    expect(calls.find((call) => call.event === 'start')?.findings).toEqual(['base']);
  });

  it('gate what is behind a gated critic, and the low-risk record is allowed', async () => {
    const report = await harness.client.evaluate({ plan: 'deps', content: 'text', riskTier: 'low' });
    expect(report.decision).toBe('allow');
    expect(outcomesOf(report)).toMatchObject({ risky: 'gated', behind: 'gated' });
    expect(criticOf(report, 'behind')).toMatchObject({ root: 'risky', gate: { open: false, by: 'dependency' } });
  });

  it('skip what is behind a failed critic, which does not pretend to have run', async () => {
    const report = await harness.client.evaluate({ plan: 'broken', content: 'text' });
    expect(report.decision).toBe('not_judged');
    expect(outcomesOf(report)).toEqual({ base: 'failed', leaf: 'skipped', fine: 'succeeded', deeper: 'skipped' });
    expect(criticOf(report, 'deeper')).toMatchObject({ attempts: 0, root: 'base' });
    expect(report.reasons.filter((reason) => reason.effect === 'fail')).toHaveLength(1);
  });
});
