/** The four levels of time-out on the real server, and what became of critics that never started. */
import { noReviews } from '../support/no-reviews.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeActivities } from '../../src/activities/index.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { freshPollers } from '../../src/pollers.js';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';
import { strangeEvents, until } from '../support/history.js';

const hanging = (extra: object = {}) => ({
  uses: 'scripted',
  stage: 'core_analysis',
  attemptTimeout: '30s',
  maxRetries: 0,
  with: { hang: true },
  ...extra,
});
const quick = (extra: object = {}) => ({ uses: 'scripted', stage: 'core_analysis', ...extra });
/** A lane of its own is pulled from at once; only then does the critic wait for the plan's limit. */
const own = (plan: string) => (plan === 'pulled' ? { maxConcurrent: 1 } : {});
const verdict = { otherwise: 'allow' };

const PLANS = (dir: string) => [
  {
    plan: 'attempt',
    version: 1,
    timeouts: { global: '60s' },
    critics: { hung: hanging({ attemptTimeout: '300ms' }), beside: quick(), later: quick({ stage: 'validation' }) },
    verdict,
  },
  {
    plan: 'critic',
    version: 1,
    timeouts: { global: '60s' },
    critics: {
      hung: hanging({ attemptTimeout: '2s', timeout: '2s', maxRetries: 5 }),
      beside: quick(),
      later: quick({ stage: 'validation' }),
    },
    verdict,
  },
  {
    plan: 'stage',
    version: 1,
    timeouts: { global: '60s', stages: { core_analysis: '2s' } },
    critics: {
      hung: hanging({ attemptTimeout: '2s' }),
      behind: quick({ dependsOn: ['hung'] }),
      beside: quick(),
      later: quick({ stage: 'validation' }),
    },
    verdict,
  },
  {
    plan: 'whole',
    version: 1,
    timeouts: { global: '2s' },
    critics: {
      hung: hanging({ attemptTimeout: '2s' }),
      beside: quick(),
      later: quick({ stage: 'validation' }),
      later_at_home: quick({ stage: 'validation', dispatch: 'local' }),
    },
    verdict,
  },
  // The first evaluation holds the place, the second one waits for it: in its queue, or pulled and waiting for the plan's limit.
  ...(['narrow', 'pulled'] as const).map((plan) => ({
    plan,
    version: 1,
    timeouts: { global: '60s' },
    limits: plan === 'narrow' ? { maxConcurrentPerStage: { core_analysis: 1 } } : { maxConcurrentCritics: 1 },
    critics: {
      holder: quick({
        ...own(plan),
        executionPolicy: 'on_high_risk',
        attemptTimeout: '50s',
        with: { waitFor: join(dir, plan), record: join(dir, `${plan}.jsonl`) },
      }),
      queued: quick({
        ...own(plan),
        executionPolicy: 'conditional',
        condition: "request.riskTier == 'low'",
        timeout: '500ms',
        with: { record: join(dir, 'queued.jsonl') },
      }),
    },
    verdict,
  })),
];

