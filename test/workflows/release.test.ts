/** May it go out? On the real server: each way to yes, and every no with its code. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TribunalClient, type Release } from '../../src/client.js';
import type { ReleaseOptions } from '../../src/client-release.js';
import { DIGEST_MEMO, EVALUATE, evaluationId, REVIEW, reviewId, reviewQueue, SEARCH_ATTRIBUTES } from '../../src/contract.js';
import type { ReviewInput, ReviewResult } from '../../src/domain/review/review.js';
import { encryption } from '../../src/codec/index.js';
import {
  ann,
  calm,
  changing,
  changingPlan,
  FOUND,
  PEOPLE,
  decide,
  decided,
  openReview,
  resetToEnd,
  resetToStart,
  reviewedPlan,
} from '../support/decide.js';
import { makeHarness, type Harness, type HarnessOptions } from '../support/harness.js';
import { REASON } from '../support/review-plans.js';
import { until } from '../support/history.js';
import { runCli, type CliRun } from '../support/cli-io.js';
import { REVIEW_BLOCK, TestReview, writePeople } from '../support/reviews.js';

const { address, namespace } = inject('server');
const PLANS = (dir: string) => [
  reviewedPlan('fine', {}, REVIEW_BLOCK),
  reviewedPlan('severe', { finding: { severity: 1 } }),
  reviewedPlan('broken', { throw: 'permanent' }),
  reviewedPlan('alone', FOUND),
  reviewedPlan('ack', FOUND, REVIEW_BLOCK),
  reviewedPlan('grave', FOUND, { ...REVIEW_BLOCK, tiers: { default: 'determination' } }),
  reviewedPlan('short', FOUND, { ...REVIEW_BLOCK, times: { claimBy: '1s', lease: '1s', decideBy: '1s', expires: '1s' } }),
  changingPlan,
  {
    ...reviewedPlan('endless', {}),
    critics: { waits: { uses: 'scripted', with: { waitFor: join(dir, 'never') }, stage: 'core_analysis', attemptTimeout: '30s' } },
  },
];

const OPTIONS: HarnessOptions = { plans: PLANS, critics: [changing], reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }) };

const reasonOf = (release: Release): string => (release.ok ? 'released' : release.reason);

describe('release', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness(OPTIONS);
  });
  afterAll(() => harness.close());

  const ask = async (id: string, options?: ReleaseOptions): Promise<string> => reasonOf(await harness.client.release(id, options));
  const clientOf = (deployment: string): Promise<TribunalClient> =>
    TribunalClient.connect({ connection: harness.connection, namespace, deployment });
  const indexed = async (id: string): Promise<void> => {
    const query = `WorkflowId = '${id}' AND ExecutionStatus != 'Running'`;
    await until(async () => (await harness.temporal.workflow.count(query)).count > 0);
  };

  it('says yes to an allow, of the content that was judged alone', async () => {
    const { evaluationId: id, contentHash } = await harness.client.evaluate({ plan: 'fine', content: { a: 1 } });
    expect(await harness.client.release(id, { content: { a: 1 } })).toMatchObject({
      ok: true,
      permit: { v: 1, evaluationId: id, tenant: 'default', plan: { name: 'fine', version: 1 }, contentHash },
    });
    expect(await ask(id)).toBe('released');
    expect(await ask(id, { content: { a: 2 } })).toBe('CONTENT_DIFFERS');
    expect(await ask(id, { content: '\ud800' })).toBe('CONTENT_DIFFERS');
    expect(await ask(id.replace('default/', ''))).toBe('released');
  });

  it('says yes to what people let pass, for as long as their permit is good', async () => {
    const { report, review, result } = await decided(harness, 'ack', ann, 'PROCEED');
    expect(await harness.client.release(report.evaluationId, { content: 'text' })).toMatchObject({
      ok: true,
      permit: { contentHash: report.contentHash, review: { id: review.reviewId, by: ['ann'], head: result.head } },
    });
    const notAfter = Date.parse(result.permit?.notAfter ?? '');
    expect(await ask(report.evaluationId, { now: () => notAfter - 1 })).toBe('released');
    expect(await ask(report.evaluationId, { now: () => notAfter })).toBe('PERMIT_EXPIRED');
    expect(await ask(report.evaluationId, { now: () => Number.NaN })).toBe('PERMIT_EXPIRED');
    expect(await ask(report.evaluationId, { content: 'another' })).toBe('CONTENT_DIFFERS');
  });

  it('says no to every verdict but an allow', async () => {
    for (const [plan, reason] of [
      ['severe', 'DENIED'],
      ['broken', 'NOT_JUDGED'],
      ['alone', 'NO_REVIEW'],
    ] as const) {
      const { evaluationId: id } = await harness.client.evaluate({ plan, content: 'text' });
      expect(await ask(id)).toBe(reason);
    }
  });

  it('says no to what has no verdict', async () => {
    expect(await ask('default/unknown')).toBe('NOT_FOUND');
    expect(await ask("default/x' OR 'a' = 'a")).toBe('NOT_FOUND');
    const handle = await harness.client.start({ plan: 'endless', content: 'text' });
    expect(await ask(handle.evaluationId)).toBe('RUNNING');
    await handle.cancel();
    await handle.result().catch(() => undefined);
    expect(await ask(handle.evaluationId)).toBe('CANCELLED');
    const other = await harness.client.start({ plan: 'endless', content: 'text' });
    await harness.temporal.workflow.getHandle(other.evaluationId).terminate('enough');
    expect(await ask(other.evaluationId)).toBe('TERMINATED');
  });

  it.concurrent('says no while people have not decided, and when they never will', async () => {
    const open = await openReview(harness, 'ack');
    expect(await ask(open.report.evaluationId)).toBe('REVIEW_OPEN');
    await open.review.act(ann, 'withdraw', { reason: 'no longer needed' }).catch(() => undefined);
    const lead = PEOPLE[1];
    if (lead === undefined) throw new Error('there is no lead');
    await open.review.act(lead, 'withdraw', { reason: 'no longer needed' });
    await open.review.handle.result();
    expect(await ask(open.report.evaluationId)).toBe('WITHDRAWN');

    const halted = await decided(harness, 'ack', ann, 'HALT');
    expect(await ask(halted.report.evaluationId)).toBe('HALTED');

    const late = await openReview(harness, 'short');
    expect(await late.review.handle.result()).toMatchObject({ outcome: 'EXPIRED' });
    expect(await ask(late.report.evaluationId)).toBe('EXPIRED');

    const cancelled = await openReview(harness, 'ack');
    await cancelled.review.handle.cancel();
    await cancelled.review.handle.result().catch(() => undefined);
    expect(await ask(cancelled.report.evaluationId)).toBe('REVIEW_UNDECIDED');

    const terminated = await openReview(harness, 'ack');
    await terminated.review.handle.terminate();
    expect(await ask(terminated.report.evaluationId)).toBe('REVIEW_UNDECIDED');
  });

  it.concurrent('says no when nobody can tell any more what people decided', async () => {
    const gone = await decided(harness, 'ack', ann, 'PROCEED');
    await remove(gone.review.reviewId);
    expect(await ask(gone.report.evaluationId)).toBe('REVIEW_GONE');
    await remove(gone.report.evaluationId);
    expect(await ask(gone.report.evaluationId)).toBe('NOT_FOUND');
  });

  async function remove(workflowId: string): Promise<void> {
    await harness.connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
    await until(async () => {
      const found = await harness.temporal.workflow
        .getHandle(workflowId)
        .describe()
        .catch(() => undefined);
      return found === undefined;
    });
  }

  it('says no to a review whose run was reset, before its decision and after it', async () => {
    const before = await openReview(harness, 'ack');
    await before.review.act(ann, 'claim', {});
    await resetToStart(harness, before.review.reviewId);
    await before.review.handle.result().catch(() => undefined);
    expect(await ask(before.report.evaluationId)).toBe('QUARANTINED');
    const after = await decided(harness, 'ack', ann, 'PROCEED');
    expect(await ask(after.report.evaluationId)).toBe('released');
    await resetToStart(harness, after.review.reviewId);
    expect(await ask(after.report.evaluationId)).toBe('QUARANTINED');
  });

  it.concurrent('says yes to an evaluation that was reset after its review was withdrawn, and no when people had halted it', async () => {
    const judged = async (content: string, end: (review: TestReview) => Promise<unknown>): Promise<string> => {
      const { report, review } = await openReview(harness, 'changing', content);
      await end(review);
      calm.add(content);
      await resetToStart(harness, report.evaluationId);
      expect((await harness.client.handle(report.evaluationId).result()).decision).toBe('allow');
      return report.evaluationId;
    };
    const superseded = await judged('withdrawn', async () => undefined);
    await until(async () => (await ask(superseded)) !== 'REVIEW_OPEN');
    expect(await ask(superseded)).toBe('released');

    const halted = await judged('halted', async (review) => {
      await decide(review, ann, 'HALT');
      await review.handle.result();
    });
    expect(await ask(halted)).toBe('HALTED_BEFORE');

    const washed = await judged('washed', async (review) => {
      await decide(review, ann, 'HALT');
      await review.handle.result();
      await resetToStart(harness, review.reviewId);
      await review.handle.result().catch(() => undefined);
      await indexed(review.reviewId);
    });
    await until(async () => (await ask(washed)) !== 'HISTORY_GONE');
    expect(await ask(washed)).toBe('HALTED_BEFORE');

    const forgotten = await judged('forgotten', async (review) => {
      await decide(review, ann, 'HALT');
      await review.handle.result();
      await remove(review.reviewId);
    });
    expect(await ask(forgotten)).toBe('REVIEW_GONE');
  });

  it('finds the review that people have decided when the evaluation was reset behind it, and asks them anew when before it', async () => {
    const behind = await decided(harness, 'ack', ann, 'PROCEED');
    const { evaluationId: id } = behind.report;
    await resetToEnd(harness, id);
    expect((await harness.client.handle(id).result()).review).toEqual(behind.report.review);
    expect(await ask(id)).toBe('released');

    const before = await decided(harness, 'ack', ann, 'PROCEED');
    const other = before.report.evaluationId;
    await resetToStart(harness, other);
    const again = await harness.client.handle(other).result();
    expect(again.review?.id).not.toBe(before.review.reviewId);
    expect(await ask(other)).toBe('REVIEW_OPEN');
    const second = new TestReview(harness.temporal, again.review?.id ?? '', again.review?.packetDigest ?? '');
    await decide(second, ann, 'PROCEED');
    await second.handle.result();
    expect(await harness.client.release(other)).toMatchObject({ ok: true, permit: { review: { id: second.reviewId } } });
  });

  it('says no to what another deployment has judged, and to what only has the name of an evaluation', async () => {
    const { report } = await decided(harness, 'ack', ann, 'PROCEED');
    expect(reasonOf(await (await clientOf('another')).release(report.evaluationId))).toBe('OTHER_DEPLOYMENT');
    const id = evaluationId('default', randomUUID());
    await harness.temporal.workflow.start('evaluation', { workflowId: id, taskQueue: 'nobody', args: [] });
    expect(await ask(id)).toBe('NOT_AN_EVALUATION');
  });

  it('says no to a review that another workflow has made, whatever it returns', async () => {
    const { report, review } = await decided(harness, 'ack', ann, 'HALT');
    const { runId } = await review.handle.describe();
    // Whoever may write to the server starts another workflow under the review's id, with a result that says yes.
    const result = (await review.handle.result()) as ReviewResult;
    await harness.temporal.workflow.start('forged', { workflowId: review.reviewId, taskQueue: 'nobody', args: [result] });
    expect(await ask(report.evaluationId)).toBe('REVIEW_OPEN');
    const forged = harness.temporal.workflow.getHandle(review.reviewId);
    expect((await forged.describe()).runId).not.toBe(runId);
    await forged.terminate();
    expect(await ask(report.evaluationId)).toBe('INCONSISTENT');
  });

  it.concurrent('says no to a review that was started by hand in a lower tier than the evaluation asked for', async () => {
    const { report, review } = await openReview(harness, 'grave');
    await review.handle.terminate();
    await startByHand(review, (input) => ({ ...input, tier: 'acknowledgement' }));
    await decide(review, ann, 'PROCEED');
    expect(await review.handle.result()).toMatchObject({ outcome: 'PROCEEDED', tier: 'acknowledgement' });
    expect(await ask(report.evaluationId)).toBe('INCONSISTENT');
  });

  it.concurrent('says no to a review that was started again by hand after people had halted it', async () => {
    const { report, review } = await decided(harness, 'ack', ann, 'HALT');
    await startByHand(review);
    await decide(review, ann, 'PROCEED');
    expect(await review.handle.result()).toMatchObject({ outcome: 'PROCEEDED' });
    expect(await ask(report.evaluationId)).toBe('HALTED_BEFORE');
  });

  it.concurrent('says no to a review that was started again by hand, to which what people had sent was sent again', async () => {
    const { report, review } = await openReview(harness, 'ack');
    const claim = review.command(ann, 'claim', {});
    const { epoch } = await review.send('claim', claim);
    const proceed = review.command(ann, 'decide', { disposition: 'PROCEED', epoch, signals: [{ id: 'r1', reason: REASON }] });
    await review.handle.terminate();
    await startByHand(review);
    await review.send('claim', claim);
    await review.send('decide', proceed);
    expect(await review.handle.result()).toMatchObject({ outcome: 'PROCEEDED' });
    expect(await ask(report.evaluationId)).toBe('REVIEW_UNSOUND');
  });

  /** As an operator can, with what stands in the history of the first one. */
  async function startByHand(review: TestReview, change: (input: ReviewInput) => ReviewInput = (input) => input): Promise<void> {
    const [first] = await harness.history(review.reviewId);
    const payload = first?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    if (payload == null) throw new Error('the review has no input');
    const input = defaultPayloadConverter.fromPayload<ReviewInput>(payload);
    await harness.temporal.workflow.start(REVIEW, {
      workflowId: review.reviewId,
      taskQueue: reviewQueue(harness.deployment),
      args: [change(input)],
      memo: { [DIGEST_MEMO]: review.packetDigest },
    });
    await until(async () => (await review.view()).status === 'OPEN');
  }

  it('says no while a review of another run is open, whoever has opened it', async () => {
    const { evaluationId: id } = await harness.client.evaluate({ plan: 'fine', content: 'text' });
    const other = reviewId(id, '000000000000');
    await harness.temporal.workflow.start('review', {
      workflowId: other,
      taskQueue: reviewQueue('nobody'),
      args: [{}],
      typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.evaluationId, value: id }],
    });
    await until(async () => (await ask(id)) !== 'released');
    expect(await ask(id)).toBe('REVIEW_OPEN');
    await harness.temporal.workflow.getHandle(other).terminate();
  });

  it('says no when the request is not the one that its digest was made of', async () => {
    const key = randomUUID();
    const request = { plan: 'fine', tenant: 'default', key, content: 'text', context: {}, class: 'interactive', gating: 'on' };
    const id = evaluationId('default', key);
    await harness.temporal.workflow.start(EVALUATE, {
      workflowId: id,
      taskQueue: harness.deployment,
      args: [{ v: 1, request, requestDigest: '0'.repeat(64) }],
      memo: { [DIGEST_MEMO]: '0'.repeat(64) },
    });
    await until(async () => (await ask(id)) !== 'RUNNING');
    expect(await ask(id)).toBe('NOT_JUDGED');
  });

  it('is asked on the command line, whose exit code is the answer', async () => {
    const cli = (...args: string[]): Promise<CliRun> =>
      runCli(['release', ...args, '--address', address, '--namespace', namespace, '--deployment', harness.deployment]);
    const fine = await harness.client.evaluate({ plan: 'fine', content: 'text' });
    expect(await cli(fine.evaluationId, '--content', 'text')).toMatchObject({ exit: 0, stdout: expect.stringContaining('RELEASED') });
    const file = join(harness.dir, 'content.json');
    writeFileSync(file, '{"a":1}');
    expect(await cli(fine.evaluationId, '--content-file', file)).toMatchObject({
      exit: 12,
      stdout: expect.stringContaining('CONTENT_DIFFERS'),
    });
    const object = await harness.client.evaluate({ plan: 'fine', content: { a: 1 } });
    expect((await cli(object.evaluationId, '--content-file', file)).exit).toBe(0);
    const denied = await harness.client.evaluate({ plan: 'severe', content: 'text' });
    const told = await cli(denied.evaluationId, '--json');
    expect(told.exit).toBe(10);
    expect(JSON.parse(told.stdout)).toMatchObject({ ok: false, reason: 'DENIED' });
    const open = await openReview(harness, 'ack');
    expect((await cli(open.report.evaluationId)).exit).toBe(11);
    expect((await cli('unknown')).exit).toBe(12);
    expect((await cli('unknown', '--content', 'a', '--content-file', file)).exit).toBe(2);
  });
});

