/** The numbers of a report, counted again from the server's history and the critics' own records. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttemptRecord } from '../../src/domain/outcomes.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { callsIn, criticOf, makeHarness, mostAtOnce, type Call, type Harness, type HistoryEvent } from '../support/harness.js';
import { activitiesOf, activityOf, attemptsOf, eventMs } from '../support/history.js';

/** Clocks are read in different places and rounded to whole milliseconds. */
const ROUNDING_MS = 2;
const SLEEP_MS = 120;

/** Stage, weight, and how each critic ends; the names say it. */
const PLAN = (dir: string) => {
  const critic = (name: string, stage: string, costWeight: number, options: object, extra: object = {}) => ({
    [name]: { uses: 'scripted', stage, costWeight, ...extra, with: { name, record: join(dir, 'calls.jsonl'), ...options } },
  });
  return {
    plan: 'counted',
    version: 1,
    defaults: { retryBackoffBase: 1, maxRetries: 2 },
    timeouts: { global: '60s' },
    limits: { maxConcurrentCritics: 4 },
    budget: { maxCost: 60 },
    critics: {
      ...critic('at_home', 'fast_critics', 1, {}, { dispatch: 'local' }),
      ...critic('sleeper', 'core_analysis', 2, { sleep: `${SLEEP_MS}ms`, finding: { cost: { usd: 0.1 } } }),
      ...critic('retried', 'core_analysis', 3, { failTimes: 1, finding: { cost: { usd: 0.2 } } }),
      ...critic('limited', 'core_analysis', 4, { throw: 'rate_limited', retryAfter: '1s', failTimes: 2 }),
      ...critic('broken', 'core_analysis', 5, { throw: 'permanent' }),
      ...critic('behind', 'core_analysis', 6, {}, { dependsOn: ['broken'] }),
      ...critic('invalid', 'core_analysis', 7, { return: 'nan' }),
      ...critic('late', 'core_analysis', 8, { hang: true }, { attemptTimeout: '200ms', maxRetries: 0 }),
      ...critic('watcher', 'core_analysis', 9, { sleep: `${SLEEP_MS}ms` }, { mode: 'shadow' }),
      ...critic('gated', 'deep_analysis', 10, {}, { executionPolicy: 'on_high_risk' }),
      ...critic('gated_behind', 'deep_analysis', 11, {}, { dependsOn: ['gated'] }),
      ...critic('too_dear', 'validation', 40, {}),
    },
    verdict: { otherwise: 'allow' },
  };
};

const ENDS: Readonly<Record<string, string>> = {
  at_home: 'succeeded',
  sleeper: 'succeeded',
  retried: 'succeeded',
  limited: 'succeeded',
  broken: 'failed',
  behind: 'skipped',
  invalid: 'invalid_output',
  late: 'timed_out',
  gated: 'gated',
  gated_behind: 'gated',
  too_dear: 'over_budget',
};

