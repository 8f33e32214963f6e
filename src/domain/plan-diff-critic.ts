/** What differs between two plans about one critic that both have. Pure. */
import type { Json } from './finding.js';
import { FAILURE_EFFECTS, FAILURE_OUTCOMES, type FailureOutcome } from './outcomes.js';
import { effectOn, type Plan, type PlanCritic } from './plan.js';
import { byRank, changed, type Change, type ChangeDirection } from './plan-diff-words.js';

/** @param plan the later one, for what it makes of costs. */
export function criticChanges(a: PlanCritic, b: PlanCritic, plan: Plan): Change[] {
  const changes = [
    ...modeChange(a, b),
    ...placeChanges(a, b),
    ...implementationChanges(a, b),
    ...policyChanges(a, b),
    ...fallbackChanges(a, b),
    ...failureChanges(a, b),
    ...outputChanges(a, b),
    ...timeChanges(a, b),
    ...plainChanges(a, b, plan),
  ];
  const isShadow = a.mode === 'shadow' && b.mode === 'shadow';
  return changes.map((change) => ({ ...change, about: a.name, ...(isShadow ? { direction: 'neither' as const } : {}) }));
}

const one = (name: string, field: string, from: unknown, to: unknown, direction: ChangeDirection, why?: string): Change[] =>
  from === to ? [] : [changed(field === '' ? name : `${name}: ${field}`, word(from), word(to), direction, why)];

