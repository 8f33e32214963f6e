/** Whether `fallbackFor` makes sense: one fallback a critic, not before it, of its kind, and in time for who depends on it. Pure. */
import { fallbackChain, fallbacksOf, type Fallbacks } from './dependencies.js';
import { error, isKnown, unknownCritic, warning, type PlanProblem, type PlanUnderCheck } from './plan-problem.js';
import { STAGES, type Plan, type PlanCritic } from './plan.js';

export function fallbackProblems(check: PlanUnderCheck): PlanProblem[] {
  const { plan } = check;
  const fallbacks = fallbacksOf(plan);
  if (fallbacks.size === 0) return [];
  const critics = new Map(plan.critics.map((critic) => [critic.name, critic]));
  return plan.critics.flatMap((critic) => [
    ...(critic.fallbackFor === undefined ? [] : ownProblems(check, critic, critic.fallbackFor, critics)),
    ...lateProblems(critic, fallbacks, critics),
    ...standInProblems(critic, critics),
  ]);
}

type Critics = ReadonlyMap<string, PlanCritic>;

function ownProblems(check: PlanUnderCheck, critic: PlanCritic, forName: string, critics: Critics): PlanProblem[] {
  const { name } = critic;
  const path = ['critics', name, 'fallbackFor'];
  const problem = placeProblem(check, critic, forName, critics);
  if (problem !== undefined) return [error(path, problem)];
  const other = critics.get(forName);
  const own: PlanProblem[] = [];
  if (critic.policy !== 'always') {
    const message = `a fallback runs when ${forName} gave no finding: executionPolicy ${critic.policy} does not go with fallbackFor`;
    own.push(error(['critics', name, 'executionPolicy'], message));
  }
  const onItself = critic.dependsOn.indexOf(forName);
  if (onItself !== -1) {
    const message = `${name} stands in for ${forName} and cannot depend on it: there is no finding of ${forName} when ${name} runs`;
    own.push(error(['critics', name, 'dependsOn', onItself], message));
  }
  const late = other === undefined ? undefined : timeProblem(check.plan, critic, other);
  return late === undefined ? own : [...own, warning(path, late)];
}

/** What keeps a critic from standing in for another, or `undefined`. */
function placeProblem(check: PlanUnderCheck, critic: PlanCritic, forName: string, critics: Critics): string | undefined {
  const { name, stage, mode } = critic;
  if (forName === name) return `${name} is its own fallback`;
  if (!isKnown(check, forName)) return unknownCritic(check, forName);
  // In the order of the file, which is not that of the stages.
  const [first] = Object.keys(check.source.critics).filter((one) => critics.get(one)?.fallbackFor === forName);
  if (first !== undefined && first !== name) {
    return `${forName} has a fallback already, ${first}, and can have one: ${name} may be the fallback for ${first}`;
  }
  const other = critics.get(forName);
  if (other === undefined) return undefined;
  if (STAGES.indexOf(other.stage) > STAGES.indexOf(stage)) {
    return `${name} (${stage}) stands in for ${forName}, which runs in a later stage (${other.stage})`;
  }
  if (other.mode !== mode) {
    const why = mode === 'shadow' ? 'a shadow critic may not change anything' : 'what a shadow critic did may not change anything';
    return `${name} is in mode ${mode} and stands in for ${forName}, which is in mode ${other.mode}: ${why}`;
  }
  if (critic.dispatch === 'local' && other.dispatch === 'activity' && other.stage === stage) {
    return `${name} is dispatched local and stands in for ${forName} of its own stage, which is not: local critics of a stage run first`;
  }
  return undefined;
}

/** Who depends on a critic is given its fallback's finding, so that this one must not come later. */
function lateProblems(critic: PlanCritic, fallbacks: Fallbacks, critics: Critics): PlanProblem[] {
  const { name, stage } = critic;
  return critic.dependsOn.flatMap((dependency, index) => {
    // That a fallback depends on what it stands in for is told by its own entry.
    const chain = fallbackChain(dependency, fallbacks).filter((fallback) => fallback.name !== name && critics.has(dependency));
    const problems = chain.flatMap((fallback) => {
      const whose = `${name} depends on ${dependency}, whose fallback ${fallback.name}`;
      if (STAGES.indexOf(fallback.stage) > STAGES.indexOf(stage)) return [`${whose} runs in a later stage (${fallback.stage})`];
      const waitsForTask = critic.dispatch === 'local' && fallback.dispatch === 'activity' && fallback.stage === stage;
      return waitsForTask ? [`${whose} is not dispatched local as ${name} is: local critics of a stage run first`] : [];
    });
    return problems.slice(0, 1).map((message) => error(['critics', name, 'dependsOn', index], message));
  });
}

/** Who depends on a fallback alone is gated whenever that is not needed, which is hardly ever meant. */
function standInProblems({ name, dependsOn }: PlanCritic, critics: Critics): PlanProblem[] {
  return dependsOn.flatMap((dependency, index) => {
    const forName = critics.get(dependency)?.fallbackFor;
    if (forName === undefined || forName === name) return [];
    const message = `${name} is gated whenever ${forName} gave a finding, since ${dependency} is its fallback: depend on ${forName} to be given whichever of the two succeeded`;
    return [warning(['critics', name, 'dependsOn', index], message)];
  });
}

/** A critic that may use up the time that its fallback would need: then the fallback is there in vain. */
function timeProblem(plan: Plan, fallback: PlanCritic, critic: PlanCritic): string | undefined {
  const { globalMs, stagesMs } = plan.timeouts;
  const stageMs = fallback.stage === critic.stage ? (stagesMs[critic.stage] ?? globalMs) : globalMs;
  const hasMs = Math.min(stageMs, globalMs);
  let mayMs = critic.attemptTimeoutMs * (critic.maxRetries + 1);
  for (let retry = 1; retry <= critic.maxRetries && mayMs < hasMs; retry += 1) mayMs += critic.retryBackoffBase ** retry * 1_000;
  if (Math.min(mayMs, critic.timeoutMs ?? Infinity) < hasMs) return undefined;
  const whose = hasMs < globalMs ? `its stage ${critic.stage}` : 'the whole evaluation';
  return `${critic.name} may use up the time of ${whose}, and then none is left for its fallback: give ${critic.name} a timeout`;
}
