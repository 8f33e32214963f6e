/**
 * One deployment: its worker processes, and who owns its limited lanes. Runs as long as the deployment is there.
 *
 * D1 Each group of lanes is one activity, `holdLanes`; Temporal runs it in one process at a time and starts it again when
 *    that process is gone. No other lock is needed.
 * D2 Lanes are never in two activities at once: groups that grow together are taken back before they are handed out again.
 * D3 A new run begins only when no lane is held: its predecessor's holders would own theirs until their next heartbeat.
 */
import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  makeContinueAsNewFunc,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import {
  DEPLOYMENT_MEMO,
  DRAINED_SIGNAL,
  LEAVE_UPDATE,
  REGISTER_UPDATE,
  WORKERS_MEMO,
  leaseQueue,
  type DeploymentInput,
  type HoldInput,
  type LeaseActivities,
} from '../contract.js';
import {
  conflictOf,
  drained,
  isComplete,
  isRegistration,
  lanesToHold,
  leave,
  register,
  type DeploymentState,
  type PlanConflict,
  type Registration,
} from '../lanes/deployment-state.js';
import { FAILURE_TYPES } from '../domain/errors.js';
import { groupsOf, nextHolds, type Hold } from '../lanes/groups.js';
import type { OwnedLane } from '../lanes/lanes.js';
import { LEASE_TIMEOUT_MS } from '../lanes/lease-times.js';
import { deploymentDetails } from '../report/details.js';

export const registerUpdate = defineUpdate<PlanConflict | null, [Registration]>(REGISTER_UPDATE);
export const leaveUpdate = defineUpdate<void, [string]>(LEAVE_UPDATE);
export const drainedSignal = defineSignal<[readonly string[]]>(DRAINED_SIGNAL);

/** Lanes are owned until their process stops: the heartbeat tells whether it is there, nothing else ends it. */
const OWNED_FOR = '3650 days';
/** A process that is gone or cannot own these lanes is followed by the next one at once. */
const NEXT_OWNER_MS = 10;

export async function deployment(input: DeploymentInput): Promise<void> {
  let state = input.state;
  let changed = true;
  const take = (next: DeploymentState): DeploymentState => {
    if (same(next, state)) return state;
    // Clients and workers that start read it there, without a worker to ask.
    upsertMemo(memoOf(next, state));
    state = next;
    changed = true;
    return state;
  };
  // One that came with others may have been told of a file that was forgotten by then: it asks again.
  const validator = (value: unknown): void => refuseUnless(isRegistration(value) && isComplete(state, value));
  const admit = (registration: Registration): PlanConflict | null => {
    const next = register(state, registration);
    const conflict = conflictOf(next, registration);
    // Whoever was a member before a conflict came is not the one to go.
    if (conflict === undefined || registration.isBack === true) take(next);
    return conflict ?? null;
  };
  setHandler(registerUpdate, admit, { validator });
  setHandler(leaveUpdate, (identity) => void take(leave(state, identity)), {
    validator: (identity: unknown) => refuseUnless(typeof identity === 'string'),
  });
  setHandler(drainedSignal, (queues: unknown) => {
    // A signal cannot be refused; one from elsewhere is passed over.
    if (Array.isArray(queues)) take(drained(state, queues));
  });
  if (input.quietMs !== undefined) await sleep(input.quietMs);

  const holds = new Holds(input.deployment, () => (changed = true));
  for (;;) {
    await condition(() => changed);
    changed = false;
    const isEnding = workflowInfo().continueAsNewSuggested;
    const groups = isEnding ? [] : groupsOf(lanesToHold(state));
    holds.follow(groups);
    setCurrentDetails(
      deploymentDetails(
        Object.keys(state.workers),
        holds.all.map((hold) => hold.lanes.map((lane) => lane.queue)),
      ),
    );
    if (isEnding && holds.all.length === 0 && allHandlersFinished())
      await makeContinueAsNewFunc<typeof deployment>({ memo: memoOf(state) })({ v: 1, deployment: input.deployment, state });
  }
}

/** The whole memo, or of it what is otherwise than before: workers come and go, and what their files say is long. */
function memoOf({ workers, ...card }: DeploymentState, before?: DeploymentState): Record<string, unknown> {
  const { workers: workersBefore, ...cardBefore } = before ?? {};
  return {
    ...(same(card, cardBefore) ? {} : { [DEPLOYMENT_MEMO]: card }),
    ...(same(workers, workersBefore) ? {} : { [WORKERS_MEMO]: workers }),
  };
}

const same = (some: unknown, other: unknown): boolean => JSON.stringify(some) === JSON.stringify(other);

function refuseUnless(isGood: boolean): void {
  if (!isGood)
    throw ApplicationFailure.nonRetryable('not in the form in which worker processes of tribunal say it', FAILURE_TYPES.requestRefused);
}

/** The activities that own lanes. */
class Holds {
  readonly #holds = new Map<number, Hold & { readonly scope: CancellationScope }>();
  #next = 1;

  constructor(
    readonly deploymentName: string,
    /** Called when an owner has come back without its lanes. */
    readonly ended: () => void,
  ) {}

  get all(): readonly Hold[] {
    return [...this.#holds.values()];
  }

  follow(groups: readonly (readonly OwnedLane[])[]): void {
    const { begin, end } = nextHolds(groups, this.all);
    for (const id of end) this.#holds.get(id)?.scope.cancel();
    for (const lanes of begin) this.#begin(lanes);
  }

  #begin(lanes: readonly OwnedLane[]): void {
    const id = this.#next++;
    const scope = new CancellationScope();
    this.#holds.set(id, { id, lanes, scope });
    const done = (): void => {
      this.#holds.delete(id);
      this.ended();
    };
    void scope.run(() => holdLanes(this.deploymentName, id, { lanes })).then(done, done);
  }
}

const MAX_SUMMARY_CHARS = 200;

function holdLanes(deploymentName: string, id: number, input: HoldInput): Promise<void> {
  const { holdLanes: hold } = proxyActivities<LeaseActivities>({
    taskQueue: leaseQueue(deploymentName),
    activityId: `lanes/${id}`,
    summary: input.lanes
      .map((lane) => lane.queue.slice(deploymentName.length + 1))
      .join(' ')
      .slice(0, MAX_SUMMARY_CHARS),
    startToCloseTimeout: OWNED_FOR,
    heartbeatTimeout: LEASE_TIMEOUT_MS,
    // Its lanes are free only when it has said so, or when the server has given it up.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: NEXT_OWNER_MS, backoffCoefficient: 1 },
  });
  return hold(input);
}
