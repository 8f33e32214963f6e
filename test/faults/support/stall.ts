/** What there is to see when nothing goes on any more: processes, lanes and evaluations. Knows no test runner. */
import { deploymentId, leaseQueue } from '../../../src/contract.js';
import type { Fleet, Member } from './fleet.js';
import type { Asked } from './load.js';

/** The end of what a worker said. */
const TAIL_CHARS = 800;
const MOST_SHOWN = 6;

export async function stateOf(fleet: Fleet, members: readonly Member[], asked: readonly Asked[]): Promise<string[]> {
  const now = await Promise.all(members.map(async (member) => await processOf(member)));
  const running = await openOf(fleet, asked);
  return [
    ...now,
    `open in the recorder: ${JSON.stringify(fleet.recorder.open().map(({ name, pid, attempt }) => ({ name, pid, attempt })))}`,
    `pollers of the leases: ${JSON.stringify(await pollersOf(fleet, leaseQueue(fleet.deployment)))}`,
    ...(await pendingLines(fleet, deploymentId(fleet.deployment))),
    `${running.length} of ${asked.length} evaluations are under way`,
    ...(await Promise.all(running.slice(0, MOST_SHOWN).map((id) => pendingLines(fleet, id)))).flat(),
  ];
}

async function processOf({ pid, ended, stderr }: Member): Promise<string> {
  const end = await Promise.race([ended.then(({ exit, signal }) => `ended with ${signal ?? exit}`), Promise.resolve('alive')]);
  return `worker ${pid}: ${end}; ${stderr().slice(-TAIL_CHARS).trim()}`;
}

async function pollersOf({ connection }: Fleet, queue: string): Promise<unknown[]> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace: 'default',
    taskQueue: { name: queue },
    taskQueueType: 2,
  });
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    identity,
    secondsAgo: Math.round(Date.now() / 1_000 - Number(lastAccessTime?.seconds ?? 0)),
  }));
}

async function openOf({ temporal }: Fleet, asked: readonly Asked[]): Promise<string[]> {
  const ids: string[] = [];
  for (const { handle } of asked.slice(-50)) {
    const { status } = await temporal.workflow.getHandle(handle.evaluationId).describe();
    if (status.name === 'RUNNING') ids.push(handle.evaluationId);
  }
  return ids;
}

async function pendingLines({ temporal }: Fleet, id: string): Promise<string[]> {
  const { raw, status } = await temporal.workflow.getHandle(id).describe();
  const task = raw.pendingWorkflowTask;
  return [
    `${id}: ${status.name}${task == null ? '' : `, workflow task state ${String(task.state)} attempt ${String(task.attempt)}`}`,
    ...(raw.pendingActivities ?? []).map(
      ({ activityId, state, attempt, lastWorkerIdentity, lastFailure }) =>
        `  ${activityId ?? ''}: state ${String(state)}, attempt ${String(attempt)}, ${lastWorkerIdentity ?? 'nobody'}; ${lastFailure?.message ?? 'no failure'}`,
    ),
  ];
}
