/**
 * Which task queue a remote critic runs on, and which limits hold there. Pure; used by workflow, worker and `plan show`.
 *
 * A critic with a limit of its own has a lane of its own. Other limited critics share one lane a stage, so that deep
 * tasks that were already taken never fill a queue that fast critics share. Critics of all plans that say `lane: NAME`
 * share the deployment's lane of that name; where their plan is narrower they have a lane of their own and take the named
 * one as a further limit. Only unlimited critics use the plan's lane.
 */
import { STAGES, type Plan, type PlanCritic } from '../domain/plan.js';

interface LimitValues {
  readonly maxConcurrent?: number;
  /** Starts a second; may be below 1. */
  readonly rateLimitPerSecond?: number;
}

/** What a lane of the deployment allows; `lanes` of `tribunal.yaml`. */
export interface NamedLane extends LimitValues {
  /** The lane is never paused by its circuit. Absent: when its service keeps failing. */
  readonly circuit?: 'off';
}
export type NamedLanes = Readonly<Record<string, NamedLane>>;

/** Something that has to be had before a critic may start; lanes that name the same one share it. */
export interface Limit extends LimitValues {
  readonly name: string;
}

export interface Lane {
  /** Task queue. */
  readonly queue: string;
  /** Narrow before wide: critic, stage, plan, named lane. Empty: unlimited. */
  readonly limits: readonly Limit[];
  /** `worker`: the limits hold in each worker process; else over all of the deployment. */
  readonly scope?: 'worker';
  /** Plans whose critics run here. */
  readonly plans: readonly string[];
  /** Implementations that their critics use: who has them all can run the lane. */
  readonly uses: readonly string[];
  /** Whether all that runs here asks the same service: a critic of its own, or a named lane. */
  readonly single?: true;
  /** As its named lane says. */
  readonly circuit?: 'off';
}

/** A lane as it is handed to an owner. */
export interface OwnedLane extends Lane {
  /** No file has it any more: it is polled until it was idle for so long, milliseconds. */
  readonly idleMs?: number;
  /** The latest file does not have it. */
  readonly isOlder?: true;
}

const planQueue = (deployment: string, plan: string): string => `${deployment}/p/${plan}`;
const namedQueue = (deployment: string, lane: string): string => `${deployment}/l/${lane}`;

/** Task queue of a remote critic. */
export function laneOf(deployment: string, plan: Plan, critic: PlanCritic): string {
  const base = planQueue(deployment, plan.name);
  const hasOwn = critic.maxConcurrent !== undefined || critic.rateLimitPerSecond !== undefined;
  const isLimited =
    hasOwn || plan.limits.maxConcurrentPerStage[critic.stage] !== undefined || plan.limits.maxConcurrentCritics !== undefined;
  if (critic.lane !== undefined) return isLimited ? `${base}/${critic.name}` : namedQueue(deployment, critic.lane);
  if (hasOwn) return `${base}/${critic.name}`;
  return isLimited ? `${base}/${critic.stage}` : base;
}

/** What a critic must have before it starts, narrow before wide: its own limit, its stage's, its plan's, its named lane's. */
export function limitsOf(plan: Plan, critic: PlanCritic, named: NamedLanes): Limit[] {
  const { maxConcurrent, rateLimitPerSecond, stage, lane } = critic;
  const stageLimit = plan.limits.maxConcurrentPerStage[stage];
  const planLimit = plan.limits.maxConcurrentCritics;
  const { circuit: _circuit, ...of } = (lane === undefined ? undefined : named[lane]) ?? {};
  return [
    ...(maxConcurrent === undefined && rateLimitPerSecond === undefined
      ? []
      : [
          {
            name: `${plan.name}/${critic.name}`,
            ...(maxConcurrent !== undefined ? { maxConcurrent } : {}),
            ...(rateLimitPerSecond !== undefined ? { rateLimitPerSecond } : {}),
          },
        ]),
    ...(stageLimit !== undefined ? [{ name: `${plan.name}/${stage}`, maxConcurrent: stageLimit }] : []),
    ...(planLimit !== undefined ? [{ name: plan.name, maxConcurrent: planLimit }] : []),
    // The slash keeps it apart from plans, whose names have none.
    ...(lane !== undefined ? [{ name: `/${lane}`, ...of }] : []),
  ];
}

/** All lanes of some plans, sorted by queue. Local critics need none. */
export function lanesOf(deployment: string, plans: Iterable<Plan>, named: NamedLanes = {}): Lane[] {
  const byQueue = new Map<string, { readonly plan: Plan; readonly critic: PlanCritic }[]>();
  for (const plan of plans) {
    for (const critic of plan.critics) {
      if (critic.dispatch === 'local') continue;
      const queue = laneOf(deployment, plan, critic);
      byQueue.set(queue, [...(byQueue.get(queue) ?? []), { plan, critic }]);
    }
  }
  return [...byQueue]
    .map(([queue, uses]): Lane => {
      const [first] = uses;
      if (first === undefined) throw new Error(`lane ${queue} has no critics`);
      const { plan, critic } = first;
      const isSingle = critic.lane !== undefined || queue === `${planQueue(deployment, plan.name)}/${critic.name}`;
      return {
        queue,
        limits: limitsOf(plan, critic, named),
        ...(plan.limits.scope !== undefined && critic.lane === undefined ? { scope: plan.limits.scope } : {}),
        plans: [...new Set(uses.map((use) => use.plan.name))].toSorted(),
        uses: [...new Set(uses.map((use) => use.critic.uses))].toSorted(),
        ...(isSingle ? { single: true } : {}),
        ...(critic.lane !== undefined && named[critic.lane]?.circuit === 'off' ? { circuit: 'off' } : {}),
      };
    })
    .toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
}

/** Whether one process at a time must own the lane. */
export const isShared = (lane: Lane): boolean => lane.limits.length > 0 && lane.scope === undefined;

/** Critics that can be under way here at once, at most; `undefined`: any number. */
export const slotsOf = (lane: Pick<Lane, 'limits'>): number | undefined => least(lane.limits.map((limit) => limit.maxConcurrent));

/** Starts a second that the lane's task queue may hand out. */
export const rateOf = (lane: Pick<Lane, 'limits'>): number | undefined => least(lane.limits.map((limit) => limit.rateLimitPerSecond));

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** `3 core_analysis`: what the Temporal UI shows beside a critic's name. */
export const stageLabel = (stage: PlanCritic['stage']): string => `${STAGES.indexOf(stage) + 1} ${stage}`;
