/** What changed between two plans, for people. Pure. Every text that is not ours passes `safeText`. */
import pc from 'picocolors';
import type { ChangeDirection, PlanDiff } from '../domain/plan-diff.js';
import { shortHash } from './format.js';
import { safeText } from './safe.js';

interface About {
  /** As it was asked for. */
  readonly named: string;
  readonly plan: string;
  readonly version: number;
  readonly hash: string;
}

const WORDS: Readonly<Record<ChangeDirection, string>> = {
  looser: 'looser',
  stricter: 'stricter',
  neither: 'neither',
  unranked: 'changed; cannot be ranked',
};
/** What a reviewer must not overlook comes first. */
const ORDER: readonly ChangeDirection[] = ['looser', 'unranked', 'stricter', 'neither'];

export function planDiffText(
  { a, b, same, changes, warnings }: PlanDiff & { readonly a: About; readonly b: About },
  color: boolean,
): string {
  const colors = pc.createColors(color);
  const name = ({ named, plan, version, hash }: About): string => `${safeText(named)} (${plan}@${version}, ${shortHash(hash)})`;
  if (same) return `${name(a)} and ${name(b)} are the same plan`;
  const paint = { looser: colors.red, stricter: colors.green, neither: colors.dim, unranked: colors.yellow };
  const counts = ORDER.map((direction) => [direction, changes.filter((change) => change.direction === direction).length] as const);
  return [
    `from ${name(a)}`,
    `to   ${name(b)}`,
    ...warnings.map((warning) => colors.yellow(`! ${safeText(warning)}`)),
    ...changes.map(({ text, direction }) => `  ${safeText(text)} ${paint[direction](`(${WORDS[direction]})`)}`),
    `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}: ${counts
      .filter(([, count]) => count > 0)
      .map(([direction, count]) => `${count} ${direction === 'unranked' ? 'cannot be ranked' : direction}`)
      .join(', ')}`,
  ].join('\n');
}
