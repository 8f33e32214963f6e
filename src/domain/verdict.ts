/**
 * Ended critics to one verdict. Pure.
 *
 * V1 deny > not judged > escalate > allow: rules and failures can only raise the decision.
 * V2 No success of an enforcing critic, no allow.
 * V3 A rule that errs counts as escalate and is named.
 * V4 Shadow critics are not seen at all.
 * V5 A critic that a fallback covers has no failure left: it is named, and its finding is the fallback's (`fallback.ts`).
 */
import { compileCel, conditionBindings, holdsByOneFinding, type CelBindings } from './cel.js';
import { fallbacksOf } from './dependencies.js';
import type { Code } from './errors.js';
import { isJudged, withFallbacks } from './fallback.js';
import type { RunFacts } from './gate.js';
import { FAILURE_OUTCOMES, type CriticRecord, type FailureEffect, type FailureOutcome } from './outcomes.js';
import { effectOn, type Plan, type PlanCritic, type VerdictRule } from './plan.js';
import type { Decision, Reason } from './report.js';

export interface Verdict {
  readonly decision: Decision;
  /** In a fixed order: rules as written, critics in plan order, then what allow needs. */
  readonly reasons: readonly Reason[];
  /** A rule or condition erred, or a failure was ignored. */
  readonly degraded: boolean;
}

/** Something was not looked at as the plan has it. */
const DEGRADING: ReadonlySet<string> = new Set<Code>(['RULE_ERROR', 'CONDITION_ERROR', 'RISK_ERROR', 'IGNORED']);
const RANK: Readonly<Record<Decision, number>> = { allow: 0, escalate: 1, not_judged: 2, deny: 3 };
const DECISION_OF: Readonly<Record<Reason['effect'], Decision>> = { none: 'allow', escalate: 'escalate', fail: 'not_judged', deny: 'deny' };
const EFFECT_RANK: Readonly<Record<FailureEffect, number>> = { ignore: 0, escalate: 1, fail: 2, deny: 3 };

/** A verdict with one more reason, which may raise it. */
export function withReason(verdict: Verdict, reason: Reason): Verdict {
  return { ...verdict, decision: raise(verdict.decision, DECISION_OF[reason.effect]), reasons: [...verdict.reasons, reason] };
}

/** The higher of two decisions. */
export const raise = (a: Decision, b: Decision): Decision => (RANK[b] > RANK[a] ? b : a);

/**
 * @param records of all planned critics, in any order.
 */
export function decideVerdict(plan: Plan, records: ReadonlyMap<string, CriticRecord>, facts: RunFacts): Verdict {
  const enforcing = enforcingRecords(plan, records);
  const bindings = conditionBindings(enforcing, facts);
  const reasons: Reason[] = [
    ...plan.verdict.rules.flatMap((rule) => ruleReason(plan, rule, bindings)),
    ...enforcing.flatMap((record) => outcomeReason(plan, record, enforcing)),
    ...enforcing.flatMap(conditionReason),
    ...(facts.riskErrors ?? []).map((message): Reason => ({ code: 'RISK_ERROR', message, effect: 'none' })),
    ...missingReasons(plan, records),
  ];
  let decision = decided(reasons);
  if (RANK[decision] <= RANK.escalate) reasons.push(...needsReasons(plan, enforcing));
  decision = decided(reasons);
  if (decision === 'allow' && plan.verdict.otherwise !== 'allow') {
    const effect = plan.verdict.otherwise;
    reasons.push({ code: 'OTHERWISE', message: `no rule held; the plan says ${effect}`, effect });
    decision = decided(reasons);
  }
  const degraded = reasons.some((reason) => DEGRADING.has(reason.code));
  return { decision, reasons, degraded };
}

/**
 * The decisive rule that a critic's end makes hold, if any: more findings can never unsay it. Looks at the new finding alone
 * where the form of the rule allows it, so that a thousand ends do not mean a million looks.
 * @param records of all that has ended, this critic's included.
 */
