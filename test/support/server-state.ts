/** Waiting on what can be seen, never on time: files that calls leave, and what the server says of a queue or an evaluation. */
import { writeFile } from 'node:fs/promises';
import { deploymentId } from '../../src/contract.js';
import { plansOnOffer } from '../../src/lanes/deployment-state.js';
import { readDeploymentMemo } from '../../src/lanes/deployment-view.js';
import type { Harness } from './harness.js';
import { until } from './history.js';

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

/** As an operator does: what waits in a lane stays there until {@link resume}. */
export const pause = async (harness: Harness, queue: string): Promise<void> => await setRate(harness, queue, 0);
export const resume = async (harness: Harness, queue: string): Promise<void> => await setRate(harness, queue);

/** Starts a second that the server hands out of a queue; none gives it back to what its workers say. */
export async function setRate(
  { connection, client }: Pick<Harness, 'connection' | 'client'>,
  queue: string,
  requestsPerSecond?: number,
): Promise<void> {
  await connection.workflowService.updateTaskQueueConfig({
    namespace: client.namespace,
    identity: 'operator',
    taskQueue: queue,
    taskQueueType: ACTIVITY,
    updateQueueRateLimit: { ...(requestsPerSecond !== undefined ? { rateLimit: { requestsPerSecond } } : {}), reason: 'a test' },
  });
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

/** Waits until the deployment knows a plan: its workers have said what they bring. */
export async function untilOffered({ temporal, deployment }: Harness, plan: string): Promise<void> {
  await until(async () => {
    const found = await temporal.workflow
      .getHandle(deploymentId(deployment))
      .describe()
      .catch(() => undefined);
    return plansOnOffer(readDeploymentMemo(found?.memo)).has(plan);
  });
}
