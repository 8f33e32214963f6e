/** Whether one more evaluation may be started: `limits.maxQueueSize` against what waits. Pure. */

/** One task queue, as the server told it last. */
export interface QueueLoad {
  readonly waiting: number;
  /** How many it hands out in a second. */
  readonly perSecond: number;
}

export interface PlanLoad {
  /** Every queue on which critics of the plan wait, and that of the workflows. */
  readonly queues: readonly QueueLoad[];
  /** Starts that are not in these numbers yet. */
  readonly started: number;
  /** How long these numbers are still used: nobody is let in sooner. */
  readonly freshForMs: number;
}

export interface Overload {
  readonly waiting: number;
  readonly retryAfterMs: number;
}

/** A caller that comes back sooner finds the same numbers. */
const LEAST_RETRY_MS = 1_000;
/** Nothing moves, or next to nothing: one look a minute notices when it does. */
const MOST_RETRY_MS = 60_000;

/** @returns why not, or `undefined` when it may be started. */
export function overloadOf(maxWaiting: number, { queues, started, freshForMs }: PlanLoad): Overload | undefined {
  const told = queues.reduce((sum, { waiting }) => sum + waiting, 0);
  const waiting = told + started;
  if (waiting < maxWaiting) return undefined;
  // A queue in which nothing waits passes on what comes, and makes the others no shorter.
  const perSecond = queues.reduce((sum, queue) => sum + (queue.waiting > 0 ? queue.perSecond : 0), 0);
  // Starts alone may be running by now: the next numbers tell.
  const shrinkMs = told < maxWaiting ? 0 : ((waiting - maxWaiting + 1) / perSecond) * 1_000;
  const retryAfterMs = Math.ceil(Math.min(Math.max(shrinkMs, freshForMs, LEAST_RETRY_MS), MOST_RETRY_MS));
  return { waiting, retryAfterMs };
}