describe('release of what was decided without signatures', () => {
  it('is refused unless that is asked for', async () => {
    const harness = await makeHarness({ ...OPTIONS, insecureReviews: true });
    try {
      const { report, review } = await openReview(harness, 'ack');
      const unsigned = async (action: 'claim' | 'decide', payload: object) =>
        await review.send(action, { v: 1, commandId: randomUUID(), payload, as: 'ann' });
      const { epoch } = await unsigned('claim', {});
      await unsigned('decide', { disposition: 'PROCEED', epoch, signals: [{ id: 'r1', reason: 'nothing that anybody would mind' }] });
      await review.handle.result();
      expect(reasonOf(await harness.client.release(report.evaluationId))).toBe('NON_PRODUCTION');
      expect(await harness.client.release(report.evaluationId, { acceptNonProduction: true })).toMatchObject({
        ok: true,
        permit: { review: { nonProduction: true } },
      });
    } finally {
      await harness.close();
    }
  });
});

describe('release of what is encrypted', () => {
  it('reads it with the key, and says no without', async () => {
    const keys = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
    const harness = await makeHarness({ ...OPTIONS, dataConverter: encryption({ keys }) });
    try {
      const report = await harness.client.evaluate({ plan: 'ack', content: 'text' });
      const review = new TestReview(harness.encrypted, report.review?.id ?? '', report.review?.packetDigest ?? '');
      await decide(review, ann, 'PROCEED');
      await review.handle.result();
      expect(reasonOf(await harness.client.release(report.evaluationId, { content: 'text' }))).toBe('released');
      const fine = await harness.client.evaluate({ plan: 'fine', content: 'text' });
      expect(reasonOf(await harness.client.release(fine.evaluationId))).toBe('released');
      const { deployment } = harness;
      for (const dataConverter of [{}, encryption({ keys: `k2:${Buffer.alloc(32, 2).toString('base64')}` })]) {
        const client = await TribunalClient.connect({ connection: harness.connection, namespace, deployment, dataConverter });
        expect(reasonOf(await client.release(report.evaluationId))).toBe('UNREADABLE');
        expect(reasonOf(await client.release(fine.evaluationId))).toBe('UNREADABLE');
      }
    } finally {
      await harness.close();
    }
  });
});
