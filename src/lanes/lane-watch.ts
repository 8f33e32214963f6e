/**
 * Looks now and then at what the server keeps of the lanes that this process polls: remembers their pauses for the records of
 * critics that waited, and lets their circuits act. Nothing fails when a look does: the next one is as good.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { LaneLog } from '../activities/run-critic.js';
import type { LaneGauges } from '../metrics.js';
import type { OneWorker } from '../run-workers.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { CircuitLimits } from './circuit.js';
import type { LaneStatus } from './lane-status.js';
import { slotsOf, type Lane } from './lanes.js';
import { Pauses } from './pauses.js';
import { CIRCUIT, lookAtQueue, setQueueRate } from './queue-setting.js';

/** How lanes are braked. */
export interface BrakeOptions {
  /** Looks at a lane's setting are this far apart. Default 5 s. */
  readonly watchMs?: number;
  /** When a lane's circuit pauses it; `off`: never, and what an earlier one has paused is let go. */
  readonly circuitOf?: (lane: Lane) => CircuitLimits | 'off' | undefined;
}

export interface WatchDeps {
  readonly client: Client;
  readonly status: LaneStatus;
  readonly gauges: LaneGauges;
  readonly brakes?: BrakeOptions;
  readonly log: (message: string) => void;
}

/** A pause that is shorter may go unseen. One call for each lane. */
const WATCH_MS = 5_000;

/**
 * The Worker of a lane with the watch over it.
 * @param isOwner of a lane that one process at a time owns: whether this one still does.
 */
export async function watchedLane(
  deps: WatchDeps,
  lane: Lane,
  isOwner: (() => boolean) | undefined,
  make: (log: LaneLog) => Promise<OneWorker>,
): Promise<OneWorker> {
  const watch = new LaneWatch(deps, lane, isOwner);
  const worker = await make(watch);
  return {
    async run() {
      const end = watch.begin();
      try {
        await worker.run();
      } finally {
        end();
      }
    },
    shutdown: () => worker.shutdown(),
    getState: () => worker.getState(),
  };
}

class LaneWatch implements LaneLog {
  readonly #deps: WatchDeps;
  readonly #queue: string;
  readonly #lane: Lane;
  readonly #isOwned: boolean;
  readonly #pauses = new Pauses();
  readonly #breaker: CircuitBreaker;
  /** Cuts the wait for the next look. */
  #soon = new AbortController();
  #isOver = false;

  constructor(deps: WatchDeps, lane: Lane, isOwner: (() => boolean) | undefined) {
    this.#deps = deps;
    this.#queue = lane.queue;
    this.#lane = lane;
    this.#isOwned = isOwner !== undefined;
    // Where several services are asked, one that fails must not stop the others. What many processes poll has no circuit, but
    // may have been paused by one while it was owned.
    const hasCircuit = lane.single === true && lane.circuit !== 'off' && isOwner !== undefined;
    const limits = hasCircuit ? deps.brakes?.circuitOf?.(lane) : 'off';
    this.#breaker = new CircuitBreaker({
      set: (change) => setQueueRate(deps.client, lane.queue, { ...change, by: CIRCUIT }),
      isOwner: isOwner ?? (() => true),
      log: (message) => deps.log(`lane ${lane.queue}: ${message}`),
      ...(limits !== undefined ? { limits } : {}),
    });
  }

  count(what: 'running' | 'waiting'): () => void {
    return this.#deps.status.count(this.#queue, what);
  }

  held(from: number, to: number): ReturnType<LaneLog['held']> {
    return this.#pauses.longestIn(from, to);
  }

  ended(attempt: Parameters<LaneLog['ended']>[0]): void {
    if (this.#breaker.ended(attempt)) this.#soon.abort();
  }

  /** @returns the function that ends it. */
  begin(): () => void {
    void this.#follow();
    this.#tell(true);
    return () => {
      this.#isOver = true;
      this.#soon.abort();
      this.#tell(false);
    };
  }

  /** A series cannot be taken back, so what this process no longer has is told as nothing. */
  #tell(isHere: boolean): void {
    const { gauges } = this.#deps;
    const limit = slotsOf(this.#lane);
    if (limit !== undefined) gauges.limit(this.#queue, isHere ? limit : 0);
    if (this.#isOwned) gauges.owner(this.#queue, isHere);
    if (isHere) return;
    gauges.paused(this.#queue, false);
    gauges.tripped(this.#queue, false);
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      this.#soon = new AbortController();
      const { signal } = this.#soon;
      await this.#look().catch(() => undefined);
      await sleep(this.#deps.brakes?.watchMs ?? WATCH_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { setting } = await lookAtQueue(this.#deps.client, this.#queue, false);
    this.#pauses.saw(setting, Date.now());
    this.#deps.gauges.paused(this.#queue, setting.rate === 0);
    this.#deps.gauges.tripped(this.#queue, setting.rate !== undefined && setting.by === CIRCUIT);
    await this.#breaker.act(setting);
  }
}
