/** Reviews that tests open and decide, and what operators do to runs. */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { defineCritic } from '../../src/critics/critic.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import type { Receipt, ReviewResult } from '../../src/domain/review/review.js';
import type { Harness } from './harness.js';
import { until } from './history.js';
import { REASON } from './review-plans.js';
import { makePerson, REVIEW_BLOCK, TestReview, type TestPerson } from './reviews.js';

export const ann = makePerson('ann', ['leads']);
export const PEOPLE: readonly TestPerson[] = [ann, makePerson('bob', ['board']), makePerson('mod', ['moderators'])];
export const FOUND = { finding: { severity: 0.5, violations: [] } };

/** Finds something until its content stands in {@link calm}. */
export const changing = defineCritic({
  name: 'changing',
  version: '1.0.0',
  evaluate: ({ content }) => ({ severity: typeof content === 'string' && calm.has(content) ? 0 : 0.5, violations: [] }),
});
export const calm = new Set<string>();

/** A plan with one local critic, which finds what `finding` says. */
export const reviewedPlan = (plan: string, options: object, review?: object) => ({
  plan,
  version: 1,
  timeouts: { global: '30s' },
  critics: { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: options } },
  verdict: {
    rules: [
      { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' },
      { escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' },
    ],
    otherwise: 'allow',
  },
  ...(review !== undefined ? { review } : {}),
});

export const changingPlan = {
  ...reviewedPlan('changing', {}, REVIEW_BLOCK),
  critics: { told: { uses: 'changing', stage: 'fast_critics', dispatch: 'local' } },
};

export interface Opened {
  readonly report: EvaluationReport;
  readonly review: TestReview;
}

export async function openReview(harness: Harness, plan: string, content = 'text'): Promise<Opened> {
  const report = await harness.client.evaluate({ plan, content });
  if (report.review === undefined) throw new Error(`no review was opened: ${report.decision}`);
  return { report, review: new TestReview(harness.temporal, report.review.id, report.review.packetDigest) };
}

/** Claims it and decides it; one person is enough in the tier of these plans. */
export async function decide(review: TestReview, person: TestPerson, disposition: 'PROCEED' | 'HALT'): Promise<Receipt> {
  const { epoch } = await review.act(person, 'claim', {});
  return await review.act(person, 'decide', { disposition, epoch, signals: [{ id: 'r1', reason: REASON }] });
}

export async function decided(
  harness: Harness,
  plan: string,
  person: TestPerson,
  disposition: 'PROCEED' | 'HALT',
): Promise<Opened & { result: ReviewResult }> {
  const opened = await openReview(harness, plan);
  await decide(opened.review, person, disposition);
  return { ...opened, result: (await opened.review.handle.result()) as ReviewResult };
}

/** To before its first workflow task did anything. @returns the new run's id, once the server says that it is the newest. */
export const resetToStart = (harness: Harness, workflowId: string): Promise<string> => resetTo(harness, workflowId, 0);

/** To before its last workflow task did anything. */
export const resetToEnd = (harness: Harness, workflowId: string): Promise<string> => resetTo(harness, workflowId, -1);

async function resetTo(harness: Harness, workflowId: string, task: number): Promise<string> {
  const handle = harness.temporal.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const history = await harness.history(workflowId, runId);
  const event = history.filter((one) => one.workflowTaskCompletedEventAttributes != null).at(task);
  if (!event?.eventId) throw new Error('no workflow task has completed');
  await harness.connection.workflowService.resetWorkflowExecution({
    namespace: inject('server').namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: event.eventId,
    requestId: randomUUID(),
    reason: 'looked at again',
  });
  return await until(async () => {
    const { runId: newest } = await handle.describe();
    return newest !== runId && newest;
  });
}
