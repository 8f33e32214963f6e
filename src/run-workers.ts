/**
 * Runs the Workers of one process as one: they start together, and when one of them ends, for whatever reason, all do.
 * Half a process would hold evaluations for ever and look alive to its supervisor.
 */
import type { Worker } from '@temporalio/worker';

/** As much of the SDK's Worker as is needed here. */
export type OneWorker = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

/** How often states are looked at. */
const STATE_MS = 500;

/** Settles when all have ended. Rejects when one of them failed: it can poll no more, and only a new process can. */
export async function runTogether(workers: readonly OneWorker[]): Promise<void> {
  const running = workers.map(async (worker) => {
    try {
      await runOne(worker);
    } finally {
      shutdownWorkers(workers);
    }
  });
  const ended = await Promise.allSettled(running);
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/**
 * A critic's stray rejection, or a throw out of its timer, must not end its neighbours' work.
 * @param onStray told what critics leave behind while `run` goes on.
 */
export async function withStrays<T>(onStray: (thrown: unknown) => void, run: () => Promise<T>): Promise<T> {
  process.on('unhandledRejection', onStray);
  process.on('uncaughtException', onStray);
  try {
    return await run();
  } finally {
    process.off('unhandledRejection', onStray);
    process.off('uncaughtException', onStray);
  }
}

/** Asks all that still run to drain; safe to call at any time. */
export function shutdownWorkers(workers: readonly OneWorker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** Workers that were made and will not run: one that never ran would hold the connection open. */
export async function endUnused(workers: readonly OneWorker[]): Promise<void> {
  const running = runTogether(workers);
  shutdownWorkers(workers);
  await running.catch(() => undefined);
}

/** What a Worker that failed throws is often about its cleaning up, and sometimes it never comes: the state is what tells. */
async function runOne(worker: OneWorker): Promise<void> {
  let watch: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, fail) => {
    watch = setInterval(() => {
      if (worker.getState() === 'FAILED') fail(cannotGoOn());
    }, STATE_MS);
  });
  try {
    await Promise.race([worker.run(), failed]);
  } catch (error) {
    throw worker.getState() === 'FAILED' ? cannotGoOn(error) : error;
  } finally {
    clearInterval(watch);
  }
}

const cannotGoOn = (cause?: unknown): Error =>
  new Error('the worker can poll the server no more; the log says why: mend that and start it again', { cause });
