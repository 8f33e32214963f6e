/** Whom the client lets in, on the real server: what is refused leaves nothing there, and what was let in is judged. */
import { join } from 'node:path';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TribunalClient } from '../../src/client.js';
import { EvaluationNotFound, KeyConflict, OverloadedError, RequestRefused } from '../../src/client-errors.js';
import { runCli } from '../support/cli-io.js';
import { callsIn, makeHarness, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { backlogOf, pause, resume, untilOffered } from '../support/server-state.js';

const MOST = 5;

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

const planOf = (dir: string, plan: string, limits: object): object => ({
  plan,
  version: 1,
  timeouts: { global: '110s' },
  limits: { maxConcurrentCritics: 1, ...limits },
  critics: {
    slow: {
      uses: 'scripted',
      stage: 'core_analysis',
      attemptTimeout: '100s',
      maxRetries: 0,
      with: { record: join(dir, `${plan}.jsonl`) },
    },
  },
  verdict: { rules: [], otherwise: 'allow' },
});

describe('admission', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: (dir) => [...['flooded', 'told', 'quick'].map((plan) => planOf(dir, plan, { maxQueueSize: MOST })), planOf(dir, 'open', {})],
    });
    await untilOffered(harness, 'flooded');
  });
  afterAll(() => harness.close());

  /** Keys are the namespace's, which tests share. */
  const keyOf = (key: string): string => `${harness.deployment}-${key}`;
  const request = (plan: string, key: string, content = 'text') => ({ plan, key: keyOf(key), content });
  const laneOf = (plan: string): string => `${harness.deployment}/p/${plan}/core_analysis`;
  const isThere = async (key: string): Promise<boolean> =>
    harness.client
      .handle(keyOf(key))
      .status()
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof EvaluationNotFound) return false;
          throw error;
        },
      );
  const newClient = async (connection = harness.connection): Promise<TribunalClient> =>
    await TribunalClient.connect({
      connection,
      namespace: inject('server').namespace,
      deployment: harness.deployment,
    });
  const cli = (...args: string[]) =>
    runCli([...args, '--address', inject('server').address, '--namespace', inject('server').namespace, '--deployment', harness.deployment]);
  it.concurrent('refuses a plan that the deployment does not have, names those that it has, and nothing is started', async () => {
    const refusal = await harness.client.start(request('missing', 'unknown')).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RequestRefused);
    expect(refusal).toMatchObject({
      reason: 'UNKNOWN_PLAN',
      evaluationId: `default/${keyOf('unknown')}`,
      message: expect.stringContaining('has no plan missing; it has flooded, open, quick, told'),
    });
    expect(await isThere('unknown')).toBe(false);
  });

  it.concurrent('knows the plans of a worker that has just registered, though it knew the deployment before', async () => {
    const before = await makeHarness({ plans: (dir) => [planOf(dir, 'first', {})] });
    await untilOffered(before, 'first');
    await expect(before.client.start(request('second', 'k'))).rejects.toMatchObject({ reason: 'UNKNOWN_PLAN' });
    const after = await makeHarness({ plans: (dir) => [planOf(dir, 'second', {})], deployment: before.deployment });
    await untilOffered(after, 'second');
    await before.stopWorkers();
    const handle = await before.client.start(request('second', 'k'));
    expect(handle.wasStartedBefore).toBe(false);
    expect((await handle.result()).decision).toBe('allow');
    await after.close();
    await before.close();
  });

  it.concurrent('lets no more in than may wait, loses nothing of them, and finds what was started before all the same', async () => {
    const { client } = harness;
    await pause(harness, laneOf('flooded'));
    const started = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => client.start(request('flooded', `first-${index}`))));
    // The server's numbers said that nothing waits, so these are the client's own count.
    const accepted = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(accepted).toHaveLength(MOST);
    for (const one of started) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(OverloadedError);

    await until(async () => (await backlogOf(harness, laneOf('flooded'))) === MOST);

    // A client that has started nothing goes by the server alone.
    const third = await newClient();
    const refusal = await third.start(request('flooded', 'third')).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OverloadedError);
    expect(refusal).toMatchObject({ code: 'OVERLOADED', evaluationId: `default/${keyOf('third')}` });
    const { retryAfterMs } = refusal as OverloadedError;
    expect(retryAfterMs).toBeGreaterThanOrEqual(1_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(await isThere('third')).toBe(false);

    const [first] = accepted;
    const key = first?.evaluationId.replace(`default/${keyOf('')}`, '') ?? '';
    expect(await third.start(request('flooded', key))).toMatchObject({ evaluationId: first?.evaluationId, wasStartedBefore: true });
    await expect(third.start(request('flooded', key, 'another text'))).rejects.toBeInstanceOf(KeyConflict);

    await resume(harness, laneOf('flooded'));
    for (const report of await Promise.all(accepted.map((handle) => handle.result()))) expect(report.decision).toBe('allow');
    const calls = await callsIn(join(harness.dir, 'flooded.jsonl'));
    expect(new Set(calls.map((call) => call.key)).size).toBe(MOST);
    // It believes what it was told for a while, and then lets it in.
    await until(async () => await third.start(request('flooded', 'third')).catch(() => undefined));
    expect(await third.handle(keyOf('third')).result()).toMatchObject({ decision: 'allow' });
  });

  it.concurrent('counts no refusal, no repeat and nothing that has ended: one after another all are let in', async () => {
    const client = await newClient();
    for (let index = 0; index < 4 * MOST; index += 1) {
      expect(await client.evaluate(request('quick', `one-${index}`))).toMatchObject({ decision: 'allow' });
      expect(await client.start(request('quick', 'one-0'))).toMatchObject({ wasStartedBefore: true });
      await expect(client.start(request('quick', 'one-0', 'another text'))).rejects.toBeInstanceOf(KeyConflict);
    }
  });

  it.concurrent('asks once for starts that come together, and for no numbers when the plan has no limit', async () => {
    const calls: string[] = [];
    const count: Interceptor = (options, next) => {
      calls.push(options.method_definition.path.split('/').at(-1) ?? '');
      return next(options) as ReturnType<Interceptor>;
    };
    const connection = await Connection.connect({ address: inject('server').address, interceptors: [count] });
    const client = await newClient(connection);
    calls.splice(0);
    const handles = await Promise.all(Array.from({ length: 4 * MOST }, (_, index) => client.start(request('open', `open-${index}`))));
    const others = calls.filter((name) => name !== 'StartWorkflowExecution');
    expect(others.toSorted()).toEqual(['DescribeTaskQueue', 'DescribeWorkflowExecution']);
    for (const report of await Promise.all(handles.map((handle) => handle.result()))) expect(report.decision).toBe('allow');
    await connection.close();
  });

  it.concurrent('is told on the command line by exit code 13, the sentence and when to come again', async () => {
    await pause(harness, laneOf('told'));
    const client = await newClient();
    const handles = await Promise.all(Array.from({ length: MOST }, () => client.start({ plan: 'told', content: 'text' })));
    await until(async () => (await backlogOf(harness, laneOf('told'))) === MOST);
    const run = await cli('evaluate', '--plan', 'told', '--content', 'x', '--key', keyOf('refused'));
    expect(run).toMatchObject({ exit: 13, stdout: '' });
    expect(run.stderr).toMatch(/default\/\S+-refused was not started: \d+ wait for plan told, which lets 5 wait .* try again in \d+ s/);
    const json = await cli('evaluate', '--plan', 'told', '--content', 'x', '--json');
    expect(json).toMatchObject({ exit: 13, stdout: '' });
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'OVERLOADED', retryAfterMs: expect.any(Number) } });
    expect(await isThere('refused')).toBe(false);
    await resume(harness, laneOf('told'));
    for (const report of await Promise.all(handles.map((handle) => handle.result()))) expect(report.decision).toBe('allow');
  });
});
