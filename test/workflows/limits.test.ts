/** At most so many at once, on the real server: by plan, by stage, by critic, and all three together. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationHandle } from '../../src/client-handle.js';
import { freshPollers } from '../../src/pollers.js';
import { callsIn, makeHarness, mostAtOnce, type Call, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { pendingOf, release } from '../support/server-state.js';

const PEAK = 3;
const RUNS = 12;

interface Limits {
  readonly plan: string;
  readonly limits?: object;
  readonly critic?: object;
}

/** Two stages of critics that stay until as many as the limit allows have been there at once. */
function crowded(dir: string, { plan, limits, critic }: Limits): object {
  const wait = { barrier: { dir: join(dir, plan), count: PEAK }, sleep: '30ms', record: join(dir, `${plan}.jsonl`) };
  return {
    plan,
    version: 1,
    timeouts: { global: '110s' },
    ...(limits !== undefined ? { limits } : {}),
    defaults: { maxRetries: 0, attemptTimeout: '60s' },
    critics: {
      one: { uses: 'scripted', stage: 'core_analysis', ...critic, with: wait },
      ...(critic === undefined ? { two: { uses: 'scripted', stage: 'core_analysis', with: wait } } : {}),
      // A limit of the plan holds over the stages together, one of a stage says nothing about the others.
      ...(plan === 'by_plan' ? { deep: { uses: 'scripted', stage: 'deep_analysis', with: wait } } : {}),
    },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

/** Three kinds of request, each runs one critic; all of them wait for the same file. */
function allThree(dir: string): object {
  const only = (kind: string): object => ({
    uses: 'scripted',
    executionPolicy: 'conditional',
    condition: `has(context.kind) && context.kind == '${kind}'`,
    with: { name: kind, waitFor: join(dir, 'all-go'), sleep: '30ms', record: join(dir, 'all.jsonl') },
  });
  return {
    plan: 'all_three',
    version: 1,
    timeouts: { global: '110s' },
    limits: { maxConcurrentCritics: 8, maxConcurrentPerStage: { core_analysis: 5 } },
    defaults: { maxRetries: 0, attemptTimeout: '60s' },
    critics: {
      narrow: { ...only('narrow'), stage: 'core_analysis', maxConcurrent: 4 },
      wider: { ...only('wider'), stage: 'core_analysis' },
      widest: { ...only('widest'), stage: 'deep_analysis' },
    },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

/** Of two deep critics one may run; a fast one needs the only other place of the plan. */
function deepAndFast(dir: string): object {
  const only = (kind: string): object => ({
    uses: 'scripted',
    executionPolicy: 'conditional',
    condition: `has(context.kind) && context.kind == '${kind}'`,
  });
  const wait = { waitFor: join(dir, 'deep-go'), record: join(dir, 'deep.jsonl') };
  return {
    plan: 'deep_and_fast',
    version: 1,
    timeouts: { global: '110s' },
    limits: { maxConcurrentCritics: 2, maxConcurrentPerStage: { deep_analysis: 1 } },
    defaults: { maxRetries: 0, attemptTimeout: '60s' },
    critics: {
      // Each has a lane of its own, so that the second is taken by the worker while the first holds the stage's only place.
      deep_a: { ...only('deep'), stage: 'deep_analysis', maxConcurrent: 1, with: wait },
      deep_b: { ...only('deep'), stage: 'deep_analysis', maxConcurrent: 1, with: wait },
      fast: { ...only('fast'), stage: 'fast_critics' },
    },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

/** Five critics at once, or as many as the plan allows. */
function alone(dir: string, plan: string, limits: object, atOnce: number): object {
  const critic = { uses: 'scripted', stage: 'core_analysis', with: { barrier: { dir: join(dir, plan), count: atOnce }, sleep: '30ms' } };
  return {
    plan,
    version: 1,
    timeouts: { global: '110s' },
    limits,
    defaults: { maxRetries: 0, attemptTimeout: '60s' },
    critics: { a: critic, b: critic, c: critic, d: critic, e: critic },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

describe('limits', () => {
  let harness: Harness;
  beforeAll(async () => {
    const plans = (dir: string): object[] => [
      crowded(dir, { plan: 'by_plan', limits: { maxConcurrentCritics: PEAK } }),
      crowded(dir, { plan: 'by_stage', limits: { maxConcurrentPerStage: { core_analysis: PEAK } } }),
      crowded(dir, { plan: 'by_critic', critic: { maxConcurrent: PEAK } }),
      allThree(dir),
      deepAndFast(dir),
      alone(dir, 'limited', { maxConcurrentCritics: 2 }, 2),
      alone(dir, 'unlimited', {}, 5),
    ];
    harness = await makeHarness({ plans });
  });
  afterAll(() => harness.close());

  const start = async (plan: string, count: number, kind?: string): Promise<EvaluationHandle[]> =>
    await Promise.all(
      Array.from({ length: count }, () =>
        harness.client.start({ plan, content: 'text', ...(kind !== undefined ? { context: { kind } } : {}) }),
      ),
    );
  const idsOf = (handles: readonly EvaluationHandle[]): string[] => handles.map((handle) => handle.evaluationId);
  const calls = async (name: string): Promise<Call[]> => await callsIn(join(harness.dir, `${name}.jsonl`));

  it.concurrent.each([
    ['the plan', 'by_plan', 3 * RUNS],
    ['a stage', 'by_stage', 2 * RUNS],
    ['a critic', 'by_critic', RUNS],
  ])('of %s are reached and never passed by evaluations that come at once', async (_what, plan, expected) => {
    const reports = await Promise.all((await start(plan, RUNS)).map((handle) => handle.result()));
    expect(new Set(reports.map((report) => report.decision))).toEqual(new Set(['allow']));
    const recorded = await calls(plan);
    expect(recorded.filter((call) => call.event === 'start')).toHaveLength(expected);
    expect(mostAtOnce(recorded)).toBe(PEAK);
  });

  it.concurrent('of plan, stage and critic hold together: 4 of the critic, 5 of its stage, 8 of all', async () => {
    const started = async (): Promise<number> => (await calls('all')).filter((call) => call.event === 'start').length;
    const narrow = await start('all_three', 8, 'narrow');
    await until(async () => (await started()) >= 4);
    const wider = await start('all_three', 8, 'wider');
    await until(async () => (await started()) >= 5);
    const widest = await start('all_three', 8, 'widest');
    await until(async () => (await started()) >= 8);
    // The lanes are full: 4, 5 and 8 were taken, and most of them wait in the worker for a place.
    const all = [...narrow, ...wider, ...widest];
    await until(async () => (await pendingOf(harness, idsOf(all))).taken === 4 + 5 + 8);
    expect(await started()).toBe(8);
    await release(join(harness.dir, 'all-go'));
    const reports = await Promise.all(all.map((handle) => handle.result()));
    expect(new Set(reports.map((report) => report.decision))).toEqual(new Set(['allow']));
    const recorded = await calls('all');
    expect(recorded.filter((call) => call.event === 'start')).toHaveLength(24);
    const of = (...kinds: string[]): Call[] => recorded.filter((call) => kinds.includes(call.name ?? ''));
    expect(mostAtOnce(of('narrow'))).toBe(4);
    expect(mostAtOnce(of('narrow', 'wider'))).toBe(5);
    expect(mostAtOnce(recorded)).toBe(8);
  });

  it.concurrent('let a fast critic pass a deep one that waits for its stage', async () => {
    const deep = await start('deep_and_fast', 1, 'deep');
    await until(async () => (await pendingOf(harness, idsOf(deep))).taken === 2);
    await until(async () => (await calls('deep')).length === 1);
    const fast = await start('deep_and_fast', 3, 'fast');
    for (const report of await Promise.all(fast.map((handle) => handle.result())))
      expect(report.coverage).toEqual({ planned: 3, succeeded: 1, gated: 2 });
    expect(await calls('deep'), 'no deep critic has ended meanwhile, and no second one has begun').toHaveLength(1);
    await release(join(harness.dir, 'deep-go'));
    const [report] = await Promise.all(deep.map((handle) => handle.result()));
    expect(report?.coverage).toEqual({ planned: 3, succeeded: 2, gated: 1 });
    expect(mostAtOnce(await calls('deep'))).toBe(1);
  });

  it.concurrent('stand in the report beside the most at once, with the scope in which they hold', async () => {
    const [limited, unlimited] = await Promise.all(
      ['limited', 'unlimited'].map((plan) => harness.client.evaluate({ plan, content: 'text' })),
    );
    expect(limited?.metrics).toMatchObject({ scope: 'deployment', mostAtOnce: { critics: 2, limit: 2 } });
    expect(unlimited?.metrics).toMatchObject({ scope: 'deployment', mostAtOnce: { critics: 5 } });
    expect(unlimited?.metrics.mostAtOnce).not.toHaveProperty('limit');
  });
});

describe('a second worker of the same plan', () => {
  const COUNT = 2;

  it('stands by for its limited lanes: at most so many at once over both, and all are judged', async () => {
    const harness = await makeHarness({
      plans: (dir) =>
        [crowded(dir, { plan: 'shared', limits: { maxConcurrentCritics: COUNT }, critic: {} })].map((plan) => ({
          ...plan,
          critics: { one: { uses: 'scripted', stage: 'core_analysis', with: { sleep: '50ms', record: join(dir, 'shared.jsonl') } } },
        })),
    });
    try {
      await harness.addWorker();
      const reports = await Promise.all(Array.from({ length: RUNS }, () => harness.client.evaluate({ plan: 'shared', content: 'text' })));
      expect(reports.map((report) => report.decision)).toEqual(Array.from({ length: RUNS }, () => 'allow'));
      const calls = await callsIn(join(harness.dir, 'shared.jsonl'));
      expect(calls.filter((call) => call.event === 'start')).toHaveLength(RUNS);
      expect(mostAtOnce(calls)).toBeLessThanOrEqual(COUNT);
      const polling = await freshPollers(
        harness.connection,
        harness.client.namespace,
        `${harness.deployment}/p/shared/core_analysis`,
        'activity',
      );
      expect(polling, 'one process owns the lane').toHaveLength(1);
    } finally {
      await harness.close();
    }
  });

  it('with limits of the scope of a worker, runs as many once more, and the report says so', async () => {
    const plan = {
      plan: 'each_alone',
      version: 1,
      limits: { maxConcurrentCritics: 1, scope: 'worker' },
      timeouts: { global: '60s' },
      critics: { one: { uses: 'scripted', stage: 'core_analysis' } },
      verdict: { rules: [], otherwise: 'allow' },
    };
    const harness = await makeHarness({ plans: [plan] });
    try {
      await harness.addWorker();
      const queue = `${harness.deployment}/p/each_alone/core_analysis`;
      await until(async () => (await freshPollers(harness.connection, harness.client.namespace, queue, 'activity')).length === 2);
      expect((await harness.client.evaluate({ plan: 'each_alone', content: 'text' })).metrics.scope).toBe('worker');
    } finally {
      await harness.close();
    }
  });
});
