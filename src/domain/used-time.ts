/**
 * How much of the machine's time an evaluation has used. Pure: the clock is handed in.
 *
 * What is left of a limit = limit − time used, never "limit − time since the start": a run that is reset an hour after
 * its failure must judge. Time used grows with the clock, except across a gap longer than any waiting activity could
 * last: that was an outage or a reset, not work.
 */

/** Slack on the longest outstanding time-out: the server fires it late by up to a second with its default timer settings. */
export const GAP_SLACK_MS = 1000;

export class UsedTime {
  #totalMs = 0;
  #stageMs = 0;
  #last: number;

  constructor(now: number) {
    this.#last = now;
  }

  get totalMs(): number {
    return this.#totalMs;
  }

  get stageMs(): number {
    return this.#stageMs;
  }

  /** Counts the time since the last observation. `outstandingMs`: the longest time-out of what was waited for. */
  observe(now: number, outstandingMs: number): void {
    const gap = Math.max(0, now - this.#last);
    this.#last = now;
    if (gap <= outstandingMs + GAP_SLACK_MS) this.#add(gap);
  }

  /** Counts a duration that somebody else measured, up to `now`. */
  count(ms: number, now: number): void {
    this.#last = now;
    this.#add(ms);
  }

  /** Counts the rest of a limit that has cut a critic: its attempt ends a little before, so that its account arrives. */
  countUpTo(totalMs: number): void {
    this.#add(Math.max(0, totalMs - this.#totalMs));
  }

  beginStage(usedMs = 0): void {
    this.#stageMs = usedMs;
  }

  #add(ms: number): void {
    this.#totalMs += ms;
    this.#stageMs += ms;
  }
}
