/**
 * Owns lanes: runs their Workers in this process for as long as the lease holds. The other processes stand by.
 *
 * H1 No critic starts, and none goes on, once the lease may be over: its clock and its signal tell them.
 * H2 It is given back by completing the activity, which needs no timer of the server: the next owner has it at once.
 * H3 A Worker that can poll no more ends the whole process: half an owner would look alive. One that could not be made yet
 *    does not at once: the server was away, and the next try, here or elsewhere, may find it again.
 * H4 When the server was away, Workers stop only once it has all their polls again: it ends those that it knows, and a Worker
 *    that waits for another one fails. What they take until then is kept, and handed back when they stop.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { ActivityCancelledError, ActivityNotFoundError, ActivityPausedError, ActivityResetError } from '@temporalio/client';
import type { LeaseActivities } from '../contract.js';
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
  status(lanes: readonly Lane[]): unknown;
  /** A lane can be polled no more. */
  fatal(error: unknown): void;
  log(message: string): void;
}

/** A process that does not have all critics of some lanes (an older one) hands them on: so soon the next one is asked. */
const UNKNOWN_LANE_MS = 50;
/** So long it leaves them to others. Then nobody is there who has them, and somebody must poll what of them it can run. */
const REFUSED_FOR_MS = 10_000;
/** So long it then has them, before others are asked again. */
const FOREIGN_FOR_MS = 300_000;
/** Lanes that cannot be polled for longer, while the server hands them out: something is wrong with this process. */
const NOT_MADE_FOR_MS = 60_000;
/** The SDK polls again after 10 s at most, whatever came between; then a little more. */
const POLLS_BACK_MS = 12_000;
/** Over a connection that comes and goes for so long, what was taken goes back all the same: it waits here for nobody. */
const FLAPPING_MS = 60_000;
/** A process that lost lanes needs about so long until it can own them again. */
const BUSY_MS = 500;
/** Critics that were told to stop settle within milliseconds; the next owner does not wait longer for one that does not. */
const SETTLE_MS = 1_000;
/** What waits for its place or its turn when the lanes are given back does so for so long: handed on sooner it would cost an attempt in vain. */
const WAITING_MS = 5_000;
/** The process ends, or has no connection; another one, its successor or itself tries after this. */
const FAILED_MS = 1_000;

export function makeLeaseActivities(deps: HoldDeps): LeaseActivities {
  const owned = new Set<string>();
  const refusals = new Refusals();
  const failures = new Failures(deps);
  return {
    async holdLanes(input) {
      const queues = input.lanes.map((lane) => lane.queue);
      // Handed out again to the process that has just lost them, before its Workers have ended.
      if (queues.some((queue) => owned.has(queue))) throw again('LanesBusy', 'this process still ends its work on these lanes', BUSY_MS);
      const { lanes, isForeign } = lanesHere(deps.lanes, deps.implementations, input.lanes);
      // With nothing left to own it would come back at once, again and again.
      if (lanes.length === 0) throw again('LanesPolled', 'each process polls these lanes for itself', FAILED_MS);
      if (isForeign && refusals.leaves(Context.current().info.activityId))
        throw again('LaneUnknown', 'this process does not have all critics of these lanes', UNKNOWN_LANE_MS);
      for (const queue of queues) owned.add(queue);
      try {
        // The SDK ends calls of an activity that is cancelled; this one has to tell the server for as long as its critics end.
        await Context.current().client.withAbortSignal(new AbortController().signal, () => holdLanes(deps, lanes, isForeign, failures));
      } finally {
        for (const queue of queues) owned.delete(queue);
      }
    },
  };
}

/** Something that comes again and again; after a longer pause than this it is another matter. */
class Spell {
  #since = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(readonly pauseMs: number) {}

  /** It came once more. @returns for how long it has done so, milliseconds. */
  goesOn(): number {
    const now = performance.now();
    if (now - this.#last > this.pauseMs) this.#since = now;
    this.#last = now;
    return now - this.#since;
  }

  end(): void {
    this.#last = Number.NEGATIVE_INFINITY;
  }
}

/** Lanes whose critics this process does not have, and for how long it leaves them to others. */
class Refusals {
  readonly #asked = new Map<string, Spell>();

  /** @param id of the activity that has the lanes. @returns whether they are left to others once more. */
  leaves(id: string): boolean {
    const asked = this.#asked.get(id) ?? new Spell(REFUSED_FOR_MS);
    this.#asked.set(id, asked);
    if (asked.goesOn() <= REFUSED_FOR_MS) return true;
    // Asked anew later, others come first again.
    this.#asked.delete(id);
    return false;
  }
}

/** Lanes that could not be polled: for a while the server was away, then something is wrong here. */
class Failures {
  readonly #failed = new Spell(NOT_MADE_FOR_MS / 2);

  constructor(readonly deps: Pick<HoldDeps, 'fatal' | 'log'>) {}

  /** Lanes are polled. */
  over(): void {
    this.#failed.end();
  }

