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
  /** How old these numbers are. */
  readonly ageMs: number;
  /** How long they are still used. */
  readonly freshForMs: number;
}

export interface Overload {
  readonly waiting: number;
  readonly retryAfterMs: number;
}

/** A caller that comes back sooner takes the turn of one that has waited. */
const LEAST_RETRY_MS = 1_000;
/** Nothing moves, or next to nothing: one look a minute notices when it does. */
const MOST_RETRY_MS = 60_000;

/**
 * What was handed out since the server told its numbers is reckoned by the pace that it told with them. Without that a plan
 * whose queue is shorter than what it does in these seconds would stand idle for the rest of them.
 * @returns why not, or `undefined` when it may be started.
 */
export function overloadOf(maxWaiting: number, { queues, started, ageMs, freshForMs }: PlanLoad): Overload | undefined {
  const told = queues.reduce((sum, { waiting }) => sum + waiting, 0);
  const perSecond = paceOf(queues);
  const waiting = Math.max(0, Math.ceil(told + started - (perSecond * ageMs) / 1_000));
  if (waiting < maxWaiting) return undefined;
  // Starts alone may be running by now: the next numbers tell.
  const shrinkMs = perSecond > 0 ? ((waiting - maxWaiting + 1) / perSecond) * 1_000 : told < maxWaiting ? freshForMs : MOST_RETRY_MS;
  const retryAfterMs = Math.ceil(Math.min(Math.max(shrinkMs, LEAST_RETRY_MS), MOST_RETRY_MS));
  return { waiting, retryAfterMs };
}

/**
 * Evaluations a second. A queue in which nothing waits passes on what comes, and makes the others no shorter. Where nothing
 * waits anywhere, the slowest that moves is what can be relied on.
 */
function paceOf(queues: readonly QueueLoad[]): number {
  const waiting = queues.filter((queue) => queue.waiting > 0);
  if (waiting.length > 0) return waiting.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const moving = queues.map(({ perSecond }) => perSecond).filter((perSecond) => perSecond > 0);
  return moving.length > 0 ? Math.min(...moving) : 0;
}
