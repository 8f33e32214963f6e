/**
 * Starts a second, on the real server. A rate is a promise never to be faster, so only that is asserted: a slow machine
 * makes the gaps longer, never shorter.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, makeHarness, type Harness } from '../support/harness.js';

const rated = (dir: string, plan: string, rateLimitPerSecond: number): object => ({
  plan,
  version: 1,
  timeouts: { global: '110s' },
  defaults: { maxRetries: 0 },
  critics: {
    limited: { uses: 'scripted', stage: 'core_analysis', rateLimitPerSecond, with: { record: join(dir, `${plan}.jsonl`) } },
    free: { uses: 'scripted', stage: 'core_analysis', with: { record: join(dir, `${plan}-free.jsonl`) } },
  },
  verdict: { rules: [], otherwise: 'allow' },
});

describe('a rate', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: (dir) => [rated(dir, 'half', 0.5), rated(dir, 'four', 4)] });
  });
  afterAll(() => harness.close());

  const startsOf = async (file: string): Promise<number[]> =>
    (await callsIn(join(harness.dir, `${file}.jsonl`))).filter((call) => call.event === 'start').map((call) => call.at);

  it.concurrent.each([
    { rate: 0.5, plan: 'half', evaluations: 5 },
    { rate: 4, plan: 'four', evaluations: 25 },
  ])(
    'of $rate a second is never passed once the credit of the first second is spent, and neither loses nor holds up anything',
    async ({ rate, plan, evaluations }) => {
      const asked = await Promise.all(Array.from({ length: evaluations }, () => harness.client.start({ plan, content: 'text' })));
      const reports = await Promise.all(asked.map((handle) => handle.result()));
      expect(new Set(reports.map((report) => report.decision))).toEqual(new Set(['allow']));
      const starts = await startsOf(plan);
      expect(starts).toHaveLength(evaluations);
      // An idle queue lets through twice the rate and one in its first second, and after that the rate.
      const credit = 2 * rate + 1;
      for (const [index, at] of starts.entries()) {
        const leastMs = ((index + 1 - credit) / rate) * 1_000;
        expect(at - (starts[0] ?? 0), `start ${index + 1} of ${evaluations}`).toBeGreaterThanOrEqual(leastMs);
      }
      // A sibling without a rate does not queue with it.
      const free = await startsOf(`${plan}-free`);
      expect(free).toHaveLength(evaluations);
      expect(Math.max(...free)).toBeLessThan(Math.max(...starts));
    },
  );
});
