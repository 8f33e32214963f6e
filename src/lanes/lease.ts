/**
 * Whether this process still owns its lanes, told by its own clocks. The server gives lanes away when no heartbeat came for
 * the lease's time; this clock runs out before that, since it counts from when the last *answered* heartbeat was sent.
 *
 * L1 Two clocks, and the earlier one counts: the monotonic one stands still while a machine sleeps, the wall clock can be set.
 * L2 Once lost, always lost: a late answer does not bring it back.
 */
import { setMaxListeners } from 'node:events';

interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

const realClocks = (): Instant => ({ monotonic: performance.now(), wall: Date.now() });

export class Lease {
  readonly #ctl = new AbortController();
  readonly #over = new AbortController();
  readonly #sentBack = new AbortController();
  readonly #validMs: number;
  readonly #now: () => Instant;
  #until: Instant | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutMs after which the server gives the lanes away; @param marginMs how much earlier this process stops. */
  constructor(timeoutMs: number, marginMs: number, now: () => Instant = realClocks) {
    this.#validMs = timeoutMs - marginMs;
    this.#now = now;
    // Every critic under way listens.
    setMaxListeners(0, this.#ctl.signal, this.#over.signal, this.#sentBack.signal);
  }

  /** Fires when the lease is lost. */
  get lost(): AbortSignal {
    return this.#ctl.signal;
  }

  /** Fires when the Workers of the lanes stop: between the loss and this, what they still take is handed back to nobody. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Fires when critics that have not begun go to the next owner: those that run may end here. */
  get sentBack(): AbortSignal {
    return this.#sentBack.signal;
  }

  sendBack(): void {
    this.#sentBack.abort();
  }

  lose(why: string): void {
    clearTimeout(this.#timer);
    this.#ctl.abort(new Error(`the lease of the lanes is lost: ${why}`));
  }

  /** Asks the clocks, so that a timer that a blocked process has not run yet is no excuse. */
  isValid(): boolean {
    if (this.lost.aborted || this.#until === undefined) return false;
    if (this.#leftMs() > 0) return true;
    this.lose('no heartbeat was answered in time');
    return false;
  }

  /**
   * @param beat one heartbeat; resolves when the server has answered that the lease is still ours.
   * @throws whatever `beat` throws; the lease then holds until its clock runs out.
   */
  async renew(beat: () => Promise<void>): Promise<void> {
    const sent = this.#now();
    await beat();
    if (this.lost.aborted || (this.#until !== undefined && !this.isValid())) return;
    this.#until = { monotonic: sent.monotonic + this.#validMs, wall: sent.wall + this.#validMs };
    this.#watch();
  }

  /** No timer is left behind, and nobody waits. */
  end(): void {
    clearTimeout(this.#timer);
    this.#over.abort();
  }

  /** A timer may fire a little early, so it looks until the time is really over. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.isValid()) this.#timer = setTimeout(() => this.#watch(), Math.ceil(this.#leftMs()));
  }

  #leftMs(): number {
    if (this.#until === undefined) return 0;
    const now = this.#now();
    return Math.min(this.#until.monotonic - now.monotonic, this.#until.wall - now.wall);
  }
}
