/** Waiting on what can be seen, never on time: files that calls leave, and what the server says of a queue or an evaluation. */
import { writeFile } from 'node:fs/promises';
import type { Harness } from './harness.js';

const POLL_MS = 20;
/** On the wire: activity tasks, and an activity that a worker has taken. */
const ACTIVITY = 2;
const STARTED = 2;

/** Looks again until it holds. The test's own time-out ends one that never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Makes the file that critics wait for. */
export const release = async (file: string): Promise<void> => await writeFile(file, '');

/** How many activity tasks wait in a queue, as its server counts them. */
export async function backlogOf({ connection, client }: Harness, queue: string): Promise<number> {
  const described = await connection.workflowService.describeTaskQueue({
    namespace: client.namespace,
    taskQueue: { name: queue },
    taskQueueType: ACTIVITY,
    reportStats: true,
  });
  return Number(described.stats?.approximateBacklogCount ?? 0);
}

/** How many activities of these evaluations a worker has taken and not ended, those that wait there for a place included. */
export async function takenOf({ connection, client }: Harness, evaluationIds: readonly string[]): Promise<number> {
  const described = await Promise.all(
    evaluationIds.map((workflowId) => connection.workflowService.describeWorkflowExecution({ namespace: client.namespace, execution: { workflowId } })),
  );
  return described.flatMap((one) => one.pendingActivities ?? []).filter((activity) => activity.state === STARTED).length;
}
