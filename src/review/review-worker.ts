/** The Worker of a process that runs reviews and sends notifications: on a task queue of its own. */
import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions, type WorkflowBundleOption } from '@temporalio/worker';
import { makeNotifyActivities } from '../activities/notify.js';
import { makeReviewActivities } from '../activities/review.js';
import { REVIEW, reviewQueue } from '../contract.js';
import type { Plan } from '../domain/plan.js';
import type { NotifyChannels } from '../domain/review/channels.js';
import type { SecretSource } from '../critics/critic.js';
import { makeNotifier } from './notify.js';
import { peopleReader } from './people.js';

/** Whether a process has to look after reviews: its plans open some, or some are open from plans that did. */
export async function needsReviews(client: Client, deployment: string, plans: Iterable<Plan>): Promise<boolean> {
  if ([...plans].some(({ review }) => review !== undefined)) return true;
  const query = `TaskQueue = '${reviewQueue(deployment)}' AND WorkflowType = '${REVIEW}' AND ExecutionStatus = 'Running'`;
  return (await client.workflow.count(query)).count > 0;
}

export interface ReviewWorkerOptions {
  readonly deployment: { readonly name: string; readonly notify?: NotifyChannels; readonly reviewers?: string };
  readonly insecureReviews?: boolean;
  readonly secrets: SecretSource;
  /** What webhooks are asked with. */
  readonly fetch: typeof fetch;
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void;
}

export async function makeReviewWorker(
  common: Omit<WorkerOptions, 'taskQueue'>,
  workflowBundle: WorkflowBundleOption,
  { deployment, insecureReviews: insecure = false, secrets, fetch, log }: ReviewWorkerOptions,
): Promise<Worker> {
  const { notify: channels = {}, reviewers } = deployment;
  const tell = (level: 'info' | 'warn' | 'error', message: string): void => log?.(level, message);
  if (insecure) tell('warn', 'commands on reviews are taken without a signature: what they let pass is not for production');
  else if (reviewers === undefined) tell('warn', 'nobody can decide reviews: there is no reviewers.yaml beside the deployment file');
  const people = reviewers === undefined ? {} : { people: peopleReader(reviewers) };
  return await Worker.create({
    ...common,
    taskQueue: reviewQueue(deployment.name),
    workflowBundle,
    activities: {
      ...makeReviewActivities({ ...people, channels, insecure, log: (message) => tell('warn', message) }),
      ...makeNotifyActivities(makeNotifier({ channels, secrets, fetch, log: tell })),
    },
    // Whoever decides waits for the other process to take over.
    stickyQueueScheduleToStartTimeout: '2s',
  });
}
