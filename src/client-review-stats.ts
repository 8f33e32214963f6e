/** Numbers over reviews: how many wait and for how long, how those that are over ended. Pure. */
import type { ReviewSummary } from './client-review-list.js';
import type { ReviewTier } from './domain/review/policy.js';
import type { ReviewResult, ReviewStatus } from './domain/review/review.js';

export interface ReviewStats {
  readonly open: number;
  readonly byState: Partial<Record<ReviewStatus, number>>;
  readonly byTier: Partial<Record<ReviewTier, number>>;
  readonly overdue: number;
  /** Of the open ones, milliseconds; absent when none is open. */
  readonly age?: { readonly p50: number; readonly p95: number };
  /** Of closed ones, as the index counts them. */
  readonly decided: number;
  readonly expired: number;
  readonly closed: Partial<Record<ReviewStatus, number>>;
  /** How many closed ones, the newest, the numbers below rest on. */
  readonly read: number;
  /** How many of them people had decided, and how many of these they had halted. */
  readonly readDecided: number;
  readonly readHalted: number;
  /** Share of the decided ones in which people halted what critics had escalated. */
  readonly agreement?: number;
  /** From one decision of a person to the next, without pauses; absent where nobody has decided two in a row. */
  readonly casesPerPersonHour?: number;
}

/** Longer than any case takes: whoever decides nothing for so long was doing something else. */
const IDLE_MS = 1_800_000;
const HOUR_MS = 3_600_000;

export function openStats(
  open: readonly ReviewSummary[],
  nowMs: number,
): Pick<ReviewStats, 'open' | 'byState' | 'byTier' | 'overdue' | 'age'> {
  const ages = open.map(({ openedAt }) => Math.max(0, nowMs - openedAt.getTime())).toSorted((a, b) => a - b);
  const [p50, p95] = [quantile(ages, 0.5), quantile(ages, 0.95)];
  return {
    open: open.length,
    byState: counted(open.map(({ status }) => status)),
    byTier: counted(open.flatMap(({ tier }) => (tier === undefined ? [] : [tier]))),
    overdue: open.filter(({ dueAt }) => dueAt !== undefined && dueAt.getTime() < nowMs).length,
    ...(p50 !== undefined && p95 !== undefined ? { age: { p50, p95 } } : {}),
  };
}

export function closedStats(
  results: readonly ReviewResult[],
): Pick<ReviewStats, 'read' | 'readDecided' | 'readHalted' | 'agreement' | 'casesPerPersonHour'> {
  const decided = results.filter(({ outcome }) => outcome === 'PROCEEDED' || outcome === 'HALTED');
  const halted = decided.filter(({ outcome }) => outcome === 'HALTED').length;
  const pace = casesPerPersonHour(decided);
  return {
    read: results.length,
    readDecided: decided.length,
    readHalted: halted,
    ...(decided.length > 0 ? { agreement: halted / decided.length } : {}),
    ...(pace !== undefined ? { casesPerPersonHour: pace } : {}),
  };
}

/** A review says who decided it and when it ended, not how long they looked: the time between two ends of one person tells. */
function casesPerPersonHour(decided: readonly ReviewResult[]): number | undefined {
  const ends = new Map<string, number[]>();
  for (const { deciders, endedAt } of decided)
    for (const by of new Set(deciders.map((decider) => decider.by))) ends.set(by, [...(ends.get(by) ?? []), Date.parse(endedAt)]);
  const gaps = [...ends.values()]
    .map((times) => times.toSorted((a, b) => a - b))
    .flatMap((times) => times.slice(1).map((time, index) => time - (times[index] ?? time)))
    .filter((gap) => gap <= IDLE_MS);
  const workedMs = gaps.reduce((sum, gap) => sum + gap, 0);
  return workedMs === 0 ? undefined : (gaps.length * HOUR_MS) / workedMs;
}

/** Nearest rank. */
const quantile = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];

function counted<Name extends string>(names: readonly Name[]): Partial<Record<Name, number>> {
  const counts: Partial<Record<Name, number>> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
