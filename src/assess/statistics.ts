/**
 * Proportions with what they are worth. Pure. All intervals are two-sided at 95 % unless said otherwise.
 */

/** The 0.975 quantile of the normal distribution. */
const Z_95 = 1.959963984540054;
/** One-sided: the chance that a bound is wrong. */
const ALPHA = 0.05;
/** Halvings of [0, 1]: beyond what a double can tell apart. */
const HALVINGS = 60;

export interface Proportion {
  /** Of `n`. */
  readonly count: number;
  readonly n: number;
  /** count ÷ n; absent when there is nothing to count. */
  readonly share?: number;
  /** The Wilson interval; 0 and 1 when n is 0. */
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval without correction for continuity.
 * E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209–212.
 */
export function wilson(count: number, n: number): Proportion {
  if (n === 0) return { count, n, low: 0, high: 1 };
  const p = count / n;
  const z2 = Z_95 * Z_95;
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  // At the ends the formula is exact, arithmetic is not.
  return { count, n, share: p, low: count === 0 ? 0 : Math.max(0, middle - half), high: count === n ? 1 : Math.min(1, middle + half) };
}

export interface Estimate {
  readonly value?: number;
  readonly low: number;
  readonly high: number;
}

/**
 * F1 with its interval. F1 = 2J ÷ (1 + J), where J = hits ÷ (hits + false alarms + misses) is a plain proportion: its Wilson
 * interval, put through the same formula, is that of F1 (the "Wilson indirect" method).
 * K. F. Y. Lam, V. Gopal, J. Qian, Confidence intervals for the F1 score: a comparison of four methods, arXiv 2309.14621 (2023).
 */
export function f1(hits: number, falseAlarms: number, misses: number): Estimate {
  const { share, low, high } = wilson(hits, hits + falseAlarms + misses);
  const through = (j: number): number => (2 * j) / (1 + j);
  return { ...(share !== undefined ? { value: through(share) } : {}), low: through(low), high: through(high) };
}

/**
 * One-sided upper 95 % bound of a proportion, exact: the p at which `count` or fewer of n have a chance of 5 %.
 * With 0 of n it is 1 − 0.05^(1/n). With nothing to count it is 1: nothing is known.
 * C. J. Clopper, E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934) 404–413.
 */
export function upperBound(count: number, n: number): number {
  if (n === 0 || count >= n) return 1;
  if (count === 0) return 1 - ALPHA ** (1 / n);
  let low = 0;
  let high = 1;
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (chanceOfAtMost(count, n, middle) > ALPHA) low = middle;
    else high = middle;
  }
  return high;
}

/** The binomial distribution function, summed from its first term in logarithms: the terms alone would underflow. */
function chanceOfAtMost(count: number, n: number, p: number): number {
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  const step = Math.log(p) - Math.log1p(-p);
  let term = n * Math.log1p(-p);
  let sum = Math.exp(term);
  for (let i = 1; i <= count; i += 1) {
    term += Math.log((n - i + 1) / i) + step;
    sum += Math.exp(term);
  }
  return sum;
}
