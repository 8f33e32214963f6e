/** Fallbacks inside a batch of local critics: the same gates as in the workflow, and how far a batch goes with them. */
import { describe, expect, it } from 'vitest';
import { runLocalStages } from '../../src/activities/run-local-critics.js';
import type { LocalBatchResult } from '../../src/contract.js';
import { CriticError, type CriticInput } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { Plan, PlanCritic } from '../../src/domain/plan.js';
import { decideVerdict } from '../../src/domain/verdict.js';
import { critic, facts, plan } from '../support/plans.js';

const local = (name: string, overrides: Partial<PlanCritic> = {}): PlanCritic =>
  critic(name, { uses: 'fine', dispatch: 'local', attemptTimeoutMs: 1_000, maxRetries: 0, ...overrides });
const broken = (name: string, overrides: Partial<PlanCritic> = {}): PlanCritic => local(name, { uses: 'broken', ...overrides });

async function run(of: Plan): Promise<LocalBatchResult & { readonly handed: readonly CriticInput['findings'][] }> {
  const handed: CriticInput['findings'][] = [];
  const registry = makeRegistry([
    {
      from: 'this test',
      critic: {
        name: 'fine',
        version: '1.0.0',
        evaluate: ({ findings }: CriticInput) => {
          handed.push(findings);
          return { severity: 0.3, violations: [] };
        },
      },
    },
    {
      from: 'this test',
      critic: {
        name: 'broken',
        version: '1.0.0',
        evaluate: () => {
          throw new CriticError('permanent', 'BROKEN', 'is broken');
        },
      },
    },
  ]);
  const host = {
    registry,
    secrets: () => undefined,
    fetch: globalThis.fetch,
    signal: new AbortController().signal,
    workflowId: 'default/k',
    runId: 'run',
    log: () => undefined,
  };
  const batch = await runLocalStages(host, { plan: of, content: 'text', facts, state: { records: [], usedMs: 0, stageUsedMs: 0 } });
  return { ...batch, handed };
}

const outcomes = ({ records }: LocalBatchResult): Record<string, string> =>
  Object.fromEntries(records.map(({ name, outcome }) => [name, outcome]));

describe('a local fallback', () => {
  // The names would start in the wrong order, if nobody waited.
  const spare = local('b_spare', { fallbackFor: 'judge', priority: 1 });
  const after = local('a_after', { dependsOn: ['judge'], priority: 1 });

  it('runs when its critic broke, and the dependents of that one are given its finding', async () => {
    const of = plan([broken('judge'), spare, after]);
    const batch = await run(of);
    expect(outcomes(batch)).toEqual({ judge: 'failed', b_spare: 'succeeded', a_after: 'succeeded' });
    expect(batch.handed).toEqual([{}, { judge: { severity: 0.3, violations: [] } }]);
    expect(decideVerdict(of, new Map(batch.records.map((record) => [record.name, record])), facts).decision).toBe('allow');
  });

  it('is gated when its critic succeeded, and the batch goes on', async () => {
    const batch = await run(plan([local('judge'), spare, after, local('last', { stage: 'validation' })]));
    expect(outcomes(batch)).toEqual({ judge: 'succeeded', b_spare: 'gated', a_after: 'succeeded', last: 'succeeded' });
    expect(batch.records.find(({ name }) => name === 'b_spare')?.gate).toMatchObject({ open: false, by: 'fallback' });
  });

  it('that broke, too, leaves the dependents skipped', async () => {
    expect(outcomes(await run(plan([broken('judge'), { ...spare, uses: 'broken' }, after])))).toEqual({
      judge: 'failed',
      b_spare: 'failed',
      a_after: 'skipped',
    });
  });
});

describe('a remote fallback for a local critic', () => {
  const remote = critic('spare', { fallbackFor: 'judge' });

  it('is closed by the batch when it is not needed, so that the batch goes on without the workflow', async () => {
    const batch = await run(plan([local('judge'), remote, local('last', { stage: 'validation' })]));
    expect(outcomes(batch)).toEqual({ judge: 'succeeded', spare: 'gated', last: 'succeeded' });
    expect(batch.stages.every(({ ended }) => ended)).toBe(true);
  });

  it('stops the batch when it has to run, and what stands in a later stage waits', async () => {
    const batch = await run(plan([broken('judge'), remote, local('last', { stage: 'validation' })]));
    expect(outcomes(batch)).toEqual({ judge: 'failed' });
    expect(batch.stages).toMatchObject([{ stage: 'core_analysis', ended: false }]);
  });

  it('is not closed before what it depends on has ended', async () => {
    const behind = critic('spare', { fallbackFor: 'judge', dependsOn: ['other'] });
    const batch = await run(plan([broken('judge'), critic('other', { policy: 'on_high_risk' }), behind]));
    expect(outcomes(batch)).toEqual({ judge: 'failed', other: 'gated', spare: 'gated' });
    expect(batch.records.at(-1)?.gate.by).toBe('dependency');
  });
});
