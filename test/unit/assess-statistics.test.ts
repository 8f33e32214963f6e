/** Intervals and bounds against values that others have published or that follow from the definition. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { f1, upperBound, wilson } from '../../src/assess/statistics.js';
import { seeded, shuffled } from '../../src/assess/random.js';

describe('the Wilson interval', () => {
  // The last four: R. G. Newcombe, Statistics in Medicine 17 (1998) 857–872, table I, method 3.
  it.each([
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [50, 100, 0.4038, 0.5962],
    [1, 10, 0.0179, 0.4042],
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d out of %d is %d to %d', (count, n, low, high) => {
    const found = wilson(count, n);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it('of nothing is everything, and has no share', () => {
    expect(wilson(0, 0)).toEqual({ count: 0, n: 0, low: 0, high: 1 });
  });

  it('always holds the share and stays between 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (count, more) => {
        const n = count + more + 1;
        const { share = -1, low, high } = wilson(count, n);
        return low >= 0 && high <= 1 && low <= share && share <= high;
      }),
    );
  });
});

describe('the upper bound of Clopper and Pearson', () => {
  it('of 0 out of 300 is 1 − 0.05^(1/300), which is 0.00994', () => {
    expect(upperBound(0, 300)).toBeCloseTo(0.00994, 5);
    expect(upperBound(0, 300)).toBe(1 - 0.05 ** (1 / 300));
  });

  // Worked out apart from this code: the p at which the exact sum of the binomial terms is 0.05.
  it.each([
    [1, 10, 0.39416],
    [5, 10, 0.77756],
    [1, 100, 0.04656],
    [10, 100, 0.16372],
    [3, 2000, 0.003872],
  ])('of %d out of %d is %d', (count, n, bound) => {
    expect(upperBound(count, n)).toBeCloseTo(bound, 4);
  });

  it('says nothing about nothing, and nothing good when all are lost', () => {
    expect(upperBound(0, 0)).toBe(1);
    expect(upperBound(7, 7)).toBe(1);
  });

  it('is never below the share, and more records with the same count make it smaller', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 400 }), (count, more) => {
        const n = count + more;
        return upperBound(count, n) >= count / n && upperBound(count, n + 1) < upperBound(count, n);
      }),
    );
  });
});

describe('F1', () => {
  it('is the harmonic mean of precision and recall', () => {
    const [hits, falseAlarms, misses] = [8, 2, 4];
    const [precision, recall] = [hits / (hits + falseAlarms), hits / (hits + misses)];
    expect(f1(hits, falseAlarms, misses).value).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
  });

  it('has the interval of hits ÷ (hits + false alarms + misses), put through 2J ÷ (1 + J)', () => {
    const { low, high } = wilson(8, 14);
    expect(f1(8, 2, 4)).toMatchObject({ low: (2 * low) / (1 + low), high: (2 * high) / (1 + high) });
  });

  it('of nothing has no value', () => {
    expect(f1(0, 0, 0)).toEqual({ low: 0, high: 1 });
  });
});

describe('a seeded order', () => {
  it('is the same for the same seed, another for another, and loses nothing', () => {
    const list = Array.from({ length: 100 }, (_, index) => index);
    expect(shuffled(list, seeded(7))).toEqual(shuffled(list, seeded(7)));
    expect(shuffled(list, seeded(7))).not.toEqual(shuffled(list, seeded(8)));
    expect(shuffled(list, seeded(7)).toSorted((a, b) => a - b)).toEqual(list);
  });
});
