/** A batch of local critics, called as a plain function: how far it goes, what it hands back, and how large. */
import { describe, expect, it } from 'vitest';
import { runLocalStages, type BatchHost } from '../../src/activities/run-local-critics.js';
import type { LocalBatchResult, WalkState } from '../../src/contract.js';
import type { AnyCritic, CriticInput } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { Plan, PlanCritic } from '../../src/domain/plan.js';
import { jsonBytes } from '../../src/domain/bytes.js';
import { critic, facts, plan } from '../support/plans.js';

const local = (name: string, overrides: Partial<PlanCritic> = {}): PlanCritic =>
  critic(name, { uses: 'own', dispatch: 'local', attemptTimeoutMs: 1_000, maxRetries: 0, ...overrides });

const start: WalkState = { records: [], usedMs: 0, stageUsedMs: 0 };
const clean = { severity: 0, violations: [] };

async function run(
  of: Plan,
  evaluate: AnyCritic['evaluate'] = () => clean,
  {
    signal = new AbortController().signal,
    state = start,
    context = {},
  }: { signal?: AbortSignal; state?: WalkState; context?: Record<string, string> } = {},
): Promise<LocalBatchResult> {
  const registry = makeRegistry([{ critic: { name: 'own', version: '1.0.0', evaluate }, from: 'this test' }]);
  const host: BatchHost = {
    registry,
    secrets: (name) => (name === 'KEY' ? 'value of the key' : undefined),
    fetch: globalThis.fetch,
    signal,
    workflowId: 'default/k',
    runId: 'run',
    log: () => undefined,
  };
  return await runLocalStages(host, { plan: of, content: 'text', facts: { ...facts, context }, state });
}

const outcomes = ({ records }: LocalBatchResult): Record<string, string> =>
  Object.fromEntries(records.map(({ name, outcome }) => [name, outcome]));

