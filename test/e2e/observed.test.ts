/** Worker processes that are watched: metrics, probes and JSON lines, as a cluster asks for them. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, callsOf, eventually, says, type Running } from '../support/processes.js';
import { gated, makeScene } from '../support/scene.js';
import { scrape, valueOf } from '../support/scrape.js';

beforeAll(build);

const CANARY = 'canary-7f3a91';
const WATCHED = { TRIBUNAL_METRICS: '127.0.0.1:0' };

/** Where it is watched; its ready line tells. */
async function watchedAt(worker: Running): Promise<string> {
  const [, url = ''] = await says(worker, /metrics at (http:\/\/[\d.:]+)\/metrics/);
  return url;
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

describe.concurrent('a worker process with --metrics', () => {
  test('that takes over an evaluation by replay counts its end once, and not again what was counted before', async (context) => {
    const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file) } }));
    const first = await scene.worker(WATCHED);
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('gated'), 'start', 1);
    const begun = await scrape(`${await watchedAt(first)}/metrics`);
    expect(valueOf(begun, 'tribunal_evaluations_started_total', { plan: 'scene', version: '1' })).toBe(1);
    first.kill('SIGKILL');
    const second = await scene.worker(WATCHED);
    const url = `${await watchedAt(second)}/metrics`;
    await callsOf(scene.file('gated'), 'start', 2);
    scene.release('gate');
    await handle.result();
    const samples = await eventually('the end is counted', async () => {
      const found = await scrape(url);
      return found.some(({ name }) => name === 'tribunal_evaluations_total') ? found : undefined;
    });
    const critic = { plan: 'scene', critic: 'gated' };
    expect([
      valueOf(samples, 'tribunal_evaluations_started_total'),
      valueOf(samples, 'tribunal_evaluations_total', { plan: 'scene', decision: 'allow', cause: '-' }),
      valueOf(samples, 'tribunal_critic_attempts_total', { ...critic, class: 'worker_lost' }),
      valueOf(samples, 'tribunal_critic_attempts_total', { ...critic, class: 'ok' }),
      valueOf(samples, 'tribunal_critic_run_seconds_count', critic),
    ]).toEqual([0, 1, 1, 1, 1]);
    // The SDK's own, in the same answer.
    expect(valueOf(samples, 'temporal_workflow_completed_total', { workflow_type: 'evaluate' })).toBe(1);
  });

  test('is ready while it polls, not ready but alive while it drains, and lets go of its port at its end', async (context) => {
    const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file) } }));
    const worker = await scene.worker(WATCHED);
    const url = await watchedAt(worker);
    // It is when its deployment knows it.
    await eventually('it is ready', async () => ((await statusOf(`${url}/readyz`)) === 200 ? true : undefined));
    expect(await statusOf(`${url}/livez`)).toBe(200);
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('gated'), 'start', 1);
    worker.kill('SIGTERM');
    await says(worker, /stopping: /);
    expect([await statusOf(`${url}/livez`), await statusOf(`${url}/readyz`)]).toEqual([200, 503]);
    expect(valueOf(await scrape(`${url}/metrics`), 'tribunal_worker_ready')).toBe(0);
    scene.release('gate');
    expect(await worker.ended).toMatchObject({ exit: 0, signal: null });
    await expect(statusOf(`${url}/livez`)).rejects.toThrow('fetch failed');
    await scene.worker();
    await handle.result();
  });

  test('whose port is taken exits 1 with one sentence, in text and as a JSON line', async (context) => {
    const scene = await makeScene(context, () => ({ critics: { a: { uses: 'scripted', stage: 'core_analysis' } } }));
    const url = await watchedAt(await scene.worker(WATCHED));
    const TRIBUNAL_METRICS = new URL(url).host;
    const message = `cannot listen for metrics at ${TRIBUNAL_METRICS}: somebody else listens there; name another address`;
    expect(await scene.process({ TRIBUNAL_METRICS }).ended).toMatchObject({ exit: 1, stdout: '', stderr: `tribunal: ${message}\n` });
    const told = await scene.process({ TRIBUNAL_METRICS, TRIBUNAL_LOG_FORMAT: 'json' }).ended;
    expect(told).toMatchObject({ exit: 1, stdout: '' });
    expect(JSON.parse(told.stderr)).toMatchObject({ level: 'error', code: 'METRICS_ADDRESS', msg: message });
  });
});

