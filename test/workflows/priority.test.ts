/** Who goes first when places are scarce, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, makeHarness, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { backlogOf, pendingOf, release } from '../support/server-state.js';

const PRIORITIES = [7, 10, 2, 5, 9, 1, 8, 3, 6, 4];

const when = (kind: string): object => ({ executionPolicy: 'conditional', condition: `has(context.kind) && context.kind == '${kind}'` });

/** A critic that takes the only place until all the others wait behind it. */
const blocker = (dir: string, plan: string): object => ({
  uses: 'scripted',
  stage: 'core_analysis',
  ...when('first'),
  with: { name: 'first', waitFor: join(dir, `${plan}-go`), record: join(dir, `${plan}.jsonl`) },
});

function onePlace(dir: string, plan: string, critics: object): object {
  return {
    plan,
    version: 1,
    timeouts: { global: '110s' },
    limits: { maxConcurrentCritics: 1 },
    defaults: { maxRetries: 0, attemptTimeout: '100s' },
    critics: { first: blocker(dir, plan), ...critics },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

const recorded = (dir: string, plan: string, name: string): object => ({ with: { name, record: join(dir, `${plan}.jsonl`) } });

function plans(dir: string): object[] {
  const byPriority = PRIORITIES.map((priority) => [
    `p${priority}`,
    { uses: 'scripted', stage: 'core_analysis', priority, ...when('all'), ...recorded(dir, 'levels', `p${priority}`) },
  ]);
  const one = (plan: string, kind: string, priority: number, own: object = {}): object => ({
    uses: 'scripted',
    stage: 'core_analysis',
    priority,
    ...own,
    ...when(kind),
    ...recorded(dir, plan, kind),
  });
  return [
    onePlace(dir, 'levels', Object.fromEntries(byPriority)),
    // Background critics have the best priority that a plan can give, interactive ones the worst.
    onePlace(dir, 'classes', { patient: one('classes', 'background', 1), hasty: one('classes', 'interactive', 10) }),
    // Lanes of their own: both critics are taken by the worker, and wait there for the plan's only place.
    onePlace(dir, 'places', {
      patient: one('places', 'background', 1, { maxConcurrent: 1 }),
      hasty: one('places', 'interactive', 10, { maxConcurrent: 1 }),
    }),
  ];
}

describe('priority', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans });
  });
  afterAll(() => harness.close());

  const starts = async (plan: string): Promise<(string | undefined)[]> =>
    (await callsIn(join(harness.dir, `${plan}.jsonl`))).filter((call) => call.event === 'start').map((call) => call.name);
  const ask = async (plan: string, kind: string, background = false) =>
    await harness.client.start({ plan, content: 'text', context: { kind }, ...(background ? { class: 'background' as const } : {}) });
  const takePlace = async (plan: string) => {
    const first = await ask(plan, 'first');
    await until(async () => (await starts(plan)).length === 1);
    return first;
  };

  it.concurrent('1 goes first and 8 goes last but two, whatever the order of the plan; 9 and 10 share the last level', async () => {
    const first = await takePlace('levels');
    const all = await ask('levels', 'all');
    await until(async () => (await backlogOf(harness, `${harness.deployment}/p/levels/core_analysis`)) === PRIORITIES.length);
    await release(join(harness.dir, 'levels-go'));
    expect((await all.result()).decision).toBe('allow');
    expect((await first.result()).decision).toBe('allow');
    const order = await starts('levels');
    expect(order.slice(0, 9)).toEqual(['first', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8']);
    expect(new Set(order.slice(9))).toEqual(new Set(['p9', 'p10']));
    const levels = (await harness.history(all.evaluationId)).flatMap((event) => {
      const scheduled = event.activityTaskScheduledEventAttributes;
      return scheduled == null ? [] : [[scheduled.activityType?.name, scheduled.priority?.priorityKey]];
    });
    expect(Object.fromEntries(levels)).toMatchObject({ p1: 1, p8: 8, p9: 9, p10: 9 });
  });

  it.concurrent('of background requests comes after that of every interactive one in the queue', async () => {
    const first = await takePlace('classes');
    const background = await Promise.all([1, 2, 3].map(() => ask('classes', 'background', true)));
    const interactive = await Promise.all([1, 2, 3].map(() => ask('classes', 'interactive')));
    await until(async () => (await backlogOf(harness, `${harness.deployment}/p/classes/core_analysis`)) === 6);
    await release(join(harness.dir, 'classes-go'));
    await Promise.all([first, ...background, ...interactive].map((handle) => handle.result()));
    const three = (kind: string): string[] => [kind, kind, kind];
    expect(await starts('classes')).toEqual(['first', ...three('interactive'), ...three('background')]);
  });

  it.concurrent('of background requests comes after that of interactive ones that wait for a place of the plan', async () => {
    const first = await takePlace('places');
    const background = await ask('places', 'background', true);
    await until(async () => (await pendingOf(harness, [background.evaluationId])).taken === 1);
    const interactive = await ask('places', 'interactive');
    await until(async () => (await pendingOf(harness, [interactive.evaluationId])).taken === 1);
    await release(join(harness.dir, 'places-go'));
    await Promise.all([first, background, interactive].map((handle) => handle.result()));
    expect(await starts('places')).toEqual(['first', 'interactive', 'background']);
  });
});
