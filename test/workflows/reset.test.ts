/** An operator's reset on the real server: what runs again, what is kept, and who gets the answer. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EvaluationHandle } from '../../src/client-handle.js';
import { CriticError, defineCritic } from '../../src/critics/critic.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { callsIn, makeHarness, outcomesOf, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';

const GLOBAL_MS = 5_000;

interface MendableOptions {
  readonly calls: string;
  readonly go: string;
  readonly mended: string;
}

/** Waits for its sign, then fails until its cause is gone. */
const mendable = defineCritic<MendableOptions>({
  name: 'mendable',
  version: '1.0.0',
  options: z.strictObject({ calls: z.string(), go: z.string(), mended: z.string() }),
  async evaluate(_input, { options }) {
    appendFileSync(options.calls, '{"event":"start"}\n');
    await until(() => existsSync(options.go));
    if (!existsSync(options.mended)) throw new CriticError('permanent', 'PROVIDER_DOWN', 'the provider is down');
    return { severity: 0, violations: [] };
  },
});

const planOf = (dir: string, plan: string) => {
  const scripted = (name: string, extra: object = {}) => ({
    uses: 'scripted',
    ...extra,
    with: { record: join(dir, `${plan}-${name}.jsonl`) },
  });
  return {
    plan,
    version: 1,
    defaults: { maxRetries: 0 },
    timeouts: { global: `${GLOBAL_MS}ms` },
    critics: {
      early: scripted('early', { stage: 'fast_critics' }),
      sibling: scripted('sibling', { stage: 'core_analysis' }),
      broken: {
        uses: 'mendable',
        stage: 'core_analysis',
        with: { calls: join(dir, `${plan}-broken.jsonl`), go: join(dir, `${plan}-go`), mended: join(dir, `${plan}-mended`) },
      },
      later: scripted('later', { stage: 'deep_analysis' }),
    },
    verdict: { otherwise: 'allow' },
  };
};

describe('a reset', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: (dir) => ['keep', 'boundary', 'under_way'].map((plan) => planOf(dir, plan)),
      critics: [mendable],
    });
  });
  afterAll(() => harness.close());

  /** Runs until the plan's broken critic is the only one of its stage that has not ended. */
  async function startBroken(plan: string): Promise<EvaluationHandle> {
    const handle = await harness.client.start({ plan, content: 'text' });
    await until(async () => (await handle.progress()).ended.some((critic) => critic.name === 'sibling'));
    return handle;
  }

  async function reset(handle: EvaluationHandle, eventId: number): Promise<void> {
    const { runId } = await handle.status();
    const event = (await harness.history(handle.evaluationId, runId)).find((one) => Number(one.eventId) === eventId);
    if (!event?.eventId) throw new Error(`the history has no event ${eventId}`);
    await harness.connection.workflowService.resetWorkflowExecution({
      namespace: inject('server').namespace,
      workflowExecution: { workflowId: handle.evaluationId, runId },
      workflowTaskFinishEventId: event.eventId,
      requestId: randomUUID(),
      reason: 'cause removed',
    });
  }

  const starts = async (plan: string): Promise<Record<string, number>> =>
    Object.fromEntries(
      await Promise.all(
        ['early', 'sibling', 'broken', 'later'].map(
          async (name) =>
            [name, (await callsIn(join(harness.dir, `${plan}-${name}.jsonl`))).filter((call) => call.event === 'start').length] as const,
        ),
      ),
    );

  async function failThenReset(
    plan: string,
    to: (reset: NonNullable<EvaluationReport['reset']>) => number,
  ): Promise<{ first: EvaluationReport; second: EvaluationReport }> {
    const handle = await startBroken(plan);
    writeFileSync(join(harness.dir, `${plan}-go`), '');
    const first = await handle.result();
    if (first.reset === undefined) throw new Error('the report names no event to reset to');
    // All limits of the run have to be over, and that is a matter of time alone: five seconds and the slack of the server's timers.
    await until(async () => Date.now() - Number((await handle.status()).endedAt) > GLOBAL_MS + 1_500);
    writeFileSync(join(harness.dir, `${plan}-mended`), '');
    await reset(handle, to(first.reset));
    return { first, second: await handle.result() };
  }

  it.concurrent('after all deadlines have passed still judges, and only what failed runs again', async () => {
    const { first, second } = await failThenReset('keep', (at) => at.keepSiblings);
    expect(first.decision).toBe('not_judged');
    expect(outcomesOf(first)).toEqual({ early: 'succeeded', sibling: 'succeeded', broken: 'failed', later: 'succeeded' });
    expect(second.decision).toBe('allow');
    expect(second.coverage).toEqual({ planned: 4, succeeded: 4 });
    expect(await starts('keep')).toEqual({ early: 1, sibling: 1, broken: 2, later: 2 });
    // Waiting for a person is not the machine's time.
    expect(second.metrics.totalMs).toBeLessThan(GLOBAL_MS);
  });

  it.concurrent('to the boundary of the stage runs the whole stage again, after all deadlines as well', async () => {
    const { second } = await failThenReset('boundary', (at) => at.stageBoundary);
    expect(second.decision).toBe('allow');
    expect(await starts('boundary')).toEqual({ early: 1, sibling: 2, broken: 2, later: 2 });
  });

  it.concurrent('of a run that is under way gives those who wait for it the answer of the new run', async () => {
    const handle = await startBroken('under_way');
    const { runId } = await handle.status();
    const waiting = handle.result();
    const completed = (await harness.history(handle.evaluationId)).filter((event) => event.workflowTaskCompletedEventAttributes);
    await reset(handle, Number(completed[0]?.eventId));
    for (const sign of ['mended', 'go']) writeFileSync(join(harness.dir, `under_way-${sign}`), '');
    expect((await waiting).decision).toBe('allow');
    expect((await handle.status()).runId).not.toBe(runId);
  });
});
