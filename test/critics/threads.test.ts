/** Critics in threads: what they may do to themselves, what reaches the worker, and that nobody else pays. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runAttempt, type AttemptEnd, type AttemptHost } from '../../src/critics/attempt.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { loadCriticsModule } from '../../src/critics/module.js';
import { CriticThreads, type ThreadsOptions } from '../../src/critics/threads/threads.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import type { PlanCritic } from '../../src/domain/plan.js';
import { attemptHost } from '../support/attempt-host.js';
import { critic } from '../support/plans.js';
import { SECRET, SHAPES } from '../support/hostile-shapes.js';
import { hostile } from '../support/thread-critics/hostile.js';

const MODULE = 'test/support/thread-critics/critics.mjs';
const HOSTILE = resolve('test/support/thread-critics/hostile.ts');
/** Far beyond what an answer takes; what is cut on purpose has less. */
const LONG_MS = 20_000;

const registry = makeRegistry([...(await loadCriticsModule(MODULE)), { critic: hostile, from: HOSTILE, module: HOSTILE }]);
const use = (overrides: Partial<PlanCritic> = {}): PlanCritic => critic('c', { uses: 'acting', isolation: 'thread', ...overrides });
const acting = (act: string): PlanCritic => use({ with: { act } });

interface Given extends Partial<AttemptHost> {
  readonly content?: Json;
  readonly timeoutMs?: number;
  readonly findings?: Readonly<Record<string, Finding>>;
}

const open: CriticThreads[] = [];
const strays: string[] = [];
function make(more: Partial<ThreadsOptions> = {}): CriticThreads {
  const threads = new CriticThreads({ registry, hosts: [], warm: [acting('where')], onStray: (kind) => strays.push(kind), ...more });
  open.push(threads);
  return threads;
}

/** One attempt, as a worker makes it. */
async function attempt(threads: CriticThreads, of: PlanCritic, given: Given = {}): Promise<AttemptEnd> {
  const { content = 'text', timeoutMs = LONG_MS, findings = {}, ...host } = given;
  const thread = await threads.take(5, new AbortController().signal);
  if (thread === undefined) throw new Error('nobody told it to stop');
  try {
    return await runAttempt(
      registry,
      of,
      { content, context: { from: 'test' }, findings },
      attemptHost({ ...host, callElsewhere: thread.call }),
      timeoutMs,
    );
  } finally {
    thread.release();
  }
}

const threadIn = (end: AttemptEnd): number => (detailsOf(end) as { threadId: number }).threadId;
const detailsOf = (end: AttemptEnd): unknown => (end.ok ? end.finding.details : end);

/** Threads are made anew again and again, which takes seconds each on a busy machine. */
const timeout = 120_000;

