/** Retries on the real server: when, how often, and what the report says of them. Times are lower bounds alone. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, criticOf, makeHarness, type Call, type Harness } from '../support/harness.js';
import { activityOf, attemptsOf, eventMs } from '../support/history.js';

/** The server's clock and the worker's are the same one, read at different places. */
const SLACK_MS = 50;

/** A plan of one remote critic that records its calls. */
const one = (dir: string, name: string, options: object, critic: object = {}, timeouts: object = { global: '60s' }) => ({
  plan: name,
  version: 1,
  timeouts,
  critics: {
    subject: {
      uses: 'scripted',
      stage: 'core_analysis',
      retryBackoffBase: 1,
      ...critic,
      with: { record: join(dir, `${name}.jsonl`), ...options },
    },
  },
  verdict: { otherwise: 'allow' },
});

const PLANS = (dir: string) => [
  one(dir, 'thrice', { failTimes: 3 }, { maxRetries: 3, retryBackoffBase: 2 }),
  one(dir, 'hanging', { hang: true }, { maxRetries: 1, attemptTimeout: '200ms', retryOnTimeout: true }),
  one(dir, 'hanging_once', { hang: true }, { maxRetries: 3, attemptTimeout: '200ms', retryOnTimeout: false }),
  one(dir, 'permanent', { throw: 'permanent' }, { maxRetries: 5 }),
  one(dir, 'hopeless', { throw: 'transient' }, { maxRetries: 2 }),
  one(dir, 'never_again', { throw: 'transient' }, { maxRetries: 0 }),
  one(dir, 'plain_error', { throw: 'error', failTimes: 1 }, { maxRetries: 1 }),
  one(dir, 'limited', { throw: 'rate_limited', retryAfter: '3s', failTimes: 1 }),
  one(dir, 'limited_for_long', { throw: 'rate_limited', retryAfter: '1h', failTimes: 1 }, { timeout: '20s' }),
  one(dir, 'cut', { throw: 'transient' }, { maxRetries: 9, retryBackoffBase: 5, timeout: '20s' }),
  one(
    dir,
    'cut_by_stage',
    { throw: 'transient' },
    { maxRetries: 9, retryBackoffBase: 3_600 },
    { global: '60s', stages: { core_analysis: '30s' } },
  ),
];

/** Milliseconds from the end of each attempt to the start of the next. */
function gapsOf(calls: readonly Call[]): number[] {
  const starts = calls.filter((call) => call.event === 'start');
  const ends = calls.filter((call) => call.event === 'end');
  return starts.slice(1).map((start, index) => start.at - (ends[index]?.at ?? Number.NaN));
}

