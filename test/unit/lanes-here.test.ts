/** What a process does with lanes that it is handed to own and that its file has otherwise, or not at all. */
import { expect, it } from 'vitest';
import { lanesHere } from '../../src/lanes/lanes-here.js';
import type { Lane } from '../../src/lanes/lanes.js';

const lane = (queue: string, most: number, more: Partial<Lane> = {}): Lane => ({
  queue,
  plans: ['p'],
  uses: ['judge'],
  limits: [{ name: queue, maxConcurrent: most }],
  ...more,
});
const HAS = new Set(['judge']);
const own = (...lanes: readonly Lane[]): ReadonlyMap<string, Lane> => new Map(lanes.map((one) => [one.queue, one]));

it('of a lane that its file has, the file of the owner counts, never the record', () => {
  expect(lanesHere(own(lane('a', 4)), HAS, [lane('a', 2)], 1)).toEqual([lane('a', 4)]);
});

it('a lane that no file has any more is polled with its last limits', () => {
  const retired = { ...lane('a', 2), idleMs: 60_000 };
  expect(lanesHere(own(), new Set(), [retired], 1)).toEqual([retired]);
});

it('lanes of another file are polled by whoever has their critics, and left to others by whoever has not, but not for ever', () => {
  const handed = [lane('a', 2), lane('new', 3, { uses: ['judge', 'newer'] })];
  expect(lanesHere(own(lane('a', 4)), new Set(['judge', 'newer']), handed, 1)).toEqual([lane('a', 4), handed[1]]);
  expect(lanesHere(own(lane('a', 4)), HAS, handed, 100)).toBe('new');
  expect(lanesHere(own(lane('a', 4)), HAS, handed, 101)).toEqual([lane('a', 4), handed[1]]);
});

it('a lane that its file has, but whose critics another file has more of, is left to whoever has them all', () => {
  const handed = [lane('a', 2, { uses: ['judge', 'newer'] })];
  expect(lanesHere(own(lane('a', 4)), HAS, handed, 1)).toBe('a');
  expect(lanesHere(own(lane('a', 4)), new Set(['judge', 'newer']), handed, 1)).toEqual([lane('a', 4)]);
});

it('of two values for one limit the file of the owner counts, else the least', () => {
  const shared = (queue: string, most: number): Lane => ({ ...lane(queue, most), limits: [{ name: 'plan', maxConcurrent: most }] });
  const old = { ...shared('a', 10), idleMs: 60_000 };
  expect(lanesHere(own(shared('b', 5)), HAS, [old, shared('b', 5)], 1)).toEqual([{ ...shared('a', 5), idleMs: 60_000 }, shared('b', 5)]);
  const older = { ...shared('c', 3), idleMs: 60_000 };
  expect(lanesHere(own(), HAS, [old, older], 1)).toEqual([{ ...shared('a', 3), idleMs: 60_000 }, older]);
});

it('lanes of which nothing is left to own here are left to others', () => {
  expect(lanesHere(own(lane('a', 2, { scope: 'worker' })), HAS, [lane('a', 2)], 50)).toBe('a');
});

it('a lane that this process polls for itself is not polled twice', () => {
  const alone = lane('a', 2, { scope: 'worker' });
  const free = lane('b', 1, { limits: [] });
  expect(lanesHere(own(alone, free, lane('c', 1)), HAS, [lane('a', 2), lane('b', 1), lane('c', 1)], 1)).toEqual([lane('c', 1)]);
});
