/**
 * Looks whether reviews are on their way: late ones, those whose workflow tasks fail, those that
 * somebody has terminated, those that are gone, plans whose places
 * are taken. A review tells its people itself; this tells operators, also when a review can tell nobody any more.
 */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { NOTIFICATION, notificationId, reviewQueue, type NotificationInput, type WatchdogFound } from '../contract.js';
import { reasonOf } from '../domain/error-name.js';
import type { Plan } from '../domain/plan.js';
import type { NotifyChannels } from '../domain/review/channels.js';
import type { Notification } from '../domain/review/notification.js';
import { fullPage, missingPage, operatorChannels, overduePage, stuckPage, terminatedPage } from '../domain/review/pages.js';
import { WORKFLOW_TASK_TIMEOUT } from '../start-options.js';
import { makeReviewIndex } from './index-queries.js';
import { mendReview } from './missing-review.js';
import { makeWatchIndex, type Escalated } from './watch-index.js';

/** Of one look; what is beyond comes with the next one. */
const MOST_AT_ONCE = 100;
/** What this process remembers so as not to ask the server twice; the server decides all the same. */
const MAX_KNOWN = 50_000;
/** Evaluations that closed within it. The shortest time that a server should keep what is closed is a day: a review that was decided and is gone by its age is never begun anew. */
const MISSED_WITHIN_MS = 72_000_000;

export interface WatchdogOptions {
  readonly client: Client;
  readonly deployment: { readonly name: string; readonly plans: ReadonlyMap<string, Plan>; readonly notify?: NotifyChannels };
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
}

export type Watchdog = () => Promise<WatchdogFound>;

/** @returns one look. It rejects when the index cannot be asked; what fails after that is logged, and the next look meets it again. */
export function makeWatchdog(options: WatchdogOptions): Watchdog {
  const { client, deployment, log } = options;
  const index = makeWatchIndex(client, deployment.name, (message) => log('warn', message));
  const told = new Set<string>();
  const settled = new Set<string>();
  return async () => {
    const now = Date.now();
    const found = await index.look(now, now - (await missedWithinMs(client)));
    const mended = await mend(options, settled, found.unreviewed);
    const full = await fullPlans(options);
    const pages = [
      ...found.stuck.map((review) => stuckPage(review, now)),
      ...found.terminated.map((review) => terminatedPage(review, now)),
      ...mended.map((one) => missingPage(one.review, one.is === 'started' ? 'STARTED_ANEW' : 'NOT_STARTED', now)),
      ...full.map((plan) => fullPage(deployment.name, plan, now)),
      ...found.overdue.map(({ review, dueMs }) => overduePage(review, dueMs, now)),
    ];
    for (const page of pages.filter(({ id }) => !told.has(id)).slice(0, MOST_AT_ONCE)) {
      if (await tell(options, page)) remember(told, page.id);
    }
    const { overdue, stuck, terminated } = found;
    return { overdue: overdue.length, stuck: stuck.length, terminated: terminated.length, missing: mended.length, full: full.length };
  };
}

/** Half of what the server keeps, where that is less: what is gone by its age is not missing. */
async function missedWithinMs({ workflowService, options: { namespace } }: Client): Promise<number> {
  const { config } = await workflowService.describeNamespace({ namespace }).catch(() => ({ config: undefined }));
  const keptMs = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
  return keptMs > 0 ? Math.min(MISSED_WITHIN_MS, keptMs / 2) : MISSED_WITHIN_MS;
}

type Gone = Extract<Awaited<ReturnType<typeof mendReview>>, { is: 'started' | 'unstartable' }>;

async function mend({ client, deployment, log }: WatchdogOptions, settled: Set<string>, found: readonly Escalated[]): Promise<Gone[]> {
  const gone: Gone[] = [];
  const unasked = new Set(
    [...deployment.plans.values()].filter(({ review }) => review === undefined).map(({ name, version }) => `${name}@${version}`),
  );
  const open = found.filter(({ runId, plan = '' }) => !settled.has(runId) && !unasked.has(plan));
  for (const one of open.slice(0, MOST_AT_ONCE)) {
    try {
      const mended = await mendReview(client, deployment.name, one);
      if (mended.is === 'none') remember(settled, one.runId);
      else if (mended.is !== 'there') gone.push(mended);
    } catch (error) {
      log('warn', `whether ${one.evaluationId} has its review could not be found out: ${reasonOf(error)}`);
    }
  }
  return gone;
}

async function fullPlans({ client, deployment, log }: WatchdogOptions): Promise<string[]> {
  const index = makeReviewIndex(client, deployment.name);
  const full: string[] = [];
  for (const { name, review } of deployment.plans.values()) {
    try {
      if (review !== undefined && (await index.countOpen(name)) >= review.maxOpen) full.push(name);
    } catch (error) {
      log('warn', `the open reviews of the plan ${name} could not be counted: ${reasonOf(error)}`);
    }
  }
  return full;
}

/** Whether it has been told, now or before: the server refuses a second delivery of one id. Without a channel the log tells it. */
async function tell({ client, deployment, log }: WatchdogOptions, notification: Notification): Promise<boolean> {
  const channels = operatorChannels(deployment.notify ?? {});
  const args: [NotificationInput] = [{ v: 1, channels, notification }];
  const { id, event, reviewId, plan, outcome } = notification;
  const what = `${event}: ${reviewId ?? plan ?? ''}${outcome === undefined ? '' : ` ${outcome}`}`;
  try {
    await client.workflow.start(NOTIFICATION, {
      workflowId: notificationId(id),
      taskQueue: reviewQueue(deployment.name),
      args,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      staticSummary: `${event} to ${channels.join(', ') || 'the log'}`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return true;
    log('warn', `${what}: could not be told to ${channels.join(', ') || 'anybody'}: ${reasonOf(error)}`);
    return false;
  }
  if (channels.length === 0) log('warn', what);
  return true;
}

function remember(known: Set<string>, one: string): void {
  if (known.size >= MAX_KNOWN) known.clear();
  known.add(one);
}
