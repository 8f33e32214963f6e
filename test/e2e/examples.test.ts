/** The examples as their pages say: real processes, each against a deployment of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, type TestContext } from 'vitest';
import { makeHarness, type Harness } from '../support/harness.js';
import { build, says, startWorker, type Ended, type Running } from '../support/processes.js';
import { runProgram, startProgram } from '../support/programs.js';

const FINE = 'Thank you, your order is on its way.';
const SHOUTED = 'STOP SHOUTING AT ME';

let harness: Harness;
let worker: Running;
let env: NodeJS.ProcessEnv;

/** The deployment of the own critic, with two plans beside it: one that cannot judge, and one that takes its time. */
beforeAll(async () => {
  build();
  harness = await makeHarness({ plans: [], worker: false });
  const { address } = inject('server');
  env = { TEMPORAL_ADDRESS: address, TRIBUNAL_DEPLOYMENT: harness.deployment };
  mkdirSync(join(harness.dir, 'plans'));
  const plan = (name: string, options: object): string => {
    const file = join(harness.dir, `${name}.yaml`);
    const critics = { only: { uses: 'scripted', stage: 'core_analysis', with: options, maxRetries: 0 } };
    writeFileSync(file, JSON.stringify({ plan: name, version: 1, timeouts: { global: '120s' }, critics, verdict: { otherwise: 'allow' } }));
    return file;
  };
  const plans = [plan('broken', { throw: 'permanent' }), plan('slow', { sleep: '60s' })];
  const files = ['--file', 'examples/own-critic/tribunal.yaml', '--plan', ...plans];
  worker = await startWorker(harness.connection, harness.deployment, ['--address', address, ...files]);
});

afterAll(async () => {
  await worker?.destroy();
  await harness?.close();
});

const example = (file: string, ...args: string[]): Promise<Ended> =>
  runProgram(process.execPath, ['--import', 'tsx', `examples/${file}`, ...args], { env });

describe('the example of the SDK', () => {
  test('allows what is in order and denies what the own critic finds, with its reasons', async () => {
    expect(await example('sdk/evaluate.ts', FINE)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^allow {2}default\//),
      stderr: '',
    });
    expect(await example('sdk/evaluate.ts', SHOUTED)).toMatchObject({
      exit: 1,
      stdout: expect.stringMatching(/^deny .*\n {2}RULE: shouting/),
    });
  });

  test('that uses a key for another text, or finds no worker, is not allowed and says why', async () => {
    expect(await example('sdk/evaluate.ts', FINE, 'one-key')).toMatchObject({ exit: 0 });
    expect(await example('sdk/evaluate.ts', SHOUTED, 'one-key')).toMatchObject({
      exit: 1,
      stdout: expect.stringMatching(/^not allowed {2}KEY_CONFLICT: /),
    });
    const nobody = { ...env, TRIBUNAL_DEPLOYMENT: 'nobody-judges-here' };
    expect(await runProgram(process.execPath, ['--import', 'tsx', 'examples/sdk/evaluate.ts'], { env: nobody })).toMatchObject({
      exit: 1,
      stdout: expect.stringMatching(/^not allowed {2}NO_WORKER: /),
    });
  });
});