export function decisiveRule(
  plan: Plan,
  records: ReadonlyMap<string, CriticRecord>,
  facts: RunFacts,
  ended: CriticRecord,
): VerdictRule | undefined {
  const decisive = plan.verdict.rules.filter((rule) => rule.decisive);
  if (decisive.length === 0 || ended.outcome !== 'succeeded') return undefined;
  const critic = plan.critics.find((one) => one.name === ended.name);
  if (critic?.mode !== 'enforce') return undefined;
  const alone = conditionBindings(critic.fallbackFor === undefined ? [ended] : withCovered(plan, records, ended), facts);
  return decisive.find((rule) => {
    const one = holdsByOneFinding(rule.when);
    const scope = one ? ({ place: 'conditions', critics: [ended.name] } as const) : ruleScope(plan);
    const result = compileCel(rule.when, scope)(one ? alone : conditionBindings(enforcingRecords(plan, records), facts));
    return result.ok && result.value;
  });
}

/** The record of a fallback, and those of the critics that its finding now covers. */
const withCovered = (plan: Plan, records: ReadonlyMap<string, CriticRecord>, { name }: CriticRecord): readonly CriticRecord[] =>
  enforcingRecords(plan, records).filter((record) => record.name === name || record.coveredBy === name);

/** Share of cost weight that succeeded, is covered by a fallback or was truly gated, 0..1; 1 when nothing weighs anything. */
export function coveredShare(plan: Plan, records: ReadonlyMap<string, CriticRecord>): number {
  const enforcing = plan.critics.filter((critic) => critic.mode === 'enforce');
  const total = enforcing.reduce((sum, critic) => sum + critic.costWeight, 0);
  const isCovered = (record: CriticRecord): boolean => isJudged(record) || record.outcome === 'gated';
  const there = new Set(enforcingRecords(plan, records).flatMap((record) => (isCovered(record) ? record.name : [])));
  const covered = enforcing.filter((critic) => there.has(critic.name));
  return total === 0 ? 1 : covered.reduce((sum, critic) => sum + critic.costWeight, 0) / total;
}

/** What rules see: enforcing critics in plan order, covered ones with their fallbacks' findings. */
export function enforcingRecords(plan: Plan, records: ReadonlyMap<string, CriticRecord>): readonly CriticRecord[] {
  const enforcing = plan.critics.filter((critic) => critic.mode === 'enforce').flatMap((critic) => records.get(critic.name) ?? []);
  return withFallbacks(enforcing, fallbacksOf(plan));
}

/** Of verdict rules, and of all that is asked of what they saw. */
export const ruleScope = (plan: Plan) =>
  ({ place: 'conditions', critics: plan.critics.filter((critic) => critic.mode === 'enforce').map((critic) => critic.name) }) as const;

const decided = (reasons: readonly Reason[]): Decision =>
  reasons.reduce<Decision>((sum, reason) => raise(sum, DECISION_OF[reason.effect]), 'allow');

function ruleReason(plan: Plan, rule: VerdictRule, bindings: CelBindings): Reason[] {
  const result = compileCel(rule.when, ruleScope(plan))(bindings);
  if (!result.ok)
    return [
      {
        rule: rule.reason,
        code: 'RULE_ERROR',
        message: `the rule "${rule.reason}" could not be evaluated: ${result.message}`,
        effect: 'escalate',
      },
    ];
  return result.value ? [{ rule: rule.reason, code: 'RULE', message: rule.reason, effect: rule.effect }] : [];
}

function isFailure(outcome: CriticRecord['outcome']): outcome is FailureOutcome {
  return (FAILURE_OUTCOMES as readonly string[]).includes(outcome);
}

