/**
 * Whether an escalated evaluation opens a review, how much it takes to decide it, and where it waits. Pure.
 *
 * W1 A rule that errs never lowers: it holds for `acknowledgement` and `determination`, not for `triage`.
 * W2 Where nothing was found and only something failed, one person with a reason code is not enough: never `triage`.
 */
import { compileCel, conditionBindings } from '../cel.js';
import type { RunFacts } from '../gate.js';
import type { CriticRecord } from '../outcomes.js';
import type { Plan } from '../plan.js';
import { isAboutFindings } from '../about-findings.js';
import { enforcingRecords, ruleScope, type Verdict } from '../verdict.js';
import { REVIEW_CAUSES, REVIEW_TIERS, type PlanReview, type ReviewCause, type ReviewTier } from './policy.js';

export type ReviewRoute =
  | { readonly open: true; readonly tier: ReviewTier; readonly queue: string }
  | { readonly open: false; readonly code: 'REVIEW_NOT_OPENED'; readonly message: string };

/** Of one rule: whether it holds, or that it could not be evaluated. */
type Held = 'yes' | 'no' | 'erred';

/**
 * @param records of all planned critics, as the verdict was given them.
 * @returns `undefined` where no review is asked for: the plan has no `review:`, or the decision is not escalate.
 */
export function routeReview(
  plan: Plan,
  verdict: Verdict,
  records: ReadonlyMap<string, CriticRecord>,
  facts: RunFacts,
): ReviewRoute | undefined {
  const { review } = plan;
  if (review === undefined || verdict.decision !== 'escalate') return undefined;
  const causes = causesOf(verdict);
  if (!causes.some((cause) => review.openOn.includes(cause))) {
    const message = `escalated by a ${causes.join(' and a ')}, and the plan opens reviews on ${review.openOn.join(' and ')} alone`;
    return { open: false, code: 'REVIEW_NOT_OPENED', message };
  }
  const bindings = conditionBindings(enforcingRecords(plan, records), facts);
  const held = (when: string): Held => {
    const result = compileCel(when, ruleScope(plan))(bindings);
    if (!result.ok) return 'erred';
    return result.value ? 'yes' : 'no';
  };
  const tier = tierOf(review, held);
  return { open: true, tier: tier === 'triage' && !causes.includes('finding') ? 'acknowledgement' : tier, queue: queueOf(review, held) };
}

/** Why an evaluation escalated; at least one, in the order of {@link REVIEW_CAUSES}. */
function causesOf({ reasons }: Verdict): ReviewCause[] {
  const escalating = reasons.filter((reason) => reason.effect === 'escalate');
  const isFinding = escalating.some(isAboutFindings);
  // An escalation without any reason would be a bug, and so a failure.
  const isFailure = !isFinding || !escalating.every(isAboutFindings);
  return REVIEW_CAUSES.filter((cause) => (cause === 'finding' ? isFinding : isFailure));
}

function tierOf({ tiers }: PlanReview, held: (when: string) => Held): ReviewTier {
  const holding = new Set(
    tiers.rules.flatMap(({ tier, when }) => {
      const result = held(when);
      return result === 'yes' || (result === 'erred' && tier !== 'triage') ? [tier] : [];
    }),
  );
  return REVIEW_TIERS.toReversed().find((tier) => holding.has(tier)) ?? tiers.default;
}

const queueOf = ({ queues }: PlanReview, held: (when: string) => Held): string =>
  queues.rules.find(({ when }) => held(when) === 'yes')?.queue ?? queues.default;
