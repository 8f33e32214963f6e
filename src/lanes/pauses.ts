/** The pauses of one lane that a process has seen lately, to tell what a critic waited under. Pure. */
import { MAX_HELD_BY_CHARS, MAX_HELD_REASON_CHARS, type Held } from '../domain/outcomes.js';
import { isHeld, type QueueSetting } from './queue-setting.js';

interface Pause {
  readonly by: string;
  readonly reason: string;
  readonly from: number;
  /** Absent: it lasts. */
  readonly to?: number;
}

/** An evaluation waits through few of them; older ones are forgotten. */
const MAX_PAUSES = 20;

export class Pauses {
  #known: readonly Pause[] = [];

  /** What a look at the lane's queue has shown. */
  saw(setting: QueueSetting, now: number): void {
    const { by = 'somebody', reason = '', at = now } = setting;
    const earlier = this.#known.filter((pause) => pause.to !== undefined);
    const lasting = this.#known.find((pause) => pause.to === undefined);
    if (!isHeld(setting)) {
      if (lasting !== undefined) this.#known = [...earlier, { ...lasting, to: Math.max(lasting.from, at) }];
      return;
    }
    // A circuit that goes from pause to probes goes on with the same pause.
    if (lasting !== undefined && lasting.by === by) this.#known = [...earlier, { ...lasting, reason }];
    else {
      const ended = lasting === undefined ? [] : [{ ...lasting, to: Math.max(lasting.from, at) }];
      this.#known = [...earlier, ...ended, { by, reason, from: at }].slice(-MAX_PAUSES);
    }
  }

  /** The pause that took the most of a time, and how much of it. */
  longestIn(from: number, to: number): Held | undefined {
    let longest: Held | undefined;
    for (const pause of this.#known) {
      const ms = Math.min(to, pause.to ?? to) - Math.max(from, pause.from);
      if (ms > 0 && ms > (longest?.ms ?? 0))
        longest = { by: pause.by.slice(0, MAX_HELD_BY_CHARS), reason: pause.reason.slice(0, MAX_HELD_REASON_CHARS), ms: Math.round(ms) };
    }
    return longest;
  }
}
