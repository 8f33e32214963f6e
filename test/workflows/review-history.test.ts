/** What a long review leaves behind on a real server: counts, which are the same on every machine. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeHarness, type Harness } from '../support/harness.js';
import { historySize, LONG_ACTIONS, LONG_CHANNELS, LONG_PEOPLE, LONG_PLAN, LONG_REMINDERS, longReview } from '../support/long-review.js';
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
  expect(types.filter((type) => type === 'ladder')).toHaveLength(LONG_REMINDERS);
  const size = await historySize(harness.temporal, reviewId);
  const history = await harness.history(reviewId);
  console.log(size, types.join(' '));
  console.log(history.map((e) => `${e.eventId} ${Object.keys(e).find((k) => k.endsWith('Attributes'))} ${Number(e.eventTime?.nanos ?? 0) / 1e6}`).join('\n'));
  expect(size.events).toBeLessThanOrEqual(300);
  expect(size.bytes).toBeLessThanOrEqual(150_000);
});
