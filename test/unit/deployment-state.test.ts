/** What a deployment knows of its worker processes, plans and lanes. */
import { describe, expect, it } from 'vitest';
import {
  conflictOf,
  drained,
  EMPTY_DEPLOYMENT,
  isComplete,
  isRegistration,
  lanesToHold,
  leave,
  readDeploymentState,
  register,
  type Offering,
  type Registration,
} from '../../src/lanes/deployment-state.js';
import type { Lane } from '../../src/lanes/lanes.js';

const lane = (queue: string, most = 1): Lane => ({ queue, plans: ['p'], uses: [], limits: [{ name: queue, maxConcurrent: most }] });
const free = (queue: string): Lane => ({ queue, plans: ['p'], uses: [], limits: [] });
const offering = (lanes: readonly Lane[], hash = 'h1', version = 1): Offering => ({
  plans: { p: { version, hash } },
  lanes,
  longestMs: 60_000,
});
const of = (identity: string, file: string, offered: Offering, alive: readonly string[] = []): Registration => ({
  identity,
  file,
  offering: offered,
  alive,
});
const queues = (lanes: readonly Lane[]): string[] => lanes.map(({ queue }) => queue);

describe('the lanes that are owned', () => {
  it('are the limited ones of every worker that is there, and in the end those of the latest file', () => {
    const first = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([lane('a', 1), free('b')])));
    const both = register(first, of('w2', 'f2', offering([lane('a', 2), lane('c')]), ['w1']));
    expect(lanesToHold(both).map(({ queue, limits }) => [queue, limits[0]?.maxConcurrent])).toEqual([
      ['a', 1],
      ['a', 2],
      ['c', 1],
    ]);
  });

  it('stay the same when the last worker leaves: evaluations wait for the next one', () => {
    const one = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([lane('a')])));
    expect(lanesToHold(leave(one, 'w1'))).toEqual(lanesToHold(one));
  });

  it('are kept with their last limits when a newer file does without them, unlimited ones too, until they are drained', () => {
    const old = leave(register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([lane('a', 3), free('b')]))), 'w1');
    const renamed = register(old, of('w2', 'f2', offering([lane('c')], 'h2', 2)));
    expect(renamed.retired).toEqual([
      { lane: lane('a', 3), longestMs: 60_000 },
      { lane: free('b'), longestMs: 60_000 },
    ]);
    expect(queues(lanesToHold(renamed))).toEqual(['c', 'a', 'b']);
    expect(queues(lanesToHold(drained(renamed, ['a'])))).toEqual(['c', 'b']);
  });

  it('are not retired while a worker of the older file is there, and come back with a file that has them', () => {
    const old = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([lane('a')])));
    const rolling = register(old, of('w2', 'f2', offering([lane('c')], 'h2', 2), ['w1']));
    expect(rolling.retired).toEqual([]);
    const gone = leave(rolling, 'w1');
    expect(gone.retired.map((one) => one.lane.queue)).toEqual(['a']);
    expect(register(gone, of('w3', 'f1', offering([lane('a')]), ['w2'])).retired).toEqual([]);
  });
});

describe('a file', () => {
  it('is told once: whoever brings one that is known need not say what is in it', () => {
    const offered = offering([lane('a')]);
    const one = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offered));
    const second: Registration = { identity: 'w2', file: 'f1', alive: ['w1'] };
    expect(isComplete(one, second)).toBe(true);
    expect(register(one, second)).toEqual(register(one, { ...second, offering: offered }));
    expect(conflictOf(one, second)).toBeUndefined();
  });

  it.each(['f2', 'constructor'])('that is not known and not told changes nothing: %s', (file) => {
    const unknown: Registration = { identity: 'w2', file, alive: [] };
    const one = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([lane('a')])));
    expect(isComplete(one, unknown)).toBe(false);
    expect(register(one, unknown)).toEqual(one);
  });
});

describe('the latest file', () => {
  it('is the one that came last, not the one of a worker that comes back, and never one that was withdrawn', () => {
    const one = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([lane('a')])));
    const canary = register(one, of('w2', 'f2', offering([lane('b')], 'h2', 2), ['w1']));
    expect(canary.latest).toBe('f2');
    expect(register(canary, of('w1', 'f1', offering([lane('a')]), ['w2'])).latest).toBe('f2');
    const withdrawn = leave(canary, 'w2');
    expect(withdrawn.latest).toBe('f1');
    expect(withdrawn.retired.map((retired) => retired.lane.queue)).toEqual(['b']);
  });
});

describe('a worker', () => {
  it('that is gone without a word is forgotten when the next one registers and does not see it', () => {
    const one = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([])));
    expect(Object.keys(register(one, of('w2', 'f1', offering([]), [])).workers)).toEqual(['w2']);
    expect(Object.keys(register(one, of('w2', 'f1', offering([]), ['w1'])).workers)).toEqual(['w1', 'w2']);
  });

  it('with other bytes under the same name and version is in conflict, with another version or the same bytes it is not', () => {
    const one = register(EMPTY_DEPLOYMENT, of('w1', 'f1', offering([], 'h1', 1)));
    expect(conflictOf(one, of('w2', 'f2', offering([], 'h2', 1)))).toEqual({ plan: 'p', version: 1, worker: 'w1' });
    expect(conflictOf(one, of('w2', 'f2', offering([], 'h2', 2)))).toBeUndefined();
    expect(conflictOf(one, of('w2', 'f1', offering([], 'h1', 1)))).toBeUndefined();
    expect(conflictOf(one, of('w1', 'f2', offering([], 'h2', 1)))).toBeUndefined();
  });
});

describe('what comes from elsewhere', () => {
  it.each([
    undefined,
    null,
    1,
    'text',
    [],
    { identity: 'w' },
    { ...of('w', 'f', offering([])), offering: { plans: [], lanes: [] } },
    of('w', 'f', { ...offering([]), lanes: [{ queue: 1 } as never] }),
  ])('is no registration: %j', (value) => {
    expect(isRegistration(value)).toBe(false);
  });

  it('is a registration when it has the form of one, and an unreadable memo says nothing', () => {
    const good = of('w', 'f', offering([lane('a')]));
    expect(isRegistration(JSON.parse(JSON.stringify(good)))).toBe(true);
    const state = register(EMPTY_DEPLOYMENT, good);
    expect(readDeploymentState(JSON.parse(JSON.stringify(state)))).toEqual(state);
    const { workers, ...card } = state;
    expect(readDeploymentState(card, workers)).toEqual(state);
    for (const other of [undefined, 'x', { ...state, v: 2 }, { v: 1, files: { f: {} }, workers: {}, retired: [] }])
      expect(readDeploymentState(other)).toEqual(EMPTY_DEPLOYMENT);
  });
});

it.each([
  { limits: [{ name: 'p', maxConcurrent: 0 }] },
  { limits: [{ name: 'p', maxConcurrent: 1.5 }] },
  { limits: [{ name: 'p', maxConcurrent: '2' }] },
  { limits: [{ name: 'p', rateLimitPerSecond: 0 }] },
  { limits: [{ maxConcurrent: 1 }] },
  { queue: '' },
  { scope: 'all' },
  { uses: [1] },
])('a lane that no worker could keep is refused before it ends one: %j', (wrong) => {
  expect(isRegistration(of('w1', 'f1', offering([lane('a')])))).toBe(true);
  expect(isRegistration(of('w1', 'f1', offering([{ ...lane('a'), ...wrong } as Lane])))).toBe(false);
});