  saw(error: unknown): void {
    if (this.#failed.goesOn() > NOT_MADE_FOR_MS || !(error instanceof NotMadeError)) this.deps.fatal(error);
    else this.deps.log(error.message);
  }
}

async function holdLanes(deps: HoldDeps, lanes: readonly OwnedLane[], isForeign: boolean, failures: Failures): Promise<void> {
  const context = Context.current();
  const lease = new Lease(LEASE_TIMEOUT_MS, LEASE_MARGIN_MS);
  const asked = new AbortController();
  const beat = beatOf(
    context,
    () => deps.status(lanes),
    () => asked.abort(),
  );
  const onCancelled = (): void => {
    // By its own clock, or since the server did not know it: nothing that the server could be told now.
    const { timedOut = false, notFound = false } = context.cancellationDetails ?? {};
    if (timedOut || notFound) lease.lose('the SDK has given it up');
    else asked.abort();
  };
  context.cancellationSignal.addEventListener('abort', onCancelled);
  if (context.cancellationSignal.aborted) onCancelled();
  // Whoever has their critics may have come by then.
  let isHandedOn = false;
  const handOn = (): void => {
    isHandedOn = true;
    asked.abort();
  };
  const patience = isForeign ? setTimeout(handOn, FOREIGN_FOR_MS) : undefined;
  try {
    // A task that was handed to a process which then froze ends here.
    await renew(lease, beat);
    if (lease.isValid()) await runLanes(deps, lanes, { lease, beat, stop: asked.signal, polled: () => failures.over() });
  } catch (error) {
    failures.saw(error);
    throw again('LanesFailed', 'the lanes cannot be polled here', FAILED_MS);
  } finally {
    clearTimeout(patience);
    context.cancellationSignal.removeEventListener('abort', onCancelled);
    lease.end();
  }
  if (!lease.isValid()) throw again('LaneLeaseLost', 'the lease of the lanes was lost', 1);
  if (isHandedOn) throw again('LaneUnknown', 'others may have their critics by now', UNKNOWN_LANE_MS);
}

interface Held {
  readonly lease: Lease;
  readonly beat: () => Promise<void>;
  /** The workflow asks for the lanes, or the process stops. */
  readonly stop: AbortSignal;
  /** All Workers are made. */
  readonly polled: () => void;
}

async function runLanes(deps: HoldDeps, lanes: readonly OwnedLane[], { lease, beat, stop, polled }: Held): Promise<void> {
  const budgets = new BudgetPool(sharedLimits(lanes));
  const workers = await makeWorkers(deps, lanes, budgets, { lease, beat, stop });
  polled();
  const idle = new IdleLanes({ ...deps, retired: retiredOf(lanes) });
  let isRunning = true;
  let pause = new AbortController();
  const cutShort = (): void => pause.abort();
  const running = runTogether(workers).finally(() => {
    isRunning = false;
    cutShort();
  });
  running.catch(() => undefined);
  let unheardAt = Number.NEGATIVE_INFINITY;
  /** The first answer after the lanes were lost. */
  let heardAt: number | undefined;
  let patience: NodeJS.Timeout | undefined;
  const drain = (): void => {
    shutdownWorkers(workers);
    patience ??= setTimeout(() => lease.sendBack(), WAITING_MS);
  };
  stop.addEventListener('abort', drain);
  lease.lost.addEventListener('abort', cutShort);
  if (stop.aborted) drain();
  try {
    // While critics end, the lanes are still ours. When they are lost, the lease's signal has told the critics already.
    while (isRunning) {
      pause = new AbortController();
      await sleep(LEASE_BEAT_MS, undefined, { signal: pause.signal }).catch(() => undefined);
      if (!isRunning) break;
      void idle.look().catch(() => undefined);
      const isHeard = await renew(lease, beat);
      const now = performance.now();
      if (!isHeard) unheardAt = now;
      if (!isHeard || lease.isValid()) continue;
      heardAt ??= now;
      if (now - unheardAt < POLLS_BACK_MS && now - heardAt < FLAPPING_MS) continue;
      lease.end();
      drain();
    }
    await running;
    await Promise.race([budgets.settled(), sleep(SETTLE_MS, undefined, { ref: false })]);
  } finally {
    clearTimeout(patience);
    stop.removeEventListener('abort', drain);
    lease.lost.removeEventListener('abort', cutShort);
  }
}

/** Limits of more than one of these lanes: no queue's own rate at the server holds them. */
function sharedLimits(lanes: readonly Lane[]): ReadonlySet<string> {
  const names = lanes.flatMap(({ limits }) => limits.map(({ name }) => name));
  return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}

const retiredOf = (lanes: readonly OwnedLane[]): Record<string, number> =>
  Object.fromEntries(lanes.flatMap(({ queue, idleMs }) => (idleMs === undefined ? [] : [[queue, idleMs]])));

async function makeWorkers(
  deps: HoldDeps,
  lanes: readonly OwnedLane[],
  budgets: BudgetPool,
  { lease, beat, stop }: Omit<Held, 'polled'>,
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

/**
 * A beat that gets no answer is no loss yet: the clock decides. One that is answered with a no is.
 * @returns whether the server has answered.
 */
async function renew(lease: Lease, beat: () => Promise<void>): Promise<boolean> {
  try {
    await lease.renew(beat);
    return true;
  } catch (error) {
    if (!isLost(error)) return false;
    lease.lose('the server has given it away');
    return true;
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
