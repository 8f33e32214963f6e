/** Critics in threads on the real server: a loop that never ends costs its own outcome, whatever the worker does beside it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';

const acting = (act: string, extra: object = {}) => ({
  uses: 'acting',
  stage: 'core_analysis',
  isolation: 'thread',
  attemptTimeout: '30s',
  maxRetries: 0,
  with: { act },
  ...extra,
});
const quick = (extra: object = {}) => ({ uses: 'scripted', stage: 'core_analysis', ...extra });
const plan = (name: string, critics: object) => ({
  plan: name,
  version: 1,
  timeouts: { global: '60s' },
  critics,
  verdict: { otherwise: 'allow' },
});

const PLANS = [
  // Longer than the server's patience with a worker that does not beat.
  plan('looping', {
    endless: acting('loop', { attemptTimeout: '7s' }),
    beside: quick(),
    in_thread: acting('answer'),
    later: quick({ stage: 'validation' }),
  }),
  plan('quick', { remote: quick(), in_thread: acting('answer'), at_home: quick({ dispatch: 'local' }) }),
  plan('dying', {
    ends: acting('exit', { maxRetries: 5, retryBackoffBase: 1 }),
    fills: acting('fill', { maxRetries: 5, retryBackoffBase: 1 }),
    beside: quick(),
  }),
];

describe('a critic in a thread', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS, modules: ['test/support/thread-critics/critics.mjs'] });
  });
  afterAll(() => harness.close());

  it('that loops for longer than a worker may be silent ends as timed out by its own time-out, and others are judged meanwhile', async () => {
    let isOver = false;
    const looping = harness.client.evaluate({ plan: 'looping', content: 'text' }).finally(() => (isOver = true));
    let judged = 0;
    while (!isOver) {
      const report = await harness.client.evaluate({ plan: 'quick', content: 'text' });
      expect(report).toMatchObject({ decision: 'allow', coverage: { planned: 3, succeeded: 3 } });
      if (!isOver) judged += 1;
    }
    const report = await looping;
    expect(outcomesOf(report)).toEqual({ endless: 'timed_out', beside: 'succeeded', in_thread: 'succeeded', later: 'succeeded' });
    expect(criticOf(report, 'endless')).toMatchObject({ code: 'ATTEMPT_TIMEOUT', attempts: 1 });
    expect(report.decision).toBe('not_judged');
    expect(judged).toBeGreaterThan(0);
  });

  it('that takes its thread down is tried once more, fails for good, and takes nobody along', async () => {
    const report = await harness.client.evaluate({ plan: 'dying', content: 'text' });
    expect(outcomesOf(report)).toEqual({ ends: 'failed', fills: 'failed', beside: 'succeeded' });
    for (const name of ['ends', 'fills']) expect(criticOf(report, name), name).toMatchObject({ code: 'THREAD_LOST', attempts: 2 });
    expect(report.decision).toBe('not_judged');
  });
});
