/**
 * Which critics are covered by a fallback, and what stands in for them. Pure.
 *
 * K1 A fallback is needed when its critic ended in anything but `succeeded` or `gated`. One that a decisive rule cut needs
 *    none: nobody failed, and the run is over.
 * K2 A critic is covered when its fallback, or the fallback of that one, succeeded. Its outcome stays what it was; its
 *    finding is the fallback's, so that a rule, a gate or a dependent that names it goes on judging.
 * K3 A covered critic has no failure of its own left: verdict, coverage and gates take it as one that was judged.
 * K4 Covered is said only by records that are handed in. A gate hands in what it may see, so that a fallback which
 *    happened to be quick changes nothing.
 */
import { fallbackChain, type Fallbacks } from './dependencies.js';
import type { CriticRecord } from './outcomes.js';

/** Whether a critic ended in such a way that its fallback has to run (K1). */
export function needsFallback({ outcome, code }: CriticRecord): boolean {
  if (outcome === 'succeeded' || outcome === 'gated') return false;
  return outcome !== 'cancelled' || code !== 'DECISIVE';
}

/** The record of the fallback that covers a critic (K2); `undefined`: it needs none, or none succeeded. */
export function covererOf(name: string, records: ReadonlyMap<string, CriticRecord>, fallbacks: Fallbacks): CriticRecord | undefined {
  let open = records.get(name);
  for (const fallback of fallbackChain(name, fallbacks)) {
    if (open === undefined || !needsFallback(open)) return undefined;
    open = records.get(fallback.name);
    if (open?.outcome === 'succeeded') return open;
  }
  return undefined;
}

/**
 * The records with the findings of fallbacks under the names that they cover.
 * @param records those that may be seen (K4).
 */
export function withFallbacks(records: readonly CriticRecord[], fallbacks: Fallbacks): readonly CriticRecord[] {
  if (fallbacks.size === 0) return records;
  const byName = new Map(records.map((record) => [record.name, record]));
  return records.map((record) => {
    const coverer = covererOf(record.name, byName, fallbacks);
    return coverer?.finding === undefined ? record : { ...record, finding: coverer.finding, coveredBy: coverer.name };
  });
}

/** Whether there is a finding under a critic's name: its own, or that of the fallback which covers it. */
export const isJudged = ({ outcome, coveredBy }: CriticRecord): boolean => outcome === 'succeeded' || coveredBy !== undefined;
