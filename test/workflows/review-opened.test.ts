/** How an escalation comes to its one review, and what happens to it when the evaluation is reset or cannot open one. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { reviewId } from '../../src/contract.js';
import type { EvaluationHandle } from '../../src/client-handle.js';
import { prepareEvaluation } from '../../src/client-prepare.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { startOptions } from '../../src/start-options.js';
import { makeHarness, type Harness, type HistoryEvent } from '../support/harness.js';
import { until } from '../support/history.js';
import { ann, decide, escalating, openReview, PEOPLE, resultOf } from '../support/review-plans.js';
import { TestReview, writePeople } from '../support/reviews.js';

const broken = (plan: string, openOn: readonly string[]) => ({
  ...escalating(plan, 'acknowledgement', { openOn }),
  defaults: { maxRetries: 0, onFailure: 'escalate' },
  critics: { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { throw: 'permanent' } } },
  verdict: { otherwise: 'allow' },
});

describe('an evaluation that escalates', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [
        escalating('ack', 'acknowledgement'),
        escalating('narrow', 'acknowledgement', { maxOpen: 2 }),
        broken('findings_only', ['finding']),
        broken('failures_too', ['finding', 'failure']),
      ],
      reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    });
  });
  afterAll(() => harness.close());

  async function start(plan: string): Promise<{ handle: EvaluationHandle; report: EvaluationReport; review: TestReview }> {
    const handle = await harness.client.start({ plan, content: 'text' });
    const report = await handle.result();
    if (report.review === undefined) throw new Error('no review was opened');
    return { handle, report, review: new TestReview(harness.temporal, report.review.id, report.review.packetDigest) };
  }

  /** @param at which event the run goes back to, of those that end a workflow task. */
  async function reset(evaluationId: string, at: (tasks: readonly HistoryEvent[]) => HistoryEvent | undefined): Promise<void> {
    const event = at((await harness.history(evaluationId)).filter((one) => one.workflowTaskCompletedEventAttributes));
    if (event?.eventId == null) throw new Error('there is no such workflow task');
    await harness.connection.workflowService.resetWorkflowExecution({
      namespace: inject('server').namespace,
      workflowExecution: { workflowId: evaluationId },
      workflowTaskFinishEventId: event.eventId,
      requestId: randomUUID(),
      reason: 'test',
    });
  }

  const again = async (evaluationId: string): Promise<EvaluationReport> =>
    (await harness.temporal.workflow.getHandle(evaluationId).result()) as EvaluationReport;

  const openOnes = async (evaluationId: string): Promise<string[]> => {
    const query = `WorkflowType = 'review' AND ExecutionStatus = 'Running' AND TribunalReviewEvaluationId = '${evaluationId}'`;
    const found: string[] = [];
    for await (const { workflowId } of harness.temporal.workflow.list({ query })) found.push(workflowId);
    return found;
  };

  it('and is reset to its beginning while its review is open has a new review, and the earlier one is withdrawn', async () => {
    const { handle, review } = await start('ack');
    await until(async () => (await openOnes(handle.evaluationId)).length === 1);
    await reset(handle.evaluationId, (tasks) => tasks.at(0));
    const second = await again(handle.evaluationId);
    expect(second.review?.id).not.toBe(review.reviewId);
    expect(await resultOf(review)).toMatchObject({ outcome: 'WITHDRAWN', why: 'superseded' });
    await until(async () => (await openOnes(handle.evaluationId)).join() === second.review?.id);
  });

  it('and is reset after its review was decided has a new review, and the decision stays that of the old one', async () => {
    const { handle, review } = await start('ack');
    await decide(review, ann, 'acknowledgement', 'PROCEED');
    expect((await resultOf(review)).outcome).toBe('PROCEEDED');
    await reset(handle.evaluationId, (tasks) => tasks.at(0));
    const second = await again(handle.evaluationId);
    expect(second.review?.id).not.toBe(review.reviewId);
    expect((await resultOf(review)).outcome).toBe('PROCEEDED');
    await until(async () => (await openOnes(handle.evaluationId)).join() === second.review?.id);
  });

  it('and is reset to its last workflow task keeps its review, and the new run tells the same', async () => {
    const { handle, report, review } = await start('ack');
    await reset(handle.evaluationId, (tasks) => tasks.at(-1));
    const second = await again(handle.evaluationId);
    expect(second.review).toEqual(report.review);
    expect((await review.view()).status).toBe('OPEN');
    expect(await openOnes(handle.evaluationId)).toEqual([review.reviewId]);
  });

  it('while as many reviews of its plan are open as it allows is not judged', async () => {
    const reviews = [await openReview(harness, 'narrow'), await openReview(harness, 'narrow')];
    await until(async () => (await harness.temporal.workflow.count("TribunalPlan = 'narrow' AND WorkflowType = 'review'")).count >= 2);
    const report = await harness.client.evaluate({ plan: 'narrow', content: 'text' });
    expect(report.decision).toBe('not_judged');
    expect(report.reasons.map(({ code }) => code)).toContain('REVIEWS_FULL');
    expect(report).not.toHaveProperty('review');
    for (const review of reviews) expect((await review.view()).status).toBe('OPEN');
  });

  it('for a failure opens a review only where the plan says so, and where not the report says that none was opened', async () => {
    const report = await harness.client.evaluate({ plan: 'findings_only', content: 'text' });
    expect(report.decision).toBe('escalate');
    expect(report.reasons.map(({ code }) => code)).toContain('REVIEW_NOT_OPENED');
    expect(report).not.toHaveProperty('review');
    expect(await openOnes(report.evaluationId)).toEqual([]);
    expect((await harness.client.evaluate({ plan: 'failures_too', content: 'text' })).review).toMatchObject({ tier: 'acknowledgement' });
  });

  it('with something else under the id of its review is not judged', async () => {
    const key = randomUUID();
    await harness.stopWorkers();
    const { taskQueue, evaluationId, input } = prepareEvaluation({ plan: 'ack', content: 'text', key }, { deployment: harness.deployment });
    const started = await harness.temporal.workflow.start('evaluate', {
      taskQueue,
      workflowId: evaluationId,
      args: [input],
      ...startOptions(input),
    });
    const foreign = reviewId(evaluationId, started.firstExecutionRunId);
    await harness.temporal.workflow.start('review', { taskQueue: 'nobody', workflowId: foreign, args: [{}] });
    await harness.addWorker();
    await expect(again(evaluationId)).rejects.toMatchObject({ cause: { message: `not judged: ${foreign} is taken by something else` } });
    await harness.temporal.workflow.getHandle(foreign).terminate('test');
  });
});
