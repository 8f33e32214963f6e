/** The Worker of a process that runs reviews and sends notifications: on a task queue of its own. */
import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions, type WorkflowBundleOption } from '@temporalio/worker';
import { makeNotifyActivities } from '../activities/notify.js';
import { makeReviewActivities } from '../activities/review.js';
import { makeWatchdogActivities } from '../activities/watchdog.js';
import { reviewQueue } from '../contract.js';
import type { Plan } from '../domain/plan.js';
import type { NotifyChannels } from '../domain/review/channels.js';
import type { SecretSource } from '../critics/critic.js';
import { NO_REVIEWERS, warnOfPeople } from './check-people.js';
import { makeReviewIndex } from './index-queries.js';
import { makeNotifier } from './notify.js';
import { peopleReader } from './people.js';
import { makeWatchdog } from './watchdog.js';
import { keepWatchdog } from './watchdog-schedule.js';

/** What a process looks after: reviews, as its plans open some or some are open from plans that did; or deliveries alone, of what channels hear. */
async function reviewNeeds(client: Client, { name, plans, notify = {} }: ReviewWorkerOptions['deployment']): Promise<ReviewNeeds> {
  if ([...plans.values()].some(({ review }) => review !== undefined)) return 'reviews';
  if ((await makeReviewIndex(client, name).countOpen()) > 0) return 'reviews';
  return Object.values(notify).some(({ events = [] }) => events.length > 0) ? 'deliveries' : 'nothing';
}

type ReviewNeeds = 'reviews' | 'deliveries' | 'nothing';

export interface ReviewWorkerOptions {
  readonly deployment: {
    readonly name: string;
    readonly plans: ReadonlyMap<string, Plan>;
    readonly notify?: NotifyChannels;
    readonly reviewers?: string;
  };
  readonly insecureReviews?: boolean;
  readonly secrets: SecretSource;
  /** What webhooks are asked with. */
  readonly fetch: typeof fetch;
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void;
}

/** @returns nothing when there is nothing for it to do. */
export async function makeReviewWorker(
  client: Client,
  common: Omit<WorkerOptions, 'taskQueue'>,
  workflowBundle: WorkflowBundleOption,
  options: ReviewWorkerOptions,
): Promise<Worker | undefined> {
  const { deployment, insecureReviews: insecure = false, secrets, fetch, log } = options;
  const needs = await reviewNeeds(client, deployment);
  if (needs === 'nothing') return undefined;
  const { notify: channels = {}, reviewers } = deployment;
  const tell = (level: 'info' | 'warn' | 'error', message: string): void => log?.(level, message);
  const warn = (message: string): void => tell('warn', message);
  if (insecure) warn('commands on reviews are taken without a signature: what they let pass is not for production');
  else if (needs === 'reviews' && reviewers === undefined) warn(NO_REVIEWERS);
  const people = reviewers === undefined ? undefined : { file: reviewers, read: peopleReader(reviewers) };
  if (needs === 'reviews' && people !== undefined) await warnOfPeople(people, deployment.plans.values(), { insecure, warn });
  if (needs === 'reviews') await keepWatchdog(client, deployment.name, warn);
  return await Worker.create({
    ...common,
    taskQueue: reviewQueue(deployment.name),
    workflowBundle,
    activities: {
      ...makeReviewActivities({ ...(people !== undefined ? { people: people.read } : {}), channels, insecure, log: warn }),
      ...makeNotifyActivities(makeNotifier({ channels, secrets, fetch, log: tell })),
      ...makeWatchdogActivities(makeWatchdog({ client, deployment, log: tell })),
    },
    // Whoever decides waits for the other process to take over.
    stickyQueueScheduleToStartTimeout: '2s',
  });
}