describe('retries', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS });
  });
  afterAll(() => harness.close());

  async function run(plan: string) {
    const report = await harness.client.evaluate({ plan, content: 'text' });
    const calls = await callsIn(join(harness.dir, `${plan}.jsonl`));
    return {
      report,
      critic: criticOf(report, 'subject'),
      calls,
      starts: calls.filter((call) => call.event === 'start'),
      history: await harness.history(report.evaluationId),
    };
  }

  it.concurrent('of a critic that fails three times come after 2, 4 and 8 seconds, and the fourth attempt succeeds', async () => {
    const { report, critic, calls, history } = await run('thrice');
    expect(report.decision).toBe('allow');
    expect(critic).toMatchObject({ outcome: 'succeeded', attempts: 4 });
    expect(report.metrics.retried).toBe(3);
    expect(attemptsOf(history, 'subject').map((attempt) => attempt.class)).toEqual(['transient', 'transient', 'transient', 'ok']);
    const gaps = gapsOf(calls);
    expect(gaps).toHaveLength(3);
    for (const [index, seconds] of [2, 4, 8].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(seconds * 1000 - SLACK_MS);
    const { scheduled, started } = activityOf(history, 'subject');
    const policy = scheduled.activityTaskScheduledEventAttributes?.retryPolicy;
    expect([eventMs(policy?.initialInterval ?? null), policy?.backoffCoefficient, policy?.maximumAttempts]).toEqual([2000, 2, 4]);
    expect(started?.activityTaskStartedEventAttributes?.attempt).toBe(4);
    expect(eventMs(started?.eventTime) - eventMs(scheduled.eventTime)).toBeGreaterThanOrEqual(14_000 - SLACK_MS);
  });

  it.concurrent('keep the idempotency key of the critic, which is another one in the next evaluation', async () => {
    const first = await run('plain_error');
    expect(first.starts.map((call) => call.attempt)).toEqual([1, 2]);
    expect(new Set(first.starts.map((call) => call.key)).size).toBe(1);
    const second = await run('plain_error');
    expect(new Set(second.starts.map((call) => call.key)).size).toBe(2);
  });

  it.concurrent('follow an attempt that ran out of time when the plan says so, and each stands in the account as timed out', async () => {
    const { report, critic, starts, history } = await run('hanging');
    expect(starts).toHaveLength(2);
    expect(report.decision).toBe('not_judged');
    expect(critic).toMatchObject({ outcome: 'timed_out', code: 'ATTEMPT_TIMEOUT', attempts: 2 });
    expect(critic.cut).toBeUndefined();
    expect(attemptsOf(history, 'subject').map((attempt) => attempt.class)).toEqual(['timed_out', 'timed_out']);
    expect(critic.ranMs).toBeGreaterThanOrEqual(2 * 200 - SLACK_MS);
  });

  it.concurrent('do not follow an attempt that ran out of time when the plan does not want them', async () => {
    const { report, critic, starts } = await run('hanging_once');
    expect(starts).toHaveLength(1);
    expect(critic).toMatchObject({ outcome: 'timed_out', code: 'ATTEMPT_TIMEOUT', attempts: 1 });
    expect(report.metrics.retried).toBe(0);
  });

  it.concurrent('do not follow a permanent error', async () => {
    const { critic, starts } = await run('permanent');
    expect(starts).toHaveLength(1);
    expect(critic).toMatchObject({ outcome: 'failed', code: 'SCRIPTED_PERMANENT', attempts: 1 });
  });

  it.concurrent('end when maxRetries is used up, and the critic has failed', async () => {
    const { report, critic, starts } = await run('hopeless');
    expect(starts.map((call) => call.attempt)).toEqual([1, 2, 3]);
    expect(critic).toMatchObject({ outcome: 'failed', code: 'SCRIPTED_TRANSIENT', attempts: 3 });
    expect(critic.cut).toBeUndefined();
    expect(report).toMatchObject({ decision: 'not_judged', metrics: { retried: 2 } });
    expect((await run('never_again')).starts).toHaveLength(1);
  });

  it.concurrent('wait as long as a service that limits its callers asks', async () => {
    const { report, critic, calls, history } = await run('limited');
    expect(critic).toMatchObject({ outcome: 'succeeded', attempts: 2 });
    expect(report.metrics).toMatchObject({ rateLimited: 1, retried: 1 });
    expect(gapsOf(calls)[0]).toBeGreaterThanOrEqual(3000 - SLACK_MS);
    expect(attemptsOf(history, 'subject').map((attempt) => attempt.class)).toEqual(['rate_limited', 'ok']);
  });

  it.concurrent('are given up at once when a service asks for more time than is left', async () => {
    const { report, critic, starts, history } = await run('limited_for_long');
    expect(starts).toHaveLength(1);
    expect(critic).toMatchObject({ outcome: 'failed', code: 'SCRIPTED_RATE_LIMITED', cut: 'deadline', attempts: 1 });
    expect(report.decision).toBe('not_judged');
    // Closed by the failure itself: nobody waited until the time-out for a retry that could not come.
    expect(activityOf(history, 'subject').closed?.activityTaskFailedEventAttributes).toBeTruthy();
  });

  it.concurrent('that the time-out of the critic cuts end as failed, with the deadline named', async () => {
    const { report, critic, starts } = await run('cut');
    // At 0 and 5 s; the third one, 25 s later, does not fit into 20.
    expect(starts).toHaveLength(2);
    expect(critic).toMatchObject({ outcome: 'failed', code: 'SCRIPTED_TRANSIENT', cut: 'deadline', attempts: 2 });
    expect(report.decision).toBe('not_judged');
  });

  it.concurrent('that the time-out of the stage cuts end as failed, with the deadline named', async () => {
    const { critic, starts } = await run('cut_by_stage');
    expect(starts).toHaveLength(1);
    expect(critic).toMatchObject({ outcome: 'failed', cut: 'deadline', attempts: 1 });
  });
});
