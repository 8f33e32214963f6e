/** What differs between two plans about one critic that both have. Pure. */
import type { Json } from './finding.js';
import { FAILURE_EFFECTS, FAILURE_OUTCOMES, type FailureOutcome } from './outcomes.js';
import { effectOn, type PlanCritic } from './plan.js';
import { unless, type PlanPair } from './plan-diff-effects.js';
import { byRank, changed, noted, type Change, type ChangeDirection } from './plan-diff-words.js';

/** @param pair the plans that they stand in. */
export function criticChanges(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
  const isShadow = a.mode === 'shadow' && b.mode === 'shadow';
  // All that a shadow critic can do to others is to take budget and time from them.
  const takes = isShadow ? pair.whyRuns([a.name]) : undefined;
  const shadowed = (change: Change): Change =>
    isShadow && change.direction !== 'neither' ? { ...change, direction: takes === undefined ? 'neither' : 'unranked' } : change;
  const unseen = (change: Change): Change => (isShadow ? { ...change, direction: 'neither' } : change);
  return [
    ...modeChange(a, b, pair),
    ...[...placeChanges(a, b), ...implementationChanges(a, b), ...policyChanges(a, b, pair), ...fallbackChanges(a, b)].map(shadowed),
    ...failureChanges(a, b, pair).map(unseen),
    ...outputChanges(a, b, pair).map(shadowed),
    ...timeChanges(a, b, pair),
    ...weightChanges(a, b, pair),
    ...plainChanges(a, b),
  ].map((change) => ({ ...change, about: a.name }));
}

const one = (name: string, field: string, from: unknown, to: unknown, direction: ChangeDirection, why?: string): Change[] =>
  from === to ? [] : [changed(field === '' ? name : `${name}: ${field}`, word(from), word(to), direction, why)];

/** JSON is for options; texts and numbers stand as they are. */
function word(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function modeChange(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
  if (a.mode === b.mode) return [];
  return one(a.name, '', a.mode, b.mode, ...unless(byRank(['shadow', 'enforce'], a.mode, b.mode), pair.whyComes(a.name)));
}

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
function policyChanges(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
  if (a.policy !== b.policy) {
    const direction = a.policy === 'always' ? 'looser' : b.policy === 'always' ? 'stricter' : 'unranked';
    const when = b.policy === 'conditional' ? `only if ${b.condition ?? ''}` : undefined;
    const [ranked, why] = direction === 'unranked' ? ([direction] as const) : unless(direction, pair.whyRuns([a.name]));
    const said = [when, why].filter((part) => part !== undefined).join('; ');
    return one(a.name, '', a.policy, b.policy, ranked, said === '' ? undefined : said);
  }
  const condition = one(a.name, 'condition', a.condition, b.condition, 'unranked');
  const [from, to] = [a.uncertaintyThreshold, b.uncertaintyThreshold];
  if (from === to) return condition;
  const direction = (from ?? 0) < (to ?? 0) ? 'looser' : 'stricter';
  return [...condition, ...one(a.name, 'uncertaintyThreshold', from, to, ...unless(direction, pair.whyRuns([a.name])))];
}

/** It runs in other cases, and what its success covers and its failure means are others, too. */
const fallbackChanges = (a: PlanCritic, b: PlanCritic): Change[] => one(a.name, 'fallbackFor', a.fallbackFor, b.fallbackFor, 'unranked');

/** One line for all outcomes that changed alike. */
function failureChanges(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
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
    // Gates look closer at a failure only when it is not ignored.
    const why = from === 'ignore' || to === 'ignore' ? pair.whyLeftOpen(a.name) : undefined;
    return one(a.name, field, from, to, ...unless(byRank(FAILURE_EFFECTS, from, to), why));
  });
}

/** What asks more of a finding stops more, unless a finding that is refused is ignored or another one takes its place. */
function outputChanges(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
  const gone = a.requiredOutputFields.filter((field) => !b.requiredOutputFields.includes(field));
  const come = b.requiredOutputFields.filter((field) => !a.requiredOutputFields.includes(field));
  const [from, to] = [a.validateOutput, b.validateOutput];
  if (gone.length + come.length === 0 && from === to) return [];
  const why = pair.whyEnds(a.name, ['invalid_output']);
  const needs = (text: string, direction: ChangeDirection): Change => noted({ about: a.name, text: `${a.name}: ${text}`, direction }, why);
  const rule = from === undefined ? 'stricter' : to === undefined ? 'looser' : 'unranked';
  return [
    ...(gone.length === 0 ? [] : [needs(`its finding need not have ${gone.join(', ')} any more`, 'looser')]),
    ...(come.length === 0 ? [] : [needs(`its finding must now have ${come.join(', ')}`, 'stricter')]),
    ...one(a.name, 'validateOutput', from, to, ...unless(rule, why)),
  ];
}

/**
 * How fast it is, and how often it is asked again: who has too little of it fails, which stops more where failures count.
 * That is no direction, for the run can be repeated.
 */
function timeChanges(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
  const ms = (value: number | undefined): string | undefined => (value === undefined ? undefined : `${value} ms`);
  const slower = (field: string, from: unknown, to: unknown, ...also: readonly FailureOutcome[]): Change[] =>
    from === to ? [] : one(a.name, field, from, to, ...unless('neither', pair.whySlower(a, ...also)));
  return [
    ...slower('timeout', ms(a.timeoutMs), ms(b.timeoutMs)),
    ...slower('attemptTimeout', ms(a.attemptTimeoutMs), ms(b.attemptTimeoutMs)),
    ...slower('maxRetries', a.maxRetries, b.maxRetries),
    ...slower('retryBackoffBase', a.retryBackoffBase, b.retryBackoffBase),
    ...slower('retryOnTimeout', a.retryOnTimeout, b.retryOnTimeout),
    // What a batch of local critics has no room for is invalid output.
    ...slower('dispatch', a.dispatch, b.dispatch, 'invalid_output'),
    ...slower('isolation', a.isolation ?? 'none', b.isolation ?? 'none'),
    ...slower('priority', a.priority, b.priority),
    ...slower('maxConcurrent', a.maxConcurrent, b.maxConcurrent),
    ...slower('rateLimitPerSecond', a.rateLimitPerSecond, b.rateLimitPerSecond),
    ...slower('lane', a.lane, b.lane),
  ];
}

/** Weights decide who is over budget, and how much is covered. */
function weightChanges(a: PlanCritic, b: PlanCritic, pair: PlanPair): Change[] {
  const plans = [pair.a, pair.b];
  const weighs = plans.some(({ budget, verdict }) => budget.maxCost !== undefined || verdict.allowNeeds?.coverage !== undefined);
  const isShadow = a.mode === 'shadow' && b.mode === 'shadow';
  const isUnclear = isShadow ? pair.whyBudget() !== undefined : weighs;
  return one(a.name, 'costWeight', a.costWeight, b.costWeight, isUnclear ? 'unranked' : 'neither');
}

const plainChanges = (a: PlanCritic, b: PlanCritic): Change[] => [
  ...one(a.name, 'price', a.price && JSON.stringify(a.price), b.price && JSON.stringify(b.price), 'neither'),
  ...one(a.name, 'tags', a.tags.join(', '), b.tags.join(', '), 'neither'),
];