describe('the metrics of a report', () => {
  let harness: Harness;
  let report: EvaluationReport;
  let history: HistoryEvent[];
  let calls: Call[];
  let starts: Call[];
  beforeAll(async () => {
    harness = await makeHarness({ plans: (dir) => [PLAN(dir)] });
    report = await harness.client.evaluate({ plan: 'counted', content: 'text', riskTier: 'low' });
    history = await harness.history(report.evaluationId);
    calls = await callsIn(join(harness.dir, 'calls.jsonl'));
    starts = calls.filter((call) => call.event === 'start');
  });
  afterAll(() => harness.close());

  const weightOf = (names: readonly string[]): number => names.reduce((sum, name) => sum + criticOf(report, name).cost.weight, 0);
  const called = (): string[] => [...new Set(starts.map((call) => call.name ?? ''))];
  const remote = (): string[] => activitiesOf(history).map((run) => run.type);
  const remoteAttempts = (): AttemptRecord[] => remote().flatMap((name) => attemptsOf(history, name));

  it('add up: every planned critic has one outcome, and a shadow critic is not planned', () => {
    const planned = report.critics.filter((critic) => critic.mode === undefined);
    expect(Object.fromEntries(planned.map((critic) => [critic.name, critic.outcome]))).toEqual(ENDS);
    const { planned: count, ...outcomes } = report.coverage;
    expect(count).toBe(planned.length);
    expect(Object.values(outcomes).reduce((sum, one) => sum + one, 0)).toBe(count);
    for (const [outcome, number] of Object.entries(outcomes))
      expect(
        Object.values(ENDS).filter((end) => end === outcome),
        outcome,
      ).toHaveLength(number);
  });

  it('count what was executed, retried and rate limited as the critics themselves recorded it', () => {
    const { executed, retried, rateLimited } = report.metrics;
    const enforcing = called().filter((name) => name !== 'watcher');
    expect(executed).toBe(enforcing.length);
    expect(retried).toBe(starts.length - called().length);
    expect(retried).toBe(3);
    expect(rateLimited).toBe(starts.filter((call) => call.name === 'limited').length - 1);
    for (const { name, attempts } of report.critics) expect(attempts, name).toBe(starts.filter((call) => call.name === name).length);
  });

  it('count attempts as the server did', () => {
    for (const name of remote()) {
      const attempt = activityOf(history, name).started?.activityTaskStartedEventAttributes?.attempt;
      expect(criticOf(report, name).attempts, name).toBe(attempt);
      expect(attemptsOf(history, name), name).toHaveLength(attempt ?? 0);
    }
    expect(remote().toSorted()).toEqual(
      called()
        .filter((name) => name !== 'at_home')
        .toSorted(),
    );
  });

  it('say for each stage what ran and what was gated', () => {
    for (const { stage, planned, ran, gated, ms } of report.stages) {
      const inStage = report.critics.filter((critic) => critic.stage === stage && critic.mode === undefined).map((critic) => critic.name);
      expect({ stage, planned, ran, gated }).toEqual({
        stage,
        planned: inStage.length,
        ran: inStage.filter((name) => called().includes(name)).length,
        gated: inStage.filter((name) => ENDS[name] === 'gated').length,
      });
      expect(ms).toBeLessThanOrEqual(report.metrics.totalMs + ROUNDING_MS);
    }
    expect(report.stages.map((one) => one.stage)).toEqual(['fast_critics', 'core_analysis', 'deep_analysis', 'validation']);
  });

  it('spend what ran, save what a gate kept from running, and call nothing else saved', () => {
    const enforcing = Object.keys(ENDS);
    expect(report.metrics.cost).toEqual({
      spent: weightOf(called()),
      saved: weightOf(['gated', 'gated_behind']),
      savedShare: Number((weightOf(['gated', 'gated_behind']) / weightOf(enforcing)).toFixed(9)),
      unknown: 0,
      usd: 0.3,
    });
  });

  it('time each attempt between what the critic saw and what the server saw', () => {
    for (const name of remote()) {
      const { scheduled, started, closed } = activityOf(history, name);
      const { queuedMs, ranMs } = criticOf(report, name);
      const ends = calls.filter((call) => call.name === name && call.event === 'end');
      const own = ends.reduce((sum, end, index) => sum + end.at - (starts.filter((call) => call.name === name)[index]?.at ?? end.at), 0);
      expect(ranMs, name).toBeGreaterThanOrEqual(own - ROUNDING_MS * ends.length);
      const wholeMs = eventMs(closed?.eventTime) - eventMs(scheduled.eventTime);
      expect(queuedMs + ranMs, name).toBeLessThanOrEqual(wholeMs + ROUNDING_MS);
      if (criticOf(report, name).attempts > 1) continue;
      // The server hands it out before the worker can begin it.
      expect(queuedMs, name).toBeGreaterThanOrEqual(eventMs(started?.eventTime) - eventMs(scheduled.eventTime) - ROUNDING_MS);
      expect(ranMs, name).toBeLessThanOrEqual(eventMs(closed?.eventTime) - eventMs(started?.eventTime) + ROUNDING_MS);
    }
    expect(criticOf(report, 'sleeper').ranMs).toBeGreaterThanOrEqual(SLEEP_MS - ROUNDING_MS);
    expect(criticOf(report, 'late').ranMs).toBeGreaterThanOrEqual(200 - ROUNDING_MS);
  });

  it('give mean and 95th percentile of the attempts that the history holds', () => {
    const local = criticOf(report, 'at_home');
    for (const [metric, times] of [
      [report.metrics.runMs, [local.ranMs, ...remoteAttempts().map((attempt) => attempt.ranMs)]],
      [report.metrics.queueMs, [local.queuedMs, ...remoteAttempts().map((attempt) => attempt.queuedMs)]],
    ] as const) {
      const sorted = times.toSorted((a, b) => a - b);
      expect(metric.mean).toBeCloseTo(times.reduce((sum, one) => sum + one, 0) / times.length, 0);
      expect(metric.p95).toBe(sorted[Math.ceil(0.95 * sorted.length) - 1]);
    }
  });

  it('know the most critics at once and the limit, and split the whole time into the critical path and the rest', () => {
    const { mostAtOnce: most, totalMs, criticalPathMs, overheadMs } = report.metrics;
    expect(most.limit).toBe(4);
    expect(most.critics).toBeGreaterThanOrEqual(mostAtOnce(calls.filter((call) => call.name === 'sleeper' || call.name === 'watcher')));
    // A critic that waits for its next attempt holds no place.
    expect(most.critics).toBeLessThanOrEqual(4);
    const startedAt = eventMs(history[0]?.eventTime);
    expect(totalMs).toBeLessThanOrEqual(eventMs(history.at(-1)?.eventTime) - startedAt + ROUNDING_MS);
    expect(criticalPathMs + overheadMs).toBeCloseTo(totalMs, 0);
    expect(criticalPathMs).toBeGreaterThanOrEqual(criticOf(report, 'sleeper').ranMs);
  });
});
