/** Tells the channels of a deployment that hear every verdict. */
import { CancellationScope, ParentClosePolicy, log, startChild, uuid4 } from '@temporalio/workflow';
import { NOTIFICATION, notificationId, reviewQueue, type NotificationInput, type OpenResult } from '../contract.js';
import type { EvaluationReport } from '../domain/report.js';
import type { Notification } from '../domain/review/notification.js';
import { WORKFLOW_TASK_TIMEOUT } from '../start-options.js';

/**
 * Starts the delivery, which is a workflow of its own: the evaluation waits for its start and not for a receiver, and its end
 * does not end it. Never rejects, since nothing here may change a verdict.
 */
export async function tellVerdict({ hearing = [], deployment }: OpenResult, report: EvaluationReport): Promise<void> {
  if (hearing.length === 0) return;
  const { evaluationId, tenant, decision, review } = report;
  const notification: Notification = {
    // Not by the run's id: replay after a reset has another one than the kept history. What is drawn stays, and a new run draws anew.
    id: `${evaluationId}/${uuid4()}/verdict`,
    event: 'verdict',
    at: new Date().toISOString(),
    tenant,
    evaluationId,
    ...(review !== undefined ? { reviewId: review.id } : {}),
    outcome: decision,
  };
  const args: [NotificationInput] = [{ v: 1, channels: hearing, notification }];
  try {
    // Whoever cancels now, or a decisive finding before, does not keep consumers from hearing what was decided.
    await CancellationScope.nonCancellable(() =>
      startChild(NOTIFICATION, {
        workflowId: notificationId(notification.id),
        taskQueue: reviewQueue(deployment),
        args,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        staticSummary: `verdict to ${hearing.join(', ')}`,
      }),
    );
  } catch {
    log.warn('the delivery of a verdict could not be started');
  }
}
