/** Medians, ratios of interleaved rounds, and figures beside their goals. Pure. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: '' | 'x' | 'ms' | 'KB' | 'MB' | '%' | '/s';
  /** Least and most over the rounds. */
  readonly spread?: readonly [number, number];
  /** Reached at or below it. A figure without a goal is there for orientation. */
  readonly goal?: number;
  /** The goal is reached at or above it. */
  readonly atLeast?: true;
  readonly samples: number;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  const found = sorted[Math.max(0, place)];
  if (found === undefined) throw new Error('there is nothing to take a percentile of');
  return found;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const spreadOf = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];

export function figure(name: string, values: readonly number[], unit: Figure['unit'], goal?: number): Figure {
  return { name, value: median(values), unit, spread: spreadOf(values), ...(goal !== undefined ? { goal } : {}), samples: values.length };
}

/**
 * Ratio of the medians over all rounds, with the least and the most of the rounds' own ratios.
 * @param offset taken from every value before: a critical path that no variant can beat.
 */
export function ratio(
  name: string,
  ours: readonly (readonly number[])[],
  anchor: readonly (readonly number[])[],
  goal?: number,
  offset = 0,
): Figure {
  const of = (a: readonly number[], b: readonly number[]): number => (median(a) - offset) / (median(b) - offset);
  const perRound = ours.map((round, index) => of(round, anchor[index] ?? []));
  return {
    name,
    value: of(ours.flat(), anchor.flat()),
    unit: 'x',
    spread: spreadOf(perRound),
    ...(goal !== undefined ? { goal } : {}),
    samples: ours.flat().length,
  };
}

/** Ratio of the 95th percentiles of two sides over all rounds, with the least and the most of the rounds' own ratios. */
export function p95Ratio(
  name: string,
  beside: readonly (readonly number[])[],
  alone: readonly (readonly number[])[],
  goal?: number,
): Figure {
  const of = (a: readonly number[], b: readonly number[]): number => percentile(a, 0.95) / percentile(b, 0.95);
  return {
    name,
    value: of(beside.flat(), alone.flat()),
    unit: 'x',
    spread: spreadOf(beside.map((round, index) => of(round, alone[index] ?? []))),
    ...(goal !== undefined ? { goal } : {}),
    samples: beside.flat().length,
  };
}

/**
 * Runs every one of `sides` once a round. The first one changes from round to round, so that none always comes after the same other.
 * @returns what each side gave, round by round.
 */
export async function interleaved<Side extends string, T>(
  sides: readonly Side[],
  rounds: number,
  run: (side: Side) => Promise<T>,
): Promise<ReadonlyMap<Side, T[]>> {
  const results = new Map<Side, T[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) results.get(side)?.push(await run(side));
  }
  return results;
}

export function pick<Side, T>(results: ReadonlyMap<Side, T[]>, side: Side): T[] {
  const found = results.get(side);
  if (found === undefined) throw new Error(`nothing was measured of ${String(side)}`);
  return found;
}

/** Runs `count` calls, at most `atOnce` of them at a time. */
export async function load(count: number, atOnce: number, call: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
