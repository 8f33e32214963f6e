/** What the fault tests judge by: a check that cannot fail would show nothing. */
import { describe, expect, it } from 'vitest';
import { jain, longestGap, mostStarts, peakOf, perfectQueue, splitAt, withoutFrozen, type Run } from '../faults/support/figures.js';

function run(opened: number, closed: number | undefined, more: Partial<Run> = {}): Run {
  const common = { name: 'a', key: 'k', attempt: 1, pid: 1, labels: {}, at: opened, wallAt: opened, opened };
  return { ...common, ...(closed !== undefined ? { closed } : {}), ...more };
}

describe('the most at once', () => {
  it('counts what runs still', () => {
    expect(peakOf([run(1, 4), run(2, 3), run(5, undefined), run(6, undefined), run(7, 8)])).toBe(3);
  });

  it('is one when each begins after the end of the one before', () => {
    expect(peakOf([run(1, 2), run(3, 4), run(5, 6)])).toBe(1);
    expect(peakOf([])).toBe(0);
  });
});

describe('a freeze', () => {
  const freeze = { pid: 1, count: 10, until: 100 };

  it('ends what had begun before it, and what began in it without being seen', () => {
    const frozen = [run(5, 40), run(9, undefined), run(12, 41, { at: 9.5 })];
    expect(withoutFrozen(frozen, [freeze]).map(({ closed }) => closed)).toEqual([10, 10, 12]);
    expect(peakOf([...withoutFrozen(frozen, [freeze]), run(20, 30, { pid: 2 })])).toBe(2);
  });

  it('leaves alone what ended before it, other processes, and what the process begins after it', () => {
    const others = [run(5, 9), run(6, 50, { pid: 2 }), run(120, 130, { at: 101 })];
    expect(withoutFrozen(others, [freeze])).toEqual(others);
  });
});

describe('the most starts in a window', () => {
  it('finds the worst one wherever it begins', () => {
    expect(mostStarts([0, 900, 950, 1_100, 1_899, 5_000], 1_000)).toBe(4);
  });

  it('counts a start at its very end as outside', () => {
    expect(mostStarts([0, 1_000, 2_000], 1_000)).toBe(1);
  });
});

it('the longest gap is that between neighbours', () => {
  expect(longestGap([10, 0, 25, 30])).toBe(15);
  expect(longestGap([3])).toBe(0);
});

it('a split has what began before and what began at the time or later', () => {
  const runs = [run(1, 2), run(3, 4), run(5, 6)];
  expect(splitAt(runs, 3)).toEqual([[runs[0]], [runs[1], runs[2]]]);
});

it("Jain's index is 1 for equal shares and 1/n when one has had all", () => {
  expect(jain([5, 5, 5, 5])).toBe(1);
  expect(jain([8, 0, 0, 0])).toBe(0.25);
});

it('a perfect queue serves in order, as soon as a place is free', () => {
  const jobs = [0, 1, 2, 3, 50].map((atMs) => ({ atMs, ms: 10 }));
  expect(perfectQueue(jobs, 2)).toEqual([10, 11, 20, 21, 60]);
  expect(perfectQueue(jobs, 5)).toEqual([10, 11, 12, 13, 60]);
});
