/** Reviews on the real server: how an escalation opens one, and how people decide it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReviewResult } from '../../src/contract.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { makePerson, refusalOf, REVIEW_BLOCK, TestReview, writePeople } from '../support/reviews.js';

const ann = makePerson('ann', ['leads']);
const bob = makePerson('bob', ['board', 'leads']);
const cem = makePerson('cem', ['board']);
const mod = makePerson('mod', ['moderators']);
const PEOPLE = [ann, bob, cem, mod];

const planOf = (plan: string, severity: number, review: object) => ({
  plan,
  version: 1,
  timeouts: { global: '30s' },
  critics: { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity, violations: [] } } } },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review,
});

describe('an escalation', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [
        planOf('ack', 0.5, REVIEW_BLOCK),
        planOf('triage', 0.5, { ...REVIEW_BLOCK, tiers: { default: 'triage' } }),
        planOf('board', 0.5, { ...REVIEW_BLOCK, tiers: { default: 'determination' } }),
      ],
      reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    });
  });
  afterAll(() => harness.close());

  async function open(plan: string): Promise<TestReview> {
    const report = await harness.client.evaluate({ plan, content: 'text' });
    expect(report.decision).toBe('escalate');
    if (report.review === undefined) throw new Error('no review was opened');
    return new TestReview(harness.temporal, report.review.id, report.review.packetDigest);
  }

  const REASON = 'the quote is taken from a public speech';

  it('opens a review, which one person claims and lets pass with a reason for each signal', async () => {
    const review = await open('ack');
    const claim = await review.act(ann, 'claim', {});
    expect(claim).toMatchObject({ status: 'CLAIMED', epoch: 1, seq: 2 });
    const receipt = await review.act(ann, 'decide', {
      disposition: 'PROCEED',
      epoch: claim.epoch,
      signals: [{ id: 'r1', reason: REASON }],
    });
    expect(receipt.status).toBe('COMMITTING');
    const result = (await review.handle.result()) as ReviewResult;
    expect(result).toMatchObject({
      outcome: 'PROCEEDED',
      deciders: [{ by: 'ann', disposition: 'PROCEED' }],
      permit: { packetDigest: review.packetDigest },
    });
    console.log(JSON.stringify(result, null, 1));
    const history = await harness.history(review.reviewId);
    console.log(history.length, JSON.stringify(history).length);
  });

  it('needs two people of the board to proceed', async () => {
    const review = await open('board');
    expect(await refusalOf(review.act(ann, 'claim', {}))).toBe('NOT_CANDIDATE');
    const first = await review.act(bob, 'claim', {});
    const vote = {
      disposition: 'PROCEED',
      signals: [{ id: 'r1', reason: `${REASON}, and nobody is named in it` }],
      rationale: `${REASON}; see the transcript of the session`,
    };
    expect(await review.act(bob, 'decide', { ...vote, epoch: first.epoch })).toMatchObject({ status: 'AWAITING_SECOND' });
    expect(await refusalOf(review.act(bob, 'claim', {}))).toBe('FOUR_EYES');
    const second = await review.act(cem, 'claim', {});
    await review.act(cem, 'decide', { ...vote, epoch: second.epoch });
    expect(await review.handle.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'bob' }, { by: 'cem' }] });
  });
});
