/** What operators do to reviews that are open: pause them, and deploy a build that is broken. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { NotRecorded } from '../../src/client-errors.js';
import { localCommandSigner } from '../../src/review/sign.js';
import { bundleCapturing, type CapturingBundle } from '../replay/replays.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { ann, escalating, openReview, PEOPLE, resultOf } from '../support/review-plans.js';
import { REVIEW_BLOCK, writePeople } from '../support/reviews.js';

const SHORT = { claimBy: '1s', lease: '1s', decideBy: '1s', expires: '2s' };
/** Of a caller who does not wait for a build to be rolled back. */
const SHORT_WAIT_MS = 2_000;

describe('a review', () => {
  let harness: Harness;
  let broken: CapturingBundle;
  beforeAll(async () => {
    broken = await bundleCapturing({ request: '../domain/review/moves.js', file: 'broken-moves.ts' });
    harness = await makeHarness({
      plans: [escalating('ack', 'acknowledgement'), escalating('short', 'acknowledgement', { ...REVIEW_BLOCK, times: SHORT })],
      reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    });
  });
  afterAll(async () => {
    await harness.close();
    await broken.remove();
  });

  it('that is paused while its time passes has expired when it goes on', async () => {
    const review = await openReview(harness, 'short');
    const { workflowService } = harness.connection;
    const of = { namespace: inject('server').namespace, identity: 'an operator', reason: 'looked at', requestId: randomUUID() };
    const { runId } = await review.handle.describe();
    const { expires } = await review.view();
    await workflowService.pauseWorkflowExecution({ ...of, workflowId: review.reviewId, runId });
    await expect(harness.client.reviews.view(review.reviewId)).rejects.toThrow('it is paused, and answers when an operator lets it go on');
    await until(() => Date.now() > Date.parse(expires));
    expect((await review.handle.describe()).status.name).not.toBe('COMPLETED');
    await workflowService.unpauseWorkflowExecution({ ...of, requestId: randomUUID(), workflowId: review.reviewId, runId });
    expect(await resultOf(review)).toMatchObject({ outcome: 'EXPIRED', deciders: [] });
  });

  it('that meets a broken build answers nobody and records nothing; when it is rolled back the same command is taken once', async () => {
    const review = await openReview(harness, 'ack');
    await harness.stopWorkers();
    const stop = await harness.addWorker(undefined, broken.codePath);
    const of = { signer: localCommandSigner(ann), packetDigest: review.packetDigest, commandId: 'while-broken' };
    const early = harness.client.reviews.act('claim', review.reviewId, {}, { ...of, timeoutMs: SHORT_WAIT_MS });
    await expect(early).rejects.toBeInstanceOf(NotRecorded);
    const failed = (await harness.history(review.reviewId)).filter((event) => event.workflowTaskFailedEventAttributes != null);
    expect(failed.length).toBeGreaterThan(0);
    await stop();
    await harness.addWorker();
    expect(await harness.client.reviews.act('claim', review.reviewId, {}, of)).toMatchObject({ status: 'CLAIMED', epoch: 1 });
    expect((await harness.client.reviews.timeline(review.reviewId)).map(({ entry }) => entry.type)).toEqual(['opened', 'claim']);
  });
});
