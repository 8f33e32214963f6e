/** An evaluation that is cancelled closes as such at once, and keeps what was judged by then. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationHandle } from '../../src/client-handle.js';
import { EvaluationCancelled } from '../../src/client-errors.js';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness } from '../support/harness.js';
import { decode, strangeEvents, until } from '../support/history.js';

/** Long enough that no machine is too slow to cancel it: twenty local critics one after another, each cut after a second. */
const chain = (dir: string, stage: string): Record<string, object> =>
  Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [
      `link_${index}`,
      {
        uses: 'scripted',
        stage,
        dispatch: 'local',
        onFailure: 'ignore',
        ...(index > 0 ? { dependsOn: [`link_${index - 1}`] } : {}),
        with: { sleep: '900ms', record: join(dir, `${stage}.jsonl`) },
      },
    ]),
  );

const PLANS = (dir: string) => [
  {
    plan: 'remote',
    version: 1,
    timeouts: { global: '120s' },
    critics: {
      at_home: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.3 } } },
      quick: { uses: 'scripted', stage: 'core_analysis' },
      waits: {
        uses: 'scripted',
        stage: 'core_analysis',
        costWeight: 7,
        attemptTimeout: '100s',
        with: { waitFor: join(dir, 'never'), record: join(dir, 'waits.jsonl') },
      },
      behind: { uses: 'scripted', stage: 'core_analysis', dependsOn: ['waits'] },
      later: { uses: 'scripted', stage: 'validation' },
    },
    verdict: { otherwise: 'allow' },
  },
  { plan: 'leading', version: 1, timeouts: { global: '120s' }, critics: chain(dir, 'pre_validation'), verdict: { otherwise: 'allow' } },
  {
    plan: 'following',
    version: 1,
    timeouts: { global: '120s' },
    critics: { first: { uses: 'scripted', stage: 'pre_validation' }, ...chain(dir, 'validation') },
    verdict: { otherwise: 'allow' },
  },
];

describe('a cancelled evaluation', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS });
  });
  afterAll(() => harness.close());

  async function cancelled(handle: EvaluationHandle): Promise<EvaluationCancelled> {
    await handle.cancel();
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
    if (!(error instanceof EvaluationCancelled)) throw error;
    expect((await handle.status()).status).toBe('cancelled');
    expect(strangeEvents(await harness.history(handle.evaluationId))).toEqual([]);
    return error;
  }

  it('while a remote critic runs tells it to stop, and lists what ran, what was cut and what had no turn', async () => {
    const handle = await harness.client.start({ plan: 'remote', content: 'text' });
    await until(async () => (await callsIn(join(harness.dir, 'waits.jsonl'))).length > 0);
    await until(async () => (await handle.progress()).ended.some((critic) => critic.name === 'quick'));
    const { report } = await cancelled(handle);
    if (report === undefined) throw new Error('the cancelled evaluation has left no report');
    expect(outcomesOf(report)).toEqual({
      at_home: 'succeeded',
      quick: 'succeeded',
      waits: 'cancelled',
      behind: 'cancelled',
      later: 'cancelled',
    });
    expect(report).toMatchObject({ cancelled: true, decision: 'not_judged', coverage: { planned: 5, succeeded: 2, cancelled: 3 } });
    expect(report.reasons).toMatchObject([{ code: 'CANCELLED', effect: 'fail' }]);
    expect(criticOf(report, 'at_home').finding?.severity).toBe(0.3);
    // What it costs to be cut in the middle is not known; what never began costs nothing.
    expect(report.metrics.cost).toMatchObject({ spent: 2, unknown: 7 });
    expect([criticOf(report, 'waits').attempts, criticOf(report, 'behind').attempts]).toEqual([1, 0]);
    await until(async () => (await callsIn(join(harness.dir, 'waits.jsonl'))).some((call) => call.event === 'end'));
  });

  it('keeps its report in a marker of its history, where an operator finds it', async () => {
    const handle = await harness.client.start({ plan: 'remote', content: 'text' });
    await until(async () => (await handle.progress()).running.some((critic) => critic.name === 'waits'));
    const { report } = await cancelled(handle);
    const markers = (await harness.history(handle.evaluationId)).flatMap((event) => event.markerRecordedEventAttributes ?? []);
    expect(decode(markers.at(-1)?.details?.['result'])).toEqual(report);
  });

  it.concurrent('during its first local batch closes as cancelled, before anything was judged', async () => {
    const calls = () => callsIn(join(harness.dir, 'pre_validation.jsonl'));
    const handle = await harness.client.start({ plan: 'leading', content: 'text' });
    await until(async () => (await calls()).length > 0);
    const { report } = await cancelled(handle);
    expect(report).toBeUndefined();
    expect((await calls()).filter((call) => call.event === 'start').length).toBeLessThan(20);
  });

  it.concurrent('during a later local batch keeps what was judged before it', async () => {
    const handle = await harness.client.start({ plan: 'following', content: 'text' });
    await until(async () => (await callsIn(join(harness.dir, 'validation.jsonl'))).length > 0);
    const { report } = await cancelled(handle);
    if (report === undefined) throw new Error('the cancelled evaluation has left no report');
    expect(report.coverage).toEqual({ planned: 21, succeeded: 1, cancelled: 20 });
  });
});
