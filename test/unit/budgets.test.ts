/** Budgets of stage and plan in one process. */
import { describe, expect, it } from 'vitest';
import { BudgetPool } from '../../src/lanes/budgets.js';

const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a budget', () => {
  it('lets as many through as it has places, and the next one when a place is given back', async () => {
    const budget = new BudgetPool().chain([{ name: 'stage', maxConcurrent: 2 }]);
    const first = await budget.acquire(5, never);
    await budget.acquire(5, never);
    let third = false;
    const waiting = budget.acquire(5, never).then((release) => {
      third = true;
      return release;
    });
    await turn();
    expect(third).toBe(false);
    first?.();
    expect(await waiting).toBeTypeOf('function');
  });

  it('is shared by every lane that names it', async () => {
    const pool = new BudgetPool();
    const one = pool.chain([{ name: 'plan', maxConcurrent: 1 }]);
    const other = pool.chain([{ name: 'plan', maxConcurrent: 1 }]);
    const release = await one.acquire(5, never);
    let got = false;
    const waiting = other.acquire(5, never).then(() => (got = true));
    await turn();
    expect(got).toBe(false);
    release?.();
    await waiting;
  });

  it('serves the lower priority number first', async () => {
    const budget = new BudgetPool().chain([{ name: 'plan', maxConcurrent: 1 }]);
    const release = await budget.acquire(5, never);
    const order: number[] = [];
    const waiting = [9, 1, 5].map(async (priority) => {
      const done = await budget.acquire(priority, never);
      order.push(priority);
      done?.();
    });
    await turn();
    release?.();
    await Promise.all(waiting);
    expect(order).toEqual([1, 5, 9]);
  });

  it('gives up at once when the signal fires, and keeps no place', async () => {
    const budget = new BudgetPool().chain([{ name: 'plan', maxConcurrent: 1 }]);
    const release = await budget.acquire(5, never);
    const stop = new AbortController();
    const waiting = budget.acquire(5, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    release?.();
    expect(await budget.acquire(5, never)).toBeTypeOf('function');
  });

  it('gives back the narrow place when the wide one never comes', async () => {
    const pool = new BudgetPool();
    const narrow = { name: 'stage', maxConcurrent: 1 };
    const wide = { name: 'plan', maxConcurrent: 1 };
    const release = await pool.chain([wide]).acquire(5, never);
    const stop = new AbortController();
    const waiting = pool.chain([narrow, wide]).acquire(5, stop.signal);
    await turn();
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await pool.chain([narrow]).acquire(5, never)).toBeTypeOf('function');
    release?.();
  });

  it('is not taken by a signal that has fired before', async () => {
    const budget = new BudgetPool().chain([{ name: 'plan', maxConcurrent: 1 }]);
    expect(await budget.acquire(5, AbortSignal.abort())).toBeUndefined();
    expect(await budget.acquire(5, never)).toBeTypeOf('function');
  });
});

describe('a rate', () => {
  it('keeps starts apart by its gap, also after an idle time, and makes up for nothing', async () => {
    const budget = new BudgetPool().chain([{ name: 'lane', rateLimitPerSecond: 50 }]);
    const starts: number[] = [];
    for (let start = 0; start < 6; start += 1) {
      (await budget.acquire(5, never))?.();
      starts.push(performance.now());
      // As long as several gaps: whoever saved them up would let the next ones through at once.
      if (start === 2) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    // Late ones are made up for by 4 % of a gap.
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(20 * 0.96 - 0.01);
  });

  it('is shared by every lane that names it, and serves the lower priority number first', async () => {
    const pool = new BudgetPool();
    const one = pool.chain([{ name: 'lane', rateLimitPerSecond: 40 }]);
    const other = pool.chain([{ name: 'lane', rateLimitPerSecond: 40 }]);
    const order: number[] = [];
    const begun = performance.now();
    await Promise.all([
      one.acquire(1, never),
      one.acquire(9, never).then(() => order.push(9)),
      other.acquire(2, never).then(() => order.push(2)),
    ]);
    expect(order).toEqual([2, 9]);
    expect(performance.now() - begun).toBeGreaterThan(2 * 25 - 3);
  });

  it('that is waited for in vain is left when the signal fires, and costs no start', async () => {
    const budget = new BudgetPool().chain([{ name: 'lane', rateLimitPerSecond: 0.001 }]);
    await budget.acquire(5, never);
    const stop = new AbortController();
    const waiting = budget.acquire(5, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
  });

  it('counts from when the critic really begins: what it needs besides is taken when its start is due, and never before', async () => {
    const budget = new BudgetPool().chain([{ name: 'p', rateLimitPerSecond: 20 }]);
    let isDue = false;
    const first = await budget.acquire(5, never);
    first?.();
    const begun = performance.now();
    const slow = budget.acquire(5, never, async () => {
      isDue = performance.now() - begun >= 40;
      await new Promise((resolve) => setTimeout(resolve, 120));
      return () => undefined;
    });
    const next = budget.acquire(5, never);
    await slow;
    const slowAt = performance.now();
    expect(isDue).toBe(true);
    await next;
    expect(performance.now() - slowAt).toBeGreaterThanOrEqual(45);
  });

  it('that no queue of the server holds begins with its gap: what the owner before has started is not known', async () => {
    const begun = performance.now();
    const pool = new BudgetPool(new Set(['shared']));
    await pool.chain([{ name: 'own', rateLimitPerSecond: 10 }]).acquire(5, never);
    const own = performance.now() - begun;
    await pool.chain([{ name: 'shared', rateLimitPerSecond: 10 }]).acquire(5, never);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
    expect(own).toBeLessThan(performance.now() - begun);
  });
});
