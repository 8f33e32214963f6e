/** Plans whose evaluations escalate, the people who decide them, and the shortest way from a plan to an open review. */
import type { ReviewResult } from '../../src/contract.js';
import type { Receipt } from '../../src/domain/review/review.js';
import type { Harness } from './harness.js';
import { until } from './history.js';
import { makePerson, REVIEW_BLOCK, TestReview, type TestPerson } from './reviews.js';

export const REASON = 'the quote is taken from a public speech';

export const ann = makePerson('ann', ['leads', 'moderators']);
export const bob = makePerson('bob', ['board', 'leads', 'moderators']);
export const cem = makePerson('cem', ['board']);
export const dee = makePerson('dee', ['board']);
export const PEOPLE: readonly TestPerson[] = [ann, bob, cem, dee];

type Tier = 'triage' | 'acknowledgement' | 'determination';

/** Escalates at once. */
export const escalating = (plan: string, tier: Tier, more: object = {}) => ({
  plan,
  version: 1,
  timeouts: { global: '30s' },
  critics: { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.5, violations: [] } } } },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review: { ...REVIEW_BLOCK, tiers: { default: tier }, ...more },
});

export async function openReview(harness: Harness, plan: string, request: object = {}): Promise<TestReview> {
  const report = await harness.client.evaluate({ plan, content: 'text', ...request });
  if (report.review === undefined) throw new Error(`no review was opened: ${JSON.stringify(report.reasons)}`);
  const review = new TestReview(harness.temporal, report.review.id, report.review.packetDigest);
  await until(async () => (await review.view()).status === 'OPEN');
  return review;
}

/** The payload of a whole decision. */
export function decisionOf(tier: Tier, disposition: 'PROCEED' | 'HALT', epoch: number | undefined): object {
  if (tier === 'triage') return { disposition, epoch, code: 'false_positive' };
  const signals = [{ id: 'r1', reason: `${REASON}, and nobody is named in it` }];
  return {
    disposition,
    epoch,
    signals,
    ...(tier === 'determination' ? { rationale: `${REASON}; see the transcript of the session` } : {}),
  };
}

export async function decide(review: TestReview, who: TestPerson, tier: Tier, disposition: 'PROCEED' | 'HALT'): Promise<Receipt> {
  const { epoch } = await review.act(who, 'claim', {});
  return await review.act(who, 'decide', decisionOf(tier, disposition, epoch));
}

export const resultOf = async (review: TestReview): Promise<ReviewResult> => (await review.handle.result()) as ReviewResult;
