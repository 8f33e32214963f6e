/**
 * Budgets that several lanes of one process share: a stage's and a plan's "at most N at once".
 * Taken narrow before wide, so that a waiting deep critic never holds a place that a fast one needs.
 */
import PQueue from 'p-queue';
import { deferred } from '../deferred.js';
import type { Budget } from './lanes.js';

export interface Budgets {
  /**
   * Waits for a place in every budget, higher priority (lower number) first.
   * @returns the function that gives them back, or `undefined` when the signal fired first.
   */
  acquire(priority: number, signal: AbortSignal): Promise<(() => void) | undefined>;
}

/** All budgets of one process, by name. */
export class BudgetPool {
  readonly #queues = new Map<string, PQueue>();

  /** The chain of budgets of one lane, narrow before wide. */
  chain(budgets: readonly Budget[]): Budgets {
    const queues = budgets.map((budget) => this.#queue(budget));
    return {
      acquire: async (priority, signal) => {
        const releases: (() => void)[] = [];
        const releaseAll = (): void => releases.splice(0).forEach((release) => release());
        for (const queue of queues) {
          const release = await place(queue, priority, signal);
          if (release === undefined) {
            releaseAll();
            return undefined;
          }
          releases.push(release);
        }
        return releaseAll;
      },
    };
  }

  #queue({ name, limit }: Budget): PQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const made = new PQueue({ concurrency: limit });
    this.#queues.set(name, made);
    return made;
  }
}

/** One place in a queue, held until it is released. */
async function place(queue: PQueue, priority: number, signal: AbortSignal): Promise<(() => void) | undefined> {
  const granted = deferred<(() => void) | undefined>();
  const hold = (): Promise<void> => new Promise((release) => granted.resolve(release));
  // p-queue runs higher numbers first; ours are the other way round.
  queue.add(hold, { priority: -priority, signal }).catch(() => granted.resolve(undefined));
  return granted.promise;
}
