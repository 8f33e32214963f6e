/** Who is let in by the numbers of a plan's queues, and which queues those are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overloadOf, type PlanLoad, type QueueLoad } from '../../src/domain/overload.js';
import { EMPTY_DEPLOYMENT, plansOnOffer, queuesOfPlan, type DeploymentState, type Offering } from '../../src/lanes/deployment-state.js';

const load = (queues: readonly (readonly [waiting: number, perSecond: number])[], over: Partial<PlanLoad> = {}): PlanLoad => ({
  queues: queues.map(([waiting, perSecond]) => ({ waiting, perSecond })),
  started: 0,
  ageMs: 0,
  freshForMs: 0,
  ...over,
});

describe('a start', () => {
  it('is let in while fewer wait than the plan allows, over all its queues and with the starts that they do not hold yet', () => {
    const two = [
      [3, 0],
      [4, 0],
    ] as const;
    expect(overloadOf(8, load(two))).toBeUndefined();
    expect(overloadOf(7, load(two))).toMatchObject({ waiting: 7 });
    expect(overloadOf(10, load(two, { started: 2 }))).toBeUndefined();
    expect(overloadOf(9, load(two, { started: 2 }))).toMatchObject({ waiting: 9 });
  });

  it('that is not let in may come again when the queue has shrunk enough at the pace that the server tells', () => {
    expect(overloadOf(100, load([[149, 5]]))).toEqual({ waiting: 149, retryAfterMs: 10_000 });
    expect(overloadOf(100, load([[120, 5]], { started: 29 }))).toEqual({ waiting: 149, retryAfterMs: 10_000 });
  });

  it('where those that wait may be starts alone may come again when the numbers change', () => {
    expect(overloadOf(100, load([[0, 0]], { started: 100, freshForMs: 3_000.2 }))?.retryAfterMs).toBe(3_001);
  });

  it('finds room for what the queue has handed out since, at the pace that the server told', () => {
    const full = load([[40, 20]], { ageMs: 1_000 });
    expect(overloadOf(21, full)).toBeUndefined();
    expect(overloadOf(20, full)).toEqual({ waiting: 20, retryAfterMs: 1_000 });
    expect(overloadOf(20, load([[40, 20]], { ageMs: 1_000, started: 30 }))).toEqual({ waiting: 50, retryAfterMs: 1_550 });
    // Nothing waited: what was started since is passed on by the slowest that moves.
    const empty = [
      [0, 40],
      [0, 20],
      [0, 0],
    ] as const;
    expect(overloadOf(21, load(empty, { ageMs: 1_000, started: 40 }))).toBeUndefined();
    expect(overloadOf(20, load(empty, { ageMs: 1_000, started: 40 }))).toMatchObject({ waiting: 20 });
  });

  it('is told a minute when nothing moves, and no pace is taken from a queue in which nothing waits', () => {
    expect(overloadOf(5, load([[9, 0]]))?.retryAfterMs).toBe(60_000);
    const paused = [
      [9, 0],
      [0, 50],
    ] as const;
    expect(overloadOf(5, load(paused))?.retryAfterMs).toBe(60_000);
  });

  it('is never refused below the limit, never let in at it, and told between a second and a minute', () => {
    const queue = fc.record({ waiting: fc.nat(2_000), perSecond: fc.double({ min: 0, max: 1e6, noNaN: true }) });
    const any = fc.record({
      queues: fc.array(queue, { maxLength: 5 }),
      started: fc.nat(500),
      ageMs: fc.constant(0),
      freshForMs: fc.integer({ min: -5, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), any, (most, numbers) => {
        const waiting = numbers.queues.reduce((sum: number, one: QueueLoad) => sum + one.waiting, numbers.started);
        const overload = overloadOf(most, numbers);
        expect(overload === undefined).toBe(waiting < most);
        if (overload === undefined) return;
        expect(overload.waiting).toBe(waiting);
        expect(Number.isInteger(overload.retryAfterMs)).toBe(true);
        expect(overload.retryAfterMs).toBeGreaterThanOrEqual(1_000);
        expect(overload.retryAfterMs).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});

describe('the plans on offer', () => {
  const offering = (plans: Offering['plans'], lanes: readonly (readonly [queue: string, ...plans: string[]])[]): Offering => ({
    plans,
    lanes: lanes.map(([queue, ...of]) => ({ queue, limits: [], uses: [], plans: of })),
    longestMs: 1,
  });
  const state: DeploymentState = {
    ...EMPTY_DEPLOYMENT,
    latest: 'new',
    files: {
      new: offering({ chat: { version: 2, hash: 'b', maxQueueSize: 7 } }, [
        ['d/l/shared', 'chat', 'mail'],
        ['d/p/chat', 'chat'],
      ]),
      old: offering({ chat: { version: 1, hash: 'a' }, mail: { version: 1, hash: 'c' } }, [
        ['d/l/shared', 'chat', 'mail'],
        ['d/p/chat/slow', 'chat'],
        ['d/p/mail', 'mail'],
      ]),
    },
  };

  it('are those of all files, and the latest file has the last word', () => {
    expect(Object.fromEntries(plansOnOffer(state))).toEqual({
      chat: { version: 2, hash: 'b', maxQueueSize: 7 },
      mail: { version: 1, hash: 'c' },
    });
    expect(plansOnOffer(state).has('constructor')).toBe(false);
  });

  it('wait on the lanes of all files, each counted once', () => {
    expect(queuesOfPlan(state, 'chat').toSorted()).toEqual(['d/l/shared', 'd/p/chat', 'd/p/chat/slow']);
    expect(queuesOfPlan(state, 'mail').toSorted()).toEqual(['d/l/shared', 'd/p/mail']);
    expect(queuesOfPlan(state, 'other')).toEqual([]);
  });
});
