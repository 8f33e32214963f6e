/** The operator's brake on the real server: what `tribunal lanes` shows, and what pause, resume and rate do to evaluations. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EvaluationHandle } from '../../src/client-handle.js';
import { runCli, type CliRun } from '../support/cli-io.js';
import { callsIn, criticOf, makeHarness, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { release } from '../support/server-state.js';

interface LaneLine {
  readonly lane: string;
  readonly queue: string;
  readonly owner?: string | null;
  readonly pollers: readonly string[];
  readonly running?: number;
  readonly waiting?: number;
  readonly backlog: number;
  readonly oldestMs: number;
  readonly paused: boolean;
  readonly setting?: { readonly rate: number; readonly by: string; readonly reason: string };
}

const plan = (name: string, critics: object, more: object = {}): object => ({
  plan: name,
  version: 1,
  timeouts: { global: '110s' },
  defaults: { maxRetries: 0, attemptTimeout: '60s' },
  critics,
  verdict: { rules: [], otherwise: 'allow' },
  ...more,
});

/** Two at once; all of them wait for the same file. */
const braked = (dir: string): object =>
  plan('braked', {
    slow: {
      uses: 'scripted',
      stage: 'core_analysis',
      maxConcurrent: 2,
      with: { waitFor: join(dir, 'go'), record: join(dir, 'slow.jsonl') },
    },
  });

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness({
    plans: (dir) => [
      braked(dir),
      plan('rated', { one: { uses: 'scripted', stage: 'core_analysis', rateLimitPerSecond: 2 } }),
      plan('wide', { shared: { uses: 'scripted', stage: 'core_analysis', lane: 'openai' } }),
      plan('narrow', { own: { uses: 'scripted', stage: 'core_analysis', lane: 'openai' } }, { limits: { maxConcurrentCritics: 1 } }),
      plan('brief', { one: { uses: 'scripted', stage: 'core_analysis', maxConcurrent: 1, timeout: '2s', attemptTimeout: '1s' } }),
      plan('free', { any: { uses: 'scripted', stage: 'core_analysis' } }),
    ],
    lanes: { openai: { maxConcurrent: 4, rateLimitPerSecond: 10 } },
    brakes: { watchMs: 50 },
  });
  // The worker tells what it brings once it polls.
  await until(async () => (await lanes()).get('openai')?.owner);
});
afterAll(() => harness.close());

const cli = (...args: string[]): Promise<CliRun> =>
  runCli([...args, '--address', inject('server').address, '--namespace', inject('server').namespace, '--deployment', harness.deployment]);

async function lanes(): Promise<ReadonlyMap<string, LaneLine>> {
  const { exit, stdout, stderr } = await cli('lanes', '--json');
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line) as LaneLine).map((line) => [line.lane, line]));
}

async function lane(name: string): Promise<LaneLine> {
  const found = (await lanes()).get(name);
  if (found === undefined) throw new Error(`there is no lane ${name}`);
  return found;
}

const seen = (name: string, is: (line: LaneLine) => boolean): Promise<LaneLine> =>
  until(async () => {
    const line = await lane(name);
    return is(line) ? line : undefined;
  });