/** What the plan says about an end without success. `skipped` says nothing of its own unless the plan raises it: its root speaks. */
function outcomeReason(plan: Plan, record: CriticRecord, all: readonly CriticRecord[]): Reason[] {
  const critic = plan.critics.find((one) => one.name === record.name);
  if (critic === undefined || !isFailure(record.outcome)) return [];
  // Cut by a decisive deny: nobody failed.
  if (record.outcome === 'cancelled' && record.code === 'DECISIVE') return [];
  if (record.coveredBy !== undefined) return [coveredReason(record, record.coveredBy)];
  const effect = effectOf(critic, record.outcome, rootEffect(plan, record, all));
  if (effect === undefined) return [];
  const skipped = all.filter((other) => other.outcome === 'skipped' && other.root === record.name).map((other) => other.name);
  const message = [
    `${record.name}: ${record.outcome.replace('_', ' ')}`,
    ...(record.message !== undefined ? [record.message] : []),
    ...(skipped.length > 0 ? [`skipped because of it: ${skipped.join(', ')}`] : []),
  ].join('; ');
  if (effect === 'ignore') return [{ critic: record.name, code: 'IGNORED', message, effect: 'none' }];
  return [{ critic: record.name, code: record.code ?? 'CRITIC_OUTCOME', message, effect }];
}

function coveredReason({ name, outcome, message }: CriticRecord, coveredBy: string): Reason {
  const parts = [`${name}: ${outcome.replace('_', ' ')}`, ...(message !== undefined ? [message] : []), `covered by ${coveredBy}`];
  return { critic: name, code: 'COVERED', message: parts.join('; '), effect: 'none' };
}

function effectOf(critic: PlanCritic, outcome: FailureOutcome, root: FailureEffect | undefined): FailureEffect | undefined {
  const own = effectOn(critic, outcome);
  if (outcome !== 'skipped') return own;
  // May only raise what the dependency at the root already says.
  return EFFECT_RANK[own] > EFFECT_RANK[root ?? 'ignore'] ? own : undefined;
}

/** What the plan says about the end of the dependency at the root of a skipped critic. */
function rootEffect(plan: Plan, record: CriticRecord, all: readonly CriticRecord[]): FailureEffect | undefined {
  const root = all.find((other) => other.name === record.root);
  const critic = plan.critics.find((one) => one.name === record.root);
  return root !== undefined && critic !== undefined && isFailure(root.outcome) ? effectOn(critic, root.outcome) : undefined;
}

/** A planned critic without a record would be a bug of the walk: it must not end in allow. */
function missingReasons(plan: Plan, records: ReadonlyMap<string, CriticRecord>): Reason[] {
  return plan.critics
    .filter((critic) => critic.mode === 'enforce' && !records.has(critic.name))
    .map((critic) => ({ critic: critic.name, code: 'CRITIC_OUTCOME', message: `${critic.name}: has no record`, effect: 'fail' }));
}

function conditionReason(record: CriticRecord): Reason[] {
  if (record.gate.error === undefined) return [];
  return [
    {
      critic: record.name,
      code: 'CONDITION_ERROR',
      message: `the condition of ${record.name} erred, so it ran: ${record.gate.error}`,
      effect: 'none',
    },
  ];
}

function needsReasons(plan: Plan, enforcing: readonly CriticRecord[]): Reason[] {
  const needs = plan.verdict.allowNeeds;
  const byName = new Map(enforcing.map((record) => [record.name, record]));
  const isThere = (record: CriticRecord | undefined): boolean => record !== undefined && isJudged(record);
  const missing = (needs?.critics ?? []).filter((name) => !isThere(byName.get(name)));
  const covered = coveredShare(plan, byName);
  const short = needs?.coverage !== undefined && covered < needs.coverage;
  return [
    ...missing.map((name): Reason => ({
      critic: name,
      code: 'ALLOW_NEEDS',
      message: `allow needs a success of ${name}, which ended as ${byName.get(name)?.outcome.replace('_', ' ') ?? 'unknown'}`,
      effect: 'escalate',
    })),
    ...(short
      ? [
          {
            code: 'ALLOW_NEEDS',
            message: `allow needs a coverage of ${needs.coverage}, there is ${covered.toFixed(2)}`,
            effect: 'escalate',
          } as const,
        ]
      : []),
    ...(enforcing.some((record) => record.outcome === 'succeeded')
      ? []
      : [{ code: 'NOTHING_SUCCEEDED', message: 'no enforcing critic succeeded', effect: 'escalate' } as const]),
  ];
}
