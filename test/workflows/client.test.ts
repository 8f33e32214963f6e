/** The client against a real server and worker: one start for one key, and an answer whatever happened to the run. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EvaluationHandle } from '../../src/client-handle.js';
import {
  AlreadyEnded,
  EvaluationCancelled,
  EvaluationNotFound,
  EvaluationTerminated,
  KeyConflict,
  NoWorker,
  RequestRefused,
  StillRunning,
} from '../../src/client-errors.js';
import { makeHarness, type Harness } from '../support/harness.js';

const quick = {
  plan: 'quick',
  version: 1,
  timeouts: { global: '30s' },
  critics: { only: { uses: 'scripted', stage: 'core_analysis', dispatch: 'local' } },
  verdict: { otherwise: 'allow' },
};
const broken = {
  ...quick,
  plan: 'broken',
  critics: { only: { uses: 'scripted', with: { throw: 'permanent' }, stage: 'core_analysis', dispatch: 'local' } },
};
const small = { ...quick, plan: 'small', limits: { maxContentBytes: 5 } };
/** Ends when the file `go` is written. */
const held = (dir: string) => ({
  ...quick,
  plan: 'held',
  critics: {
    first: { uses: 'scripted', stage: 'pre_validation', dispatch: 'local' },
    waits: { uses: 'scripted', with: { waitFor: join(dir, 'go') }, stage: 'core_analysis', attemptTimeout: '30s' },
  },
});

let harness: Harness;
const release = (): Promise<void> => writeFile(join(harness.dir, 'go'), '');

beforeAll(async () => {
  harness = await makeHarness({ plans: (dir) => [quick, broken, small, held(dir)] });
});
afterAll(async () => {
  await harness.close();
});

/** Returns once the critic that is held has begun. */
async function untilHeld(handle: EvaluationHandle): Promise<void> {
  while (!(await handle.progress()).running.some(({ name }) => name === 'waits'));
}

describe('a key', () => {
  it('that 150 callers start at once with two contents belongs to one of them, and the others are told', async () => {
    const starts = Array.from({ length: 150 }, (_, index) =>
      harness.client.start({ plan: 'quick', key: 'race', content: index % 2 === 0 ? 'even' : 'odd' }),
    );
    const settled = await Promise.allSettled(starts);
    const runs = new Set(settled.flatMap((start) => (start.status === 'fulfilled' ? [start.value.runId] : [])));
    expect(runs.size).toBe(1);
    const winners = settled.flatMap((start, index) => (start.status === 'fulfilled' ? [index % 2] : []));
    expect(new Set(winners).size).toBe(1);
    expect(winners).toHaveLength(75);
    for (const start of settled) if (start.status === 'rejected') expect(start.reason).toBeInstanceOf(KeyConflict);
  });

  it('of an evaluation that has ended gives its report again, and another content is refused', async () => {
    const first = await harness.client.evaluate({ plan: 'quick', key: 'again', content: 'x' });
    const handle = await harness.client.start({ plan: 'quick', key: 'again', content: 'x' });
    expect(await handle.result()).toEqual(first);
    await expect(harness.client.start({ plan: 'quick', key: 'again', content: 'x', riskTier: 'high' })).rejects.toBeInstanceOf(KeyConflict);
  });

  it('of one tenant says nothing about another', async () => {
    await harness.client.evaluate({ plan: 'quick', key: 'shared', tenant: 'a', content: 'x' });
    const report = await harness.client.evaluate({ plan: 'quick', key: 'shared', tenant: 'b', content: 'y' });
    expect(report.evaluationId).toBe('b/shared');
  });

  it('of a refused request can be started again, which runs it once more', async () => {
    const request = { plan: 'small', key: 'refused', content: 'too long' };
    const first = await harness.client.start(request);
    const refusal = await first.result().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RequestRefused);
    expect(refusal).toMatchObject({ reason: 'TOO_LARGE', message: expect.stringContaining('plan small takes 5') });
    const second = await harness.client.start(request);
    expect(second.runId).not.toBe(first.runId);
    await expect(second.result()).rejects.toBeInstanceOf(RequestRefused);
  });
});

