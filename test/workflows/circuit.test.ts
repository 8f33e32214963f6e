/** The circuit of a lane on the real server, against a service that fails: it pauses, tries again, and lets go. */
import { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { CIRCUIT, lookAtQueue, type QueueSetting } from '../../src/lanes/queue-setting.js';
import { runCli } from '../support/cli-io.js';
import { startFakeProvider, type FakeProvider, type Move } from '../support/fake-provider.js';
import { makeHarness, type Harness, type HarnessOptions } from '../support/harness.js';
import { until } from '../support/history.js';

/** As the defaults are, only that a test need not wait for them. */
const QUICK = { windowMs: 60_000, leastEnded: 4, failedShare: 0.5, coolDownMs: 200, probesPerSecond: 5 };

let provider: FakeProvider;
let move: Move;
beforeEach(async () => {
  move = 'server_error';
  provider = await startFakeProvider({ choose: () => move });
});
afterEach(() => provider.close());

/** One critic with a lane of its own, tried again every second. */
const plan = (maxRetries: number): object => ({
  plan: 'asks',
  version: 1,
  timeouts: { global: '110s' },
  critics: {
    service: {
      uses: 'http',
      stage: 'core_analysis',
      maxConcurrent: 2,
      maxRetries,
      retryBackoffBase: 1,
      attemptTimeout: '20s',
      with: { url: `${provider.url}/judge` },
    },
  },
  verdict: { rules: [], otherwise: 'allow' },
});

const harnessOf = (maxRetries: number, brakes: HarnessOptions['brakes'] = { watchMs: 50, circuitOf: () => QUICK }): Promise<Harness> =>
  makeHarness({ plans: () => [plan(maxRetries)], hosts: [provider.host], ...(brakes !== undefined ? { brakes } : {}) });

const settingOf = async ({ connection, client, deployment }: Harness): Promise<QueueSetting> =>
  (await lookAtQueue(new Client({ connection, namespace: client.namespace }), `${deployment}/p/asks/service`)).setting;

const cli = (harness: Harness, ...args: string[]) =>
  runCli([...args, '--address', inject('server').address, '--deployment', harness.deployment]);

describe('a lane whose service keeps failing', () => {
  it('is paused by its circuit, which says why and tries again, and goes on when the service does: every evaluation is judged', async () => {
    const harness = await harnessOf(100);
    try {
      const handles = await Promise.all(Array.from({ length: 4 }, () => harness.client.start({ plan: 'asks', content: 'text' })));
      const tripped = await until(async () => {
        const setting = await settingOf(harness);
        return setting.by === CIRCUIT ? setting : undefined;
      });
      expect(tripped.reason).toMatch(/^\d+ of \d+ attempts failed in 60 s \(HTTP_500 most\)$/);
      expect((await cli(harness, 'lanes')).stdout).toMatch(
        /asks\/service .*paused by tribunal circuit since \S+Z: \d+ of \d+ attempts failed/,
      );
      const asked = provider.requests.length;
      await until(async () => (await settingOf(harness)).rate === QUICK.probesPerSecond);
      // Probes that fail let nothing else through: the lane stays as it is.
      await until(() => provider.requests.length >= asked + 2);
      expect(await settingOf(harness)).toMatchObject({ rate: QUICK.probesPerSecond, by: CIRCUIT, reason: tripped.reason });
      move = 'ok';
      const reports = await Promise.all(handles.map((handle) => handle.result()));
      expect(reports.map((report) => report.decision)).toEqual(['allow', 'allow', 'allow', 'allow']);
      await until(async () => (await settingOf(harness)).rate === undefined);
      expect(await settingOf(harness)).toMatchObject({ by: CIRCUIT, reason: 'a probe was answered' });
    } finally {
      await harness.close();
    }
  });

  it('stays paused without its owner, and the next owner goes on with it', async () => {
    const harness = await harnessOf(100);
    try {
      const handle = await harness.client.start({ plan: 'asks', content: 'text' });
      await until(async () => (await settingOf(harness)).by === CIRCUIT);
      await harness.stopWorkers();
      expect((await settingOf(harness)).rate).toBeDefined();
      move = 'ok';
      await harness.addWorker();
      expect((await handle.result()).decision).toBe('allow');
      await until(async () => (await settingOf(harness)).rate === undefined);
    } finally {
      await harness.close();
    }
  });

  it('is let go by an owner whose circuit is off', async () => {
    let isOff = false;
    const harness = await harnessOf(100, { watchMs: 50, circuitOf: () => (isOff ? 'off' : { ...QUICK, coolDownMs: 600_000 }) });
    try {
      const handle = await harness.client.start({ plan: 'asks', content: 'text' });
      await until(async () => (await settingOf(harness)).rate === 0);
      await harness.stopWorkers();
      isOff = true;
      move = 'ok';
      await harness.addWorker();
      expect((await handle.result()).decision).toBe('allow');
      expect(await settingOf(harness)).toMatchObject({ by: CIRCUIT, reason: 'the circuit of this lane is off' });
    } finally {
      await harness.close();
    }
  });

  it('is left alone where an operator has set a rate, and its evaluations end as without a circuit', async () => {
    const harness = await harnessOf(2);
    try {
      const { queue } = [...(await until(() => lanesOf(harness)))][0] ?? { queue: '' };
      expect(queue).toBe(`${harness.deployment}/p/asks/service`);
      await cli(harness, 'lanes', 'rate', 'asks/service', '20', '--reason', 'quota', '--by', 'ann');
      const handles = await Promise.all(Array.from({ length: 4 }, () => harness.client.start({ plan: 'asks', content: 'text' })));
      const ends = await Promise.all(handles.map((handle) => handle.result()));
      expect(ends.map((report) => report.decision)).toEqual(['not_judged', 'not_judged', 'not_judged', 'not_judged']);
      expect(provider.requests).toHaveLength(12);
      expect(await settingOf(harness)).toMatchObject({ rate: 20, by: 'ann', reason: 'quota' });
    } finally {
      await harness.close();
    }
  });
});

/** Once the worker has told them. */
async function lanesOf(harness: Harness): Promise<{ readonly queue: string }[] | undefined> {
  const { stdout } = await cli(harness, 'lanes', '--json');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.length === 0 ? undefined : lines.map((line) => JSON.parse(line) as { readonly queue: string });
}
