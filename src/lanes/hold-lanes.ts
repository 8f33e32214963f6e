/**
 * Owns lanes: runs their Workers in this process for as long as the lease holds. The other processes stand by.
 *
 * H1 No critic starts, and none goes on, once the lease may be over: its clock stops the Workers, its signal the critics.
 * H2 It is given back by completing the activity, which needs no timer of the server: the next owner has it at once.
 * H3 A Worker that can poll no more ends the whole process: half an owner would look alive. One that could not be made yet
 *    does not: the server was away, and the next try, here or elsewhere, may find it again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { ActivityCancelledError, ActivityNotFoundError, ActivityPausedError, ActivityResetError } from '@temporalio/client';
import type { HoldInput, LeaseActivities } from '../contract.js';
import { endUnused, runTogether, shutdownWorkers, type OneWorker } from '../run-workers.js';
import { BudgetPool } from './budgets.js';
import { lanesHere } from './lanes-here.js';
import type { Lane, OwnedLane } from './lanes.js';
import { IdleLanes } from './idle-lanes.js';
import { Lease } from './lease.js';
import { LEASE_BEAT_MS, LEASE_MARGIN_MS, LEASE_TIMEOUT_MS } from './lease-times.js';

export interface HoldDeps {
  /** Lanes of this process's own deployment file, by queue. */
  readonly lanes: ReadonlyMap<string, Lane>;
  /** Names of the implementations that this process has. */
  readonly implementations: ReadonlySet<string>;
  makeWorker(lane: Lane, budgets: BudgetPool, lease: Lease): Promise<OneWorker>;
  /** Critics of a lane that this process has, waiting ones too. */
  busy(queue: string): number;
  /** Tasks of a lane that wait on the server. */
  backlog(queue: string): Promise<number>;
  /** Tells the deployment that lanes which no file has were idle for long enough. */
  drained(queues: readonly string[]): Promise<void>;
  /** What the owner tells the server with each beat, for people who look. */
  status(queues: readonly string[]): unknown;
  /** A lane can be polled no more. */
  fatal(error: unknown): void;
  log(message: string): void;
}

/** A process that does not have a lane's critics (an older one) hands it on: so soon the next one is asked. */
const UNKNOWN_LANE_MS = 50;
/** A process that lost lanes needs about so long until it can own them again. */
const BUSY_MS = 500;
/** Critics that were told to stop settle within milliseconds; the next owner does not wait longer for one that does not. */
const SETTLE_MS = 1_000;
/** The process ends, or has no connection; another one, its successor or itself tries after this. */
const FAILED_MS = 1_000;

export function makeLeaseActivities(deps: HoldDeps): LeaseActivities {
  const owned = new Set<string>();
  return {
    async holdLanes(input) {
      const queues = input.lanes.map((lane) => lane.queue);
      // Handed out again to the process that has just lost them, before its Workers have ended.
      if (queues.some((queue) => owned.has(queue))) throw again('LanesBusy', 'this process still ends its work on these lanes', BUSY_MS);
      for (const queue of queues) owned.add(queue);
      try {
        await holdLanes(deps, input);
      } finally {
        for (const queue of queues) owned.delete(queue);
      }
    },
  };
}

async function holdLanes(deps: HoldDeps, input: HoldInput): Promise<void> {
  const context = Context.current();
  const lanes = lanesHere(deps.lanes, deps.implementations, input.lanes, context.info.attempt);
  if (typeof lanes === 'string') throw again('LaneUnknown', `this process does not have the critics of ${lanes}`, UNKNOWN_LANE_MS);
  const lease = new Lease(LEASE_TIMEOUT_MS, LEASE_MARGIN_MS);
  const asked = new AbortController();
  const beat = beatOf(
    context,
    () => deps.status(lanes.map((lane) => lane.queue)),
    () => asked.abort(),
  );
  try {
    // A task that was handed to a process which then froze ends here.
    await renew(lease, beat);
    const stop = AbortSignal.any([context.cancellationSignal, asked.signal]);
    if (lease.isValid()) await runLanes(deps, lanes, { lease, beat, stop });
  } catch (error) {
    if (error instanceof NotMadeError) deps.log(error.message);
    else deps.fatal(error);
    throw again('LanesFailed', 'the lanes cannot be polled here', FAILED_MS);
  } finally {
    lease.end();
  }
  if (!lease.isValid()) throw again('LaneLeaseLost', 'the lease of the lanes was lost', 1);
}

