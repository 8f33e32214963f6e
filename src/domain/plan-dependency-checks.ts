/** Whether `dependsOn` makes sense: known, not itself, not later, no cycle, nothing that its critic may not wait for. Pure. */
import type { ParsedCritic } from '../schemas/plan.js';
import { dispatchOf } from './compile-plan.js';
import { fallbackChain, fallbacksOf, waitsFor } from './dependencies.js';
import { error, isKnown, unknownCritic, type PlanPath, type PlanProblem, type PlanUnderCheck } from './plan-problem.js';
import { STAGES, type Plan } from './plan.js';

export function dependencyProblems(check: PlanUnderCheck): PlanProblem[] {
  const single = Object.entries(check.source.critics).flatMap(([name, critic]) =>
    (critic.dependsOn ?? []).flatMap((dependency, index) => {
      const problem = dependencyProblem(check, name, critic, dependency, index);
      return problem === undefined ? [] : [error(['critics', name, 'dependsOn', index], problem)];
    }),
  );
  return [...single, ...cycleProblems(check)];
}

function dependencyProblem(
  check: PlanUnderCheck,
  name: string,
  critic: ParsedCritic,
  dependency: string,
  index: number,
): string | undefined {
  if (dependency === name) return `${name} depends on itself`;
  if (critic.dependsOn?.indexOf(dependency) !== index) return `${dependency} is named twice`;
  if (!isKnown(check, dependency)) return unknownCritic(check, dependency);
  const other = check.source.critics[dependency];
  if (other === undefined) return undefined;
  if (STAGES.indexOf(other.stage) > STAGES.indexOf(critic.stage)) {
    return `${name} (${critic.stage}) depends on ${dependency}, which runs in a later stage (${other.stage})`;
  }
  if (other.mode === 'shadow' && critic.mode !== 'shadow') {
    return `${name} depends on ${dependency}, which is in mode shadow: a shadow critic may not change anything`;
  }
  const waitsForTask = dispatchOf(critic, check.source) === 'local' && dispatchOf(other, check.source) === 'activity';
  if (waitsForTask && other.stage === critic.stage) {
    return `${name} is dispatched local and depends on ${dependency} of its own stage, which is not: local critics of a stage run first`;
  }
  return undefined;
}

/** Every cycle is named once, by its critics in order. Iterative: a plan may chain a thousand critics. */
function cycleProblems({ source, plan }: PlanUnderCheck): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const done = new Set<string>();
  const fallbacks = fallbacksOf(plan);
  const critics = new Map(plan.critics.map((critic) => [critic.name, critic]));
  const dependenciesOf = (name: string): string[] => {
    const critic = critics.get(name);
    const names = critic === undefined ? [] : waitsFor(critic, fallbacks);
    return names.filter((other) => other !== name && critics.has(other));
  };

  for (const root of Object.keys(source.critics)) {
    if (done.has(root)) continue;
    // The walk from the root: each critic with the dependencies that are still to be looked at.
    const walk = [{ name: root, left: dependenciesOf(root) }];
    const onWalk = new Set([root]);
    for (let top = walk.at(-1); top !== undefined; top = walk.at(-1)) {
      const next = top.left.shift();
      if (next === undefined) {
        walk.pop();
        onWalk.delete(top.name);
        done.add(top.name);
      } else if (onWalk.has(next)) {
        problems.push(
          cycleProblem(
            walk.map((step) => step.name),
            next,
            plan,
          ),
        );
      } else if (!done.has(next)) {
        walk.push({ name: next, left: dependenciesOf(next) });
        onWalk.add(next);
      }
    }
  }
  return problems;
}

/** A cycle that is longer is told by its ends. */
const MOST_NAMES = 12;

function cycleProblem(walk: readonly string[], first: string, plan: Plan): PlanProblem {
  const cycle = [...walk.slice(walk.indexOf(first)), first];
  const shown = cycle.length > MOST_NAMES ? [...cycle.slice(0, MOST_NAMES - 2), `… ${cycle.length - MOST_NAMES + 1} more …`, first] : cycle;
  const last = walk.at(-1) ?? first;
  const hasFallback = plan.critics.some((critic) => critic.fallbackFor !== undefined && cycle.includes(critic.name));
  const why = hasFallback ? '; a fallback waits for its critic, and who depends on a critic waits for its fallback too' : '';
  return error(['critics', last, ...writtenAt(last, first, plan)], `critics wait for each other: ${shown.join(' -> ')}${why}`);
}

/** Which words of a critic make it wait for another: its `fallbackFor`, or the entry of `dependsOn` that is this critic or has it as fallback. */
function writtenAt(name: string, other: string, plan: Plan): PlanPath {
  const critic = plan.critics.find((one) => one.name === name);
  if (critic?.fallbackFor === other && !critic.dependsOn.includes(other)) return ['fallbackFor'];
  const fallbacks = fallbacksOf(plan);
  const leads = (dependency: string): boolean =>
    dependency === other || fallbackChain(dependency, fallbacks).some((fallback) => fallback.name === other);
  return ['dependsOn', Math.max(0, critic?.dependsOn.findIndex(leads) ?? 0)];
}
