/**
 * Limits that lanes of one process share: so many at once, and so many starts a second. In the process that owns the
 * lanes they are exact over the whole deployment. Taken narrow before wide, so that a waiting deep critic never holds a
 * place that a fast one needs; the right to start comes last, so that it is used at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Places, type Release, type Take } from '../places.js';
import type { Limit } from './lanes.js';

export interface Budgets {
  /**
   * Waits for everything that a start needs, higher priority (lower number) first.
   * @param besides what is taken last, when the start is due: nobody holds it while it waits for its turn.
   * @returns the function that gives it back, or `undefined` when the signal fired first.
   */
  acquire(priority: number, signal: AbortSignal, besides?: Take): Promise<Release | undefined>;
}

/** All limits of one process, by name. */
export class BudgetPool {
  readonly #places = new Map<string, Places>();
  readonly #starts = new Map<string, (besides?: Take) => Take>();

  /** @param shared rates that no queue's own rate holds: what the owner before has started is not known, so the first start waits a gap. */
  constructor(readonly shared: ReadonlySet<string> = new Set()) {}

  /** When every place was given back. */
  async settled(): Promise<void> {
    await Promise.all([...this.#places.values()].map((places) => places.idle()));
  }

  /** The chain of limits of one lane, narrow before wide. */
  chain(limits: readonly Limit[]): Budgets {
    const places = limits.flatMap(({ name, maxConcurrent }) =>
      maxConcurrent === undefined ? [] : [known(this.#places, name, () => new Places(maxConcurrent)).take],
    );
    const starts = limits.flatMap(({ name, rateLimitPerSecond }) =>
      rateLimitPerSecond === undefined ? [] : [known(this.#starts, name, () => startsOf(rateLimitPerSecond, this.shared.has(name)))],
    );
    return {
      acquire: async (priority, signal, besides) => {
        const turns = starts.map((start, index) => start(index === starts.length - 1 ? besides : undefined));
        const last = starts.length === 0 && besides !== undefined ? [besides] : [];
        return await takeAll([...places, ...turns, ...last], priority, signal);
      },
    };
  }
}

/** One after the other; all or none. */
async function takeAll(takes: readonly Take[], priority: number, signal: AbortSignal): Promise<Release | undefined> {
  const releases: Release[] = [];
  const releaseAll = (): void => releases.splice(0).forEach((release) => release());
  try {
    for (const take of takes) {
      const release = await take(priority, signal);
      if (release === undefined) {
        releaseAll();
        return undefined;
      }
      releases.push(release);
    }
  } catch (error) {
    releaseAll();
    throw error;
  }
  return releaseAll;
}

function known<T>(made: Map<string, T>, name: string, make: () => T): T {
  const take = made.get(name) ?? make();
  made.set(name, take);
  return take;
}

/**
 * Starts that are a gap apart, whatever came before: after an idle time nothing is let through at once. One holds the
 * turn while it waits for its instant, so that those behind it stay in the order of their priority.
 */
function startsOf(perSecond: number, isLate: boolean): (besides?: Take) => Take {
  const gapMs = 1_000 / perSecond;
  const turns = new Places(1);
  let due = isLate ? performance.now() + gapMs : Number.NEGATIVE_INFINITY;
  let lastAt = Number.NEGATIVE_INFINITY;
  return (besides) => async (priority, signal) => {
    const release = await turns.take(priority, signal);
    if (release === undefined) return undefined;
    try {
      await until(Math.max(due, lastAt + gapMs * (1 - FASTER_SHARE)), signal);
      const taken = signal.aborted ? undefined : besides === undefined ? nothing : await besides(priority, signal);
      if (taken === undefined) return undefined;
      lastAt = performance.now();
      // By the schedule, not by when it came: timers of a busy process come late, and would lower the rate.
      due = Math.max(due, lastAt - CATCH_UP_MS) + gapMs;
      return taken;
    } finally {
      release();
    }
  };
}

const nothing = (): void => undefined;

/** How much shorter than its gap the time between two starts may be, while starts that came late are made up for: no window holds 5 % too much. */
const FASTER_SHARE = 0.04;
/** So far behind its schedule a rate catches up, not further: an idle time is not made up for. */
const CATCH_UP_MS = 500;

async function until(instant: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const ms = instant - performance.now();
    if (ms <= 0) return;
    await sleep(Math.ceil(ms), undefined, { signal }).catch(() => undefined);
  }
}
