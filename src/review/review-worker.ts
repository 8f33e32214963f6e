/** The Worker of a process that runs reviews and sends notifications: on a task queue of its own. */
import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions, type WorkflowBundleOption } from '@temporalio/worker';
import { makeNotifyActivities } from '../activities/notify.js';
import { makeReviewActivities, type ReviewActivityDeps } from '../activities/review.js';
import { REVIEW, reviewQueue } from '../contract.js';
import type { Plan } from '../domain/plan.js';
import type { Notifier } from './notify.js';

/** Whether a process has to look after reviews: its plans open some, or some are open from plans that did. */
export async function needsReviews(client: Client, deployment: string, plans: Iterable<Plan>): Promise<boolean> {
  if ([...plans].some(({ review }) => review !== undefined)) return true;
  const query = `TaskQueue = '${reviewQueue(deployment)}' AND WorkflowType = '${REVIEW}' AND ExecutionStatus = 'Running'`;
  return (await client.workflow.count(query)).count > 0;
}

export interface ReviewWorkerDeps extends ReviewActivityDeps {
  readonly notifier: Notifier;
}

export async function makeReviewWorker(
  common: Omit<WorkerOptions, 'taskQueue'>,
  deployment: string,
  workflowBundle: WorkflowBundleOption,
  { notifier, ...deps }: ReviewWorkerDeps,
): Promise<Worker> {
  return await Worker.create({
    ...common,
    taskQueue: reviewQueue(deployment),
    workflowBundle,
    activities: { ...makeReviewActivities(deps), ...makeNotifyActivities(notifier) },
    // Whoever decides waits for the other process to take over.
    stickyQueueScheduleToStartTimeout: '2s',
  });
}