/** JSON is for options; texts and numbers stand as they are. */
function word(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const modeChange = (a: PlanCritic, b: PlanCritic): Change[] =>
  one(a.name, '', a.mode, b.mode, byRank(['shadow', 'enforce'], a.mode, b.mode));

function placeChanges(a: PlanCritic, b: PlanCritic): Change[] {
  const gone = a.dependsOn.filter((name) => !b.dependsOn.includes(name));
  const come = b.dependsOn.filter((name) => !a.dependsOn.includes(name));
  const isReordered = gone.length + come.length === 0 && a.dependsOn.join() !== b.dependsOn.join();
  const depends = (text: string, direction: ChangeDirection): Change => ({ about: a.name, text: `${a.name}: ${text}`, direction });
  return [
    ...one(a.name, 'stage', a.stage, b.stage, 'unranked', 'what gates see of it, and its own of others, changes'),
    ...(gone.length === 0 ? [] : [depends(`no longer depends on ${gone.join(', ')}`, 'unranked')]),
    ...(come.length === 0 ? [] : [depends(`now depends on ${come.join(', ')}`, 'unranked')]),
    ...(isReordered ? [depends('dependsOn: only the order changed', 'neither')] : []),
  ];
}

function implementationChanges(a: PlanCritic, b: PlanCritic): Change[] {
  return [
    ...one(a.name, 'uses', a.uses, b.uses, 'unranked'),
    ...(a.uses === b.uses ? one(a.name, `version of ${a.uses}`, a.version, b.version, 'unranked') : []),
    ...optionChanges(a.with, b.with).flatMap(({ path, from, to }) => one(a.name, path, from, to, 'unranked')),
  ];
}

interface OptionChange {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const isMap = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps are compared key by key, everything else as a whole. */
function optionChanges(from: Json | undefined, to: Json | undefined, path = 'with'): OptionChange[] {
  if (isMap(from) && isMap(to)) {
    const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
    return [...keys].toSorted().flatMap((key) => optionChanges(ownOf(from, key), ownOf(to, key), `${path}.${key}`));
  }
  const [before, after] = [from, to].map((value) => (value === undefined ? undefined : JSON.stringify(value)));
  return before === after ? [] : [{ path, from: before, to: after }];
}

const ownOf = (map: { readonly [key: string]: Json }, key: string): Json | undefined => (Object.hasOwn(map, key) ? map[key] : undefined);

/** `always` looks at everything; what other policies let through depends on the content. */
function policyChanges(a: PlanCritic, b: PlanCritic): Change[] {
  if (a.policy !== b.policy) {
    const direction = a.policy === 'always' ? 'looser' : b.policy === 'always' ? 'stricter' : 'unranked';
    const when = b.policy === 'conditional' ? `only if ${b.condition ?? ''}` : undefined;
    return one(a.name, '', a.policy, b.policy, direction, when);
  }
  const [from, to] = [a.uncertaintyThreshold, b.uncertaintyThreshold];
  const threshold = (from ?? 0) < (to ?? 0) ? 'looser' : 'stricter';
  return [...one(a.name, 'condition', a.condition, b.condition, 'unranked'), ...one(a.name, 'uncertaintyThreshold', from, to, threshold)];
}

/** A fallback runs less often than a critic of its own, and its success lets pass what a failure would have stopped. */
function fallbackChanges(a: PlanCritic, b: PlanCritic): Change[] {
  const direction = a.fallbackFor === undefined ? 'looser' : b.fallbackFor === undefined ? 'stricter' : 'unranked';
  return one(a.name, 'fallbackFor', a.fallbackFor, b.fallbackFor, direction);
}

/** One line for all outcomes that changed alike. */
function failureChanges(a: PlanCritic, b: PlanCritic): Change[] {
  const byChange = new Map<string, FailureOutcome[]>();
  for (const outcome of FAILURE_OUTCOMES) {
    const [from, to] = [effectOn(a, outcome), effectOn(b, outcome)];
    if (from === to) continue;
    const alike = byChange.get(`${from} ${to}`);
    if (alike === undefined) byChange.set(`${from} ${to}`, [outcome]);
    else alike.push(outcome);
  }
  return [...byChange.values()].flatMap((outcomes) => {
    const [first] = outcomes;
    if (first === undefined) return [];
    const [from, to] = [effectOn(a, first), effectOn(b, first)];
    const isAll = outcomes.length === FAILURE_OUTCOMES.length;
    const field = isAll ? 'onFailure' : outcomes.length === 1 ? `onFailure.${first}` : `onFailure (${outcomes.join(', ')})`;
    return one(a.name, field, from, to, byRank(FAILURE_EFFECTS, from, to));
  });
}

/** What asks more of a finding stops more, unless a finding that is refused is ignored. */
function outputChanges(a: PlanCritic, b: PlanCritic): Change[] {
  const refusals = effectOn(b, 'invalid_output') === 'ignore';
  const gone = a.requiredOutputFields.filter((field) => !b.requiredOutputFields.includes(field));
  const come = b.requiredOutputFields.filter((field) => !a.requiredOutputFields.includes(field));
  const needs = (text: string, direction: ChangeDirection): Change => ({
    about: a.name,
    text: `${a.name}: ${text}`,
    direction: refusals ? 'unranked' : direction,
  });
  const [from, to] = [a.validateOutput, b.validateOutput];
  const rule = from === undefined ? 'stricter' : to === undefined ? 'looser' : 'unranked';
  return [
    ...(gone.length === 0 ? [] : [needs(`its finding need not have ${gone.join(', ')} any more`, 'looser')]),
    ...(come.length === 0 ? [] : [needs(`its finding must now have ${come.join(', ')}`, 'stricter')]),
    ...one(a.name, 'validateOutput', from, to, refusals ? 'unranked' : rule),
  ];
}

/** Less time and fewer attempts mean more failures, which is only looser where the plan ignores them. */
function timeChanges(a: PlanCritic, b: PlanCritic): Change[] {
  const less = (from: number | undefined, to: number | undefined, outcome: 'timed_out' | 'failed'): [ChangeDirection, string?] => {
    const isLess = (to ?? Number.POSITIVE_INFINITY) < (from ?? Number.POSITIVE_INFINITY);
    return isLess && effectOn(b, outcome) === 'ignore' ? ['looser', 'and its failure is ignored'] : ['neither'];
  };
  const ms = (value: number | undefined): string | undefined => (value === undefined ? undefined : `${value} ms`);
  return [
    ...one(a.name, 'timeout', ms(a.timeoutMs), ms(b.timeoutMs), ...less(a.timeoutMs, b.timeoutMs, 'timed_out')),
    ...one(
      a.name,
      'attemptTimeout',
      ms(a.attemptTimeoutMs),
      ms(b.attemptTimeoutMs),
      ...less(a.attemptTimeoutMs, b.attemptTimeoutMs, 'timed_out'),
    ),
    ...one(a.name, 'maxRetries', a.maxRetries, b.maxRetries, ...less(a.maxRetries, b.maxRetries, 'failed')),
    ...one(a.name, 'retryBackoffBase', a.retryBackoffBase, b.retryBackoffBase, 'neither'),
    ...one(a.name, 'retryOnTimeout', a.retryOnTimeout, b.retryOnTimeout, 'neither'),
  ];
}

function plainChanges(a: PlanCritic, b: PlanCritic, plan: Plan): Change[] {
  // Weights decide who is over budget, and how much is covered.
  const weighs = plan.budget.maxCost !== undefined || plan.verdict.allowNeeds?.coverage !== undefined;
  return [
    ...one(a.name, 'costWeight', a.costWeight, b.costWeight, weighs ? 'unranked' : 'neither'),
    ...one(a.name, 'dispatch', a.dispatch, b.dispatch, 'neither'),
    ...one(a.name, 'priority', a.priority, b.priority, 'neither'),
    ...one(a.name, 'maxConcurrent', a.maxConcurrent, b.maxConcurrent, 'neither'),
    ...one(a.name, 'rateLimitPerSecond', a.rateLimitPerSecond, b.rateLimitPerSecond, 'neither'),
    ...one(a.name, 'price', a.price && JSON.stringify(a.price), b.price && JSON.stringify(b.price), 'neither'),
    ...one(a.name, 'tags', a.tags.join(', '), b.tags.join(', '), 'neither'),
  ];
}