describe('a start', () => {
  it('without a worker is refused and nothing is started; with one it works at once', async () => {
    const lonely = await makeHarness({ plans: [quick], worker: false });
    try {
      await expect(lonely.client.start({ plan: 'quick', key: 'nobody', content: 'x' })).rejects.toBeInstanceOf(NoWorker);
      await expect(lonely.client.handle('nobody').status()).rejects.toBeInstanceOf(EvaluationNotFound);
      await lonely.addWorker();
      expect(await lonely.client.evaluate({ plan: 'quick', key: 'nobody', content: 'x' })).toMatchObject({ decision: 'allow' });
    } finally {
      await lonely.close();
    }
  });

  it('without a key makes one that sorts by time', async () => {
    const handles = [
      await harness.client.start({ plan: 'quick', content: 'x' }),
      await harness.client.start({ plan: 'quick', content: 'x' }),
    ];
    for (const { evaluationId } of handles)
      expect(evaluationId).toMatch(/^default\/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(handles[0]?.evaluationId).not.toBe(handles[1]?.evaluationId);
  });

  it('of a malformed request is refused with all problems before the server is asked', async () => {
    const error = await harness.client.start({ plan: 'Quick', key: 'a b', content: 'x' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RequestRefused);
    expect(error).toMatchObject({ problems: [expect.stringContaining('plan'), expect.stringContaining('key')] });
  });
});

describe('a result', () => {
  it('of an evaluation that could not judge is its report, and the decision says so', async () => {
    const report = await harness.client.evaluate({ plan: 'broken', content: 'x' });
    expect(report).toMatchObject({ decision: 'not_judged', coverage: { planned: 1, failed: 1 } });
  });

  it('that is not there in time is StillRunning, and a waiter of a run that is reset gets the answer of the new one', async () => {
    const handle = await harness.client.start({ plan: 'held', key: 'reset', content: 'x' });
    await expect(handle.result({ timeoutMs: 50 })).rejects.toBeInstanceOf(StillRunning);
    await untilHeld(handle);
    const waiting = handle.result();
    const boundary = (await harness.history(handle.evaluationId)).find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
    await harness.connection.workflowService.resetWorkflowExecution({
      namespace: inject('server').namespace,
      workflowExecution: { workflowId: handle.evaluationId, ...(handle.runId !== undefined ? { runId: handle.runId } : {}) },
      reason: 'the test resets it',
      requestId: 'reset-once',
      ...(boundary != null ? { workflowTaskFinishEventId: boundary } : {}),
    });
    await release();
    expect(await waiting).toMatchObject({ decision: 'allow', evaluationId: 'default/reset' });
    expect((await handle.status()).runId).not.toBe(handle.runId);
  });

  it('of an unknown evaluation is EvaluationNotFound', async () => {
    await expect(harness.client.handle('acme/none').result()).rejects.toBeInstanceOf(EvaluationNotFound);
  });
});

describe('an evaluation that someone ends', () => {
  /** A plan of its own, since the file of the other test stays. */
  const endless = (dir: string) => ({
    ...held(dir),
    plan: 'endless',
    critics: { ...held(dir).critics, waits: { ...held(dir).critics.waits, with: { waitFor: join(dir, 'never') } } },
  });

  it('by cancelling leaves its partial report, by terminating none, and cannot be cancelled twice', async () => {
    const own = await makeHarness({ plans: (dir) => [endless(dir)] });
    try {
      const cancelled = await own.client.start({ plan: 'endless', key: 'cancelled', content: 'x' });
      await untilHeld(cancelled);
      await cancelled.cancel();
      const error = await cancelled.result().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EvaluationCancelled);
      expect(error).toMatchObject({
        report: { cancelled: true, decision: 'not_judged', coverage: { planned: 2, succeeded: 1, cancelled: 1 } },
      });
      await expect(cancelled.cancel()).rejects.toBeInstanceOf(AlreadyEnded);

      const terminated = await own.client.start({ plan: 'endless', key: 'terminated', content: 'x' });
      await own.connection.workflowService.terminateWorkflowExecution({
        namespace: inject('server').namespace,
        workflowExecution: { workflowId: terminated.evaluationId },
        reason: 'an operator was here',
      });
      await expect(terminated.result()).rejects.toMatchObject({
        name: 'EvaluationTerminated',
        message: expect.stringContaining('an operator was here'),
      });
      await expect(terminated.result()).rejects.toBeInstanceOf(EvaluationTerminated);
    } finally {
      await own.close();
    }
  });
});

describe('a list', () => {
  it('is filtered by decision, plan and tenant, and refuses values that could not be written into a query', async () => {
    await harness.client.evaluate({ plan: 'quick', tenant: 'listed', key: 'l1', content: 'x' });
    await harness.client.evaluate({ plan: 'broken', tenant: 'listed', key: 'l2', content: 'x' });
    await expect.poll(async () => (await harness.client.list({ tenant: 'listed' })).length, { timeout: 10_000 }).toBe(2);
    await expect
      .poll(
        async () =>
          (await harness.client.list({ tenant: 'listed', decision: 'not_judged' })).map(({ evaluationId, status }) => ({
            evaluationId,
            status,
          })),
        { timeout: 10_000 },
      )
      .toEqual([{ evaluationId: 'listed/l2', status: 'failed' }]);
    const [only] = await harness.client.list({ tenant: 'listed', plan: 'quick' });
    expect(only).toMatchObject({ evaluationId: 'listed/l1', plan: 'quick@1', decision: 'allow' });
    expect(await harness.client.list({ tenant: 'listed', plan: 'quick@2' })).toEqual([]);
    await expect(harness.client.list({ tenant: "x' OR TribunalTenant = 'y" })).rejects.toBeInstanceOf(RequestRefused);
    await expect(harness.client.list({ limit: 0 })).rejects.toBeInstanceOf(RequestRefused);
  });
});