interface Held {
  readonly lease: Lease;
  readonly beat: () => Promise<void>;
  /** The activity is cancelled, or the process stops. */
  readonly stop: AbortSignal;
}

async function runLanes(deps: HoldDeps, lanes: readonly OwnedLane[], { lease, beat, stop }: Held): Promise<void> {
  const budgets = new BudgetPool();
  const workers = await makeWorkers(deps, lanes, budgets, { lease, beat, stop });
  const idle = new IdleLanes({ ...deps, retired: retiredOf(lanes) });
  let isRunning = true;
  const ended = new AbortController();
  const running = runTogether(workers).finally(() => {
    isRunning = false;
    ended.abort();
  });
  running.catch(() => undefined);
  const drain = (): void => shutdownWorkers(workers);
  stop.addEventListener('abort', drain);
  lease.lost.addEventListener('abort', drain);
  if (stop.aborted || !lease.isValid()) drain();
  try {
    // While critics end, the lanes are still ours.
    while (isRunning) {
      await sleep(LEASE_BEAT_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      if (!isRunning) break;
      void idle.look().catch(() => undefined);
      await renew(lease, beat);
    }
    await running;
    await Promise.race([budgets.settled(), sleep(SETTLE_MS, undefined, { ref: false })]);
  } finally {
    stop.removeEventListener('abort', drain);
    lease.lost.removeEventListener('abort', drain);
  }
}

const retiredOf = (lanes: readonly OwnedLane[]): Record<string, number> =>
  Object.fromEntries(lanes.flatMap(({ queue, idleMs }) => (idleMs === undefined ? [] : [[queue, idleMs]])));

async function makeWorkers(
  deps: HoldDeps,
  lanes: readonly OwnedLane[],
  budgets: BudgetPool,
  { lease, beat, stop }: Held,
): Promise<OneWorker[]> {
  const workers: OneWorker[] = [];
  try {
    let beatAt = performance.now();
    for (const lane of lanes) {
      if (stop.aborted || !lease.isValid()) break;
      workers.push(await deps.makeWorker(lane, budgets, lease));
      // Many lanes take longer to make than the lease is long.
      if (performance.now() - beatAt < LEASE_BEAT_MS) continue;
      beatAt = performance.now();
      await renew(lease, beat);
    }
    return workers;
  } catch (error) {
    await endUnused(workers);
    throw new NotMadeError(error);
  }
}

class NotMadeError extends Error {
  override readonly name = 'NotMadeError';
  constructor(cause: unknown) {
    super(`lanes could not be polled yet, which is tried again: ${cause instanceof Error ? cause.message : 'no connection'}`, { cause });
  }
}

/** A beat that gets no answer is no loss yet: the clock decides. One that is answered with a no is. */
async function renew(lease: Lease, beat: () => Promise<void>): Promise<void> {
  try {
    await lease.renew(beat);
  } catch (error) {
    if (isLost(error)) lease.lose('the server has given it away');
  }
}

/**
 * The SDK's own heartbeat tells nothing back, so each beat is a call that is answered. The SDK's is made too, only so
 * often that its own timer does not cancel the activity.
 */
function beatOf(context: Context, status: () => unknown, onAsked: () => void): () => Promise<void> {
  const { taskToken, activityId, namespace, workflowExecution } = context.info;
  const workflowId = workflowExecution?.workflowId;
  const serializationContext = {
    type: 'activity',
    namespace,
    activityId,
    isLocal: false,
    ...(workflowId !== undefined ? { workflowId } : {}),
  } as const;
  let lastSdkBeat = 0;
  return async () => {
    try {
      await context.client.withDeadline(Date.now() + LEASE_TIMEOUT_MS, () =>
        context.client.activity.heartbeat(taskToken, status(), { serializationContext }),
      );
    } catch (error) {
      if (!(error instanceof ActivityCancelledError)) throw error;
      // The workflow asks for the lanes; until they have come back they are ours, and what runs may end.
      onAsked();
    }
    if (performance.now() - lastSdkBeat < LEASE_TIMEOUT_MS) return;
    lastSdkBeat = performance.now();
    context.heartbeat(status());
  };
}

/** The server's answer to a beat of a process that owns the lanes no more. */
const isLost = (error: unknown): boolean =>
  error instanceof ActivityNotFoundError || error instanceof ActivityPausedError || error instanceof ActivityResetError;

function again(type: string, message: string, nextRetryDelay: number): ApplicationFailure {
  const failure = ApplicationFailure.create({ type, message, nextRetryDelay, category: 'BENIGN' });
  failure.stack = '';
  return failure;
}
