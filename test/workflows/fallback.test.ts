/** Fallbacks and prices on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CriticError, type AnyCritic } from '../../src/critics/critic.js';
import { z } from 'zod';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';
import { activitiesOf } from '../support/history.js';

const FOUND = { finding: { severity: 0.4, violations: [{ code: 'rude', message: 'is rude' }] } };

/** Judges only what does not ask it to break, and tells its tokens either way. */
const paid: AnyCritic = {
  name: 'paid',
  version: '1.0.0',
  options: z.strictObject({ model: z.string() }),
  evaluate: ({ content }, { attempt }) => {
    if (content === 'break') throw new CriticError('permanent', 'BROKEN', 'is broken', { cost: { inputTokens: 1_000 } });
    if (attempt === 1) throw new CriticError('transient', 'CUT_OFF', 'was cut off', { cost: { inputTokens: 2_000 } });
    return { severity: 0.1, violations: [], cost: { inputTokens: 1_000, outputTokens: 100 } };
  },
};

const remote = (dir: string, name: string, options: object, more: object = {}): object => ({
  uses: 'scripted',
  stage: 'core_analysis',
  ...more,
  with: { name, record: join(dir, 'calls.jsonl'), ...options },
});

const PLAN = (dir: string, spare: object) => ({
  plan: 'covered',
  version: 1,
  timeouts: { global: '60s' },
  defaults: { maxRetries: 0 },
  critics: {
    judge: remote(dir, 'judge', { throw: 'permanent' }),
    spare: remote(dir, 'spare', spare, { fallbackFor: 'judge' }),
    after: remote(dir, 'after', { echo: true }, { dependsOn: ['judge'] }),
    deep: remote(dir, 'deep', {}, { stage: 'deep_analysis', executionPolicy: 'on_violation' }),
  },
  verdict: { allowNeeds: { critics: ['judge'], coverage: 1 }, otherwise: 'allow' },
});

const LOCAL = {
  plan: 'local',
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { throw: 'permanent' } },
    spare: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', fallbackFor: 'judge', with: { finding: { severity: 0.2 } } },
  },
  verdict: { rules: [{ escalate: 'has(critics.judge.severity) && critics.judge.severity > 0.1', reason: 'judged' }], otherwise: 'allow' },
};

const PRICED = {
  plan: 'priced',
  version: 1,
  timeouts: { global: '60s' },
  defaults: { maxRetries: 1, retryBackoffBase: 1 },
  prices: { small: { inputPerMillion: 2, outputPerMillion: 10 } },
  critics: {
    judge: { uses: 'paid', stage: 'core_analysis', with: { model: 'small' } },
    unpriced: { uses: 'paid', stage: 'core_analysis', with: { model: 'other' } },
    words: { uses: 'scripted', stage: 'core_analysis', fallbackFor: 'judge' },
  },
  verdict: { otherwise: 'allow' },
};

describe('a fallback', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: (dir) => [
        PLAN(dir, FOUND),
        { ...PLAN(dir, { throw: 'permanent' }), plan: 'both_fail' },
        { ...PLAN(dir, {}), plan: 'not_needed', critics: { ...PLAN(dir, {}).critics, judge: remote(dir, 'fine_judge', FOUND) } },
        LOCAL,
        PRICED,
      ],
      critics: [paid],
    });
  });
  afterAll(() => harness.close());

  it('runs when its critic failed and stands in for it: for dependents, for gates and for what allow needs', async () => {
    const report = await harness.client.evaluate({ plan: 'covered', content: 'text' });
    expect(report).toMatchObject({ decision: 'allow', covered: 1, degraded: false });
    expect(outcomesOf(report)).toEqual({ judge: 'failed', spare: 'succeeded', after: 'succeeded', deep: 'succeeded' });
    expect(criticOf(report, 'judge').coveredBy).toBe('spare');
    expect(criticOf(report, 'spare').gate).toMatchObject({ open: true, by: 'fallback', saw: { judge: 'failed' } });
    // The dependent was handed the finding of the fallback under the name of the critic that it depends on.
    expect(criticOf(report, 'after').finding?.details).toMatchObject({ judge: { severity: 0.4 } });
    expect(criticOf(report, 'deep').gate?.saw).toMatchObject({ violations: 1, spare: 'succeeded' });
    expect(report.reasons).toMatchObject([{ critic: 'judge', code: 'COVERED', effect: 'none' }]);
  });

  it('that fails too leaves the evaluation not judged, and both are named', async () => {
    const report = await harness.client.evaluate({ plan: 'both_fail', content: 'text' });
    expect(report.decision).toBe('not_judged');
    expect(outcomesOf(report)).toMatchObject({ judge: 'failed', spare: 'failed', after: 'skipped' });
    expect(report.reasons.filter(({ effect }) => effect === 'fail').map(({ critic }) => critic)).toEqual(['judge', 'spare']);
  });

  it('is never called when its critic succeeded, with gating off too', async () => {
    for (const gating of ['on', 'off'] as const) {
      const report = await harness.client.evaluate({ plan: 'not_needed', content: 'text', gating });
      expect(outcomesOf(report)).toMatchObject({ judge: 'succeeded', spare: 'gated', after: 'succeeded' });
      const scheduled = activitiesOf(await harness.history(report.evaluationId)).map(({ type }) => type);
      expect(scheduled).not.toContain('spare');
    }
    const calls = await callsIn(join(harness.dir, 'calls.jsonl'));
    expect(calls.filter(({ name }) => name === 'fine_judge')).not.toEqual([]);
  });

  it('may be local like its critic, and a rule that names the critic judges by it', async () => {
    const report = await harness.client.evaluate({ plan: 'local', content: 'text' });
    expect(outcomesOf(report)).toEqual({ judge: 'failed', spare: 'succeeded' });
    expect(report).toMatchObject({ decision: 'escalate', escalatedBy: 'findings' });
    expect(activitiesOf(await harness.history(report.evaluationId))).toEqual([]);
  });

  it('covers a paid critic, and the money of every attempt is in the report, by the prices of the plan', async () => {
    const fine = await harness.client.evaluate({ plan: 'priced', content: 'text' });
    expect(fine.decision).toBe('allow');
    // 2,000 and 1,000 tokens in at 2 USD a million, 100 out at 10.
    expect(criticOf(fine, 'judge').cost).toMatchObject({ inputTokens: 3_000, outputTokens: 100, usd: 0.007 });
    expect(criticOf(fine, 'unpriced').cost.usd).toBeUndefined();
    expect(fine.metrics.cost.usd).toBe(0.007);
    const broken = await harness.client.evaluate({ plan: 'priced', content: 'break' });
    expect(criticOf(broken, 'judge')).toMatchObject({ outcome: 'failed', coveredBy: 'words', cost: { inputTokens: 1_000, usd: 0.002 } });
  });
});