describe('a critic in a thread', { timeout }, () => {
  let threads: CriticThreads;
  beforeAll(() => {
    threads = make();
  });
  afterEach(() => {
    strays.length = 0;
  });
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
  });

  it('runs outside of the worker, in a thread that was made ready before', async () => {
    expect(detailsOf(await attempt(threads, acting('where')))).toMatchObject({ isMainThread: false, warmed: 1 });
  });

  it('shares its thread with the attempts before it, so that it stays warm', async () => {
    const calls: number[] = [];
    // More attempts than there are threads.
    for (let round = 0; round < 10; round += 1) {
      const details = detailsOf(await attempt(threads, acting('where')));
      calls.push((details as { calls: number }).calls);
    }
    expect(Math.max(...calls)).toBeGreaterThan(1);
  });

  it('that loops for ever ends as timed out, and its neighbours here and in other threads answer meanwhile', async () => {
    let isOver = false;
    const looping = attempt(threads, acting('loop'), { timeoutMs: 2_000 }).finally(() => (isOver = true));
    const neighbours = { here: 0, inThread: 0 };
    while (!isOver) {
      const here = await runAttempt(
        registry,
        critic('p', { uses: 'pattern', with: { words: [{ word: 'text', code: 'w', severity: 1 }] } }),
        { content: 'text', context: {}, findings: {} },
        attemptHost(),
        LONG_MS,
      );
      const there = await attempt(threads, acting('answer'));
      expect([here, there]).toMatchObject([{ ok: true }, { ok: true }]);
      if (isOver) break;
      neighbours.here += 1;
      neighbours.inThread += 1;
      await new Promise((done) => setImmediate(done));
    }
    expect(await looping).toMatchObject({ ok: false, class: 'timed_out', code: 'ATTEMPT_TIMEOUT' });
    expect(Math.min(neighbours.here, neighbours.inThread)).toBeGreaterThan(0);
  });

  it('has its turn although more loops than threads came before it: each is killed at its own deadline', async () => {
    const loops = Array.from({ length: 9 }, () => attempt(threads, acting('loop'), { timeoutMs: 100 }));
    const after = attempt(threads, acting('answer'));
    for (const end of await Promise.all(loops)) expect(end).toMatchObject({ class: 'timed_out' });
    expect(await after).toMatchObject({ ok: true, finding: { severity: 0.5 } });
  });

  it.each([
    ['exit', 'it ended its thread'],
    ['fill', 'it ran out of the 512 MB of its thread'],
  ])('that does %s loses its own thread, is worth one more attempt, and its neighbour answers', async (act, message) => {
    const [end, neighbour] = await Promise.all([attempt(threads, acting(act)), attempt(threads, acting('answer'))]);
    expect(end).toEqual({ ok: false, class: 'transient', code: 'THREAD_LOST', message, maxAttempts: 2 });
    expect(neighbour).toMatchObject({ ok: true });
    expect(await attempt(threads, acting('answer'))).toMatchObject({ ok: true });
  });

  it('that throws out of a timer goes on, is told of by its kind alone, and leaves its thread to nobody', async () => {
    expect(await attempt(threads, acting('throw_later'))).toMatchObject({ ok: true });
    expect(strays).toEqual(['Error']);
    for (let round = 0; round < 10; round += 1) expect(await attempt(threads, acting('answer'))).toMatchObject({ ok: true });
  });

  it.each(['leave_loop', 'leave_exit'])('that answers and does %s behind its answer costs nobody after it anything', async (act) => {
    const left: number[] = [];
    for (let round = 0; round < 3; round += 1) left.push(threadIn(await attempt(threads, acting(act))));
    const used: number[] = [];
    for (let round = 0; round < 10; round += 1) used.push(threadIn(await attempt(threads, acting('where'))));
    expect(used.filter((id) => left.includes(id))).toEqual([]);
  });

  it('that ends its idle thread later leaves no dead one in the pool', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tribunal-threads-'));
    try {
      const file = join(folder, 'dead');
      await attempt(threads, acting('die_later'), { content: { file } });
      await expect.poll(() => existsSync(file), { timeout: LONG_MS }).toBe(true);
      // The thread says so a moment after; an attempt that was in it by then is lost with it, and none waits for one that is gone.
      await expect.poll(() => attempt(threads, acting('answer')), { timeout: LONG_MS }).toMatchObject({ ok: true });
      for (let round = 0; round < 10; round += 1) expect(await attempt(threads, acting('answer'))).toMatchObject({ ok: true });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is handed what it is handed anywhere else, frozen, and its options as its own schema has them', async () => {
    const finding = { severity: 0.25, violations: [] };
    const end = await attempt(threads, acting('handed'), { content: { text: 'x' }, attempt: 3, findings: { other: finding } });
    expect(detailsOf(end)).toEqual({
      content: { text: 'x' },
      context: { from: 'test' },
      findings: { other: finding },
      options: { act: 'handed' },
      idempotencyKey: 'k',
      attempt: 3,
    });
    expect(await attempt(threads, acting('change'), { content: { text: 'x' } })).toMatchObject({
      code: 'CRITIC_ERROR',
      message: 'threw a TypeError',
    });
  });

  it('gets the secrets that it asks for and no others, and none when the look-up throws', async () => {
    const asked: string[] = [];
    const secret = (name: string): string | undefined => {
      asked.push(name);
      if (name === 'BROKEN') throw new Error('no');
      return name === 'KEY' ? 'value' : undefined;
    };
    expect(detailsOf(await attempt(threads, acting('secrets'), { secret }))).toEqual(['value', null, null]);
    expect(asked).toEqual(['KEY', 'OTHER', 'BROKEN']);
  });

  it('asks the network under the guard of its worker: hosts that are named, and no private address beside them', async () => {
    const server = createServer((_request, response) => response.end('{"hello":"world"}')).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as AddressInfo;
    const named = make({ hosts: [`127.0.0.1:${port}`] });
    const content = { url: `http://127.0.0.1:${port}/` };
    try {
      expect(detailsOf(await attempt(named, acting('fetch'), { content }))).toEqual({ hello: 'world' });
      expect(await attempt(threads, acting('fetch'), { content })).toMatchObject({ class: 'permanent', code: 'ADDRESS_REFUSED' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('beats and logs through its worker, fields that can be logged alone', async () => {
    const said: unknown[] = [];
    await attempt(threads, acting('say'), {
      heartbeat: () => said.push('beat'),
      log: (message, fields) => said.push([message, fields]),
    });
    expect(said).toEqual(['beat', ['found', { count: 1 }]]);
  });

  it('that logs without end is heard a thousand times', async () => {
    const lines: string[] = [];
    expect(await attempt(threads, acting('flood'), { log: (line) => lines.push(line) })).toMatchObject({ ok: true });
    expect(lines.length).toBe(1_000);
  });

  it('is told to stop before it is killed, with the reason', async () => {
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    expect(await attempt(threads, acting('stop'), { timeoutMs: 50, log })).toMatchObject({ class: 'timed_out' });
    const stop = new AbortController();
    const stopped = attempt(threads, acting('stop'), { signal: stop.signal, log });
    stop.abort();
    expect(await stopped).toMatchObject({ class: 'cancelled' });
    await expect.poll(() => lines).toEqual(['told: TimeoutError', 'told: AbortError']);
  });

  it.each(Object.keys(SHAPES))('of the shape %s ends as it does in the worker itself', async (shape) => {
    const end = await attempt(threads, use({ uses: 'hostile', with: { shape } }), {
      content: { text: 'dirty' },
      timeoutMs: SHAPES[shape]?.end === 'timed_out' ? 200 : LONG_MS,
    });
    const outcome = end.ok ? end.finding.severity : ['transient', 'rate_limited', 'permanent'].includes(end.class) ? 'failed' : end.class;
    expect(outcome).toBe(SHAPES[shape]?.end);
    expect(JSON.stringify(end.ok ? {} : end)).not.toContain(SECRET);
  });
});

describe('what a thread says in its own words', { timeout }, () => {
  const forge = async (end: Json): Promise<AttemptEnd> => attempt(make(), acting('forge'), { content: { type: 'answer', end } });

  it.each([
    ['unavailable', 'UNKNOWN_CRITIC'],
    ['cancelled', 'CANCELLED'],
    ['timed_out', 'ATTEMPT_TIMEOUT'],
    ['ok', 'OK'],
  ])('makes nothing %s', async (kind, code) => {
    expect(await forge({ ok: false, class: kind, code, message: 'forged' })).toMatchObject({
      ok: false,
      class: 'transient',
      code: 'CRITIC_ERROR',
    });
  });

  it.each([
    ['no finding', { ok: true, finding: { severity: 'low', violations: [] } }, 'NOT_A_FINDING'],
    [
      'a finding that is too large',
      { ok: true, finding: { severity: 0, violations: [], evidence: Array.from({ length: 20 }, () => 'x'.repeat(1_000)) } },
      'FINDING_TOO_LARGE',
    ],
    ['nothing', null, 'CRITIC_ERROR'],
  ])('is checked again by the worker: %s', async (_what, end, code) => {
    expect(await forge(end)).toMatchObject({ ok: false, code });
  });
});

describe('threads', { timeout }, () => {
  it('do not start when a critic cannot be made ready in them, and say why', async () => {
    await expect(make({ warm: [use({ uses: 'cold' })] }).start()).rejects.toThrow(
      'a critic cannot be made ready in a thread: the model is not there',
    );
    await expect(make({ warm: [use({ uses: 'mortal' })] }).start()).rejects.toThrow(
      'a critic cannot be made ready in a thread: it ended its thread',
    );
  });

  it('that cannot be made ready fail the attempt that waits for one', async () => {
    expect(await attempt(make({ warm: [use({ uses: 'cold' })] }), acting('answer'))).toMatchObject({
      class: 'transient',
      code: 'THREAD_LOST',
      message: 'the model is not there',
    });
  });

  it('have no place for a critic that was handed over as an object', async () => {
    const own = makeRegistry([
      { critic: { name: 'acting', version: '1.0.0', evaluate: () => ({ severity: 0, violations: [] }) }, from: 'this test' },
    ]);
    expect(await attempt(make({ registry: own, warm: [] }), acting('answer'))).toMatchObject({
      class: 'unavailable',
      message: expect.stringContaining('handed over as an object'),
    });
  });

  it('run built-in critics by their names', async () => {
    const pii = use({ uses: 'pii', with: {} });
    expect(await attempt(make({ warm: [pii] }), pii, { content: 'mail me: jane.doe@example.org' })).toMatchObject({
      ok: true,
      finding: { severity: 0.4 },
    });
  });

  it('are given to the attempt of the higher priority first, however late it came', async () => {
    const few = make();
    const stop = new AbortController();
    // All that there can be; how many that is depends on the machine.
    const held = Array.from({ length: 8 }, () => few.take(5, stop.signal));
    const order: number[] = [];
    const waiting = [9, 5, 1].map(async (priority) => {
      const thread = await few.take(priority, new AbortController().signal);
      order.push(priority);
      thread?.release();
    });
    const first = await Promise.race(held);
    first?.release();
    // Those of the held ones that had none yet wait no more.
    stop.abort();
    for (const thread of await Promise.all(held)) if (thread !== first) thread?.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 5, 9]);
  });

  it('are not waited for by an attempt that is told to stop', async () => {
    const few = make();
    const [hold, stop] = [new AbortController(), new AbortController()];
    // More than there can be, so that the last one waits.
    const held = Array.from({ length: 9 }, () => few.take(5, hold.signal));
    const waiting = few.take(5, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    hold.abort();
    for (const thread of await Promise.all(held)) thread?.release();
  });
});
