/** Places that are waited for by priority and held until they are released, in one process. */
import PQueue from 'p-queue';
import { deferred } from './deferred.js';

export type Release = () => void;
/** Waits for something. @returns the function that gives it back, or `undefined` when the signal fired first. */
export type Take = (priority: number, signal: AbortSignal) => Promise<Release | undefined>;

/** So many places, each held until it is released. */
export function placesFor(count: number, queue = new PQueue({ concurrency: count })): Take {
  return (priority, signal) => place(queue, priority, signal);
}

/** One place in a queue, held until it is released: the signal ends the waiting alone. */
async function place(queue: PQueue, priority: number, signal: AbortSignal): Promise<Release | undefined> {
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
  queue.add(hold, { priority: -priority, signal: waiting.signal }).catch(() => granted.resolve(undefined));
  return granted.promise;
}
