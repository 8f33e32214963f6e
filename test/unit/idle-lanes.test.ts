/** When a lane that no file has any more may be given up. */
import { expect, it } from 'vitest';
import { IdleLanes } from '../../src/lanes/idle-lanes.js';

function scene(everyMs = 0) {
  const state = { now: 0, waiting: 0, busy: 0, isAnswering: true };
  const drained: string[] = [];
  const idle = new IdleLanes({
    retired: { old: 60_000, older: 10_000 },
    backlog: (queue) => (state.isAnswering ? Promise.resolve(queue === 'old' ? state.waiting : 0) : Promise.reject(new Error('no answer'))),
    busy: (queue) => (queue === 'old' ? state.busy : 0),
    drained: async (queues) => void drained.push(...queues),
    now: () => state.now,
    everyMs,
  });
  const lookAt = (now: number): Promise<void> => {
    state.now = now;
    return idle.look();
  };
  return { state, drained, lookAt };
}

it('each lane is given up once it was idle for as long as its evaluations may take, and is told once', async () => {
  const { drained, lookAt } = scene();
  await lookAt(9_999);
  expect(drained).toEqual([]);
  await lookAt(10_000);
  expect(drained).toEqual(['older']);
  await lookAt(60_000);
  await lookAt(200_000);
  expect(drained).toEqual(['older', 'old']);
});

it.each(['waiting', 'busy'] as const)('a task that is %s begins the time anew', async (what) => {
  const { state, drained, lookAt } = scene();
  state[what] = 1;
  await lookAt(59_000);
  state[what] = 0;
  await lookAt(118_999);
  expect(drained).not.toContain('old');
  await lookAt(119_000);
  expect(drained).toContain('old');
});

it('a server that does not answer is taken for work', async () => {
  const { state, drained, lookAt } = scene();
  state.isAnswering = false;
  await lookAt(300_000);
  state.isAnswering = true;
  await lookAt(300_001);
  expect(drained).toEqual([]);
});

it('the server is asked no more often than it counts', async () => {
  const { drained, lookAt } = scene(5_000);
  await lookAt(9_999);
  await lookAt(10_000);
  expect(drained).toEqual([]);
  await lookAt(14_999);
  expect(drained).toEqual(['older']);
});
