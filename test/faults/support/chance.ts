/** Requests and choices by chance, the same for the same seed. Pure. */
import { seeded } from '../../../src/assess/random.js';
import type { Ask, Script } from './load.js';

export interface Chance {
  /** Whether something happens that does so in this share of all cases. */
  in(share: number): boolean;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  of<T>(choices: readonly T[]): T;
}

export function chanceOf(seed: number): Chance {
  const next = seeded(seed);
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    in: (share) => next() < share,
    between,
    of(choices) {
      const chosen = choices[between(0, choices.length - 1)];
      if (chosen === undefined) throw new Error('there is nothing to choose from');
      return chosen;
    },
  };
}

/** What each critic does: a tenth finds something severe, a tenth fails at first, a few (of `long`) outlast any take-over. */
export function scriptsOf(chance: Chance, critics: readonly string[], long = 0): Ask['script'] {
  const script = (): Script => {
    const ms = chance.between(40, 250);
    return {
      ms: chance.in(long) ? [chance.between(6_000, 9_000), ms] : ms,
      severity: chance.in(0.1) ? 1 : chance.between(0, 8) / 10,
      ...(chance.in(0.1) ? { fails: 1 } : {}),
    };
  };
  return Object.fromEntries(critics.map((name) => [name, script()]));
}