describe('time-outs', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS });
  });
  afterAll(() => harness.close());

  const evaluate = (plan: string) => harness.client.evaluate({ plan, content: 'text' });

  it.concurrent('of an attempt cut a critic that hangs and nothing else', async () => {
    const report = await evaluate('attempt');
    expect(outcomesOf(report)).toEqual({ hung: 'timed_out', beside: 'succeeded', later: 'succeeded' });
    expect(criticOf(report, 'hung')).toMatchObject({ code: 'ATTEMPT_TIMEOUT', attempts: 1, message: 'did not answer within 300 ms' });
    expect(report.decision).toBe('not_judged');
  });

  it.concurrent('of a critic cut all its attempts, and the stages after it still run', async () => {
    const report = await evaluate('critic');
    expect(outcomesOf(report)).toEqual({ hung: 'timed_out', beside: 'succeeded', later: 'succeeded' });
    expect(criticOf(report, 'hung')).toMatchObject({ code: 'CRITIC_TIMEOUT', cut: 'deadline', attempts: 1 });
    expect(criticOf(report, 'hung').message).toContain('the time of the critic');
  });

  it.concurrent('of a stage cut what runs in it, and the stages after it still run', async () => {
    const report = await evaluate('stage');
    expect(outcomesOf(report)).toEqual({ hung: 'timed_out', behind: 'skipped', beside: 'succeeded', later: 'succeeded' });
    expect(criticOf(report, 'hung')).toMatchObject({ code: 'CRITIC_TIMEOUT', cut: 'deadline' });
    expect(criticOf(report, 'hung').message).toContain('the time of core_analysis');
  });

  it.concurrent('of the evaluation cut everything, and what had no turn is not reached', async () => {
    const report = await evaluate('whole');
    expect(outcomesOf(report)).toEqual({ hung: 'timed_out', beside: 'succeeded', later: 'not_reached', later_at_home: 'not_reached' });
    expect(criticOf(report, 'hung')).toMatchObject({ code: 'CRITIC_TIMEOUT', cut: 'deadline' });
    expect(criticOf(report, 'hung').message).toContain('the time of the evaluation');
    expect(criticOf(report, 'later')).toMatchObject({ code: 'DEADLINE', attempts: 0, gate: { by: 'deadline' } });
    expect(report).toMatchObject({ decision: 'not_judged', coverage: { planned: 4, succeeded: 1, timed_out: 1, not_reached: 2 } });
    expect(strangeEvents(await harness.history(report.evaluationId))).toEqual([]);
  });

  it.concurrent.each(['narrow', 'pulled'])('that come while a critic waits for a free place make it not reached (%s)', async (plan) => {
    const holder = await harness.client.start({ plan, content: 'text', riskTier: 'high' });
    await until(async () => (await callsIn(join(harness.dir, `${plan}.jsonl`))).length > 0);
    const report = await harness.client.evaluate({ plan, content: 'text', riskTier: 'low' });
    await writeFile(join(harness.dir, plan), '');
    expect(outcomesOf(await holder.result())).toEqual({ holder: 'succeeded', queued: 'gated' });
    expect(outcomesOf(report)).toEqual({ holder: 'gated', queued: 'not_reached' });
    expect(criticOf(report, 'queued')).toMatchObject({ code: 'DEADLINE', attempts: 0 });
    expect(await callsIn(join(harness.dir, 'queued.jsonl'))).toEqual([]);
  });

  it('that come while no worker polls the lane make a critic unavailable, and the lane is named', async () => {
    const { address, namespace } = inject('server');
    const connection = await NativeConnection.connect({ address });
    const alone = await makeHarness({
      plans: [
        {
          plan: 'lonely',
          version: 1,
          timeouts: { global: '60s' },
          critics: { orphan: quick({ timeout: '300ms' }), at_home: quick({ dispatch: 'local' }) },
          verdict,
        },
      ],
      worker: false,
    });
    const registry = makeRegistry();
    // A process that walks plans and has no critics.
    const walker = await Worker.create({
      connection,
      namespace,
      taskQueue: alone.deployment,
      workflowBundle: { codePath: inject('bundlePath') },
      activities: {
        ...makeActivities({
          deployment: alone.deployment,
          plans: alone.plans,
          registry,
          secrets: () => undefined,
          priorityLevels: 10,
          reviews: noReviews,
          countPollers: async (queue) => (await freshPollers(connection, namespace, queue, 'activity')).length,
        }),
      },
      enableNonLocalActivities: false,
    });
    const report = await walker.runUntil(async () => {
      await until(async () => (await freshPollers(connection, namespace, alone.deployment, 'workflow')).length > 0);
      return await alone.client.evaluate({ plan: 'lonely', content: 'text' });
    });
    expect(outcomesOf(report)).toEqual({ orphan: 'unavailable', at_home: 'succeeded' });
    expect(criticOf(report, 'orphan')).toMatchObject({
      code: 'NO_WORKER',
      attempts: 0,
      message: `no worker polls its lane ${alone.deployment}/p/lonely`,
    });
    expect(report.decision).toBe('not_judged');
    await alone.close();
    await connection.close();
  });
});
