/** Who polls a task queue and what waits there, as the server tells it. Works on any connection; no native module. */
import type { WorkflowService } from '@temporalio/client';

export type QueueKind = 'workflow' | 'activity';

/** The wire's numbers for the kinds of task queue. */
export const QUEUE_KIND = { workflow: 1, activity: 2 } as const;

/** A worker that died is listed for five minutes; a living one polls at least once a minute. */
const FRESH_MS = 70_000;

/**
 * Identities of the workers that polled within the last 70 seconds.
 * @param isAmong whether who asks polls there itself: then the newest poll tells the server's time, whatever the clock here says.
 */
export async function freshPollers(
  connection: { readonly workflowService: WorkflowService },
  namespace: string,
  queue: string,
  kind: QueueKind,
  isAmong = false,
): Promise<string[]> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: QUEUE_KIND[kind],
  });
  const newest = Math.max(0, ...(pollers ?? []).map(polledAt));
  return freshOf(pollers, isAmong ? Math.min(Date.now(), newest) : Date.now());
}

/** Of those that an answer about a queue lists. */
export function freshOf(pollers: Described['pollers'], now = Date.now()): string[] {
  return (pollers ?? []).filter((poller) => now - polledAt(poller) < FRESH_MS).map((poller) => poller.identity ?? '');
}

const polledAt = ({ lastAccessTime }: NonNullable<Described['pollers']>[number]): number => Number(lastAccessTime?.seconds ?? 0) * 1_000;

/** How many tasks wait in a queue, and how fast it hands them out. The server counts anew every five seconds. */
export async function queueLoad(
  connection: { readonly workflowService: WorkflowService },
  namespace: string,
  queue: string,
  kind: QueueKind,
): Promise<{ readonly waiting: number; readonly perSecond: number }> {
  const { stats } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: QUEUE_KIND[kind],
    reportStats: true,
  });
  return { waiting: Number(stats?.approximateBacklogCount ?? 0), perSecond: stats?.tasksDispatchRate ?? 0 };
}

type Described = Awaited<ReturnType<WorkflowService['describeTaskQueue']>>;
