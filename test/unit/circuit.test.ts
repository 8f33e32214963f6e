/** When a lane whose provider keeps failing is paused, tried again and let go. */
import { describe, expect, it } from 'vitest';
import { CIRCUIT_LIMITS, circuitMove, circuitState, type CircuitMove, type EndedAttempt } from '../../src/lanes/circuit.js';
import { CircuitBreaker } from '../../src/lanes/circuit-breaker.js';
import { CIRCUIT, type QueueSetting } from '../../src/lanes/queue-setting.js';
import type { AttemptClass } from '../../src/domain/outcomes.js';

const NOW = 1_000_000;
const { windowMs, leastEnded, coolDownMs, probesPerSecond } = CIRCUIT_LIMITS;

const attempts = (count: number, how: AttemptClass, endedAt = NOW - 1_000): EndedAttempt[] =>
  Array.from({ length: count }, () => ({
    class: how,
    ...(how === 'ok' ? {} : { code: how === 'transient' ? 'HTTP_503' : 'OTHER' }),
    startedAt: endedAt - 100,
    endedAt,
  }));

const closed = (ended: readonly EndedAttempt[], since = 0): CircuitMove | undefined => circuitMove({ state: 'closed', since }, ended, NOW);

describe('a lane that is not held', () => {
  it('is paused at half of ten failed attempts, with how many, in what time and by which code', () => {
    const ended = [...attempts(4, 'transient'), ...attempts(1, 'rate_limited'), ...attempts(5, 'ok')];
    expect(closed(ended)).toEqual({ to: 'open', rate: 0, reason: '5 of 10 attempts failed in 30 s (HTTP_503 most)' });
  });

  it('is not paused below half, or by fewer than ten attempts', () => {
    expect(closed([...attempts(9, 'timed_out'), ...attempts(10, 'ok')])).toBeUndefined();
    expect(closed(attempts(leastEnded - 1, 'transient'))).toBeUndefined();
  });

  it.each(['permanent', 'invalid_output'] as const)('counts %s as an answer of the service', (how) => {
    expect(closed(attempts(20, how))).toBeUndefined();
    expect(closed([...attempts(6, 'transient'), ...attempts(7, how)])).toBeUndefined();
  });

  it.each(['worker_lost', 'cancelled', 'unavailable'] as const)('does not count %s at all: it says nothing of the service', (how) => {
    expect(closed([...attempts(leastEnded - 1, 'transient'), ...attempts(20, how)])).toBeUndefined();
    expect(closed([...attempts(leastEnded, 'transient'), ...attempts(20, how)])).toMatchObject({ to: 'open' });
  });

  it('is not paused for what ended before the window, or began before the lane was let go', () => {
    expect(closed(attempts(20, 'transient', NOW - windowMs))).toBeUndefined();
    expect(closed(attempts(20, 'transient'), NOW - 1_050)).toBeUndefined();
  });
});

describe('a lane that the circuit has paused', () => {
  const move = (since: number, ended: readonly EndedAttempt[] = []) => circuitMove({ state: 'open', since, reason: 'why' }, ended, NOW);

  it('is tried by probes after the cool-down and not before, whatever ends meanwhile', () => {
    expect(move(NOW - coolDownMs + 1, attempts(20, 'ok'))).toBeUndefined();
    expect(move(NOW - coolDownMs)).toEqual({ to: 'probing', rate: probesPerSecond, reason: 'why' });
  });
});

describe('a lane that is probed', () => {
  const move = (ended: readonly EndedAttempt[]) => circuitMove({ state: 'probing', since: NOW - 1_200, reason: 'why' }, ended, NOW);

  it('stays so while probes fail, and is let go by the first that is answered', () => {
    expect(move(attempts(20, 'transient'))).toBeUndefined();
    expect(move([...attempts(1, 'transient'), ...attempts(1, 'ok')])).toEqual({ to: 'closed', reason: 'a probe was answered' });
  });

  it('is not let go by an attempt that began before the probes', () => {
    expect(move(attempts(1, 'ok', NOW - 1_150))).toBeUndefined();
  });
});

describe('what the server keeps', () => {
  it('tells the state: only what the circuit itself has set is its own', () => {
    expect(circuitState({})).toBe('closed');
    expect(circuitState({ by: 'ann', reason: 'resumed', at: 1 })).toBe('closed');
    expect(circuitState({ rate: 0, by: CIRCUIT })).toBe('open');
    expect(circuitState({ rate: 0.2, by: CIRCUIT })).toBe('probing');
    for (const rate of [0, 0.2, 5]) expect(circuitState({ rate, by: 'ann' })).toBe('held');
  });

  it('of somebody else moves nothing, whatever has ended', () => {
    expect(circuitMove({ state: 'held', since: 0 }, attempts(50, 'transient'), NOW)).toBeUndefined();
    expect(circuitMove({ state: 'held', since: 0 }, attempts(50, 'ok'), NOW)).toBeUndefined();
  });
});

describe('a breaker', () => {
  const fail = (): EndedAttempt => ({ class: 'transient', code: 'HTTP_503', startedAt: Date.now(), endedAt: Date.now() });
  const make = (isOwner = true) => {
    const changes: object[] = [];
    const breaker = new CircuitBreaker({ set: async (change) => void changes.push(change), isOwner: () => isOwner, log: () => undefined });
    return { changes, breaker };
  };
  const trip = (breaker: CircuitBreaker): boolean => Array.from({ length: leastEnded }, () => breaker.ended(fail())).includes(true);

  it('asks to look once enough has failed, and pauses what nobody else holds', async () => {
    const { changes, breaker } = make();
    expect(breaker.ended(fail())).toBe(false);
    expect(trip(breaker)).toBe(true);
    await breaker.act({});
    expect(changes).toEqual([{ rate: 0, reason: expect.stringMatching(/^11 of 11 attempts failed in 30 s/) }]);
  });

  it('that is off lets go what an earlier one has paused, and nothing else', async () => {
    const changes: object[] = [];
    const off = new CircuitBreaker({
      set: async (change) => void changes.push(change),
      isOwner: () => true,
      log: () => undefined,
      limits: 'off',
    });
    await off.act({ rate: 0, by: 'ann', reason: 'x', at: 1 });
    trip(off);
    await off.act({});
    expect(changes).toEqual([]);
    await off.act({ rate: 0, by: CIRCUIT, reason: 'fails', at: 1 });
    expect(changes).toEqual([{ reason: 'the circuit of this lane is off' }]);
  });

  it.each<[string, QueueSetting]>([
    ['a pause', { rate: 0, by: 'ann', reason: 'x', at: 1 }],
    ['a rate', { rate: 3, by: 'ann', reason: 'x', at: 1 }],
  ])('overwrites no operator: %s stays', async (_what, setting) => {
    const { changes, breaker } = make();
    trip(breaker);
    await breaker.act(setting);
    expect(changes).toEqual([]);
  });

  it('sets nothing once the lane is no longer its process’s', async () => {
    const { changes, breaker } = make(false);
    trip(breaker);
    await breaker.act({});
    expect(changes).toEqual([]);
  });

  it('begins with nothing counted after an operator let the lane go', async () => {
    const { changes, breaker } = make();
    trip(breaker);
    await breaker.act({});
    for (let index = 0; index < 20; index += 1) breaker.ended({ ...fail(), startedAt: Date.now() - 60_000 });
    await breaker.act({ by: 'ann', reason: 'resumed', at: 1 });
    await breaker.act({ by: 'ann', reason: 'resumed', at: 1 });
    expect(changes).toHaveLength(1);
  });
});