describe('a batch of local critics', () => {
  it('goes on over stages whose remote critics are all gated', async () => {
    const batch = await run(
      plan([local('a', { stage: 'fast_critics' }), critic('dear', { policy: 'on_violation' }), local('z', { stage: 'validation' })]),
    );
    expect(outcomes(batch)).toEqual({ a: 'succeeded', dear: 'gated', z: 'succeeded' });
    expect(batch.stages.map(({ stage, ended }) => [stage, ended])).toEqual([
      ['fast_critics', true],
      ['core_analysis', true],
      ['validation', true],
    ]);
  });

  it('stops at the first stage in which a remote critic has to run, and leaves its gates to the workflow', async () => {
    const batch = await run(
      plan([local('a'), critic('gated', { policy: 'on_high_risk' }), critic('runs'), local('z', { stage: 'validation' })]),
    );
    expect(outcomes(batch)).toEqual({ a: 'succeeded' });
    expect(batch.stages).toMatchObject([{ stage: 'core_analysis', ended: false }]);
  });

  it('hands its critics the secrets of the worker by name', async () => {
    const asked: unknown[] = [];
    const batch = await run(plan([local('a')]), (_, { secret }) => {
      asked.push(secret('KEY'), secret('OTHER'));
      return clean;
    });
    expect(outcomes(batch)).toEqual({ a: 'succeeded' });
    expect(asked).toEqual(['value of the key', undefined]);
  });

  it('begins where the workflow is', async () => {
    const of = plan([local('a', { stage: 'fast_critics' }), local('b'), local('z', { stage: 'validation' })]);
    const earlier = await run(plan([local('a', { stage: 'fast_critics' })]));
    const batch = await run(of, undefined, { state: { ...start, records: earlier.records, stage: 'core_analysis' } });
    expect(outcomes(batch)).toEqual({ b: 'succeeded', z: 'succeeded' });
  });

  it('runs critics of a stage side by side and dependents after their dependencies, with their findings only', async () => {
    const seen: Record<string, string[]> = {};
    let index = 0;
    const order = ['first', 'second', 'third'];
    const evaluate = ({ findings }: CriticInput): typeof clean => {
      seen[order[index++] ?? ''] = Object.keys(findings);
      return clean;
    };
    await run(plan([local('a', { priority: 1 }), local('b', { priority: 2 }), local('c', { priority: 3, dependsOn: ['b'] })]), evaluate);
    expect(seen).toEqual({ first: [], second: [], third: ['b'] });
  });

  it('ends at once when a decisive rule holds, and what ran is cancelled', async () => {
    const rules = [{ effect: 'deny', when: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true }] as const;
    const critics = [local('bad', { priority: 1 }), local('hangs', { priority: 2 }), local('later', { stage: 'validation' })];
    let calls = 0;
    const evaluate = (): typeof clean | Promise<typeof clean> =>
      calls++ === 0 ? { severity: 0.95, violations: [] } : new Promise(() => undefined);
    const batch = await run(plan(critics, { verdict: { rules, otherwise: 'allow' } }), evaluate);
    expect(outcomes(batch)).toEqual({ bad: 'succeeded', hangs: 'cancelled' });
    expect(batch.records.find(({ name }) => name === 'hangs')).toMatchObject({ code: 'DECISIVE' });
  });

  it('never calls a critic cut by a stopping worker cancelled, which would be neutral: it failed', async () => {
    const stop = new AbortController();
    const running = run(plan([local('hangs')]), () => new Promise(() => undefined), { signal: stop.signal });
    stop.abort();
    expect(outcomes(await running)).toEqual({ hangs: 'failed' });
  });

  it('cuts a hanging critic at its attempt time-out, at its stage and at the end of the evaluation', async () => {
    const hang = (): Promise<never> => new Promise(() => undefined);
    const own = await run(plan([local('a', { attemptTimeoutMs: 20 })]), hang);
    const stage = await run(plan([local('a')], { timeouts: { globalMs: 60_000, stagesMs: { core_analysis: 20 } } }), hang);
    const whole = await run(plan([local('a')], { timeouts: { globalMs: 20, stagesMs: {} } }), hang);
    expect([own, stage, whole].map(outcomes)).toEqual([{ a: 'timed_out' }, { a: 'timed_out' }, { a: 'timed_out' }]);
  });

  it('does not begin a critic whose time is used up', async () => {
    const batch = await run(plan([local('a')], { timeouts: { globalMs: 1_000, stagesMs: {} } }), undefined, {
      state: { ...start, usedMs: 1_000 },
    });
    expect(outcomes(batch)).toEqual({ a: 'not_reached' });
  });

  it('stays under 1 MB: details go first, then whole findings become invalid output', async () => {
    const many = (count: number): Plan => plan(Array.from({ length: count }, (_, index) => local(`c${index}`)));
    const details = await run(many(120), () => ({
      severity: 0.1,
      violations: [],
      details: 'd'.repeat(8_000),
      evidence: ['e'.repeat(4_000)],
    }));
    expect(jsonBytes(details.records)).toBeLessThan(1_048_576 + 1_000);
    expect(details.dropped).toBeGreaterThan(0);
    expect(new Set(details.records.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']));
    const context = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'é'.repeat(200)]));
    const condition = Object.keys(context)
      .map((name) => `has(context.${name}) && context.${name} == 'x'`)
      .join(' || ');
    const gates = await run(plan(many(400).critics.map((one) => ({ ...one, policy: 'conditional', condition }))), undefined, { context });
    expect(jsonBytes(gates.records)).toBeLessThan(1_048_576);
    expect(gates.records).toHaveLength(400);
    expect(new Set(gates.records.map(({ outcome }) => outcome))).toEqual(new Set(['gated']));
    const violations = Array.from({ length: 30 }, () => ({ code: 'x', message: 'm'.repeat(480) }));
    const large = await run(many(120), () => ({ severity: 0.1, violations }));
    // What is left of a critic without its finding still has to be told.
    expect(jsonBytes(large.records)).toBeLessThan(1_048_576 + 120 * 300);
    const ends = large.records.map(({ outcome }) => outcome);
    expect(ends).toHaveLength(120);
    expect(ends.filter((outcome) => outcome === 'invalid_output').length).toBeGreaterThan(0);
  });
});
