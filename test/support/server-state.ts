/** Waiting on what can be seen, never on time: files that calls leave, and what the server says of a queue or an evaluation. */
import { writeFile } from 'node:fs/promises';
import type { Harness } from './harness.js';

/** On the wire: activity tasks, and an activity that a worker has taken. */
const ACTIVITY = 2;
const STARTED = 2;

/** Makes the file that critics wait for. */
export const release = async (file: string): Promise<void> => await writeFile(file, '');

/** How many activity tasks wait in a queue. The server counts anew every five seconds. */
export async function backlogOf({ connection, client }: Pick<Harness, 'connection' | 'client'>, queue: string): Promise<number> {
  const described = await connection.workflowService.describeTaskQueue({
    namespace: client.namespace,
    taskQueue: { name: queue },
    taskQueueType: ACTIVITY,
    reportStats: true,
  });
  return Number(described.stats?.approximateBacklogCount ?? 0);
}

/** The activities of these evaluations that have not ended: taken by a worker (and perhaps waiting there for a place), or not yet. */
export async function pendingOf(
  { connection, client }: Pick<Harness, 'connection' | 'client'>,
  evaluationIds: readonly string[],
): Promise<{ readonly taken: number; readonly waiting: number }> {
  const described = await Promise.all(
    evaluationIds.map((workflowId) =>
      connection.workflowService.describeWorkflowExecution({ namespace: client.namespace, execution: { workflowId } }),
    ),
  );
  const pending = described.flatMap((one) => one.pendingActivities ?? []);
  const taken = pending.filter((activity) => activity.state === STARTED).length;
  return { taken, waiting: pending.length - taken };
}
