/** The port of a worker that is watched: the SDK's real exporter behind real HTTP. */
import { Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLog } from '../../src/cli/log.js';
import { Output } from '../../src/cli/output.js';
import { openProbes, type Probes } from '../../src/cli/probes.js';
import { installRuntime } from '../../src/cli/runtime.js';
import type { EvaluationCounts } from '../../src/domain/counts.js';
import { countSinks, laneGauges, readyGauge } from '../../src/metrics.js';
import { parseListenAddress } from '../../src/schemas/listen-address.js';
import { fakeIo } from '../support/cli-io.js';
import { samplesIn, scrape, valueOf } from '../support/scrape.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

describe('a watched worker', () => {
  let states: string[] = [];
  let probes: Probes;
  let exporter: string;
  beforeAll(async () => {
    const io = fakeIo();
    const log = await openLog('text', new Output(io, false), io.stderr);
    exporter = (await installRuntime({ log, logLevel: 'error', metricsOf: 'moderation' })) ?? '';
    const gauge = readyGauge(Runtime.instance().metricMeter);
    probes = await openProbes(LOOPBACK, { exporter, states: () => states, beforeScrape: (isReady) => gauge.set(Number(isReady)) });
  });
  afterAll(async () => {
    await probes.close();
    await Runtime.instance().shutdown();
  });

  const ask = async (path: string, method = 'GET'): Promise<[number, string]> => {
    const response = await fetch(`${probes.url}${path}`, { method });
    return [response.status, await response.text()];
  };

  it.each([
    ['before its Workers are made', [], 200, 503],
    ['while one of them does not poll yet', ['RUNNING', 'INITIALIZED'], 200, 503],
    ['while all poll', ['RUNNING', 'RUNNING'], 200, 200],
    ['from the moment that it is told to stop', ['STOPPING', 'DRAINING'], 200, 503],
    ['when one has failed', ['RUNNING', 'FAILED'], 503, 503],
  ])('%s: is alive and ready as its Workers are', async (_, now, live, ready) => {
    states = now;
    expect([(await ask('/livez'))[0], (await ask('/readyz'))[0]]).toEqual([live, ready]);
    expect(valueOf(await scrape(`${probes.url}/metrics`), 'tribunal_worker_ready')).toBe(ready === 200 ? 1 : 0);
  });

  it('answers nothing else', async () => {
    states = ['RUNNING'];
    expect(await ask('/')).toEqual([404, '/metrics, /livez and /readyz are here\n']);
    expect((await ask('/readyz', 'POST'))[0]).toBe(405);
    expect(await ask('/livez', 'HEAD')).toEqual([200, '']);
  });

  it('tells what was counted in the text form of Prometheus, with the name of its deployment', async () => {
    const { tribunal } = countSinks(Runtime.instance().metricMeter);
    const counts: EvaluationCounts = {
      plan: { name: 'chat', version: 2 },
      decision: 'deny',
      cause: 'RULE',
      seconds: 0.2,
      savedShare: 0.5,
      critics: [
        {
          critic: 'deep',
          outcome: 'succeeded',
          flagged: true,
          attempts: [{ class: 'rate_limited' }, { class: 'ok', queueSeconds: 0.2, runSeconds: 3 }],
        },
        { critic: 'judge', outcome: 'gated', flagged: false, attempts: [], usd: 0.25, inputTokens: 7, outputTokens: 2 },
      ],
    };
    tribunal.opened.fn({}, counts.plan);
    tribunal.refused.fn({}, 'UNKNOWN_PLAN');
    tribunal.closed.fn({}, counts);
    tribunal.closed.fn({}, counts);
    const response = await fetch(`${probes.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const samples = samplesIn(await response.text());
    const all = { deployment: 'moderation', plan: 'chat' };
    const deep = { ...all, critic: 'deep' };
    expect([
      valueOf(samples, 'tribunal_evaluations_started_total', { ...all, version: '2' }),
      valueOf(samples, 'tribunal_evaluations_total', { ...all, version: '2', decision: 'deny', cause: 'RULE' }),
      valueOf(samples, 'tribunal_requests_refused_total', { cause: 'UNKNOWN_PLAN' }),
      valueOf(samples, 'tribunal_evaluation_seconds_count', all),
      valueOf(samples, 'tribunal_evaluation_saved_share_sum', all),
      valueOf(samples, 'tribunal_critics_total', { ...deep, outcome: 'succeeded' }),
      valueOf(samples, 'tribunal_critic_flags_total', deep),
      valueOf(samples, 'tribunal_critic_attempts_total', { ...deep, class: 'rate_limited' }),
      valueOf(samples, 'tribunal_critic_queue_seconds_bucket', { ...deep, le: '0.5' }),
      valueOf(samples, 'tribunal_critic_run_seconds_bucket', { ...deep, le: '2.5' }),
      valueOf(samples, 'tribunal_critic_run_seconds_sum', deep),
      valueOf(samples, 'tribunal_critic_cost_usd_sum', { critic: 'judge' }),
      valueOf(samples, 'tribunal_critic_tokens_total', { critic: 'judge', direction: 'input' }),
    ]).toEqual([1, 2, 1, 2, 1, 2, 2, 2, 2, 0, 6, 0.5, 14]);
  });

  it('tells where the lanes stand as whoever runs them says', async () => {
    const gauges = laneGauges(Runtime.instance().metricMeter);
    const lane = 'moderation/p/chat/deep';
    gauges.running(lane, 3);
    gauges.waiting(lane, 5);
    gauges.limit(lane, 3);
    gauges.owner(lane, true);
    gauges.paused(lane, true);
    gauges.paused(lane, false);
    gauges.tripped(lane, true);
    const samples = await scrape(exporter);
    const told = ['running', 'waiting', 'limit', 'owner', 'paused', 'tripped'].map((name) =>
      valueOf(samples, `tribunal_lane_${name}`, { lane }),
    );
    expect(told).toEqual([3, 5, 3, 1, 0, 1]);
  });

  it('counts nothing without a meter, and is told all the same', () => {
    countSinks(undefined).tribunal.refused.fn({}, 'BAD_REQUEST');
    laneGauges(undefined).running('lane', 1);
  });

  it('says in one sentence that somebody else has its port', async () => {
    const port = Number(new URL(probes.url).port);
    const watched = { exporter, states: () => [], beforeScrape: () => undefined };
    await expect(openProbes({ host: '127.0.0.1', port }, watched)).rejects.toThrow(
      `cannot listen for metrics at 127.0.0.1:${port}: somebody else listens there; name another address`,
    );
  });
});

describe('an address to listen at', () => {
  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    [':9464', { port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
  ])('is %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, address });
  });

  it.each(['9464', '', ':', 'host:', ':65536', '::1:9464', 'http://host:1', 'host:9464/metrics', 'a b:1'])(
    'is not %s, and says so',
    (text) => {
      const parsed = parseListenAddress(text);
      expect(parsed.ok ? '' : parsed.message).toMatch(
        / is no address to listen at: write host:port or :port, such as 127\.0\.0\.1:9464 or :9464$/,
      );
    },
  );
});
