/** How much has to be said in a decision, and what is wrong with words that are too few or somebody else's. Pure. */
import type { Answer } from './command.js';
import type { ReviewTier } from './policy.js';

/** Reason for each signal, characters; starting values that nobody has measured. */
export const MIN_REASON_CHARS = { triage: 0, acknowledgement: 20, determination: 40 } as const;
/** Of a determination as a whole. */
export const MIN_RATIONALE_CHARS = 40;

const A_TIER: Readonly<Record<ReviewTier, string>> = {
  triage: 'a triage',
  acknowledgement: 'an acknowledgement',
  determination: 'a determination',
};

const folded = (text: string): string => text.trim().toLowerCase();

/**
 * Why an answer does not count; `undefined`: it does.
 * @param message of the signal.
 * @param others answers to other signals.
 */
export function reasonProblem(tier: ReviewTier, { id, reason }: Answer, message: string, others: readonly Answer[]): string | undefined {
  const short = shortness(`${id}: the reason`, reason, tier, MIN_REASON_CHARS[tier]);
  if (short !== undefined) return short;
  const words = folded(reason);
  if (words === folded(message)) return `${id}: the reason has the words of the signal, and needs words of its own`;
  const other = others.find((one) => folded(one.reason) === words);
  return other === undefined ? undefined : `${id}: the reason is that of ${other.id}, and each needs words of its own`;
}

export const rationaleProblem = (tier: ReviewTier, rationale: string): string | undefined =>
  tier === 'determination' ? shortness('the rationale', rationale, tier, MIN_RATIONALE_CHARS) : undefined;

function shortness(what: string, text: string, tier: ReviewTier, least: number): string | undefined {
  const { length } = text.trim();
  return length >= least ? undefined : `${what} has ${length} characters, ${A_TIER[tier]} needs at least ${least}`;
}
