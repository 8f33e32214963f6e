/** Who polls a task queue and what waits there, as the server tells it. Works on any connection; no native module. */
import type { WorkflowService } from '@temporalio/client';

export type QueueKind = 'workflow' | 'activity';

/** The wire's numbers for the kinds of task queue. */
export const QUEUE_KIND = { workflow: 1, activity: 2 } as const;

/** A worker that died is listed for five minutes; a living one polls at least once a minute. */
const FRESH_MS = 70_000;

/** Identities of the workers that polled within the last 70 seconds. */
export async function freshPollers(
  connection: { readonly workflowService: WorkflowService },
  namespace: string,
  queue: string,
  kind: QueueKind,
): Promise<string[]> {
  const described = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: QUEUE_KIND[kind],
  });
  return freshOf(described.pollers);
}

/** Of those that an answer about a queue lists. */
export function freshOf(pollers: Described['pollers']): string[] {
  const now = Date.now();
  return (pollers ?? [])
    .filter((poller) => now - Number(poller.lastAccessTime?.seconds ?? 0) * 1000 < FRESH_MS)
    .map((poller) => poller.identity ?? '');
}

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
