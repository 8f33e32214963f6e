/** What the commands about lanes share: the deployment as the server knows it, the lane that was called, who asks and why. */
import { hostname, userInfo } from 'node:os';
import { Client } from '@temporalio/client';
import { call, type Host } from '../client-calls.js';
import { MAX_HELD_BY_CHARS } from '../domain/outcomes.js';
import { viewDeployment, type DeploymentView } from '../lanes/deployment-view.js';
import { knownLanes, laneNames, lanesCalled, type KnownLane } from '../lanes/known-lanes.js';
import type { Lane } from '../lanes/lanes.js';
import { CIRCUIT, lookAtQueue, setQueueRate, type QueueSetting } from '../lanes/queue-setting.js';
import type { Call } from './command.js';
import { connectClient } from './connect.js';
import { EXIT, usageError } from './exit.js';

/** Shorter than what reports keep of it, so that the mark of an earlier rate fits. */
const MAX_REASON_CHARS = 160;

export interface Deployed extends DeploymentView {
  readonly host: Host;
  readonly lanes: readonly KnownLane[];
}

export async function withDeployment({ options, io }: Call<unknown>, work: (deployed: Deployed) => Promise<void>): Promise<number> {
  const connected = await connectClient(options, io.env);
  try {
    const { connection, dataConverter } = connected;
    const { namespace, deployment } = connected.client;
    const client = new Client({ connection, namespace, ...(dataConverter !== undefined ? { dataConverter } : {}) });
    const host = { client, index: client, namespace, deployment };
    const view = await call(host, `cannot look at the deployment ${deployment}`, undefined, () => viewDeployment(host.client, deployment));
    await work({ ...view, host, lanes: knownLanes(deployment, view.state).map((known) => inForce(known, view)) });
    return EXIT.ok;
  } finally {
    await connected.close();
  }
}

/** What the owner's file allows counts, whatever a newer one says. */
function inForce(known: KnownLane, { owners }: DeploymentView): KnownLane {
  const limits = owners.get(known.lane.queue)?.limits;
  return limits === undefined ? known : { ...known, lane: { ...known.lane, limits } };
}

/** A lane that was called by its name, with all task queues that this means and what is set there. */
export interface CalledLane {
  readonly name: string;
  readonly queues: readonly { readonly lane: Lane; readonly setting: QueueSetting }[];
}

/** @throws CliError naming the lanes that there are. */
export async function calledLane({ host, lanes }: Deployed, name = ''): Promise<CalledLane> {
  const called = lanesCalled(lanes, name);
  const known = laneNames(lanes);
  if (called.length === 0)
    throw usageError(
      known.length === 0
        ? `the deployment ${host.deployment} has no lanes: no worker of it has been here`
        : `the deployment ${host.deployment} has no lane ${name}; it has ${known.join(', ')}`,
    );
  const queues = await call(host, `cannot look at the lane ${name}`, undefined, () =>
    Promise.all(called.map(async (lane) => ({ lane, setting: (await lookAtQueue(host.client, lane.queue, false)).setting }))),
  );
  return { name, queues };
}

/** Sets all queues of a lane, each as `change` says. */
export async function setLane(
  { host }: Deployed,
  { name, queues }: CalledLane,
  change: (queue: CalledLane['queues'][number]) => Parameters<typeof setQueueRate>[2],
): Promise<void> {
  for (const queue of queues)
    await call(host, `cannot set the lane ${name}`, undefined, () => setQueueRate(host.client, queue.lane.queue, change(queue)));
}

/** Who asks: `--by`, else the user of this machine. */
export function checkedBy(by: string | undefined): string {
  const who = by ?? ownName();
  if (who === '' || who.length > MAX_HELD_BY_CHARS) throw usageError(`--by must have between 1 and ${MAX_HELD_BY_CHARS} characters`);
  if (who === CIRCUIT) throw usageError(`--by must not be ${JSON.stringify(CIRCUIT)}: what that name has set, a lane's circuit takes back`);
  return who;
}

export function checkedReason(reason: string): string {
  if (reason.trim() !== '' && reason.length <= MAX_REASON_CHARS) return reason;
  throw usageError(`--reason must have between 1 and ${MAX_REASON_CHARS} characters`);
}

function ownName(): string {
  try {
    return `${userInfo().username}@${hostname()}`.slice(0, MAX_HELD_BY_CHARS);
  } catch {
    // In a container the user may have no name.
    return hostname();
  }
}

/** Said once more where it is more than one. */
export const queueCount = ({ queues }: CalledLane): string => (queues.length === 1 ? '' : ` (${queues.length} task queues)`);
