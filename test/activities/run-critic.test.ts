/** The activity behind every remote critic, under the SDK's mock environment: beats, attempts, failures, cancellation. */
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it, vi } from 'vitest';
import { makeRunCritic, type LaneDeps, type LaneLog } from '../../src/activities/run-critic.js';
import type { AttemptFailure, Beat, RunCriticInput, RunCriticOutput } from '../../src/contract.js';
import { CriticError, type AnyCritic } from '../../src/critics/critic.js';
import { loadCriticsModule } from '../../src/critics/module.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { CriticThreads } from '../../src/critics/threads/threads.js';
import type { PlanCritic } from '../../src/domain/plan.js';
import { BudgetPool } from '../../src/lanes/budgets.js';
import { critic } from '../support/plans.js';

type Evaluate = AnyCritic['evaluate'];

const input = (overrides: Partial<PlanCritic> = {}): RunCriticInput => ({
  critic: critic('judge', { uses: 'own', ...overrides }),
  content: 'text',
  context: {},
  findings: {},
  tenant: 'default',
  riskTier: 'medium',
  size: 6,
});

const clean = { severity: 0, violations: [] };

class Attempt {
  readonly beats: Beat[] = [];
  readonly environment: MockActivityEnvironment;

  constructor(info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {}) {
    this.environment = new MockActivityEnvironment(
      { scheduledTimestampMs: Date.now(), scheduleToCloseTimeoutMs: 60_000, currentAttemptScheduledTimestampMs: Date.now(), ...info },
      // Failures are what these tests are about; the SDK would print each.
      { logger: new DefaultLogger('ERROR') },
    );
    this.environment.on('heartbeat', (beat: Beat) => this.beats.push(beat));
  }

  async run(
    evaluate: Evaluate,
    given = input(),
    pool = new BudgetPool(),
    of: Pick<LaneDeps, 'lease' | 'log'> = {},
  ): Promise<RunCriticOutput> {
    const registry = makeRegistry([{ critic: { name: 'own', version: '1.0.0', evaluate }, from: 'this test' }]);
    const budgets = pool.chain([{ name: 'plan', maxConcurrent: 1 }]);
    return await this.environment.run(
      makeRunCritic({
        registry,
        secrets: (name) => (name === 'KEY' ? 'value of the key' : undefined),
        fetch: globalThis.fetch,
        budgets,
        threads: new CriticThreads({ registry, hosts: [], warm: [] }),
        ...of,
      }),
      given,
    );
  }

  async fail(evaluate: Evaluate, given = input()): Promise<ApplicationFailure> {
    const thrown: unknown = await this.run(evaluate, given).catch((error: unknown) => error);
    if (!(thrown instanceof ApplicationFailure)) throw new Error('the attempt did not fail as an ApplicationFailure');
    return thrown;
  }
}

const detailsOf = (failure: ApplicationFailure): AttemptFailure => failure.details?.[0] as AttemptFailure;

