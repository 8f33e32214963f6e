/** Which lanes are owned together, and what follows when that changes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, nextHolds, type Hold } from '../../src/lanes/groups.js';
import type { Lane } from '../../src/lanes/lanes.js';

const lane = (queue: string, ...limits: string[]): Lane => ({
  queue,
  plans: [],
  uses: [],
  limits: limits.map((name) => ({ name, maxConcurrent: 1 })),
});
const queuesOf = (groups: readonly (readonly Lane[])[]): string[][] => groups.map((group) => group.map(({ queue }) => queue));
const hold = (id: number, ...queues: string[]): Hold => ({ id, lanes: queues.map((queue) => lane(queue)) });

describe('lanes', () => {
  it('that share a limit are one group, also by way of a third', () => {
    const lanes = [lane('a', 'x'), lane('b', 'y'), lane('c', 'x', 'z'), lane('d', 'z'), lane('e')];
    expect(queuesOf(groupsOf(lanes))).toEqual([['a', 'c', 'd'], ['b'], ['e']]);
  });

  it('of two files are tied by the limits of both, and the word of the later file counts', () => {
    const later = { ...lane('a', 'y'), limits: [{ name: 'y', maxConcurrent: 7 }] };
    const [group] = groupsOf([lane('a', 'x'), lane('b', 'x'), later, lane('c', 'y')]);
    expect(group?.map(({ queue }) => queue)).toEqual(['a', 'b', 'c']);
    expect(group?.[0]).toEqual(later);
  });

  it('whose limits hold in each worker are tied by nothing', () => {
    const alone = (queue: string): Lane => ({ ...lane(queue, 'x'), scope: 'worker' });
    expect(queuesOf(groupsOf([alone('a'), alone('b')]))).toEqual([['a'], ['b']]);
  });
});

describe('what is owned', () => {
  it('is begun where nobody owns it and left alone where one owner has it all', () => {
    expect(nextHolds([[lane('a')], [lane('b')]], [hold(1, 'a')])).toEqual({ begin: [[lane('b')]], end: [] });
  });

  it('is taken back before two groups that grew together are handed out', () => {
    const grown = [[lane('a', 'x'), lane('b', 'x')]];
    expect(nextHolds(grown, [hold(1, 'a'), hold(2, 'b')])).toEqual({ begin: [], end: [1, 2] });
    expect(nextHolds(grown, [hold(2, 'b')])).toEqual({ begin: [], end: [2] });
    expect(nextHolds(grown, [])).toEqual({ begin: grown, end: [] });
  });

  it('is handed out anew when a lane of it has lost its last file, so that its owner knows', () => {
    const retired = { ...lane('a'), idleMs: 60_000 };
    expect(nextHolds([[retired]], [hold(1, 'a')])).toEqual({ begin: [], end: [1] });
    expect(nextHolds([[retired]], [{ id: 2, lanes: [retired] }])).toEqual({ begin: [], end: [] });
  });

  it('is handed out anew when a newer file has more critics there, so that its owner has them too', () => {
    const newer = { ...lane('a'), uses: ['judge'] };
    expect(nextHolds([[newer]], [hold(1, 'a')])).toEqual({ begin: [], end: [1] });
    expect(nextHolds([[newer]], [{ id: 2, lanes: [newer] }])).toEqual({ begin: [], end: [] });
  });

  it('stays when its group falls apart, and ends when nobody needs it', () => {
    expect(nextHolds([[lane('a')], [lane('b')]], [hold(1, 'a', 'b')])).toEqual({ begin: [], end: [] });
    expect(nextHolds([], [hold(1, 'a')])).toEqual({ begin: [], end: [1] });
  });
});

const lanes = fc.uniqueArray(
  fc
    .record({ queue: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), limits: fc.subarray(['x', 'y', 'z', 'w']) })
    .map(({ queue, limits }) => lane(queue, ...limits)),
  { selector: ({ queue }) => queue },
);

it('a lane or a limit is never owned twice, whatever comes and goes, and in the end all that is needed is owned', () => {
  const tiesOf = (group: readonly Lane[]): string[] => group.flatMap(({ queue, limits }) => [queue, ...limits.map(({ name }) => name)]);
  fc.assert(
    fc.property(fc.array(lanes, { minLength: 1, maxLength: 6 }), (steps) => {
      let held: Hold[] = [];
      let id = 0;
      const follow = (needed: readonly Lane[]): boolean => {
        const { begin, end } = nextHolds(groupsOf(needed), held);
        for (const group of begin) {
          const ties = tiesOf(group);
          expect(held.flatMap((other) => tiesOf(other.lanes)).filter((tie) => ties.includes(tie))).toEqual([]);
          held.push({ id: ++id, lanes: group });
        }
        // What is told to end has ended at the next look.
        held = held.filter((one) => !end.includes(one.id));
        return begin.length + end.length === 0;
      };
      for (const needed of steps) {
        for (let looks = 0; !follow(needed); looks += 1) expect(looks).toBeLessThan(20);
        const owned = held.flatMap((one) => one.lanes.map(({ queue }) => queue));
        expect(new Set(owned).size).toBe(owned.length);
        for (const { queue } of needed) expect(owned).toContain(queue);
      }
    }),
  );
});