describe('an evaluation as a child of a workflow', () => {
  let run: Promise<Ended> | undefined;
  /** One run for the tests that look at it. */
  const denied = (): Promise<Ended> => (run ??= example('child-workflow/run.ts', SHOUTED));

  test('lets the parent send what is allowed, and holds what is denied', async () => {
    expect(await example('child-workflow/run.ts', FINE)).toMatchObject({ exit: 0, stdout: 'sent 36 characters\n' });
    const { exit, stdout } = await denied();
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringMatching(/^held: deny {2}default\/\S+\n$/) });
  });

  test('is the evaluation that a client with the same request finds, in the same index', async () => {
    const { stdout } = await denied();
    const key = /default\/(\S+)/.exec(stdout)?.[1] ?? '';
    const request = { plan: 'polite', key, content: SHOUTED };
    expect(await harness.client.evaluate(request)).toMatchObject({ decision: 'deny', evaluationId: `default/${key}` });
    await expect(harness.client.start({ ...request, content: FINE })).rejects.toMatchObject({ code: 'KEY_CONFLICT' });
    expect(await harness.client.handle(key).status()).toMatchObject({ evaluationId: `default/${key}`, plan: 'polite@1', decision: 'deny' });
  });

  test('that cannot judge, or is refused, holds', async () => {
    expect(await example('child-workflow/run.ts', FINE, 'broken')).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^held: not_judged {2}/),
    });
    expect(await example('child-workflow/run.ts', FINE, 'unheard_of')).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^held: not judged {2}/),
    });
  });
});

describe('the gate in front of an HTTP handler', () => {
  test('lets an allowed text through, and answers 451 to a denied one', async (context) => {
    const gate = await startGate(context);
    expect(await gate.post(FINE)).toEqual({ status: 200, text: 'delivered 36 characters\n' });
    expect(await gate.post(SHOUTED)).toEqual({ status: 451, text: 'not allowed\n' });
    // A card number: escalated, and nobody has allowed it.
    expect(await gate.post('my card is 4111 1111 1111 1111')).toEqual({ status: 503, text: 'held\n' });
    expect(gate.stdout()).toContain('held: escalate');
    expect(gate.stdout()).not.toContain('4111');
  });

  test('answers the same for the same key, and holds another text under it', async (context) => {
    const gate = await startGate(context);
    expect(await gate.post(FINE, { 'idempotency-key': 'gate-1' })).toMatchObject({ status: 200 });
    expect(await gate.post(FINE, { 'idempotency-key': 'gate-1' })).toMatchObject({ status: 200 });
    expect(await gate.post('Something else.', { 'idempotency-key': 'gate-1' })).toMatchObject({ status: 503 });
    expect(await gate.post(FINE, { 'idempotency-key': 'a/b' })).toMatchObject({ status: 400 });
  });

  test.each([
    ['the plan cannot judge', { PLAN: 'broken' }, 'held: not_judged'],
    ['there is no such plan', { PLAN: 'unheard_of' }, 'held: REQUEST_REFUSED'],
    ['no worker judges', { TRIBUNAL_DEPLOYMENT: 'nobody-judges-here' }, 'held: NO_WORKER'],
    ['there is no server', { TEMPORAL_ADDRESS: '127.0.0.1:1', PATIENCE_MS: '1500' }, 'held: '],
    ['there is no answer in time', { PLAN: 'slow', PATIENCE_MS: '1500' }, 'held: '],
  ])('holds with 503 when %s', async (_what, more, said) => {
    const gate = await startGate(undefined, more);
    try {
      expect(await gate.post(FINE)).toEqual({ status: 503, text: 'held\n' });
      expect(gate.stdout()).toContain(said);
    } finally {
      await gate.destroy();
    }
  });

  test('refuses a body that is too large before it asks anybody', async (context) => {
    const gate = await startGate(context, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(await gate.post('a'.repeat(100_001))).toMatchObject({ status: 413 });
  });
});

async function startGate(context: TestContext | undefined, more: NodeJS.ProcessEnv = {}) {
  const running = startProgram(process.execPath, ['--import', 'tsx', 'examples/http-gate/server.ts'], {
    env: { ...env, PORT: '0', ...more },
  });
  context?.onTestFinished(() => running.destroy());
  const [, url = ''] = await says(running, /listening on (\S+)/);
  return {
    ...running,
    async post(body: string, headers: Record<string, string> = {}): Promise<{ readonly status: number; readonly text: string }> {
      const response = await fetch(url, { method: 'POST', body, headers });
      return { status: response.status, text: await response.text() };
    },
  };
}
