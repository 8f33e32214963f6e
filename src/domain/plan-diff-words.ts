/** One difference between two plans, as a sentence with its direction. Pure. */

export type ChangeDirection = 'looser' | 'stricter' | 'neither' | 'unranked';

export interface Change {
  /** The critic, the rule or the field. */
  readonly about: string;
  readonly text: string;
  readonly direction: ChangeDirection;
}

/** What is shown of one value: a condition can be 4,096 characters long, of which the first tell which one it is. */
const MAX_VALUE_CHARS = 400;

/** `about from → to`; without a blank between two words where `about` ends as a name. */
export function changed(about: string, from: string, to: string, direction: ChangeDirection, why?: string): Change {
  const colon = /(?: when| if|:)$/.test(about) ? '' : ':';
  const text = `${about}${colon} ${short(from)} → ${short(to)}${why === undefined ? '' : ` (${why})`}`;
  return { about, text, direction };
}

/** The change without its direction, where there is a reason why it has none. */
export const noted = (change: Change, why: string | undefined): Change =>
  why === undefined ? change : { ...change, text: `${change.text} (${why})`, direction: 'unranked' };

const short = (text: string): string => (text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}…`);

/** `ranks`: the laxest first. */
export function byRank<T>(ranks: readonly T[], from: T, to: T): ChangeDirection {
  const [before, after] = [ranks.indexOf(from), ranks.indexOf(to)];
  if (before === after) return 'neither';
  return after < before ? 'looser' : 'stricter';
}
