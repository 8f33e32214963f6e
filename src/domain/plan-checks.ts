/**
 * What fields of a plan mean together: all problems at once. Pure; the form of each field was checked before.
 */
import { jsonBytes } from './bytes.js';
import { modelOf } from './compile-plan.js';
import { dependencyProblems } from './plan-dependency-checks.js';
import { expressionProblems } from './plan-expression-checks.js';
import { fallbackProblems } from './plan-fallback-checks.js';
import { limitProblems } from './plan-limit-checks.js';
import { error, errorAtKey, hint, isKnown, unknownCritic, warning, type PlanProblem, type PlanUnderCheck } from './plan-problem.js';
import { reviewProblems } from './plan-review-checks.js';
import { visibleTo } from './gate.js';
import { STAGES, type PlanCritic } from './plan.js';

/** The history of so many stays far under the server's 51,200 events, and a fresh worker replays it in about a second. */
const MAX_CRITICS = 1_000;
/** The options stand in the pinned plan and in the input of every run of the critic. */
const MAX_OPTIONS_BYTES = 8_192;
/** Stands in one marker of 2 MB beside a local batch of at most 1 MB. */
const MAX_PLAN_BYTES = 524_288;

const NAME = /^[a-z][a-z0-9_]{0,63}$/;
/** Reserved by CEL, where names of critics stand behind `critics.`. */
const CEL_KEYWORDS = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** All problems of a plan whose fields are well formed. */
export function planProblems(check: PlanUnderCheck): PlanProblem[] {
  return [
    ...nameProblems(check),
    ...sizeProblems(check),
    ...policyProblems(check),
    ...blindGates(check),
    ...dependencyProblems(check),
    ...fallbackProblems(check),
    ...limitProblems(check),
    ...oneOfProblems(check),
    ...expressionProblems(check),
    ...allowNeedsProblems(check),
    ...reviewProblems(check),
    ...priceProblems(check),
    ...caseProblems(check),
  ];
}

/** What keeps a text from being the name of a plan or critic, or `undefined`. */
function nameProblem(name: string): string | undefined {
  if (!NAME.test(name)) {
    return `${JSON.stringify(name.slice(0, 80))} is not a name: write [a-z][a-z0-9_]{0,63}, such as deep_bias`;
  }
  if (CEL_KEYWORDS.has(name)) return `nothing may be called ${name}: it is a keyword of CEL`;
  // The other names that every object has hold capitals or underscores in front.
  if (name === 'default' || name === 'constructor') return `nothing may be called ${name}`;
  return undefined;
}

function nameProblems({ source, setAside }: PlanUnderCheck): PlanProblem[] {
  const ofPlan = nameProblem(source.plan);
  const ofCritics = [...Object.keys(source.critics), ...setAside].flatMap((name) => {
    const isStage = STAGES.some((stage) => stage === name);
    const problem = isStage ? `a critic may not be called ${name}: it is the name of a stage` : nameProblem(name);
    return problem === undefined ? [] : [errorAtKey(['critics', name], problem)];
  });
  return [...(ofPlan === undefined ? [] : [error(['plan'], ofPlan)]), ...ofCritics];
}

function sizeProblems({ plan, setAside }: PlanUnderCheck): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const count = plan.critics.length + setAside.size;
  if (count === 0) problems.push(error(['critics'], 'a plan needs at least one critic'));
  if (count > MAX_CRITICS) problems.push(error(['critics'], `a plan has at most ${MAX_CRITICS} critics, this one has ${count}`));
  if (plan.critics.length > 0 && setAside.size === 0 && plan.critics.every((critic) => critic.mode === 'shadow')) {
    problems.push(error(['critics'], 'all critics are in mode shadow, so nothing would judge: at least one must enforce'));
  }
  for (const critic of plan.critics) {
    const bytes = jsonBytes(critic.with);
    if (bytes > MAX_OPTIONS_BYTES) {
      problems.push(
        error(
          ['critics', critic.name, 'with'],
          `the options of a critic have at most ${MAX_OPTIONS_BYTES} bytes as JSON, these have ${bytes}`,
        ),
      );
    }
  }
  const bytes = jsonBytes(plan);
  if (bytes > MAX_PLAN_BYTES)
    problems.push(error([], `a compiled plan has at most ${MAX_PLAN_BYTES} bytes as JSON, this one has ${bytes}`));
  return problems;
}

/** A gate that looks at earlier critics, and there are none: the critic would be gated always, without a word. */
function blindGates({ plan }: PlanUnderCheck): PlanProblem[] {
  const blind = plan.critics.filter(
    (critic) => (critic.policy === 'on_violation' || critic.policy === 'on_uncertainty') && visibleTo(plan, critic).length === 0,
  );
  return blind.map(({ name, policy }) =>
    warning(
      ['critics', name, 'executionPolicy'],
      `${name} would be gated always: ${policy} looks at critics of earlier stages and its own dependencies, and there are none`,
    ),
  );
}

