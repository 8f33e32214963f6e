/** SIGINT and SIGTERM: the first asks to finish, the second is left to Node and ends the process at once. */

export interface StopSignal {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Settles with the first signal. */
  readonly stopped: Promise<void>;
  /** Gives the signals back to Node. */
  release(): void;
}

export function listenForStop(): StopSignal {
  const controller = new AbortController();
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  const stop = (): void => {
    release();
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const stopped = new Promise<void>((settle) => controller.signal.addEventListener('abort', () => settle(), { once: true }));
  return { signal: controller.signal, stopped, release };
}
