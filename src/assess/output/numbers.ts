/** Figures as people read them; the same in all outputs. Pure. */
import { milliseconds, number } from '../../report/format.js';
import type { Compared, Latency, Loss } from '../figures.js';
import type { Estimate, Proportion } from '../statistics.js';

const NONE = '–';

/** Small shares keep a digit that tells them from 0. */
export const share = (value: number): string => `${number(value * 100, value > 0 && value < 0.001 ? 2 : 1)} %`;

const range = (low: number, high: number): string => `${number(low * 100)}–${number(high * 100)}`;

/** `97.2 % (93.1–98.9)`: the share and its 95 % interval; a dash where there was nothing to count. */
export const proportion = (one: Proportion): string =>
  one.share === undefined ? NONE : `${share(one.share)} (${range(one.low, one.high)})`;

/** `12 of 300 = 4 % (2.3–6.9)`. */
export const counted = (one: Proportion): string =>
  one.share === undefined ? NONE : `${number(one.count)} of ${number(one.n)} = ${share(one.share)} (${range(one.low, one.high)})`;

/** From 0 to 1, as F1 is written. */
export const estimate = ({ value, low, high }: Estimate): string =>
  value === undefined ? NONE : `${number(value, 3)} (${number(low, 3)}–${number(high, 3)})`;

/** Most offline critics take a fraction of a millisecond. */
export const ms = (value: number): string => (value > 0 && value < 1 ? `${number(value, 2)} ms` : milliseconds(value));

export const latency = ({ n, p50, p95, p99 }: Latency): readonly string[] => (n === 0 ? [NONE, NONE, NONE] : [p50, p95, p99].map(ms));

export const compared = ({ full, gated }: Compared): string => `${number(full)} → ${number(gated)}`;

/** `0 of 214 lost, at most 1.4 %`. In a mix both numbers of records are told: the bound goes by the distinct ones. */
export function loss({ stopped, lost, distinctStopped, distinctLost, upper }: Loss): string {
  if (stopped === 0) return 'none stopped';
  const repeats = distinctStopped === stopped ? '' : ` (distinct: ${number(distinctLost)} of ${number(distinctStopped)})`;
  return `${number(lost)} of ${number(stopped)} lost${repeats}, at most ${share(upper)}`;
}

/** `1 record`, `2,247 records`. */
export const plural = (count: number, what: string): string => `${number(count)} ${what}${count === 1 ? '' : 's'}`;
