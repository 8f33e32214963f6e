/**
 * Lanes that no file has any more are polled until nothing can come to them: until they were idle, without a break, for as
 * long as an evaluation of their plans may take. What is asked of the server is handed in.
 */
export interface IdleLanesOptions {
  /** Queue to how long it must be idle, milliseconds. */
  readonly retired: Readonly<Record<string, number>>;
  /** Tasks that wait on the server. */
  backlog(queue: string): Promise<number>;
  /** Critics of the lane in this process, waiting ones too. */
  busy(queue: string): number;
  /** Lanes that are idle for good. */
  drained(queues: readonly string[]): Promise<void>;
  now?(): number;
  /** Looks are at least so far apart, milliseconds. Default 5 s. */
  readonly everyMs?: number;
}

/** The server counts anew as often. */
const LOOK_MS = 5_000;

export class IdleLanes {
  readonly #options: IdleLanesOptions;
  readonly #idleSince: Map<string, number>;
  #isLooking = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: IdleLanesOptions) {
    this.#options = options;
    const begun = this.#now();
    this.#idleSince = new Map(Object.keys(options.retired).map((queue) => [queue, begun]));
  }

  /** One look, unless one is under way or the server would say the same; what it does not answer counts as work. */
  async look(): Promise<void> {
    if (this.#isLooking || this.#now() - this.#lookedAt < (this.#options.everyMs ?? LOOK_MS)) return;
    this.#isLooking = true;
    this.#lookedAt = this.#now();
    try {
      await this.#lookAtAll();
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookAtAll(): Promise<void> {
    const over: string[] = [];
    for (const [queue, since] of this.#idleSince) {
      const waiting = await this.#options.backlog(queue).catch(() => 1);
      if (waiting > 0 || this.#options.busy(queue) > 0) this.#idleSince.set(queue, this.#now());
      else if (this.#now() - since >= (this.#options.retired[queue] ?? 0)) over.push(queue);
    }
    if (over.length === 0) return;
    await this.#options.drained(over);
    for (const queue of over) this.#idleSince.delete(queue);
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }
}
