/** What an attempt cost, by the price that the plan pinned with its critic. */
import { describe, expect, it } from 'vitest';
import { runAttempt, type AttemptEnd } from '../../src/critics/attempt.js';
import { CriticError, type AnyCritic } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { useOf, type PlanCritic } from '../../src/domain/plan.js';
import { attemptHost } from '../support/attempt-host.js';
import { critic } from '../support/plans.js';

const price = { inputPerMillion: 2, outputPerMillion: 10 };
const tokens = { inputTokens: 1_000, outputTokens: 100 };

async function attempt(evaluate: AnyCritic['evaluate'], more: Partial<PlanCritic> = { price }): Promise<AttemptEnd> {
  const registry = makeRegistry([{ critic: { name: 'own', version: '1.0.0', evaluate }, from: 'this test' }]);
  const use = useOf(critic('c', { uses: 'own', ...more }));
  return await runAttempt(registry, use, { content: 'text', context: {}, findings: {} }, attemptHost(), 5_000);
}

describe('an attempt whose critic has a price', () => {
  it('has money for the tokens that a finding tells', async () => {
    expect(await attempt(() => ({ severity: 0, violations: [], cost: tokens }))).toMatchObject({
      ok: true,
      finding: { cost: { ...tokens, usd: 0.003 } },
    });
  });

  it('keeps the money that a critic tells itself', async () => {
    const end = await attempt(() => ({ severity: 0, violations: [], cost: { ...tokens, usd: 0.5 } }));
    expect(end).toMatchObject({ ok: true, finding: { cost: { ...tokens, usd: 0.5 } } });
  });

  it('has money for what a failure cost all the same, and for an answer that breaks an output rule', async () => {
    const failing = await attempt(() => {
      throw new CriticError('transient', 'CUT_OFF', 'was cut off', { cost: tokens });
    });
    expect(failing).toMatchObject({ ok: false, code: 'CUT_OFF', cost: { ...tokens, usd: 0.003 } });
    const broken = await attempt(() => ({ severity: 0, violations: [], cost: tokens }), { price, requiredOutputFields: ['score'] });
    expect(broken).toMatchObject({ ok: false, code: 'REQUIRED_FIELD', cost: { ...tokens, usd: 0.003 } });
  });

  it('makes up no cost where none was told', async () => {
    const end = await attempt(() => ({ severity: 0, violations: [] }));
    expect(end).toEqual({ ok: true, finding: { severity: 0, violations: [] } });
  });
});

it('An attempt without a price keeps its tokens and has no money', async () => {
  expect(await attempt(() => ({ severity: 0, violations: [], cost: tokens }), {})).toMatchObject({ ok: true, finding: { cost: tokens } });
});