/** Fields that belong to one execution policy. */
function policyProblems({ source }: PlanUnderCheck): PlanProblem[] {
  return Object.entries(source.critics).flatMap(([name, critic]) => {
    const problems: PlanProblem[] = [];
    const policy = critic.executionPolicy ?? 'always';
    if (policy === 'conditional' && critic.condition === undefined) {
      problems.push(error(['critics', name, 'executionPolicy'], 'conditional needs a condition'));
    }
    if (policy !== 'conditional' && critic.condition !== undefined) {
      problems.push(error(['critics', name, 'condition'], `a condition goes with executionPolicy conditional, not with ${policy}`));
    }
    if (policy !== 'on_uncertainty' && critic.uncertaintyThreshold !== undefined) {
      problems.push(
        error(
          ['critics', name, 'uncertaintyThreshold'],
          `uncertaintyThreshold goes with executionPolicy on_uncertainty, not with ${policy}`,
        ),
      );
    }
    return problems;
  });
}

/** Entries that must say exactly one thing. */
function oneOfProblems({ source }: PlanUnderCheck): PlanProblem[] {
  const rules = (source.verdict.rules ?? []).flatMap(({ deny, escalate, decisive }, index) => {
    if ((deny === undefined) === (escalate === undefined)) {
      return [error(['verdict', 'rules', index], 'a rule has exactly one of deny and escalate')];
    }
    return decisive === true && deny === undefined
      ? [error(['verdict', 'rules', index, 'decisive'], 'only a deny rule can be decisive: a later deny would outrank an escalate')]
      : [];
  });
  const tiers = (source.risk?.atLeast ?? []).flatMap((entry, index) =>
    Object.keys(entry).length === 1 ? [] : [error(['risk', 'atLeast', index], 'an entry has exactly one of medium, high and critical')],
  );
  return [...rules, ...tiers];
}

function allowNeedsProblems(check: PlanUnderCheck): PlanProblem[] {
  const needs = check.source.verdict.allowNeeds;
  if (needs === undefined) return [];
  if (needs.critics === undefined && needs.coverage === undefined) {
    return [error(['verdict', 'allowNeeds'], 'allowNeeds must name critics or a coverage')];
  }
  return (needs.critics ?? []).flatMap((name, index) => {
    const path = ['verdict', 'allowNeeds', 'critics', index];
    if (!isKnown(check, name)) return [error(path, unknownCritic(check, name))];
    const critic = check.plan.critics.find((one) => one.name === name);
    if (critic?.mode === 'shadow') return [error(path, `allow cannot need ${name}: it is in mode shadow, which changes nothing`)];
    const when = critic === undefined ? undefined : runsOnly(critic);
    if (when === undefined) return [];
    return [warning(path, `allow needs ${name}, which runs only ${when}: whenever it is gated, allow is impossible`)];
  });
}

/** What has to be so that a critic runs; `undefined`: it always does. */
function runsOnly({ policy, fallbackFor }: PlanCritic): string | undefined {
  if (fallbackFor !== undefined) return `when ${fallbackFor} gave no finding`;
  return policy === 'always' ? undefined : policy;
}

/** A price under a name that no critic has is most often a name that was misspelt, and then money is not counted. */
function priceProblems({ source, plan, setAside }: PlanUnderCheck): PlanProblem[] {
  if (setAside.size > 0) return [];
  const models = plan.critics.flatMap((critic) => modelOf(critic.with) ?? []);
  return Object.keys(source.prices ?? {})
    .filter((model) => !models.includes(model))
    .map((model) => {
      const why = models.length === 0 ? 'none has a model in its options' : `none has it as model in its options${hint(model, models)}`;
      return { ...warning(['prices', model], `no critic uses this price: ${why}`), atKey: true };
    });
}

function caseProblems(check: PlanUnderCheck): PlanProblem[] {
  const names = new Set<string>();
  const unknownOf = (critics: readonly string[]): [number, string][] =>
    [...critics.entries()].filter(([, critic]) => !isKnown(check, critic));
  return (check.source.cases ?? []).flatMap(({ name, given, expect }, index) => {
    const path = ['cases', index];
    const twice = names.has(name) ? [error([...path, 'name'], `a case called ${JSON.stringify(name)} stands above already`)] : [];
    names.add(name);
    const keyed = [
      { at: ['given', 'findings'], map: given?.findings },
      { at: ['given', 'outcomes'], map: given?.outcomes },
      { at: ['expect', 'outcomes'], map: expect.outcomes },
    ].flatMap(({ at, map }) =>
      unknownOf(Object.keys(map ?? {})).map(([, critic]) => errorAtKey([...path, ...at, critic], unknownCritic(check, critic))),
    );
    const listed = [
      { at: ['expect', 'gated'], list: expect.gated },
      { at: ['expect', 'ran'], list: expect.ran },
    ].flatMap(({ at, list }) =>
      unknownOf(list ?? []).map(([entry, critic]) => error([...path, ...at, entry], unknownCritic(check, critic))),
    );
    return [...twice, ...keyed, ...listed];
  });
}
