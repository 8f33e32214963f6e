/**
 * Which task queue a remote critic runs on, and which limits hold there. Pure; used by workflow, worker and `plan show`.
 *
 * A critic with a limit of its own has a lane of its own. Other limited critics share one lane a stage, so that deep
 * tasks that were already taken never fill a queue that fast critics share. Only unlimited critics use the plan's lane.
 */
import { STAGES, type ExecutionStage, type Plan, type PlanCritic } from '../domain/plan.js';

export type Budget = { readonly name: string; readonly limit: number };

export interface Lane {
  /** Task queue. */
  readonly queue: string;
  /** At most so many critics of this lane at once; absent: unlimited. */
  readonly slots?: number;
  /** Starts a second over all processes that poll it. */
  readonly rateLimitPerSecond?: number;
  /** Wider budgets taken by each critic before it runs, narrow before wide: stage, then plan. */
  readonly budgets: readonly Budget[];
  /** Names of the critics that run here. */
  readonly critics: readonly string[];
}

const planQueue = (deployment: string, plan: string): string => `${deployment}/p/${plan}`;

/** Task queue of a remote critic: its own when it has a limit of its own, its stage's when stage or plan have one, else the plan's. */
export function laneOf(deployment: string, plan: Plan, critic: PlanCritic): string {
  const base = planQueue(deployment, plan.name);
  if (critic.maxConcurrent !== undefined || critic.rateLimitPerSecond !== undefined) return `${base}/${critic.name}`;
  return leastLimit(plan, critic.stage) === undefined ? base : `${base}/${critic.stage}`;
}

/** All lanes of a plan, sorted by queue. Local critics need none. */
export function lanesOf(deployment: string, plan: Plan): Lane[] {
  const byQueue = new Map<string, PlanCritic[]>();
  for (const critic of plan.critics) {
    if (critic.dispatch === 'local') continue;
    const queue = laneOf(deployment, plan, critic);
    byQueue.set(queue, [...(byQueue.get(queue) ?? []), critic]);
  }
  return [...byQueue].map(([queue, critics]) => makeLane(plan, queue, critics)).toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
}

function makeLane(plan: Plan, queue: string, critics: readonly PlanCritic[]): Lane {
  const first = critics[0];
  if (first === undefined) throw new Error(`lane ${queue} has no critics`);
  const own = queue.endsWith(`/${first.name}`) ? first : undefined;
  const limited = own !== undefined || queue.endsWith(`/${first.stage}`);
  const slots = own?.maxConcurrent ?? (limited ? leastLimit(plan, first.stage) : undefined);
  return {
    queue,
    ...(slots !== undefined ? { slots } : {}),
    ...(own?.rateLimitPerSecond !== undefined ? { rateLimitPerSecond: own.rateLimitPerSecond } : {}),
    budgets: limited ? budgetsOf(plan, first.stage) : [],
    critics: critics.map((critic) => critic.name).toSorted(),
  };
}

/** Stage and plan budgets that a critic of this stage takes, narrow before wide. */
function budgetsOf(plan: Plan, stage: ExecutionStage): Budget[] {
  const stageLimit = plan.limits.maxConcurrentPerStage[stage];
  const planLimit = plan.limits.maxConcurrentCritics;
  return [
    ...(stageLimit !== undefined ? [{ name: `${plan.name}/${stage}`, limit: stageLimit }] : []),
    ...(planLimit !== undefined ? [{ name: plan.name, limit: planLimit }] : []),
  ];
}

function leastLimit(plan: Plan, stage: ExecutionStage): number | undefined {
  const limits = [plan.limits.maxConcurrentPerStage[stage], plan.limits.maxConcurrentCritics].filter((limit) => limit !== undefined);
  return limits.length > 0 ? Math.min(...limits) : undefined;
}

/** `3 core_analysis`: what the Temporal UI shows beside a critic's name. */
export const stageLabel = (stage: ExecutionStage): string => `${STAGES.indexOf(stage) + 1} ${stage}`;
