/**
 * What a deployment's workflow knows: which worker processes there are, which plans and lanes each brought, and which lanes
 * nobody brings any more but evaluations under way may still use. Also its card, the memo that clients read. Pure; JSON.
 */
import { isShared, type Lane, type OwnedLane } from './lanes.js';

export interface PlanCard {
  readonly version: number;
  readonly hash: string;
  /** `limits.maxQueueSize`. */
  readonly maxQueueSize?: number;
}

/** What the workers of one deployment file offer. */
export interface Offering {
  /** By the plan's name. */
  readonly plans: Readonly<Record<string, PlanCard>>;
  readonly lanes: readonly Lane[];
  /** The longest an evaluation of these plans may take, milliseconds: so long a lane that left may still be used. */
  readonly longestMs: number;
}

/** What a worker process says when it starts. */
export interface Registration {
  readonly identity: string;
  /** Digest of the offering. */
  readonly file: string;
  /** Absent when the deployment knows the file already. */
  readonly offering?: Offering;
  /** Identities that poll the deployment, as this worker saw it: others are gone without a word. */
  readonly alive: readonly string[];
  /** It was a member before. */
  readonly isBack?: boolean;
}

export interface RetiredLane {
  readonly lane: Lane;
  /** It is polled until it was idle for so long. */
  readonly longestMs: number;
}

export interface DeploymentState {
  readonly v: 1;
  /** By digest. */
  readonly files: Readonly<Record<string, Offering>>;
  /** Digest of the file that registered last; what holds when nobody is there. */
  readonly latest?: string;
  /** Identity to the digest of its file. */
  readonly workers: Readonly<Record<string, string>>;
  readonly retired: readonly RetiredLane[];
}

export const EMPTY_DEPLOYMENT: DeploymentState = { v: 1, files: {}, workers: {}, retired: [] };

/** Whether a worker that registers has said what it brings, or need not. */
export const isComplete = (state: DeploymentState, { file, offering }: Registration): boolean =>
  offering !== undefined || Object.hasOwn(state.files, file);

/** A registration that is not complete changes nothing. */
export function register(state: DeploymentState, registration: Registration): DeploymentState {
  const { identity, file, alive } = registration;
  const offering = registration.offering ?? (Object.hasOwn(state.files, file) ? state.files[file] : undefined);
  if (offering === undefined) return state;
  const others = Object.entries(state.workers).filter(([other]) => other !== identity && alive.includes(other));
  return settle({
    ...state,
    files: { ...state.files, [file]: offering },
    // Who only comes back is not the latest.
    latest: state.latest !== undefined && state.files[file] !== undefined ? state.latest : file,
    workers: { ...Object.fromEntries(others), [identity]: file },
  });
}

export function leave(state: DeploymentState, identity: string): DeploymentState {
  const { [identity]: _gone, ...workers } = state.workers;
  return settle({ ...state, workers });
}

/** The lanes have been idle for as long as any evaluation could take. */
export function drained(state: DeploymentState, queues: readonly string[]): DeploymentState {
  return { ...state, retired: state.retired.filter(({ lane }) => !queues.includes(lane.queue)) };
}

/** Files without a worker go, but for the last; their lanes that no other file has are retired. */
function settle(given: DeploymentState): DeploymentState {
  const there = Object.values(given.workers);
  const last = there.at(-1);
  // A file that was withdrawn says nothing any more while others have workers.
  const state = last !== undefined && !there.includes(given.latest ?? '') ? { ...given, latest: last } : given;
  const used = new Set([...Object.values(state.workers), ...(state.latest === undefined ? [] : [state.latest])]);
  const entries = Object.entries(state.files);
  const kept = entries.filter(([digest]) => used.has(digest));
  const offered = new Set(kept.flatMap(([, { lanes }]) => lanes.map((lane) => lane.queue)));
  const left = entries
    .filter(([digest]) => !used.has(digest))
    .flatMap(([, { lanes, longestMs }]) => lanes.map((lane) => ({ lane, longestMs })));
  const retired = new Map([...state.retired, ...left].map((one) => [one.lane.queue, one]));
  return {
    ...state,
    files: Object.fromEntries(kept),
    retired: [...retired.values()].filter(({ lane }) => !offered.has(lane.queue)),
  };
}

