/** Limits and times of a plan against each other: narrower ones inside wider ones. Pure. */
import type { ParsedCritic } from '../schemas/plan.js';
import { LOCAL_ATTEMPT_MS } from './compile-plan.js';
import { error, warning, type PlanProblem, type PlanUnderCheck } from './plan-problem.js';
import { STAGES, type Plan, type PlanCritic } from './plan.js';

export function limitProblems(check: PlanUnderCheck): PlanProblem[] {
  const { source, plan } = check;
  return [
    ...stageProblems(check),
    ...plan.critics.flatMap((critic) => {
      const written = source.critics[critic.name];
      if (written === undefined) return [];
      return [
        ...(critic.dispatch === 'local' ? localProblems(critic.name, written) : retryProblems(plan, critic)),
        ...concurrencyProblems(plan, critic),
        ...laneProblems(plan, critic),
        ...timeProblems(plan, critic, written),
      ];
    }),
  ];
}

function stageProblems({ source, plan }: PlanUnderCheck): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const { maxConcurrentCritics: all, maxConcurrentPerStage: perStage } = plan.limits;
  const { globalMs, stagesMs } = plan.timeouts;
  for (const stage of STAGES) {
    const limit = perStage[stage];
    if (limit !== undefined && all !== undefined && limit > all) {
      problems.push(
        error(
          ['limits', 'maxConcurrentPerStage', stage],
          `${stage} may run ${limit} at once, but the plan only ${all} (maxConcurrentCritics)`,
        ),
      );
    }
    const stageMs = stagesMs[stage];
    if (stageMs !== undefined && stageMs > globalMs) {
      problems.push(
        error(
          ['timeouts', 'stages', stage],
          `${stage} has ${span(stageMs)}, but the whole evaluation only ${span(globalMs)} (timeouts.global)`,
        ),
      );
    }
  }
  const attemptMs = source.defaults?.attemptTimeout?.ms;
  if (attemptMs !== undefined && attemptMs > globalMs) {
    problems.push(
      error(
        ['defaults', 'attemptTimeout'],
        `an attempt has ${span(attemptMs)}, but the whole evaluation only ${span(globalMs)} (timeouts.global)`,
      ),
    );
  }
  return problems;
}

const NOT_FOR_LOCAL = ['maxConcurrent', 'rateLimitPerSecond', 'maxRetries', 'retryBackoffBase', 'retryOnTimeout'] as const;

/** Inherited values do not apply to local critics; only what is written on the critic itself misleads. */
function localProblems(name: string, written: ParsedCritic): PlanProblem[] {
  const refused = NOT_FOR_LOCAL.filter((field) => written[field] !== undefined).map((field) =>
    error(['critics', name, field], `${field} does not go with dispatch local: local critics have one attempt and no limits`),
  );
  if (written.isolation === 'thread') {
    refused.push(
      error(
        ['critics', name, 'isolation'],
        'isolation thread goes with dispatch activity: a local critic has a second, and would spend it waiting for a free thread',
      ),
    );
  }
  const attemptMs = written.attemptTimeout?.ms ?? 0;
  if (attemptMs <= LOCAL_ATTEMPT_MS) return refused;
  return [
    ...refused,
    error(['critics', name, 'attemptTimeout'], `a critic dispatched local has at most ${span(LOCAL_ATTEMPT_MS)}, not ${span(attemptMs)}`),
  ];
}

function concurrencyProblems(plan: Plan, { name, stage, maxConcurrent }: PlanCritic): PlanProblem[] {
  if (maxConcurrent === undefined) return [];
  const wider = [
    { limit: plan.limits.maxConcurrentPerStage[stage], what: `its stage ${stage}` },
    { limit: plan.limits.maxConcurrentCritics, what: 'the plan' },
  ];
  return wider.flatMap(({ limit, what }) =>
    limit !== undefined && maxConcurrent > limit
      ? [error(['critics', name, 'maxConcurrent'], `${name} may run ${maxConcurrent} times at once, but ${what} only ${limit}`)]
      : [],
  );
}

/** The limits of a named lane are the deployment's, over all its processes: nothing can hold them in one alone. */
function laneProblems(plan: Plan, { name, lane, dispatch }: PlanCritic): PlanProblem[] {
  if (lane === undefined) return [];
  if (dispatch === 'local') return [error(['critics', name, 'lane'], 'lane does not go with dispatch local: local critics have no limits')];
  if (plan.limits.scope === undefined) return [];
  return [
    error(['critics', name, 'lane'], `${name} uses a lane of the deployment, whose limits hold over all workers; limits.scope is worker`),
  ];
}

/** A written time must fit into each wider one; an inherited attempt time is simply cut. */
function timeProblems(plan: Plan, critic: PlanCritic, written: ParsedCritic): PlanProblem[] {
  const stageMs = plan.timeouts.stagesMs[critic.stage];
  const wider = [
    ...(stageMs !== undefined ? [{ ms: stageMs, what: `its stage ${critic.stage}` }] : []),
    { ms: plan.timeouts.globalMs, what: 'the whole evaluation' },
  ];
  const problemOf = (field: 'timeout' | 'attemptTimeout', ms: number | undefined, limits: typeof wider): PlanProblem[] => {
    const least = limits.find((limit) => ms !== undefined && ms > limit.ms);
    if (ms === undefined || least === undefined) return [];
    const subject = field === 'timeout' ? critic.name : `an attempt of ${critic.name}`;
    return [error(['critics', critic.name, field], `${subject} has ${span(ms)}, but ${least.what} only ${span(least.ms)}`)];
  };
  const ownMs = critic.timeoutMs;
  const own = ownMs === undefined ? [] : [{ ms: ownMs, what: 'all its attempts together' }];
  return [...problemOf('timeout', ownMs, wider), ...problemOf('attemptTimeout', written.attemptTimeout?.ms, [...own, ...wider])];
}

/** Back-offs alone are longer than the time there is, so that a retry is promised that never comes. */
function retryProblems(plan: Plan, critic: PlanCritic): PlanProblem[] {
  const hasMs = Math.min(critic.timeoutMs ?? Infinity, plan.timeouts.stagesMs[critic.stage] ?? Infinity, plan.timeouts.globalMs);
  let needsMs = 0;
  for (let retry = 1; retry <= critic.maxRetries; retry += 1) {
    needsMs += critic.retryBackoffBase ** retry * 1_000;
    if (needsMs >= hasMs) {
      const message = `retry ${retry} of ${critic.name} can never start: needs ${span(needsMs)}, has ${span(hasMs)}`;
      return [warning(['critics', critic.name, 'maxRetries'], message)];
    }
  }
  return [];
}

const span = (ms: number): string => (ms % 1_000 === 0 || ms > 1_000_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms)} ms`);