describe('an attempt', () => {
  it('that succeeds at once sends no heartbeat and returns its record', async () => {
    const attempt = new Attempt();
    const output = await attempt.run(() => clean);
    expect(output).toMatchObject({ outcome: 'succeeded', finding: clean, attempts: [{ class: 'ok' }] });
    expect(attempt.beats).toEqual([]);
  });

  it('that fails and may be tried again beats once with its record, for the next attempt to carry on', async () => {
    const attempt = new Attempt();
    const failure = await attempt.fail(() => {
      throw new CriticError('transient', 'HTTP_503', 'the service said 503');
    });
    expect(failure).toMatchObject({ type: 'CriticFailed', nonRetryable: false, message: 'the service said 503', stack: '' });
    expect(attempt.beats).toHaveLength(1);
    expect(attempt.beats[0]?.attempts).toMatchObject([{ class: 'transient', code: 'HTTP_503' }]);
    expect(detailsOf(failure).attempts).toHaveLength(1);
  });

  it('is handed the secrets of its worker by name, and none that it does not have', async () => {
    const asked: unknown[] = [];
    const output = await new Attempt().run((_, { secret }) => {
      asked.push(secret('KEY'), secret('OTHER'));
      return clean;
    });
    expect(asked).toEqual(['value of the key', undefined]);
    expect(JSON.stringify(output)).not.toContain('value of the key');
  });

  it('that fails for good sends none', async () => {
    const attempt = new Attempt();
    const failure = await attempt.fail(() => {
      throw new CriticError('permanent', 'HTTP_401', 'the service said 401');
    });
    expect(failure.nonRetryable).toBe(true);
    expect(attempt.beats).toEqual([]);
  });

  it('lists the attempts that its predecessor told of before its own', async () => {
    const earlier: Beat = { attempts: [{ class: 'transient', queuedMs: 1, ranMs: 2, code: 'HTTP_503' }], startedAt: 5 };
    const output = await new Attempt({ attempt: 2, heartbeatDetails: earlier }).run(() => clean);
    expect(output).toMatchObject({ attempts: [{ code: 'HTTP_503' }, { class: 'ok' }], startedAt: 5 });
  });

  it('counts a predecessor that left no record as lost with its process', async () => {
    const output = await new Attempt({ attempt: 3, heartbeatDetails: undefined }).run(() => clean);
    expect(output.attempts.map((one) => one.class)).toEqual(['worker_lost', 'worker_lost', 'ok']);
  });

  it('that is told to stop because its worker stops is worth another one, whatever the plan says of retries', async () => {
    const attempt = new Attempt();
    const running = attempt.fail(() => new Promise(() => undefined), input({ maxRetries: 0, retryOnTimeout: false }));
    attempt.environment.cancel('WORKER_SHUTDOWN');
    const failure = await running;
    expect(failure.nonRetryable).toBe(false);
    expect(detailsOf(failure)).toMatchObject({ outcome: 'worker_lost', attempts: [{ class: 'worker_lost' }] });
  });

  it('that waits for a budget gives up when it is told to stop, and the place stays free for others', async () => {
    const pool = new BudgetPool();
    const release = await pool.chain([{ name: 'plan', maxConcurrent: 1 }]).acquire(5, new AbortController().signal);
    const attempt = new Attempt();
    let called = false;
    const running = attempt.run(() => ((called = true), clean), input(), pool).catch((error: unknown) => error);
    attempt.environment.cancel('WORKER_SHUTDOWN');
    expect(await running).toBeInstanceOf(ApplicationFailure);
    expect(called).toBe(false);
    release?.();
    expect(await new Attempt().run(() => clean, input(), pool)).toMatchObject({ outcome: 'succeeded' });
  });

  it('that is told to stop keeps its place until its critic has ended, so that the next one is not one too many', async () => {
    const pool = new BudgetPool();
    const attempt = new Attempt();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    // It cleans up before it obeys.
    const running = attempt.run(() => ended.then(() => clean), input(), pool).catch((error: unknown) => error);
    attempt.environment.cancel('WORKER_SHUTDOWN');
    expect(await running).toBeInstanceOf(ApplicationFailure);
    let isNextIn = false;
    const next = pool.chain([{ name: 'plan', maxConcurrent: 1 }]).acquire(5, new AbortController().signal);
    void next.then(() => (isNextIn = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isNextIn).toBe(false);
    end();
    await next;
    expect(isNextIn).toBe(true);
  });

  it('that ignores its signal keeps its place only for a while', async () => {
    const pool = new BudgetPool();
    const failure = new Attempt().run(() => new Promise(() => undefined), input({ attemptTimeoutMs: 20 }), pool);
    await expect(failure).rejects.toThrow('did not answer within 20 ms');
    expect(await new Attempt().run(() => clean, input(), pool)).toMatchObject({ outcome: 'succeeded' });
  });

  it('is not begun once the lease of its lane may be over, and is told to stop when it is lost', async () => {
    let called = 0;
    let isBack = false;
    const over = new AbortController();
    const lost = { lost: AbortSignal.abort(), over: over.signal, sentBack: over.signal, isValid: () => false };
    const taken = new Attempt()
      .run(() => ((called += 1), clean), input(), new BudgetPool(), { lease: lost })
      .finally(() => (isBack = true));
    await new Promise((settle) => setImmediate(settle));
    // Kept until the lanes' Workers stop: handed back before, it could come again and again.
    expect(isBack).toBe(false);
    over.abort();
    await expect(taken).rejects.toThrow('the worker stopped');
    expect(called).toBe(0);
    const lease = new AbortController();
    const running = new Attempt().run(
      (_given, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('told to stop')));
          lease.abort();
        }),
      input(),
      new BudgetPool(),
      { lease: { lost: lease.signal, over: lease.signal, sentBack: lease.signal, isValid: () => true } },
    );
    await expect(running).rejects.toMatchObject({ nonRetryable: false, details: [{ outcome: 'worker_lost' }] });
  });

  it('in a thread beats while its critic loops for ever, waits for its thread before its time runs, and is cut by its own', async () => {
    const attempt = new Attempt();
    const registry = makeRegistry(await loadCriticsModule('test/support/thread-critics/critics.mjs'));
    const threads = new CriticThreads({ registry, hosts: [], warm: [] });
    const loop = input({ uses: 'acting', with: { act: 'loop' }, isolation: 'thread', attemptTimeoutMs: 2_500 });
    const budgets = new BudgetPool().chain([]);
    const run = makeRunCritic({ registry, secrets: () => undefined, fetch: globalThis.fetch, budgets, threads });
    try {
      const thrown: unknown = await attempt.environment.run(run, loop).catch((error: unknown) => error);
      expect(detailsOf(thrown as ApplicationFailure)).toMatchObject({ outcome: 'timed_out', code: 'ATTEMPT_TIMEOUT' });
      // The first comes from whoever has to wait, the last carries the record on.
      expect(attempt.beats[0]).toMatchObject({ waiting: true });
      expect(attempt.beats.filter((beat) => beat.runningSince !== undefined).length).toBeGreaterThan(0);
    } finally {
      await threads.close();
    }
  });

  it.each([
    [true, false],
    [false, true],
  ])('cut by its time-out with retryOnTimeout %s is final: %s', async (retryOnTimeout, nonRetryable) => {
    const failure = await new Attempt().fail(() => new Promise(() => undefined), input({ attemptTimeoutMs: 20, retryOnTimeout }));
    expect(failure).toMatchObject({ type: 'CriticTimedOut', nonRetryable });
    expect(detailsOf(failure)).toMatchObject({ outcome: 'timed_out', code: 'ATTEMPT_TIMEOUT' });
  });

  it('is final once as many attempts were made as its failure is worth, and not before', async () => {
    const twice: Evaluate = () => {
      throw new CriticError('transient', 'HTTP_MALFORMED', 'answered with a page', { maxAttempts: 2 });
    };
    expect((await new Attempt({ attempt: 1 }).fail(twice)).nonRetryable).toBe(false);
    const last = await new Attempt({ attempt: 2 }).fail(twice);
    expect(last.nonRetryable).toBe(true);
    expect(detailsOf(last)).toMatchObject({ outcome: 'failed', code: 'HTTP_MALFORMED' });
  });

  it.each([0, -1, Number.NaN, '2'])('keeps the retries of the plan when its failure names %s attempts', async (maxAttempts) => {
    const failure = await new Attempt({ attempt: 1 }).fail(() => {
      throw Object.assign(new Error('own'), { kind: 'transient', code: 'OWN', extra: { maxAttempts } });
    });
    expect(failure.nonRetryable).toBe(false);
  });

  it('obeys Retry-After as far as the time that is left', async () => {
    const later =
      (retryAfterMs: number): Evaluate =>
      () => {
        throw new CriticError('rate_limited', 'HTTP_429', 'too many', { retryAfterMs });
      };
    expect((await new Attempt().fail(later(2_000))).nextRetryDelay).toBe(2_000);
    const clamped = (await new Attempt().fail(later(999_999_000))).nextRetryDelay;
    expect(clamped).toBeLessThanOrEqual(60_000);
    expect(clamped).toBeGreaterThan(0);
  });

  it('is made when the clock here is ahead of the server by more than the whole time-out', async () => {
    const ahead = {
      scheduledTimestampMs: Date.now() - 6_000,
      currentAttemptScheduledTimestampMs: Date.now() - 6_000,
      scheduleToCloseTimeoutMs: 5_000,
    };
    expect(await new Attempt(ahead).run(() => clean)).toMatchObject({ outcome: 'succeeded' });
  });

  it('keeps one idempotency key over its attempts, also when the walk schedules it once more, and another for another critic', async () => {
    const keyOf = async (info: { attempt?: number; activityId?: string }): Promise<string> => {
      let key = '';
      await new Attempt(info).run((_input, tools) => ((key = tools.idempotencyKey), clean));
      return key;
    };
    const first = await keyOf({ attempt: 1, activityId: 'core_analysis/judge' });
    expect(await keyOf({ attempt: 2, activityId: 'core_analysis/judge' })).toBe(first);
    expect(await keyOf({ attempt: 1, activityId: 'core_analysis/judge#2' })).toBe(first);
    expect(await keyOf({ attempt: 1, activityId: 'core_analysis/other' })).not.toBe(first);
  });

  it('of an implementation whose major version is another one is unavailable, and says which', async () => {
    const failure = await new Attempt().fail(() => clean, input({ version: '2.0.0' }));
    expect(failure).toMatchObject({
      type: 'CriticUnavailable',
      nonRetryable: true,
      message: 'the plan was compiled for own 2.0.0, this worker has 1.0.0',
    });
  });

  it('never lets a message of a foreign error out: it may quote the content', async () => {
    const failure = await new Attempt().fail(() => {
      JSON.parse('my ssn is 123');
      return clean;
    });
    expect(failure.message).toBe('threw a SyntaxError');
    expect(JSON.stringify(failure.details)).not.toContain('ssn');
  });
});

