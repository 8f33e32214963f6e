/** An operator's reset of a review: whatever the new run holds, it decides nothing and opens nothing. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { REVIEW_ACTIONS } from '../../src/domain/review/review.js';
import { makeHarness, type Harness, type HistoryEvent } from '../support/harness.js';
import { until } from '../support/history.js';
import { ann, bob, cem, decide, decisionOf, escalating, openReview, PEOPLE, resultOf } from '../support/review-plans.js';
import { refusalOf, TestReview, writePeople } from '../support/reviews.js';

const completedTasks = (history: readonly HistoryEvent[]): HistoryEvent[] =>
  history.filter((event) => event.workflowTaskCompletedEventAttributes);

describe('a review that was reset', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [escalating('ack', 'acknowledgement'), escalating('board', 'determination'), escalating('quick', 'triage')],
      reviews: (dir) => ({
        reviewers: writePeople(dir, PEOPLE),
        notify: { out: { file: join(dir, 'told.jsonl'), events: ['review_decided'] } },
      }),
    });
  });
  afterAll(() => harness.close());

  /** @param at which workflow task, of those that were completed, is done again. */
  async function reset(workflowId: string, at: (tasks: readonly HistoryEvent[]) => HistoryEvent | undefined): Promise<void> {
    const event = at(completedTasks(await harness.history(workflowId)));
    if (event?.eventId == null) throw new Error('there is no such workflow task');
    await harness.connection.workflowService.resetWorkflowExecution({
      namespace: inject('server').namespace,
      workflowExecution: { workflowId },
      workflowTaskFinishEventId: event.eventId,
      requestId: randomUUID(),
      reason: 'test',
    });
  }

  async function expectQuarantined(review: TestReview): Promise<void> {
    const result = await resultOf(new TestReview(harness.temporal, review.reviewId, review.packetDigest));
    expect(result).toMatchObject({ outcome: 'QUARANTINED', why: 'reset', deciders: [] });
    expect(result).not.toHaveProperty('permit');
  }

  const taskBefore =
    (update: string) =>
    (tasks: readonly HistoryEvent[], history: readonly HistoryEvent[]): HistoryEvent | undefined => {
      const accepted = history.findLast(
        (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === update,
      );
      return tasks.findLast((event) => Number(event.eventId) < Number(accepted?.eventId) - 1);
    };

  it('before a HALT takes no command to decide again, and ends quarantined', async () => {
    const review = await openReview(harness, 'ack');
    await decide(review, ann, 'acknowledgement', 'HALT');
    expect((await resultOf(review)).outcome).toBe('HALTED');
    const history = await harness.history(review.reviewId);
    await harness.stopWorkers();
    await reset(review.reviewId, (tasks) => taskBefore('decide')(tasks, history));
    const sending = refusalOf(review.act(bob, 'decide', decisionOf('acknowledgement', 'PROCEED', 1), { commandId: 'once-more' }));
    await review.untilAdmitted('decide', 'once-more');
    await harness.addWorker();
    expect(await sending).toBe('QUARANTINED');
    await expectQuarantined(review);
  });

  it('while it is open refuses every command, also when a fresh worker replays it', async () => {
    const review = await openReview(harness, 'board');
    await decide(review, bob, 'determination', 'PROCEED');
    await harness.stopWorkers();
    await reset(review.reviewId, (tasks) => tasks.at(-1));
    // All of them wait for one workflow task: the first that the new run has.
    const fresh = new TestReview(harness.temporal, review.reviewId, review.packetDigest);
    const sending = REVIEW_ACTIONS.map((action) => refusalOf(fresh.act(cem, action, {}, { commandId: `any-${action}` })));
    await Promise.all(REVIEW_ACTIONS.map((action) => fresh.untilAdmitted(action, `any-${action}`)));
    await harness.addWorker();
    expect(new Set(await Promise.all(sending))).toEqual(new Set(['QUARANTINED']));
    await expectQuarantined(review);
    await harness.stopWorkers();
    await harness.addWorker();
    expect(await fresh.view()).toMatchObject({ status: 'QUARANTINED' });
    await expectQuarantined(review);
  });

  it.each([
    ['the last workflow task', (tasks: readonly HistoryEvent[]) => tasks.at(-1)],
    ['the first workflow task', (tasks: readonly HistoryEvent[]) => tasks.at(0)],
    ['the task before the last', (tasks: readonly HistoryEvent[]) => tasks.at(-2)],
  ])('to %s after it had proceeded has no permit any more', async (_which, at) => {
    const review = await openReview(harness, 'ack');
    await decide(review, ann, 'acknowledgement', 'PROCEED');
    expect(await resultOf(review)).toMatchObject({ outcome: 'PROCEEDED', permit: { v: 1 } });
    await reset(review.reviewId, at);
    await expectQuarantined(review);
  });

  it('and cancelled in the same moment has no permit either', async () => {
    const review = await openReview(harness, 'ack');
    await decide(review, ann, 'acknowledgement', 'PROCEED');
    await resultOf(review);
    await harness.stopWorkers();
    await reset(review.reviewId, (tasks) => tasks.at(-1));
    const fresh = new TestReview(harness.temporal, review.reviewId, review.packetDigest);
    await fresh.handle.cancel();
    await harness.addWorker();
    await expectQuarantined(review);
  });

  it('while a decision of triage can still be undone does not let it take effect', async () => {
    const review = await openReview(harness, 'quick');
    await decide(review, bob, 'triage', 'PROCEED');
    await until(async () => (await harness.history(review.reviewId)).some((event) => event.timerStartedEventAttributes));
    await harness.stopWorkers();
    await reset(review.reviewId, (tasks) => tasks.at(-1));
    const fresh = new TestReview(harness.temporal, review.reviewId, review.packetDigest);
    const sending = refusalOf(fresh.act(bob, 'undo', {}));
    await harness.addWorker();
    expect(await sending).toBe('QUARANTINED');
    await expectQuarantined(review);
  });
});
