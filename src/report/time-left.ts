/** How far an instant is from now, for people. Pure: now is handed in. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `2 d 3 h`, `45 min`, `7 s`: two units at most, and no smaller one than is of use. */
export function spanText(ms: number): string {
  const index = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const [largest, next] = UNITS.slice(index === -1 ? UNITS.length - 1 : index);
  if (largest === undefined) return '0 s';
  const [unit, unitMs] = largest;
  const count = Math.floor(ms / unitMs);
  const rest = next === undefined || unit === 'min' ? 0 : Math.floor((ms - count * unitMs) / next[1]);
  return `${count} ${unit}${rest > 0 && next !== undefined ? ` ${rest} ${next[0]}` : ''}`;
}

/** `in 2 h`, `7 min ago`. */
export function whenText(atMs: number, nowMs: number): string {
  return atMs >= nowMs ? `in ${spanText(atMs - nowMs)}` : `${spanText(nowMs - atMs)} ago`;
}