/** Critics that throw, answer and leave behind what they were given. */
const leaky = `
  const kinds = {
    throws: ({ content }) => { throw new TypeError('cannot judge ' + content); },
    quotes: ({ content }) => { throw Object.assign(new Error(content), { kind: 'permanent', code: 'UNREADABLE' }); },
    again: ({ content }) => { throw Object.assign(new Error(content), { kind: 'transient', code: 'AGAIN' }); },
    text: ({ content }) => { throw content; },
    answers: ({ content }) => content,
    finds: ({ content }) => ({ severity: 0.5, violations: [{ code: 'word', message: content }], evidence: [content], details: { content } }),
    stray({ content }) {
      void Promise.reject(new Error(content));
      setTimeout(() => { throw new Error(content); }, 0);
      return { severity: 0, violations: [] };
    },
    logs({ content }, { log, secret }) {
      log('judges', { text: content, key: secret('KEY') ?? '', plan: 'scene' });
      return { severity: 0, violations: [] };
    },
  };
  export default Object.entries(kinds).map(([name, evaluate]) => ({ name, version: '1.0.0', evaluate }));`;

describe('a worker process with JSON lines', () => {
  test('writes one object a line at every level, and not a word of content, contexts, findings or secrets', async (context) => {
    const names = ['throws', 'quotes', 'again', 'text', 'answers', 'finds', 'stray', 'logs'];
    const critics = Object.fromEntries(
      names.flatMap((name) => [
        [name, { uses: name, stage: 'core_analysis', maxRetries: 1, retryBackoffBase: 1 }],
        [`local_${name}`, { uses: name, stage: 'fast_critics', dispatch: 'local' }],
      ]),
    );
    const scene = await makeScene(
      context,
      () => ({ critics }),
      () => leaky,
    );
    const worker = await scene.worker({
      TRIBUNAL_LOG_FORMAT: 'json',
      TRIBUNAL_LOG: 'debug',
      TRIBUNAL_SECRET_KEY: `${CANARY}-secret`,
      ...WATCHED,
    });
    const url = await watchedAt(worker);
    const request = { plan: 'scene', content: CANARY, context: { note: CANARY } };
    expect((await scene.client.evaluate(request)).decision).toBe('not_judged');
    const handle = await scene.temporal.workflow.start('evaluate', {
      taskQueue: scene.deployment,
      workflowId: 'somebody/else',
      args: [{ v: 1, request: { ...request, [CANARY]: CANARY }, requestDigest: CANARY }],
    });
    await expect(handle.result()).rejects.toThrow('Workflow execution failed');
    const exposition = await (await fetch(`${url}/metrics`)).text();
    expect(exposition).toContain('tribunal_requests_refused_total{cause="BAD_REQUEST"');
    expect(exposition).toContain('cause="CRITIC_ERROR"');
    expect(exposition).not.toContain(CANARY);
    worker.kill('SIGTERM');
    const { exit, stdout, stderr } = await worker.ended;
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), time: expect.any(String), msg: expect.any(String) });
    expect(lines).toContainEqual(expect.stringMatching(/"level":"error".*"msg":"a critic left an error behind: Error"/));
    expect(lines).toContainEqual(expect.stringMatching(/"level":"info".*"activityType":"logs".*"plan":"scene".*"msg":"judges"/));
    expect(lines).toContainEqual(expect.stringMatching(/"msg":"stopping: /));
    expect(stderr).not.toContain(CANARY);
  });
});
