/** What a process does with lanes that it is handed to own and that its file has otherwise, or not at all. */
import { expect, it } from 'vitest';
import { lanesHere } from '../../src/lanes/lanes-here.js';
import type { Lane } from '../../src/lanes/lanes.js';

const lane = (queue: string, most: number, more: Partial<Lane> = {}): Lane => ({
  queue,
  plans: ['p'],
  limits: [{ name: queue, maxConcurrent: most }],
  ...more,
});
const own = (...lanes: readonly Lane[]): ReadonlyMap<string, Lane> => new Map(lanes.map((one) => [one.queue, one]));

it('of a lane that its file has, the file of the owner counts, never the record', () => {
  expect(lanesHere(own(lane('a', 4)), [lane('a', 2)], 1)).toEqual([lane('a', 4)]);
});

it('a lane that no file has any more is polled with its last limits', () => {
  const retired = { ...lane('a', 2), idleMs: 60_000 };
  expect(lanesHere(own(), [retired], 1)).toEqual([retired]);
});

it('lanes of a newer file are left to processes that know them, but not for ever', () => {
  const handed = [lane('a', 2), lane('new', 3)];
  expect(lanesHere(own(lane('a', 4)), handed, 1)).toBe('new');
  expect(lanesHere(own(lane('a', 4)), handed, 20)).toBe('new');
  expect(lanesHere(own(lane('a', 4)), handed, 21)).toEqual([lane('a', 4), lane('new', 3)]);
});

it('a lane that this process polls for itself is not polled twice', () => {
  const alone = lane('a', 2, { scope: 'worker' });
  const free = lane('b', 1, { limits: [] });
  expect(lanesHere(own(alone, free, lane('c', 1)), [lane('a', 2), lane('b', 1), lane('c', 1)], 1)).toEqual([lane('c', 1)]);
});
