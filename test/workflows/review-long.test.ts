/** Reviews that much happens to: commands that wait for a worker together, and histories that grow until a new run goes on. */
import { WorkflowNotFoundError } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFRESH_SIGNAL } from '../../src/contract.js';
import type { Receipt } from '../../src/domain/review/review.js';
import { makeHarness, type Harness, type HistoryEvent } from '../support/harness.js';
import { decode } from '../support/history.js';
import { ann, bob, cem, decide, decisionOf, dee, escalating, openReview, PEOPLE, resultOf } from '../support/review-plans.js';
import { refusalOf, writePeople, type TestReview } from '../support/reviews.js';

/** More events than the server wants in one history. */
const SIGNALS = 4_200;

const failedTasks = (history: readonly HistoryEvent[]): number => history.filter((event) => event.workflowTaskFailedEventAttributes).length;

describe('a review', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [escalating('ack', 'acknowledgement'), escalating('board', 'determination')],
      reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    });
  });
  afterAll(() => harness.close());

  /** The receipt, or the code of the refusal. */
  const answerOf = async (sending: Promise<Receipt>): Promise<Receipt | string> => {
    const refusal = await refusalOf(sending).catch(() => undefined);
    if (refusal !== undefined) return refusal;
    // One that comes when all is over meets no workflow any more.
    return await sending.catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return 'NOT_OPEN';
      throw error;
    });
  };

  it('to which claims and votes come while no worker runs has one end, in whatever order they are taken', async () => {
    const reviews: TestReview[] = [];
    for (let count = 0; count < 10; count += 1) reviews.push(await openReview(harness, 'board'));
    await harness.stopWorkers();
    const sent = reviews.map((review, turn) => {
      const votes = [
        () => review.act(bob, 'claim', {}),
        () => review.act(cem, 'claim', {}),
        () => review.act(dee, 'claim', {}),
        () => review.act(bob, 'decide', decisionOf('determination', 'PROCEED', 1)),
        () => review.act(cem, 'decide', decisionOf('determination', 'PROCEED', 2)),
        () => review.act(dee, 'decide', decisionOf('determination', 'HALT', (turn % 2) + 1)),
      ];
      // Another order each, and the server may deliver them in yet another.
      const order = [...votes.slice(turn % 6), ...votes.slice(0, turn % 6)];
      return Promise.all((turn % 3 === 0 ? order.toReversed() : order).map((send) => answerOf(send())));
    });
    await harness.addWorker();
    for (const [index, answers] of (await Promise.all(sent)).entries()) {
      const review = reviews[index];
      const receipts = answers.filter((answer) => typeof answer !== 'string');
      expect(new Set(receipts.map(({ seq }) => seq)).size).toBe(receipts.length);
      const deciding = receipts.filter(({ status }) => status === 'COMMITTING');
      expect(deciding.length).toBeLessThanOrEqual(1);
      const refusals = new Set(answers.filter((answer) => typeof answer === 'string'));
      expect([...refusals].filter((code) => !['CLAIM_TAKEN', 'CLAIM_STALE', 'NOT_OPEN', 'FOUR_EYES'].includes(code))).toEqual([]);
      if (review === undefined) continue;
      if (deciding.length === 1) {
        const { outcome, deciders } = await resultOf(review);
        expect(outcome).toBe(deciders.some(({ disposition }) => disposition === 'HALT') ? 'HALTED' : 'PROCEEDED');
        expect(deciders).toHaveLength(outcome === 'PROCEEDED' ? 2 : 1);
      } else expect(['OPEN', 'CLAIMED', 'AWAITING_SECOND']).toContain((await review.view()).status);
      expect(failedTasks(await harness.history(review.reviewId))).toBe(0);
    }
  });

  it('whose history has grown large goes on in a new run: claims, epochs and receipts hold, and little is carried', async () => {
    const review = await openReview(harness, 'ack');
    const command = review.command(ann, 'claim', {});
    const claim = await review.send('claim', command);
    const first = await harness.history(review.reviewId);
    const runId = first[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';
    await harness.stopWorkers();
    for (let count = 0; count < SIGNALS; count += 200)
      await Promise.all(Array.from({ length: 200 }, () => review.handle.signal(REFRESH_SIGNAL)));
    await harness.addWorker();
    expect(await review.view()).toMatchObject({ status: 'CLAIMED', claims: [{ by: 'ann', epoch: claim.epoch }] });
    expect(await review.send('claim', command)).toEqual({ ...claim, duplicate: true });
    const started = (await harness.history(review.reviewId))[0]?.workflowExecutionStartedEventAttributes;
    expect(started?.continuedExecutionRunId).toBe(runId);
    expect(JSON.stringify(decode(started?.input, 1)).length).toBeLessThan(65_536);
    expect(await refusalOf(review.act(bob, 'claim', {}))).toBe('CLAIM_TAKEN');
    await review.act(ann, 'decide', decisionOf('acknowledgement', 'PROCEED', claim.epoch));
    expect(await resultOf(review)).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }] });
    expect(failedTasks(await harness.history(review.reviewId))).toBe(0);
  });

  it('takes one command that is sent fifty times at once once', async () => {
    const review = await openReview(harness, 'ack');
    const command = review.command(ann, 'comment', { text: 'I see' });
    const receipts = await Promise.all(Array.from({ length: 50 }, () => review.send('comment', command)));
    expect(new Set(receipts.map(({ hash }) => hash)).size).toBe(1);
    expect((await review.view()).seq).toBe(2);
    await decide(review, bob, 'acknowledgement', 'HALT');
    expect((await resultOf(review)).outcome).toBe('HALTED');
  });
});