/** Every lane that one process at a time must own: shared ones of all files, and retired ones. The latest file's word counts. */
export function lanesToHold(state: DeploymentState): OwnedLane[] {
  // All of a queue's versions, since each may tie it to others.
  const latest = new Set(state.files[state.latest ?? '']?.lanes.map(({ queue }) => queue));
  const lanes = latestLast(state).flatMap((offering) =>
    offering.lanes.filter(isShared).map((lane): OwnedLane => (latest.has(lane.queue) ? lane : { ...lane, isOlder: true })),
  );
  lanes.push(...state.retired.map(({ lane, longestMs }) => ({ ...lane, idleMs: longestMs })));
  return lanes;
}

/** The lanes of all files, one for each queue: of one that several have, the latest file's word. */
export function lanesOnOffer(state: DeploymentState): Lane[] {
  return [...new Map(latestLast(state).flatMap(({ lanes }) => lanes.map((lane) => [lane.queue, lane]))).values()];
}

/** The plans that may be asked for, by name: those of all files, the latest file's word for one that several have. */
export function plansOnOffer(state: DeploymentState): ReadonlyMap<string, PlanCard> {
  return new Map(latestLast(state).flatMap(({ plans }) => Object.entries(plans)));
}

/** Where critics of a plan wait. */
export function queuesOfPlan(state: DeploymentState, plan: string): string[] {
  const lanes = latestLast(state).flatMap((offering) => offering.lanes.filter((lane) => lane.plans.includes(plan)));
  return [...new Set(lanes.map((lane) => lane.queue))];
}

function latestLast({ files, latest }: DeploymentState): Offering[] {
  const entries = Object.entries(files).toSorted(([a], [b]) => Number(a === latest) - Number(b === latest));
  return entries.map(([, offering]) => offering);
}

/** Another worker has a plan of the same name and version with other bytes. */
export interface PlanConflict {
  readonly plan: string;
  readonly version: number;
  readonly worker: string;
}

export function conflictOf(
  state: DeploymentState,
  { identity, file, offering = state.files[file] }: Pick<Registration, 'identity' | 'file' | 'offering'>,
): PlanConflict | undefined {
  for (const [worker, digest] of Object.entries(state.workers)) {
    if (worker === identity) continue;
    for (const [plan, theirs] of Object.entries(state.files[digest]?.plans ?? {})) {
      const ours = Object.hasOwn(offering?.plans ?? {}, plan) ? offering?.plans[plan] : undefined;
      if (ours !== undefined && ours.version === theirs.version && ours.hash !== theirs.hash)
        return { plan, version: ours.version, worker };
    }
  }
  return undefined;
}

/**
 * What is kept of a state, or the empty state: one of another form, or of a later version, says nothing that is understood here.
 * @param apart the workers, where they are kept apart.
 */
export function readDeploymentState(value: unknown, apart?: unknown): DeploymentState {
  if (!isObject(value) || value['v'] !== 1) return EMPTY_DEPLOYMENT;
  const { files, retired } = value;
  const workers = apart ?? value['workers'];
  const isState = isObject(files) && Object.values(files).every(isOffering) && isObject(workers) && Array.isArray(retired);
  // Of this form by the checks above; what stands deeper was written by the workflow alone.
  return isState ? ({ ...value, workers } as unknown as DeploymentState) : EMPTY_DEPLOYMENT;
}

/** Of the form that {@link register} needs; an operator may send anything. */
export function isRegistration(value: unknown): value is Registration {
  if (!isObject(value)) return false;
  const { identity, file, offering, alive } = value;
  const isMember = typeof identity === 'string' && typeof file === 'string' && Array.isArray(alive);
  return isMember && (offering === undefined || isOffering(offering));
}

function isOffering(value: unknown): value is Offering {
  if (!isObject(value)) return false;
  const { plans, lanes, longestMs } = value;
  const arePlans =
    isObject(plans) &&
    Object.values(plans).every((plan) => isObject(plan) && typeof plan['hash'] === 'string' && typeof plan['version'] === 'number');
  return arePlans && Array.isArray(lanes) && lanes.every(isLane) && typeof longestMs === 'number' && Number.isFinite(longestMs);
}

function isLane(value: unknown): value is Lane {
  if (!isObject(value)) return false;
  const { queue, limits, plans, uses, scope } = value;
  const isNamed = typeof queue === 'string' && queue !== '' && (scope === undefined || scope === 'worker');
  return isNamed && Array.isArray(limits) && limits.every(isLimit) && areTexts(plans) && areTexts(uses);
}

/** What no worker could keep would end each that tried. */
function isLimit(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, maxConcurrent: most = 1, rateLimitPerSecond: rate = 1 } = value;
  const hasPlaces = typeof most === 'number' && Number.isInteger(most) && most >= 1;
  return typeof name === 'string' && hasPlaces && typeof rate === 'number' && Number.isFinite(rate) && rate > 0;
}

const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
