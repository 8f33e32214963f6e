/** How far a batch is, for people. Pure. */
import { number, percent } from '../report/format.js';

export interface BatchProgress {
  readonly total: number;
  /** Ended in this run. */
  readonly ended: number;
  /** Ended in earlier runs. */
  readonly earlier: number;
  readonly running: number;
  /** Of these, what was not let in yet. */
  readonly held: number;
  /** Ended in this run without a report. */
  readonly without: number;
  /** Of this run. */
  readonly elapsedMs: number;
}

const BAR_CELLS = 40;
/** With fewer the rate is that of the start, and the time left a guess. */
const LEAST_FOR_RATE = 5;

/** The first line says it all, for logs; the second is the bar. */
export function batchProgressText({ total, ended, earlier, running, held, without, elapsedMs }: BatchProgress): string {
  const done = ended + earlier;
  const share = total === 0 ? 1 : done / total;
  const perSecond = elapsedMs <= 0 ? 0 : (ended * 1_000) / elapsedMs;
  const isKnown = ended >= LEAST_FOR_RATE && perSecond > 0;
  const parts = [
    `${number(done)} of ${number(total)} ended (${percent(Math.floor(share * 1_000) / 1_000)})`,
    `${number(running - held)} under way`,
    ...(held > 0 ? [`${number(held)} held back by overload`] : []),
    ...(without > 0 ? [`${number(without)} without a report`] : []),
    ...(isKnown ? [`${number(perSecond)}/s`, `about ${spanText(((total - done) / perSecond) * 1_000)} left`] : []),
  ];
  const cells = Math.floor(share * BAR_CELLS);
  return `${parts.join(', ')}\n[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}]`;
}

/** `9 s`, `4 min 10 s`, `1 h 5 min`. */
export function spanText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${number(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}
