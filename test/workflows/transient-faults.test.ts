/**
 * A provider of which every sixth or seventh answer is a transient fault, and three retries: the share of evaluations that
 * no attempt of four saves is 0.15⁴, about 1 in 2,000. The faults are drawn by a seed from the number of the content and
 * of the attempt, so that the same run has the same faults whatever comes first.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFakeProvider, type FakeProvider, type FakeRequest, type Move } from '../support/fake-provider.js';
import { makeHarness, type Harness } from '../support/harness.js';

const EVALUATIONS = 1_000;
const AT_ONCE = 100;
const FAULT_SHARE = 0.15;
/** The test's own limit: twice and more what a busy machine of two cores took. */
const PATIENCE_MS = 300_000;
const SEED = 'transient-faults-1';
const FAULTS: readonly Move[] = ['server_error', 'rate_limited', 'reset', 'truncated', 'bad_gateway', 'overloaded'];

/** From 0 to 1, the same for the same words. */
const draw = (...words: readonly unknown[]): number =>
  createHash('sha256')
    .update([SEED, ...words].join('/'))
    .digest()
    .readUInt32BE() /
  2 ** 32;

function choose({ body }: Omit<FakeRequest, 'move'>): Move {
  const { content, attempt } = body as { content: string; attempt: number };
  if (draw(content, attempt) >= FAULT_SHARE) return 'ok';
  return FAULTS[Math.floor(draw(content, attempt, 'which') * FAULTS.length)] ?? 'server_error';
}

let provider: FakeProvider;
let harness: Harness;
beforeAll(async () => {
  provider = await startFakeProvider({ choose });
  const flaky = { uses: 'http', stage: 'core_analysis', maxRetries: 3, retryBackoffBase: 1, with: { url: `${provider.url}/judge` } };
  const plan = { plan: 'flaky', version: 1, timeouts: { global: '300s' }, critics: { flaky }, verdict: { otherwise: 'allow' } };
  harness = await makeHarness({ plans: [plan], hosts: [provider.host] });
});
afterAll(async () => {
  await harness.close();
  await provider.close();
});

it(
  'at least 999 of 1,000 evaluations complete when 15 % of the answers are transient faults and there are three retries',
  async () => {
    const decisions: string[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < EVALUATIONS) {
        next += 1;
        decisions.push((await harness.client.evaluate({ plan: 'flaky', content: `text ${next}` })).decision);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const faults = provider.requests.filter(({ move }) => move !== 'ok').length;
    const completed = decisions.filter((decision) => decision === 'allow').length;
    console.log(`${completed} of ${decisions.length} evaluations completed; ${faults} of ${provider.requests.length} answers were faults`);
    // Drawn as they should be: 0.15 within four standard deviations of some 1,180 draws.
    expect(faults / provider.requests.length).toBeGreaterThan(0.108);
    expect(faults / provider.requests.length).toBeLessThan(0.192);
    expect(decisions).toHaveLength(EVALUATIONS);
    expect(completed / EVALUATIONS).toBeGreaterThanOrEqual(0.999);
  },
  PATIENCE_MS,
);
