/** What the recorded calls of critics come to: the most at once, the most starts in a window, fairness. Pure. */

/** One call of a critic. */
export interface Run {
  /** Of the critic in its plan. */
  readonly name: string;
  /** Idempotency key: the same for all attempts of one critic in one evaluation. */
  readonly key: string;
  readonly attempt: number;
  readonly pid: number;
  /** What the test called the request. */
  readonly labels: Readonly<Record<string, string>>;
  /** When the critic began, by the monotonic clock of the machine, milliseconds. */
  readonly at: number;
  /** The same by the wall clock, to be compared with what the server writes. */
  readonly wallAt: number;
  /** Place of its beginning and of its end among all comings and goings; no end: it runs. */
  readonly opened: number;
  readonly closed?: number;
  /** When the recorder saw its end, by the monotonic clock. */
  readonly endedAt?: number;
}

/** The most that ran at once. */
export function peakOf(runs: readonly Run[]): number {
  const steps = runs.flatMap(({ opened, closed = Number.POSITIVE_INFINITY }) => [
    { place: opened, by: 1 },
    { place: closed, by: -1 },
  ]);
  let running = 0;
  let peak = 0;
  for (const { by } of steps.toSorted((a, b) => a.place - b.place || a.by - b.by)) {
    running += by;
    peak = Math.max(peak, running);
  }
  return peak;
}

/** A process that was stopped and let go on. */
export interface Freeze {
  readonly pid: number;
  /** Where the recorder's count stood when it was stopped. */
  readonly count: number;
  /** When it went on, by the monotonic clock; absent: it has not. */
  readonly until?: number;
}

/**
 * The calls without the time in which their process was frozen, and after: what had begun by then runs no more as far as
 * limits go, since nobody can stop it. What a process begins after it went on counts in full.
 */
export function withoutFrozen(runs: readonly Run[], freezes: readonly Freeze[]): Run[] {
  return runs.map((run) => {
    const { opened, closed = Number.POSITIVE_INFINITY } = run;
    const freeze = freezes.find(({ pid, count, until = Number.POSITIVE_INFINITY }) => pid === run.pid && run.at < until && closed > count);
    return freeze === undefined ? run : { ...run, closed: Math.max(opened, freeze.count) };
  });
}

/** The most starts in any window of this length, wherever it begins. */
export function mostStarts(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [index, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** The longest time between two starts. */
export function longestGap(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((at, index) => at - (sorted[index] ?? at)));
}

/** Those that began before this time, and those after it. */
export const splitAt = (runs: readonly Run[], time: number): readonly [readonly Run[], readonly Run[]] => [
  runs.filter(({ at }) => at < time),
  runs.filter(({ at }) => at >= time),
];

/** Jain's index: 1 when all have had as much, 1/n when one has had all. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  const squares = shares.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}

/** When each would have ended if so many places served them in their order and nothing else took time. */
export function perfectQueue(jobs: readonly { readonly atMs: number; readonly ms: number }[], places: number): number[] {
  const freeAt = Array.from({ length: places }, () => 0);
  return jobs.map(({ atMs, ms }) => {
    const place = freeAt.indexOf(Math.min(...freeAt));
    const endsAt = Math.max(atMs, freeAt[place] ?? 0) + ms;
    freeAt[place] = endsAt;
    return endsAt;
  });
}
