/** How many critics of each lane run and wait in this process: what an owner tells the server with its heartbeats. */
import type { LaneGauges } from '../metrics.js';
import type { Lane, Limit } from './lanes.js';

export interface LaneCount {
  readonly running: number;
  /** Taken from the queue, and waiting here for a place or for their turn. */
  readonly waiting: number;
}

/** One lane as its owner has it. */
export interface OwnedStatus extends LaneCount {
  /** By the owner's file, which may be older than what other workers bring. */
  readonly limits?: readonly Limit[];
}

/** Details of the heartbeats of `holdLanes`. */
export interface OwnerStatus {
  /** By task queue: every lane that the owner has. */
  readonly lanes: Readonly<Record<string, OwnedStatus>>;
}

const NONE: LaneCount = { running: 0, waiting: 0 };

export class LaneStatus {
  readonly #counts = new Map<string, LaneCount>();
  readonly #gauges: Pick<LaneGauges, keyof LaneCount> | undefined;

  constructor(gauges?: Pick<LaneGauges, keyof LaneCount>) {
    this.#gauges = gauges;
  }

  /** One critic more. @returns the function that counts it no more. */
  count(queue: string, what: keyof LaneCount): () => void {
    this.#add(queue, what, 1);
    return () => this.#add(queue, what, -1);
  }

  /** Critics of one lane, running or waiting. */
  busy(queue: string): number {
    const { running, waiting } = this.#counts.get(queue) ?? NONE;
    return running + waiting;
  }

  of(lanes: readonly Pick<Lane, 'queue' | 'limits'>[]): OwnerStatus {
    return { lanes: Object.fromEntries(lanes.map(({ queue, limits }) => [queue, { ...(this.#counts.get(queue) ?? NONE), limits }])) };
  }

  #add(queue: string, what: keyof LaneCount, by: number): void {
    const counts = this.#counts.get(queue) ?? NONE;
    this.#counts.set(queue, { ...counts, [what]: counts[what] + by });
    this.#gauges?.[what](queue, counts[what] + by);
  }
}

/** What a heartbeat says, or nothing where it is of another form: it may be an older owner's. */
export function readOwnerStatus(value: unknown): OwnerStatus | undefined {
  const lanes: unknown = isObject(value) ? value['lanes'] : undefined;
  if (!isObject(lanes)) return undefined;
  const counts = Object.entries(lanes).flatMap(([queue, count]) =>
    isObject(count) && typeof count['running'] === 'number' && typeof count['waiting'] === 'number'
      ? [[queue, { running: count['running'], waiting: count['waiting'], ...limitsIn(count['limits']) }] as const]
      : [],
  );
  return { lanes: Object.fromEntries(counts) };
}

/** As the owner's worker has written them; of an older one they are missing. */
const limitsIn = (limits: unknown): { limits?: readonly Limit[] } =>
  Array.isArray(limits) && limits.every((limit) => isObject(limit) && typeof limit['name'] === 'string') ? { limits } : {};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
