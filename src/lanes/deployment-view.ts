/** A deployment as the server knows it: its card and the owners of its lanes. Needs no worker, and starts none. */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { DEPLOYMENT_MEMO, WORKERS_MEMO, deploymentId } from '../contract.js';
import { EMPTY_DEPLOYMENT, readDeploymentState, type DeploymentState } from './deployment-state.js';
import { readOwnerStatus, type OwnedStatus } from './lane-status.js';

export interface LaneOwner extends OwnedStatus {
  readonly identity: string;
}

export interface DeploymentView {
  readonly state: DeploymentState;
  /** By task queue: who owns the lane now, and what he said last of it. */
  readonly owners: ReadonlyMap<string, LaneOwner>;
}

/** On the wire: an activity that a worker has. */
const STARTED = 2;

/** What the deployment's workflow keeps in its memo. */
export const readDeploymentMemo = (memo: Readonly<Record<string, unknown>> = {}): DeploymentState =>
  readDeploymentState(memo[DEPLOYMENT_MEMO], memo[WORKERS_MEMO]);

/** The deployment's workflow as it stands, and what it said last; `undefined` when there is none. */
export async function describeDeployment(
  client: Client,
  deployment: string,
): Promise<{ readonly workflow: WorkflowExecutionDescription; readonly state: DeploymentState } | undefined> {
  try {
    const workflow = await client.workflow.getHandle(deploymentId(deployment)).describe();
    return { workflow, state: readDeploymentMemo(workflow.memo) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

export async function viewDeployment(client: Client, deployment: string): Promise<DeploymentView> {
  const found = await describeDeployment(client, deployment);
  const owners = new Map<string, LaneOwner>();
  if (found === undefined) return { state: EMPTY_DEPLOYMENT, owners };
  for (const { state, activityId, lastWorkerIdentity, heartbeatDetails } of found.workflow.raw.pendingActivities ?? []) {
    // What waits for its next owner still carries the beats of the last one.
    if (state !== STARTED) continue;
    const place = { namespace: client.options.namespace, workflowId: deploymentId(deployment), activityId: activityId ?? '' };
    const status = readOwnerStatus(await decoded(client, heartbeatDetails, place));
    for (const [queue, count] of Object.entries(status?.lanes ?? {})) owners.set(queue, { identity: lastWorkerIdentity ?? '', ...count });
  }
  return { state: found.state, owners };
}

type Details = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]['heartbeatDetails'];

/** By the converter of the client, or nothing where it cannot be read. */
async function decoded(
  client: Client,
  details: Details,
  place: { readonly namespace: string; readonly workflowId: string; readonly activityId: string },
): Promise<unknown> {
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  try {
    let payloads = [...(details?.payloads ?? [])];
    for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads, { type: 'activity', isLocal: false, ...place });
    const [first] = payloads;
    return first === undefined ? undefined : payloadConverter.fromPayload(first);
  } catch {
    return undefined;
  }
}
