/** Places that are waited for by priority and held until they are released, in one process. */
import PQueue from 'p-queue';
import { deferred } from './deferred.js';

export type Release = () => void;
/** Waits for something. @returns the function that gives it back, or `undefined` when the signal fired first. */
export type Take = (priority: number, signal: AbortSignal) => Promise<Release | undefined>;

/** So many places, each held until it is released. */
export class Places {
  readonly #queue: PQueue;

  constructor(count: number) {
    this.#queue = new PQueue({ concurrency: count });
  }

  /** When every place was given back. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** The signal ends the waiting alone. */
  readonly take: Take = async (priority, signal) => {
    const granted = deferred<Release | undefined>();
    const waiting = new AbortController();
    const giveUp = (): void => waiting.abort();
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    const hold = (): Promise<void> => {
      signal.removeEventListener('abort', giveUp);
      return new Promise((release) => granted.resolve(release));
    };
    // p-queue runs higher numbers first; ours are the other way round.
    this.#queue.add(hold, { priority: -priority, signal: waiting.signal }).catch(() => granted.resolve(undefined));
    return await granted.promise;
  };
}
