/** Milliseconds as people would write them in a plan: `4h`, `90m`, `1500ms`. Pure. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** In the largest unit of which it is a whole number. */
export function durationText(ms: number): string {
  const fits = UNITS.find(([, unitMs]) => ms !== 0 && ms % unitMs === 0);
  return fits === undefined ? `${ms}ms` : `${ms / fits[1]}${fits[0]}`;
}