describe('lanes', () => {
  it('shows every lane with its owner, what holds there, and for lanes that are not owned how many poll', async () => {
    await until(async () => [...(await lanes()).values()].every(({ owner }) => owner !== null));
    const all = await lanes();
    expect([...all.keys()].toSorted()).toEqual(['braked/slow', 'brief/one', 'free', 'narrow/own', 'openai', 'rated/one']);
    const owner = all.get('braked/slow')?.owner;
    expect(owner).toMatch(/^tribunal \d+@/);
    await until(async () => (await lane('free')).pollers.length === 1);
    const { stdout } = await cli('lanes');
    const shown = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/))
        .map((cells) => [cells[0], cells.slice(1)]),
    );
    expect(shown['lane']).toEqual(['plans', 'owner', 'limit', 'rate', 'running', 'backlog', 'oldest', 'note']);
    expect(shown['braked/slow']).toEqual(['braked', owner, '2 critic', '-', '0', '0', '-']);
    expect(shown['rated/one']).toEqual(['rated', owner, '-', '2 by file', '0', '0', '-']);
    expect(shown['openai']).toEqual(['wide', owner, '4 openai', '10 by file', '0', '0', '-']);
    expect(shown['narrow/own']).toEqual(['narrow', owner, '1 plan, 4 openai', '10 by file', '0', '0', '-']);
    expect(shown['free']).toEqual(['free', 'all (1)', '-', '-', '-', '0', '-']);
  });

  it('says in one sentence that a deployment has none', async () => {
    const { exit, stdout } = await runCli(['lanes', '--address', inject('server').address, '--deployment', 'nobody-was-here']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^the deployment nobody-was-here has no lanes: .+\n$/);
  });

  it('of a name that there is not are refused with those that there are, and nothing is set without a reason', async () => {
    for (const command of [
      ['pause', 'braked/fast', '--reason', 'x'],
      ['resume', 'braked/fast'],
      ['rate', 'braked/fast', '--reset'],
    ]) {
      const { exit, stderr } = await cli('lanes', ...command);
      expect(exit).toBe(2);
      expect(stderr).toContain('has no lane braked/fast; it has braked/slow, brief/one, free, narrow/own, openai, rated/one');
    }
    expect(await cli('lanes', 'pause', 'free')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--reason') });
    expect(await cli('lanes', 'pause', 'free', '--reason', ' ')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--reason') });
    expect(await cli('lanes', 'rate', 'free', '1')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--reason') });
    expect((await lane('free')).paused).toBe(false);
  });
});

describe('a pause', () => {
  it('during evaluations lets what runs end and nothing start; they wait, fail nowhere, and tell who held them and why', async () => {
    const calls = async (): Promise<number> =>
      (await callsIn(join(harness.dir, 'slow.jsonl'))).filter((call) => call.event === 'start').length;
    const start = (): Promise<EvaluationHandle> => harness.client.start({ plan: 'braked', content: 'text' });
    const begun = await Promise.all([start(), start()]);
    await until(async () => (await calls()) === 2);
    const paused = await cli('lanes', 'pause', 'braked/slow', '--reason', 'provider outage', '--by', 'ann');
    expect(paused).toEqual({ exit: 0, stderr: '', stdout: 'braked/slow is paused by ann: provider outage\n' });
    const late = await Promise.all([start(), start()]);
    expect(await seen('braked/slow', ({ backlog, running }) => backlog === 2 && running === 2)).toMatchObject({
      paused: true,
      setting: { rate: 0, by: 'ann', reason: 'provider outage' },
    });
    await release(join(harness.dir, 'go'));
    const first = await Promise.all(begun.map((handle) => handle.result()));
    // Two places are free, and the owner has said so: who waits is held by the pause alone.
    expect(await seen('braked/slow', ({ running }) => running === 0)).toMatchObject({ backlog: 2, waiting: 0 });
    expect(await calls()).toBe(2);
    const { stdout } = await cli('lanes');
    expect(stdout).toMatch(/braked\/slow .* 2 +[\d.]+ s +paused by ann since \S+Z: provider outage/);
    expect(await cli('lanes', 'resume', 'braked/slow')).toMatchObject({ exit: 0, stdout: 'braked/slow goes on, as the file says\n' });
    const second = await Promise.all(late.map((handle) => handle.result()));
    expect([...first, ...second].map((report) => report.decision)).toEqual(['allow', 'allow', 'allow', 'allow']);
    expect(await calls()).toBe(4);
    for (const report of first) expect(criticOf(report, 'slow')).not.toHaveProperty('held');
    for (const report of second) {
      const { held, queuedMs } = criticOf(report, 'slow');
      expect(held).toEqual({ by: 'ann', reason: 'provider outage', ms: expect.any(Number) });
      expect(held?.ms).toBeGreaterThan(0);
      expect(held?.ms).toBeLessThanOrEqual(queuedMs + 1);
    }
    const id = late[0]?.evaluationId ?? '';
    expect((await cli('show', id)).stdout).toMatch(/slow .*waited [\d.]+ s: lane paused by ann: provider outage/);
    expect(JSON.parse((await cli('show', id, '--json')).stdout)).toMatchObject({ critics: [{ held: { by: 'ann' } }] });
    expect(await cli('lanes', 'resume', 'braked/slow')).toMatchObject({ exit: 0, stdout: 'braked/slow was not paused\n' });
  });

  it('of a named lane holds the lanes of narrower critics too, and no other', async () => {
    const { stdout } = await cli('lanes', 'pause', 'openai', '--reason', 'bill', '--by', 'ann');
    expect(stdout).toBe('openai is paused by ann (2 task queues): bill\n');
    const all = await lanes();
    expect([...all.values()].filter(({ paused }) => paused).map(({ lane: name }) => name)).toEqual(['narrow/own', 'openai']);
    expect((await harness.client.evaluate({ plan: 'free', content: 'text' })).decision).toBe('allow');
    expect((await cli('lanes', 'resume', 'openai')).stdout).toBe('openai goes on (2 task queues), as the file says\n');
    for (const name of ['wide', 'narrow']) expect((await harness.client.evaluate({ plan: name, content: 'text' })).decision).toBe('allow');
  });

  it('that is longer than a critic may take ends it as not reached, and nothing is allowed by that', async () => {
    await cli('lanes', 'pause', 'brief/one', '--reason', 'outage', '--by', 'ann');
    const report = await harness.client.evaluate({ plan: 'brief', content: 'text' });
    expect(criticOf(report, 'one')).toMatchObject({ outcome: 'not_reached', attempts: 0 });
    expect(report.decision).toBe('not_judged');
    await cli('lanes', 'resume', 'brief/one');
    expect((await harness.client.evaluate({ plan: 'brief', content: 'text' })).decision).toBe('allow');
  });

  it('does not forget the rate that was set before, and is not ended by one', async () => {
    expect(await cli('lanes', 'rate', 'rated/one', '0.5', '--reason', 'slow week', '--by', 'bob')).toMatchObject({
      exit: 0,
      stdout: 'rated/one starts at most 0.5 a second by bob: slow week\n',
    });
    expect((await cli('lanes')).stdout).toMatch(/rated\/one .* 0.5 by bob .* rate by bob since \S+Z: slow week/);
    await cli('lanes', 'pause', 'rated/one', '--reason', 'outage', '--by', 'ann');
    // Somebody else pauses what is paused.
    await cli('lanes', 'pause', 'rated/one', '--reason', 'still out', '--by', 'cid');
    expect(await cli('lanes', 'rate', 'rated/one', '1', '--reason', 'x')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('rated/one is paused by cid'),
    });
    expect(await lane('rated/one')).toMatchObject({
      paused: true,
      setting: { rate: 0, by: 'cid', reason: 'still out (rate before: 0.5)' },
    });
    const { stdout } = await cli('lanes', 'resume', 'rated/one', '--by', 'ann');
    expect(stdout).toBe('rated/one goes on, at most 0.5 a second as before the pause\n');
    expect(await lane('rated/one')).toMatchObject({ paused: false, setting: { rate: 0.5 } });
    expect(await cli('lanes', 'rate', 'rated/one', '--reset')).toMatchObject({ exit: 0, stdout: 'rated/one starts as the file says\n' });
    expect(await lane('rated/one')).not.toHaveProperty('setting');
  });
});

describe('a rate', () => {
  it('above what the file allows, or that is none, is refused', async () => {
    for (const [name, rate, words] of [
      ['rated/one', '2.5', 'rated/one may start at most 2 a second'],
      ['openai', '11', 'openai may start at most 10 a second'],
      ['rated/one', '0', 'not a number above 0'],
      ['rated/one', 'fast', 'not a number above 0'],
    ] as const) {
      expect(await cli('lanes', 'rate', name, rate, '--reason', 'x')).toMatchObject({ exit: 2, stderr: expect.stringContaining(words) });
    }
    expect(await lane('rated/one')).not.toHaveProperty('setting');
  });

  it('of a named lane is shared by its task queues, so that together they do not pass it', async () => {
    await cli('lanes', 'rate', 'openai', '3', '--reason', 'quota', '--by', 'ann');
    for (const name of ['openai', 'narrow/own'])
      expect((await lane(name)).setting).toMatchObject({ rate: 1.5, by: 'ann', reason: 'quota' });
    await cli('lanes', 'rate', 'openai', '--reset');
  });
});
