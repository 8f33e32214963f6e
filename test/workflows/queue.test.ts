/** A lane that is full, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, makeHarness, mostAtOnce, outcomesOf, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { pendingOf, release } from '../support/server-state.js';

const EVALUATIONS = 40;
const SLOTS = 2;

const plan = (dir: string): object => ({
  plan: 'full',
  version: 1,
  timeouts: { global: '110s' },
  defaults: { maxRetries: 0 },
  critics: {
    slow: {
      uses: 'scripted',
      stage: 'core_analysis',
      maxConcurrent: SLOTS,
      attemptTimeout: '60s',
      with: { waitFor: join(dir, 'go'), record: join(dir, 'slow.jsonl') },
    },
    after: { uses: 'scripted', stage: 'deep_analysis', maxConcurrent: 1, with: { record: join(dir, 'after.jsonl') } },
  },
  verdict: { rules: [], otherwise: 'allow' },
});

describe('a full lane', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: (dir) => [plan(dir)] });
  });
  afterAll(() => harness.close());

  it('lets its critics wait: every evaluation comes to its end and every critic is called exactly once', async () => {
    const slow = join(harness.dir, 'slow.jsonl');
    const handles = await Promise.all(Array.from({ length: EVALUATIONS }, () => harness.client.start({ plan: 'full', content: 'text' })));
    const ids = handles.map((handle) => handle.evaluationId);
    await until(async () => {
      const { taken, waiting } = await pendingOf(harness, ids);
      return taken === SLOTS && waiting === EVALUATIONS - SLOTS;
    });
    await until(async () => (await callsIn(slow)).length >= SLOTS);
    expect(await callsIn(slow), 'the lane is full and nobody else has begun').toHaveLength(SLOTS);
    await release(join(harness.dir, 'go'));
    const reports = await Promise.all(handles.map((handle) => handle.result()));
    for (const report of reports) {
      expect(report.decision).toBe('allow');
      expect(outcomesOf(report)).toEqual({ slow: 'succeeded', after: 'succeeded' });
      expect(report.metrics.retried).toBe(0);
    }
    for (const [name, slots] of [
      ['slow', SLOTS],
      ['after', 1],
    ] as const) {
      const calls = await callsIn(join(harness.dir, `${name}.jsonl`));
      const starts = calls.filter((call) => call.event === 'start');
      expect(starts).toHaveLength(EVALUATIONS);
      expect(new Set(starts.map((call) => call.key)).size).toBe(EVALUATIONS);
      expect(mostAtOnce(calls)).toBe(slots);
    }
  });
});
