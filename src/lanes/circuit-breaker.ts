/**
 * The circuit of one lane, in the process that owns it: keeps what has ended lately, and does at the server what `circuit.ts`
 * decides. Its state is the server's, so that the next owner goes on with it.
 */
import { CIRCUIT_LIMITS, circuitMove, circuitState, type CircuitLimits, type CircuitState, type EndedAttempt } from './circuit.js';
import type { QueueSetting } from './queue-setting.js';

export interface BreakerDeps {
  /** Puts the setting of the lane's queue; rate absent: takes it back. */
  set(change: { readonly rate?: number; readonly reason: string }): Promise<void>;
  /** Whether the lane is still this process's. */
  isOwner(): boolean;
  log(message: string): void;
  /** `off`: it never pauses, and lets go what an earlier owner's circuit has paused. */
  readonly limits?: CircuitLimits | 'off';
}

/** The last so many tell a share well enough. */
const MAX_KEPT = 200;

export class CircuitBreaker {
  readonly #deps: BreakerDeps;
  #ended: EndedAttempt[] = [];
  #state: CircuitState = 'closed';
  #since = Number.NEGATIVE_INFINITY;
  #reason = '';

  constructor(deps: BreakerDeps) {
    this.#deps = deps;
  }

  /** @returns whether it is time to look at the lane's setting, and then to {@link act}. */
  ended(attempt: EndedAttempt): boolean {
    this.#ended.push(attempt);
    if (this.#ended.length > MAX_KEPT) this.#ended.shift();
    return this.#move() !== undefined;
  }

  /** Looks at what the server keeps, just read, and does what follows. */
  async act(setting: QueueSetting): Promise<void> {
    this.#saw(setting);
    const move = this.#move();
    if (move === undefined || !this.#deps.isOwner()) return;
    // Between the look and this an operator's word may come; the next look would find the circuit's own in its place.
    await this.#deps.set(move.to === 'closed' ? { reason: move.reason } : { rate: move.rate, reason: move.reason });
    this.#enter(move.to, move.reason);
    this.#deps.log(WORDS[move.to](move.reason));
  }

  #saw(setting: QueueSetting): void {
    const state = circuitState(setting);
    if (state !== this.#state) this.#enter(state, setting.reason ?? '');
  }

  #enter(state: CircuitState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#since = Date.now();
    this.#ended = [];
  }

  #move(): ReturnType<typeof circuitMove> {
    const { limits = CIRCUIT_LIMITS } = this.#deps;
    if (limits !== 'off')
      return circuitMove({ state: this.#state, since: this.#since, reason: this.#reason }, this.#ended, Date.now(), limits);
    return this.#state === 'open' || this.#state === 'probing' ? { to: 'closed', reason: 'the circuit of this lane is off' } : undefined;
  }
}

const WORDS = {
  open: (reason: string): string => `paused by its circuit: ${reason}`,
  probing: (): string => 'tried again by the probes of its circuit',
  closed: (reason: string): string => `let go by its circuit: ${reason}`,
} as const;