/** Keeps what a lane is told. */
class Told implements LaneLog {
  readonly counts = { running: 0, waiting: 0 };
  readonly ends: string[] = [];
  readonly asked: (readonly [from: number, to: number])[] = [];

  count(what: 'running' | 'waiting'): () => void {
    this.counts[what] += 1;
    return () => void (this.counts[what] -= 1);
  }

  held(from: number, to: number): ReturnType<LaneLog['held']> {
    this.asked.push([from, to]);
    return { by: 'ann', reason: 'outage', ms: 500 };
  }

  ended(attempt: Parameters<LaneLog['ended']>[0]): void {
    this.ends.push([attempt.class, attempt.code ?? ''].join(' ').trim());
  }
}

describe('a lane', () => {
  it('counts a critic as waiting until it has its place, as running while it runs, and then no more', async () => {
    const told = new Told();
    const pool = new BudgetPool();
    const release = await pool.chain([{ name: 'plan', maxConcurrent: 1 }]).acquire(5, new AbortController().signal);
    let during: unknown;
    const running = new Attempt().run(() => ((during = { ...told.counts }), clean), input(), pool, { log: told });
    await vi.waitUntil(() => told.counts.waiting === 1);
    expect(told.counts).toEqual({ running: 0, waiting: 1 });
    release?.();
    await running;
    expect(during).toEqual({ running: 1, waiting: 0 });
    expect(told.counts).toEqual({ running: 0, waiting: 0 });
  });

  it('is asked for the pause of the time in which the attempt waited, which stands in its record', async () => {
    const told = new Told();
    const due = Date.now() - 2_000;
    const output = await new Attempt({ currentAttemptScheduledTimestampMs: due }).run(() => clean, input(), new BudgetPool(), {
      log: told,
    });
    expect(output.attempts).toMatchObject([{ class: 'ok', held: { by: 'ann', reason: 'outage', ms: 500 } }]);
    expect(told.asked).toEqual([[due, expect.any(Number)]]);
  });

  it('is told how attempts end, but not of one that the deadline cut short: the service may take longer', async () => {
    const told = new Told();
    const run = (evaluate: Evaluate, info = {}, given = input()): Promise<unknown> =>
      new Attempt(info).run(evaluate, given, new BudgetPool(), { log: told }).catch(() => undefined);
    const forever = (): Promise<never> => new Promise(() => undefined);
    await run(() => clean);
    await run(() => {
      throw new CriticError('rate_limited', 'HTTP_429', 'too many');
    });
    await run(forever, {}, input({ attemptTimeoutMs: 20 }));
    await run(forever, { scheduleToCloseTimeoutMs: 200 });
    expect(told.ends).toEqual(['ok', 'rate_limited HTTP_429', 'timed_out ATTEMPT_TIMEOUT']);
  });
});
