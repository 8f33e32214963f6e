/** What a long review leaves behind on a real server: counts, which are the same on every machine. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeHarness, type Harness, type HistoryEvent } from '../support/harness.js';
import {
  historySize,
  LONG_ACTIONS,
  LONG_CHANNELS,
  LONG_NOTIFICATIONS,
  LONG_PEOPLE,
  LONG_PLAN,
  LONG_REMINDERS,
  longReview,
} from '../support/long-review.js';
import { writePeople } from '../support/reviews.js';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness({
    plans: [LONG_PLAN],
    reviews: (dir) => ({ reviewers: writePeople(dir, LONG_PEOPLE), notify: LONG_CHANNELS }),
  });
});
afterAll(() => harness.close());

it('a determination with ten actions and six reminders, all of them told to people, has no more than 300 events and 150 KB', async () => {
  const { reviewId, receipts } = await longReview(harness.client, harness.temporal);
  expect(receipts).toHaveLength(LONG_ACTIONS);
  const types = (await harness.client.reviews.timeline(reviewId)).map(({ entry }) => entry.type);
  expect(types).toEqual(['opened', ...Array<string>(LONG_REMINDERS).fill('ladder'), ...receipts.map(({ action }) => action), 'decided']);
  const history = await harness.history(reviewId);
  const count = (of: (event: HistoryEvent) => unknown): number => history.filter((event) => of(event) != null).length;
  expect(count((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toBe(LONG_ACTIONS);
  expect(count((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)).toBe(LONG_NOTIFICATIONS);
  // A busy server may cut a task in two, which is three events more.
  const { events, bytes } = await historySize(harness.temporal, reviewId);
  expect(events).toBe(history.length);
  expect(events).toBeLessThanOrEqual(300);
  expect(bytes).toBeLessThanOrEqual(150_000);
});
