/** What runs at the same time inside a stage, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, criticOf, makeHarness, mostAtOnce, outcomesOf, type Harness } from '../support/harness.js';

const FIVE = ['a', 'b', 'c', 'd', 'e'] as const;
const ALL_SUCCEED = Object.fromEntries(FIVE.map((name) => [name, 'succeeded']));

/** Each of them stays until all five have come. */
function together(dir: string, dispatch: 'activity' | 'local'): object {
  // The sleep: the report counts by the millisecond, and an end in that of the last start comes first.
  const wait = { barrier: { dir: join(dir, dispatch), count: FIVE.length }, sleep: '30ms', record: join(dir, `${dispatch}.jsonl`) };
  return {
    plan: `${dispatch}_together`,
    version: 1,
    timeouts: { global: '110s' },
    defaults: { dispatch, attemptTimeout: '100s' },
    critics: Object.fromEntries(FIVE.map((name) => [name, { uses: 'scripted', stage: 'core_analysis', with: wait }])),
    verdict: { rules: [], otherwise: 'allow' },
  };
}

function mixed(dir: string): object {
  const critic = (name: string, own: object): object => ({
    uses: 'scripted',
    stage: 'core_analysis',
    with: { name, record: join(dir, 'mixed.jsonl') },
    ...own,
  });
  return {
    plan: 'mixed',
    version: 1,
    timeouts: { global: '110s' },
    critics: {
      // Without a task before it, a local part runs at the opening, which is before everything anyway.
      before: { uses: 'scripted', stage: 'fast_critics' },
      remote_first: critic('remote', { priority: 1 }),
      local_last: critic('local', { dispatch: 'local', priority: 9 }),
      remote_too: critic('remote', { priority: 1 }),
      local_too: critic('local', { dispatch: 'local', priority: 9 }),
      // A remote critic may use a local one of its stage.
      remote_behind: critic('behind', { dependsOn: ['local_too'] }),
    },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

/** `slow` stays until the dependent of its quicker sibling has come: a stage does not move in lockstep. */
function chain(dir: string): object {
  const barrier = { dir: join(dir, 'chain'), count: 2 };
  return {
    plan: 'chain',
    version: 1,
    timeouts: { global: '110s' },
    defaults: { attemptTimeout: '100s' },
    critics: {
      slow: { uses: 'scripted', stage: 'core_analysis', with: { barrier } },
      quick: { uses: 'scripted', stage: 'core_analysis' },
      dependent: { uses: 'scripted', stage: 'core_analysis', dependsOn: ['quick'], with: { barrier } },
    },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

describe('critics of one stage', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: (dir) => [together(dir, 'activity'), together(dir, 'local'), mixed(dir), chain(dir)] });
  });
  afterAll(() => harness.close());

  it.concurrent('run at the same time: five that wait for each other all succeed', async () => {
    const report = await harness.client.evaluate({ plan: 'activity_together', content: 'text' });
    expect(outcomesOf(report)).toEqual(ALL_SUCCEED);
    expect(mostAtOnce(await callsIn(join(harness.dir, 'activity.jsonl')))).toBe(5);
    expect(report.metrics).toMatchObject({ executed: 5, mostAtOnce: { critics: 5 }, retried: 0 });
  });

  it.concurrent('run at the same time when they are dispatched local, and no task is made for them', async () => {
    const handle = await harness.client.start({ plan: 'local_together', content: 'text' });
    expect(outcomesOf(await handle.result())).toEqual(ALL_SUCCEED);
    expect(mostAtOnce(await callsIn(join(harness.dir, 'local.jsonl')))).toBe(5);
    const events = await harness.history(handle.evaluationId);
    expect(events.filter((event) => event.activityTaskScheduledEventAttributes != null)).toEqual([]);
  });

  it.concurrent('run local first, then remote, when a stage has both', async () => {
    const report = await harness.client.evaluate({ plan: 'mixed', content: 'text' });
    expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['succeeded']));
    const calls = await callsIn(join(harness.dir, 'mixed.jsonl'));
    const order = calls.map((call) => `${call.event} ${call.name === 'local' ? 'local' : 'remote'}`);
    expect(order.lastIndexOf('end local')).toBe(3);
    expect(order.indexOf('start remote')).toBe(4);
    expect(calls.find((call) => call.name === 'behind')?.findings).toEqual(['local_too']);
  });

  it.concurrent('start as soon as their own dependencies have ended, not when all siblings have', async () => {
    const report = await harness.client.evaluate({ plan: 'chain', content: 'text' });
    expect(outcomesOf(report)).toEqual({ slow: 'succeeded', quick: 'succeeded', dependent: 'succeeded' });
    expect(criticOf(report, 'slow').attempts).toBe(1);
  });
});
