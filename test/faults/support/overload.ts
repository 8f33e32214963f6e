/** A plan of known capacity, asked for more than that, and what of it was judged in the end. Knows no test runner. */
import type { temporal } from '@temporalio/proto';
import { evenly, arriveAll, type Arrival, type Arrived } from './arrivals.js';
import { recorded, type Fleet, type FleetPlan } from './fleet.js';
import type { Ask } from './load.js';

export const PLACES = 4;
const CRITIC_MS = 200;
/** Critics a second that the places allow. */
export const CAPACITY = (PLACES * 1_000) / CRITIC_MS;
/** Two seconds of work may wait. */
export const MAX_QUEUE_SIZE = 2 * CAPACITY;

export const OVERLOADED: FleetPlan = {
  plan: 'overloaded',
  limits: { maxConcurrentCritics: PLACES, maxQueueSize: MAX_QUEUE_SIZE },
  critics: { one: recorded('one') },
};

export const askOverloaded = (phase: string): Ask => ({ plan: OVERLOADED.plan, labels: { phase }, script: { '*': { ms: CRITIC_MS } } });

/** Twice what can be done, each with a key of its own, as callers have that may ask again. */
export const twiceTheCapacity = (fleet: Pick<Fleet, 'client'>, forMs: number): Promise<Arrived[]> =>
  arriveAll(
    fleet,
    evenly(2 * CAPACITY, forMs, (index): Arrival['ask'] => ({ ...askOverloaded('over'), key: `over-${index}` })),
  );

export const judgedPerSecond = (arrived: readonly Arrived[], fromMs: number, untilMs: number): number =>
  arrived.filter(({ judgedAtMs = Number.POSITIVE_INFINITY }) => judgedAtMs >= fromMs && judgedAtMs < untilMs).length /
  ((untilMs - fromMs) / 1_000);

export const refusalsMs = (arrived: readonly Arrived[]): number[] =>
  arrived.filter(({ asked }) => asked === undefined).map(({ askedAtMs, answeredAtMs }) => answeredAtMs - askedAtMs);

/** Workflow tasks of these evaluations, and how many of them the server gave up and handed out anew. */
export async function workflowTasks(
  { temporal: client }: Pick<Fleet, 'temporal'>,
  arrived: readonly Arrived[],
): Promise<{ readonly all: number; readonly timedOut: number }> {
  const counts = { all: 0, timedOut: 0 };
  for (const { asked } of arrived) {
    if (asked === undefined) continue;
    const { events } = await client.workflow.getHandle(asked.handle.evaluationId).fetchHistory();
    const has = (field: keyof temporal.api.history.v1.IHistoryEvent): number =>
      (events ?? []).filter((event) => event[field] != null).length;
    counts.all += has('workflowTaskScheduledEventAttributes');
    counts.timedOut += has('workflowTaskTimedOutEventAttributes');
  }
  return counts;
}
