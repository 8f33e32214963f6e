/** Whose turn it is when classes, priorities and tenants wait for one place, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationHandle, StartRequest } from '../../src/client.js';
import { sha256 } from '../../src/digest.js';
import { callsIn, makeHarness, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { backlogOf, pause, resume } from '../support/server-state.js';

const HEAVY = 'heavy';
const WEIGHT = 3;
const CRITICS = ['urgent', 'usual', 'late'];

function onePlace(dir: string, plan: string): object {
  const critic = (name: string, priority: number): object => ({
    uses: 'scripted',
    stage: 'core_analysis',
    priority,
    executionPolicy: 'conditional',
    condition: `has(context.critic) && context.critic == '${name}'`,
    with: { name, record: join(dir, `${plan}.jsonl`) },
  });
  return {
    plan,
    version: 1,
    timeouts: { global: '110s' },
    limits: { maxConcurrentCritics: 1 },
    defaults: { maxRetries: 0, attemptTimeout: '100s' },
    critics: { urgent: critic('urgent', 2), usual: critic('usual', 5), late: critic('late', 8) },
    verdict: { rules: [], otherwise: 'allow' },
  };
}

describe('the next one to start', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: (dir) => ['classes', 'flood', 'weights', 'equal', 'recorded'].map((plan) => onePlace(dir, plan)),
      tenants: { [HEAVY]: { weight: WEIGHT } },
    });
  });
  afterAll(() => harness.close());

  /** Each once, also one that was started again because its process was too busy to say that it is there. */
  const starts = async (plan: string) => {
    const calls = (await callsIn(join(harness.dir, `${plan}.jsonl`))).filter((call) => call.event === 'start');
    return calls.filter(({ key }, index) => calls.findIndex((call) => call.key === key) === index);
  };
  const ask = async (plan: string, critic: string, over: Partial<StartRequest> = {}) =>
    await harness.client.start({ plan, content: 'text', context: { critic }, ...over });
  const laneOf = (plan: string): string => `${harness.deployment}/p/${plan}/core_analysis`;
  const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

  /** Asks in this order while the lane is paused, each lot when the one before waits, and returns who started in which order. */
  async function order(plan: string, lots: readonly (readonly (() => ReturnType<typeof ask>)[])[]) {
    await pause(harness, laneOf(plan));
    const handles: EvaluationHandle[] = [];
    for (const lot of lots) {
      handles.push(...(await Promise.all(lot.map((one) => one()))));
      await until(async () => (await backlogOf(harness, laneOf(plan))) === handles.length);
    }
    await resume(harness, laneOf(plan));
    await Promise.all(handles.map((handle) => handle.result()));
    const tenantOf = new Map<string, string>();
    for (const { evaluationId, runId } of handles)
      for (const critic of CRITICS) tenantOf.set(sha256(`${runId}/core_analysis/${critic}`), evaluationId.split('/')[0] ?? '');
    return (await starts(plan)).map(({ name, key }) => ({ name, tenant: tenantOf.get(key) }));
  }
  const asTenant = (plan: string, tenant: string, count: number) => times(count, () => () => ask(plan, 'usual', { tenant }));

  it.concurrent('is never a background one while an interactive one waits, and among those the one of higher priority', async () => {
    const background = { class: 'background', tenant: 'background' } as const;
    const calls = await order('classes', [
      [...times(4, () => () => ask('classes', 'urgent', background)), ...times(4, () => () => ask('classes', 'late', background))],
      times(3, () => () => ask('classes', 'late')),
      times(3, () => () => ask('classes', 'urgent')),
    ]);
    expect(calls.slice(0, 6).map((call) => call.name)).toEqual(['urgent', 'urgent', 'urgent', 'late', 'late', 'late']);
    expect(calls.map((call) => call.tenant)).toEqual([...times(6, () => 'default'), ...times(8, () => 'background')]);
  });

  it.concurrent('is of each tenant in turn: one that floods delays another one by no more than its turns', async () => {
    const tenants = (await order('flood', [asTenant('flood', 'a', 60), asTenant('flood', 'b', 10)])).map((call) => call.tenant);
    const last = tenants.lastIndexOf('b');
    expect(tenants.filter((tenant) => tenant === 'b')).toHaveLength(10);
    // One of the flood for each of the other; a few may have been next already.
    expect(last).toBeLessThan(2 * 10 + 4);
  });

  it.concurrent('is of tenants by their weight: three of one for each of the other', async () => {
    const tenants = (await order('weights', [asTenant('weights', 'light', 40), asTenant('weights', HEAVY, 40)])).map((call) => call.tenant);
    const heavy = tenants.slice(0, 40).filter((tenant) => tenant === HEAVY).length;
    expect(heavy).toBeGreaterThanOrEqual(40 * 0.65);
    expect(heavy).toBeLessThanOrEqual(40 * 0.85);
  });

  it.concurrent('is shared by five equal tenants: the index of Jain is at least 0.95 over the first half', async () => {
    const five = ['a', 'b', 'c', 'd', 'e'];
    const calls = await order(
      'equal',
      five.map((tenant) => asTenant('equal', tenant, 12)),
    );
    const tenants = calls.map((call) => call.tenant);
    const half = tenants.slice(0, tenants.length / 2);
    const counts = five.map((tenant) => half.filter((one) => one === tenant).length);
    const sum = counts.reduce((total, count) => total + count, 0);
    const squares = counts.reduce((total, count) => total + count ** 2, 0);
    expect(sum ** 2 / (five.length * squares)).toBeGreaterThanOrEqual(0.95);
  });

  it.concurrent('is told to the server with every activity: level, tenant, and the weight where the deployment names one', async () => {
    const priorities = await Promise.all(
      [HEAVY, 'other'].map(async (tenant) => {
        const handle = await ask('recorded', 'usual', { tenant });
        await handle.result();
        const events = await harness.history(handle.evaluationId);
        expect(events[0]?.workflowExecutionStartedEventAttributes?.priority?.fairnessKey).toBe(tenant);
        return events.flatMap((event) => event.activityTaskScheduledEventAttributes?.priority ?? []);
      }),
    );
    expect(priorities).toMatchObject([
      [{ priorityKey: 5, fairnessKey: HEAVY, fairnessWeight: WEIGHT }],
      [{ priorityKey: 5, fairnessKey: 'other', fairnessWeight: 0 }],
    ]);
  });
});
