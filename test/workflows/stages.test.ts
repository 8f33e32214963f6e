/** Stages and the time that each of them has, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STAGES } from '../../src/domain/plan.js';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';

const perStage = <Value>(valueOf: (stage: string, index: number) => Value): Record<string, Value> =>
  Object.fromEntries(STAGES.map((stage, index) => [stage, valueOf(stage, index)]));

/** All different, so that one stage's time cannot pass for another's. */
const limitMs = (index: number): number => 1_000 - 20 * index;

const plans = (dir: string): object[] => [
  {
    plan: 'orderly',
    version: 1,
    timeouts: { global: '60s' },
    critics: Object.fromEntries(
      // Written last stage first: the order is that of the stages, not of the file.
      STAGES.toReversed().flatMap((stage) => [
        [`${stage}_b`, { uses: 'scripted', stage, with: { name: stage, record: join(dir, 'orderly.jsonl') } }],
        [`${stage}_a`, { uses: 'scripted', stage, with: { name: stage, record: join(dir, 'orderly.jsonl') } }],
      ]),
    ),
    verdict: { rules: [], otherwise: 'allow' },
  },
  {
    plan: 'cut_by_stage',
    version: 1,
    timeouts: { global: '110s', stages: perStage((_stage, index) => `${limitMs(index)}ms`) },
    defaults: { maxRetries: 0, attemptTimeout: '100s', onFailure: 'ignore' },
    critics: Object.fromEntries(
      STAGES.flatMap((stage) => [
        [`${stage}_fine`, { uses: 'scripted', stage, dispatch: 'local', with: { name: stage, record: join(dir, 'stage.jsonl') } }],
        [`${stage}_hangs`, { uses: 'scripted', stage, with: { hang: true, name: stage, record: join(dir, 'stage.jsonl') } }],
      ]),
    ),
    verdict: { rules: [], otherwise: 'allow' },
  },
  {
    plan: 'cut_by_all',
    version: 1,
    timeouts: { global: '1500ms' },
    defaults: { maxRetries: 0, onFailure: 'ignore' },
    critics: {
      fine: { uses: 'scripted', stage: 'fast_critics' },
      hangs: { uses: 'scripted', stage: 'core_analysis', with: { hang: true } },
      late: { uses: 'scripted', stage: 'deep_analysis', with: { record: join(dir, 'late.jsonl') } },
      late_and_local: { uses: 'scripted', stage: 'deep_analysis', dispatch: 'local', with: { record: join(dir, 'late.jsonl') } },
    },
    verdict: { rules: [], otherwise: 'allow' },
  },
  {
    plan: 'cut_by_critic',
    version: 1,
    timeouts: { global: '110s' },
    defaults: { maxRetries: 0, attemptTimeout: '100s' },
    critics: {
      hangs: { uses: 'scripted', stage: 'core_analysis', timeout: '1s', with: { hang: true } },
      next: { uses: 'scripted', stage: 'deep_analysis' },
    },
    verdict: { rules: [], otherwise: 'allow' },
  },
];

describe('stages', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans });
  });
  afterAll(() => harness.close());

  it.concurrent('run one after the other in the order of the language, each when the one before has ended', async () => {
    const report = await harness.client.evaluate({ plan: 'orderly', content: 'text' });
    expect(report.decision).toBe('allow');
    const calls = await callsIn(join(harness.dir, 'orderly.jsonl'));
    const marks = (event: 'start' | 'end') => calls.flatMap((call, at) => (call.event === event ? [{ stage: call.name, at }] : []));
    expect(marks('start').map((mark) => mark.stage)).toEqual(STAGES.flatMap((stage) => [stage, stage]));
    for (const [index, stage] of STAGES.slice(1).entries()) {
      const before = marks('end').filter((mark) => mark.stage === STAGES[index]);
      const first = marks('start').find((mark) => mark.stage === stage);
      expect(Math.max(...before.map((mark) => mark.at)), `${stage} begins when ${STAGES[index]} has ended`).toBeLessThan(first?.at ?? -1);
    }
  });

  it.concurrent('cut a critic that hangs by the time of its own stage, all six of them, and judge from the rest', async () => {
    const report = await harness.client.evaluate({ plan: 'cut_by_stage', content: 'text' });
    expect(outcomesOf(report)).toEqual(
      Object.fromEntries(
        STAGES.flatMap((stage) => [
          [`${stage}_fine`, 'succeeded'],
          [`${stage}_hangs`, 'timed_out'],
        ]),
      ),
    );
    expect(report.decision).toBe('allow');
    for (const [index, { stage, ms }] of report.stages.entries()) expect(ms, `time of ${stage}`).toBeGreaterThanOrEqual(limitMs(index) - 1);
    // No other limit of the plan is this short.
    expect(report.metrics.totalMs).toBeLessThan(90_000);
    const starts = (await callsIn(join(harness.dir, 'stage.jsonl'))).filter((call) => call.event === 'start').map((call) => call.name);
    expect(starts).toEqual(STAGES.flatMap((stage) => [stage, stage]));
  });

  it.concurrent('are all cut by the global time, and what comes later says that it was not reached', async () => {
    const report = await harness.client.evaluate({ plan: 'cut_by_all', content: 'text' });
    expect(outcomesOf(report)).toEqual({ fine: 'succeeded', hangs: 'timed_out', late: 'not_reached', late_and_local: 'not_reached' });
    for (const name of ['late', 'late_and_local']) {
      expect(criticOf(report, name)).toMatchObject({ attempts: 0, code: 'DEADLINE', gate: { open: false, by: 'deadline' } });
    }
    expect(await callsIn(join(harness.dir, 'late.jsonl'))).toEqual([]);
    expect(report.metrics.totalMs).toBeGreaterThanOrEqual(1_499);
    expect(report).toMatchObject({
      decision: 'allow',
      degraded: true,
      coverage: { planned: 4, succeeded: 1, timed_out: 1, not_reached: 2 },
    });
  });

  it.concurrent('go on after a critic that its own time has cut, and without it nothing is judged', async () => {
    const report = await harness.client.evaluate({ plan: 'cut_by_critic', content: 'text' });
    expect(outcomesOf(report)).toEqual({ hangs: 'timed_out', next: 'succeeded' });
    expect(report).toMatchObject({ decision: 'not_judged', reasons: [{ critic: 'hangs', effect: 'fail' }] });
  });
});
