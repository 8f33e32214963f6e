/** Reviews whose payloads are encrypted, and what somebody without the key sends to them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encryption } from '../../src/codec/index.js';
import { localCommandSigner } from '../../src/review/sign.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { ann, escalating, PEOPLE } from '../support/review-plans.js';
import { writePeople } from '../support/reviews.js';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness({
    plans: [escalating('ack', 'acknowledgement')],
    reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    dataConverter: encryption({ keys: `k1:${Buffer.alloc(32, 1).toString('base64')}` }),
  });
});
afterAll(() => harness.close());

it('a review to which somebody sends payloads in clear goes on: signals change nothing, and a command is refused', async () => {
  const { review } = await harness.client.evaluate({ plan: 'ack', content: 'text' });
  if (review === undefined) throw new Error('no review was opened');
  const byHand = harness.temporal.workflow.getHandle(review.id);
  await byHand.signal('anything', 'by hand');
  await byHand.signal('refresh', 'by hand');
  // The refusal is encrypted, and whoever has no key cannot read it.
  await expect(byHand.executeUpdate('claim', { args: [{ v: 1 }] })).rejects.toThrow('Unknown encoding: binary/encrypted');
  const of = { signer: localCommandSigner(ann), packetDigest: review.packetDigest };
  expect(await harness.client.reviews.act('claim', review.id, {}, of)).toMatchObject({ status: 'CLAIMED', epoch: 1 });
  const history = await harness.history(review.id);
  expect(history.filter((event) => event.workflowTaskFailedEventAttributes != null)).toEqual([]);
  expect(history.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null)).toHaveLength(1);
});
