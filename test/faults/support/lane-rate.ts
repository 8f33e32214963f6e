/** What an operator can do to a lane's queue on the server. */
import type { temporal } from '@temporalio/proto';
import type { Fleet } from './fleet.js';

/** On the wire: the activity kind of task queue. */
const ACTIVITY: temporal.api.enums.v1.TaskQueueType = 2;

/**
 * Starts a second that the server hands out of a queue; 0 pauses it, none gives it back to what its workers say.
 * @param lane the queue's name without the deployment's.
 */
export async function setRate({ connection, deployment }: Fleet, lane: string, requestsPerSecond?: number): Promise<void> {
  await connection.workflowService.updateTaskQueueConfig({
    namespace: 'default',
    identity: 'operator',
    taskQueue: `${deployment}/${lane}`,
    taskQueueType: ACTIVITY,
    updateQueueRateLimit: {
      reason: 'a test',
      ...(requestsPerSecond !== undefined ? { rateLimit: { requestsPerSecond } } : {}),
    },
  });
}
