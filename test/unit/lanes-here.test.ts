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
  expect(lanesHere(own(lane('a', 4)), HAS, [lane('a', 2)]).lanes).toEqual([lane('a', 4)]);
});

it('a lane that no file has any more is polled with its last limits', () => {
  const retired = { ...lane('a', 2), idleMs: 60_000 };
  expect(lanesHere(own(), new Set(), [retired])).toEqual({ lanes: [retired], isForeign: false });
});

it('lanes of which this process lacks critics are foreign to it, whether its own file has them or not', () => {
  const handed = [lane('a', 2), lane('new', 3, { uses: ['judge', 'newer'] })];
  const both = new Set(['judge', 'newer']);
  expect(lanesHere(own(lane('a', 4)), both, handed)).toEqual({ lanes: [lane('a', 4), handed[1]], isForeign: false });
  expect(lanesHere(own(lane('a', 4)), HAS, handed)).toEqual({ lanes: [lane('a', 4), handed[1]], isForeign: true });
  expect(lanesHere(own(lane('a', 4)), HAS, [lane('a', 2, { uses: ['judge', 'newer'] })]).isForeign).toBe(true);
});

it('critics that only an older file has make lanes foreign to nobody: they may be nowhere any more', () => {
  const handed = [{ ...lane('old', 2, { uses: ['gone'] }), isOlder: true as const }, lane('a', 2)];
  expect(lanesHere(own(lane('a', 4)), HAS, handed).isForeign).toBe(false);
});

it('of two values for one limit the file of the owner counts, else the least', () => {
  const shared = (queue: string, most: number): Lane => ({ ...lane(queue, most), limits: [{ name: 'plan', maxConcurrent: most }] });
  const old = { ...shared('a', 10), idleMs: 60_000 };
  expect(lanesHere(own(shared('b', 5)), HAS, [old, shared('b', 5)]).lanes).toEqual([{ ...shared('a', 5), idleMs: 60_000 }, shared('b', 5)]);
  const older = { ...shared('c', 3), idleMs: 60_000 };
  expect(lanesHere(own(), HAS, [old, older]).lanes).toEqual([{ ...shared('a', 3), idleMs: 60_000 }, older]);
});

it('lanes that each process polls for itself are none to own', () => {
  expect(lanesHere(own(lane('a', 2, { scope: 'worker' })), HAS, [lane('a', 2)]).lanes).toEqual([]);
});

it('a lane that this process polls for itself is not polled twice', () => {
  const alone = lane('a', 2, { scope: 'worker' });
  const free = lane('b', 1, { limits: [] });
  expect(lanesHere(own(alone, free, lane('c', 1)), HAS, [lane('a', 2), lane('b', 1), lane('c', 1)]).lanes).toEqual([lane('c', 1)]);
});
