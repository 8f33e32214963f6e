/** What a process remembers of its lanes, and what people call them. */
import { describe, expect, it } from 'vitest';
import { EMPTY_DEPLOYMENT, register, type DeploymentState } from '../../src/lanes/deployment-state.js';
import { knownLanes, laneNames, lanesCalled } from '../../src/lanes/known-lanes.js';
import { LaneStatus, readOwnerStatus } from '../../src/lanes/lane-status.js';
import type { Lane } from '../../src/lanes/lanes.js';
import { Pauses } from '../../src/lanes/pauses.js';
import { CIRCUIT } from '../../src/lanes/queue-setting.js';

describe('a pause', () => {
  const paused = { rate: 0, by: 'ann', reason: 'outage', at: 1_000 };

  it('is told for the part of a wait that it took, from when it was set to when it was taken back', () => {
    const pauses = new Pauses();
    pauses.saw({}, 0);
    pauses.saw(paused, 1_500);
    expect(pauses.longestIn(500, 3_000)).toEqual({ by: 'ann', reason: 'outage', ms: 2_000 });
    pauses.saw({ by: 'ann', reason: 'resumed', at: 2_000 }, 2_400);
    expect(pauses.longestIn(500, 3_000)).toEqual({ by: 'ann', reason: 'outage', ms: 1_000 });
    expect(pauses.longestIn(2_000, 3_000)).toBeUndefined();
    expect(pauses.longestIn(0, 1_000)).toBeUndefined();
  });

  it('by a circuit goes on through its probes; a rate of an operator is none', () => {
    const pauses = new Pauses();
    pauses.saw({ rate: 0, by: CIRCUIT, reason: 'fails', at: 1_000 }, 1_000);
    pauses.saw({ rate: 0.2, by: CIRCUIT, reason: 'fails', at: 2_000 }, 2_000);
    expect(pauses.longestIn(1_000, 3_000)).toEqual({ by: CIRCUIT, reason: 'fails', ms: 2_000 });
    const slow = new Pauses();
    slow.saw({ rate: 0.2, by: 'ann', reason: 'slow week', at: 1_000 }, 1_000);
    expect(slow.longestIn(1_000, 3_000)).toBeUndefined();
  });

  it('that took the most of a wait is the one that is told, cut to what reports keep', () => {
    const pauses = new Pauses();
    pauses.saw(paused, 1_000);
    pauses.saw({ ...paused, by: 'bob', reason: 'x'.repeat(500), at: 1_200 }, 1_300);
    expect(pauses.longestIn(0, 2_000)).toEqual({ by: 'bob', reason: 'x'.repeat(200), ms: 800 });
  });
});

describe('the status of an owner', () => {
  it('counts what runs and waits in each lane, names lanes in which nothing does, and is read as it was told', () => {
    const status = new LaneStatus();
    const ends = [status.count('a', 'running'), status.count('a', 'waiting'), status.count('a', 'running')];
    ends[0]?.();
    const told = status.of([
      { queue: 'a', limits: [] },
      { queue: 'b', limits: [] },
    ]);
    expect(told).toEqual({ lanes: { a: { running: 1, waiting: 1, limits: [] }, b: { running: 0, waiting: 0, limits: [] } } });
    expect(readOwnerStatus(JSON.parse(JSON.stringify(told)))).toEqual(told);
  });

  it.each([undefined, null, 'text', { lanes: 3 }])('of another form is none: %j', (value) => {
    expect(readOwnerStatus(value)).toBeUndefined();
  });
});

describe('lanes', () => {
  const lane = (queue: string, limits: Lane['limits'] = []): Lane => ({ queue: `d/${queue}`, limits, plans: [], uses: [] });
  const openai = { name: '/openai', maxConcurrent: 4 };
  const stateOf = (...lanes: Lane[]): DeploymentState =>
    register(EMPTY_DEPLOYMENT, { identity: 'w', file: 'f', alive: ['w'], offering: { plans: {}, lanes, longestMs: 1 } });
  const called = (state: DeploymentState, name: string): string[] => lanesCalled(knownLanes('d', state), name).map(({ queue }) => queue);

  const state = stateOf(lane('p/chat'), lane('p/chat/deep'), lane('l/openai', [openai]), lane('p/narrow/own', [openai]));

  it('are called by their short names or their task queues', () => {
    expect(knownLanes('d', state).map(({ name }) => name)).toEqual(['chat', 'chat/deep', 'narrow/own', 'openai']);
    expect(called(state, 'chat/deep')).toEqual(['d/p/chat/deep']);
    expect(called(state, 'd/p/chat')).toEqual(['d/p/chat']);
    expect(called(state, 'deep')).toEqual([]);
  });

  it('of a name mean those of narrower critics too, also where all its critics are narrower', () => {
    expect(called(state, 'openai')).toEqual(['d/l/openai', 'd/p/narrow/own']);
    const narrow = stateOf(lane('p/narrow/own', [openai]));
    expect(called(narrow, 'openai')).toEqual(['d/p/narrow/own']);
    expect(laneNames(knownLanes('d', narrow))).toEqual(['narrow/own', 'openai']);
    expect(called(state, 'narrow/own')).toEqual(['d/p/narrow/own']);
  });

  it('whose short names would be the same keep what tells them apart', () => {
    const twins = stateOf(lane('p/openai'), lane('l/openai', [openai]));
    expect(knownLanes('d', twins).map(({ name }) => name)).toEqual(['l/openai', 'p/openai']);
    expect(called(twins, 'p/openai')).toEqual(['d/p/openai']);
    expect(called(twins, 'l/openai')).toEqual(['d/l/openai']);
  });

  it('that no file has any more are among them, and told apart', () => {
    const later = register(state, { identity: 'w', file: 'g', alive: [], offering: { plans: {}, lanes: [lane('p/chat')], longestMs: 1 } });
    expect(knownLanes('d', later).map(({ name, retired }) => [name, retired])).toEqual([
      ['chat', false],
      ['chat/deep', true],
      ['narrow/own', true],
      ['openai', true],
    ]);
  });
});
