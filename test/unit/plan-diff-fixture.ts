/** Generated plans, changes of one field, and cases, for the property of directions. */
import fc from 'fast-check';
import { checkCel, decisiveProblem } from '../../src/domain/cel.js';
import { dependenciesOf, fallbackChain, fallbacksOf } from '../../src/domain/dependencies.js';
import { visibleTo } from '../../src/domain/gate.js';
import { FAILURE_EFFECTS, FAILURE_OUTCOMES } from '../../src/domain/outcomes.js';
import { EXECUTION_POLICIES, RISK_TIERS, STAGES, type Plan, type PlanCritic, type VerdictRule } from '../../src/domain/plan.js';
import { endOf, type Givens } from '../../src/domain/run-case.js';
import { evaluateInProcess } from '../../src/in-process.js';
import type { Decision } from '../../src/domain/report.js';
import type { RiskTier } from '../../src/domain/plan.js';
import { critic, onFailure, plan } from '../support/plans.js';

const NAMES = ['c0', 'c1', 'c2', 'c3', 'c4'] as const;
/** With one that is added. */
const SIX = [...NAMES, 'c5'];

/** Looks at findings, at one critic, at the tier; the first form only grows, some hold by what is missing, some may err. */
const conditions = fc
  .constantFrom(...NAMES)
  .chain((name) =>
    fc.constantFrom(
      'findings.exists(f, f.severity > 0.5)',
      'findings.exists(f, f.violations.size() > 0) || findings.exists(f, f.severity > 0.9)',
      'findings.exists(f, f.severity > 0.2 && has(context.n) && 1 / int(context.n) > 0)',
      `findings.exists(f, f.name == '${name}' && f.severity > 0.2)`,
      "findings.exists(f, f.severity > 0.2 && request.riskTier == 'low')",
      'findings.size() < 2',
      '!findings.exists(f, f.severity < 0.2)',
      `critics.${name}.outcome == 'gated'`,
      `critics.${name}.outcome != 'succeeded'`,
      `has(critics.${name}.severity) && critics.${name}.severity > 0.2`,
      `!has(critics.${name}.severity)`,
      "request.riskTier == 'low'",
      'has(context.n) && 1 / int(context.n) > 0',
    ),
  );

const rule: fc.Arbitrary<VerdictRule> = fc
  .record({ effect: fc.constantFrom('deny', 'escalate'), when: conditions, decisive: fc.boolean() })
  .map(({ effect, when, decisive }) => ({
    effect,
    when,
    reason: when,
    decisive: decisive && effect === 'deny' && decisiveProblem(when) === undefined,
  }));

const mostly = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

const effects = fc
  .array(fc.option(fc.constantFrom(...FAILURE_EFFECTS), { nil: undefined, freq: 3 }), { minLength: 8, maxLength: 8 })
  .map((list) =>
    onFailure(
      Object.fromEntries(
        FAILURE_OUTCOMES.flatMap((outcome, index) => (list[index] === undefined ? [] : [[outcome, list[index] ?? 'fail'] as const])),
      ),
    ),
  );

/** Without what belongs to a policy, which {@link tidy} gives. */
const parts = {
  stage: fc.constantFrom(...STAGES.slice(0, 3)),
  policy: fc.constantFrom('always' as const, ...EXECUTION_POLICIES),
  condition: conditions,
  uncertaintyThreshold: fc.constantFrom(0.3, 0.7),
  costWeight: fc.constantFrom(0, 1, 1, 3),
  onFailure: mostly(onFailure(), effects),
  mode: mostly<PlanCritic['mode']>('enforce', fc.constant('shadow')),
  dependsOn: mostly<readonly string[]>([], fc.subarray([...NAMES], { maxLength: 2 })),
  fallbackFor: mostly<string | undefined>(undefined, fc.constantFrom(...NAMES)),
};
const part = fc.record(parts);
type Part = typeof part extends fc.Arbitrary<infer T> ? T : never;

const risk: fc.Arbitrary<Plan['risk']> = fc.record({
  default: fc.constantFrom(...RISK_TIERS),
  floor: mostly<RiskTier>('low', fc.constantFrom(...RISK_TIERS)),
  atLeast: mostly<Plan['risk']['atLeast']>(
    [],
    fc.constantFrom('has(context.n)', "request.riskTier == 'low'").map((when) => [{ tier: 'high', when }]),
  ),
});
const budget: fc.Arbitrary<Plan['budget']> = mostly<Plan['budget']>(
  {},
  fc.integer({ min: 0, max: 10 }).map((maxCost) => ({ maxCost })),
);
const rules = fc.array(rule, { maxLength: 3 });
const allowNeeds: fc.Arbitrary<Plan['verdict']['allowNeeds']> = mostly<Plan['verdict']['allowNeeds']>(
  undefined,
  fc
    .record({ critics: fc.subarray([...NAMES], { maxLength: 1 }), coverage: fc.constantFrom(undefined, 0.5, 0.9) })
    .map(({ critics, coverage }) => ({ critics, ...(coverage === undefined ? {} : { coverage }) })),
);
const otherwise = mostly<Plan['verdict']['otherwise']>('allow', fc.constantFrom('escalate', 'deny'));

function made(name: string, { policy, condition, uncertaintyThreshold, fallbackFor, ...rest }: Part): PlanCritic {
  const own = fallbackFor === undefined ? policy : 'always';
  return critic(name, {
    ...rest,
    policy: own,
    ...(own === 'conditional' ? { condition } : {}),
    ...(own === 'on_uncertainty' ? { uncertaintyThreshold } : {}),
    ...(fallbackFor === undefined ? {} : { fallbackFor }),
  });
}

const inOrder = (critics: readonly PlanCritic[]): PlanCritic[] =>
  critics.toSorted((one, other) => STAGES.indexOf(one.stage) - STAGES.indexOf(other.stage));

const plans: fc.Arbitrary<Plan> = fc
  .record({ parts: fc.array(part, { minLength: 1, maxLength: NAMES.length }), risk, budget, rules, allowNeeds, otherwise })
  .map((drawn) => {
    const critics = inOrder(drawn.parts.map((one, index) => made(NAMES[index] ?? '', one)));
    const needs = drawn.allowNeeds === undefined ? {} : { allowNeeds: drawn.allowNeeds };
    return plan(critics, {
      risk: drawn.risk,
      budget: drawn.budget,
      verdict: { rules: drawn.rules, otherwise: drawn.otherwise, ...needs },
    });
  })
  .map(mended)
  .filter(isSound);

/** Without references that a checked plan could not have; most plans drawn at random have some. */
function mended(of: Plan): Plan {
  const names = new Map(of.critics.map((one) => [one.name, one]));
  const mayWait = (one: PlanCritic, name: string): boolean => {
    const other = names.get(name);
    return other !== undefined && name < one.name && STAGES.indexOf(other.stage) <= STAGES.indexOf(one.stage);
  };
  const taken = new Set<string>();
  const critics = of.critics.map((one) => {
    const { fallbackFor, ...rest } = one;
    const dependsOn = one.dependsOn.filter(
      (name) => name !== fallbackFor && mayWait(one, name) && (one.mode === 'shadow' || names.get(name)?.mode === 'enforce'),
    );
    const stays =
      fallbackFor !== undefined && mayWait(one, fallbackFor) && !taken.has(fallbackFor) && names.get(fallbackFor)?.mode === one.mode;
    if (!stays) return { ...rest, dependsOn };
    taken.add(fallbackFor);
    return { ...one, dependsOn };
  });
  const enforcing = critics.filter((one) => one.mode === 'enforce').map((one) => one.name);
  const rulesLeft = of.verdict.rules.filter(({ when }) => checkCel(when, { place: 'conditions', critics: enforcing }).ok);
  const { allowNeeds: needs, ...verdict } = of.verdict;
  const allowed =
    needs === undefined ? {} : { allowNeeds: { ...needs, critics: needs.critics.filter((name) => enforcing.includes(name)) } };
  return { ...of, critics, verdict: { ...verdict, rules: rulesLeft, ...allowed } };
}

/** As far as a plan that was loaded is: what the checks of plans promise to the rest. */
function isSound(of: Plan): boolean {
  const names = new Map(of.critics.map((one) => [one.name, one]));
  const enforcing = of.critics.filter((one) => one.mode === 'enforce').map((one) => one.name);
  const fallbacks = fallbacksOf(of);
  const sees = (when: string, critics: readonly string[]): boolean => checkCel(when, { place: 'conditions', critics }).ok;
  const isLate = (one: PlanCritic, name: string): boolean =>
    STAGES.indexOf(names.get(name)?.stage ?? 'validation') > STAGES.indexOf(one.stage);
  return (
    enforcing.length > 0 &&
    of.critics.filter((one) => one.fallbackFor !== undefined).length === fallbacks.size &&
    of.verdict.rules.every(({ when }) => sees(when, enforcing)) &&
    (of.verdict.allowNeeds?.critics ?? []).every((name) => enforcing.includes(name)) &&
    of.critics.every((one) => {
      const waits = [...one.dependsOn, ...one.dependsOn.flatMap((name) => fallbackChain(name, fallbacks).map((other) => other.name))];
      if (dependenciesOf(of, one.name).has(one.name)) return false;
      if (waits.some((name) => isLate(one, name))) return false;
      if (one.mode === 'enforce' && one.dependsOn.some((name) => names.get(name)?.mode !== 'enforce')) return false;
      if (one.condition !== undefined && !sees(one.condition, visibleTo(of, one))) return false;
      if (one.fallbackFor === undefined) return true;
      const other = names.get(one.fallbackFor);
      return other?.mode === one.mode && !isLate(one, other.name) && one.policy === 'always' && !one.dependsOn.includes(other.name);
    })
  );
}

/** One field of a plan, or one critic, as it could be instead. */
const change: fc.Arbitrary<(of: Plan) => Plan> = fc.oneof(
  field('stage'),
  field('costWeight'),
  field('onFailure'),
  field('mode'),
  field('dependsOn'),
  fc.record({ at: fc.nat(4), part }).map(({ at, part: drawn }) =>
    onCritic(at, (one) => {
      const { policy, condition, uncertaintyThreshold } = made(one.name, { ...drawn, fallbackFor: one.fallbackFor });
      const { condition: _condition, uncertaintyThreshold: _threshold, ...rest } = one;
      return {
        ...rest,
        policy,
        ...(condition === undefined ? {} : { condition }),
        ...(uncertaintyThreshold === undefined ? {} : { uncertaintyThreshold }),
      };
    }),
  ),
  fc
    .record({ at: fc.nat(4), to: parts.fallbackFor })
    .map(({ at, to }) => onCritic(at, ({ fallbackFor: _fallbackFor, ...one }) => (to === undefined ? one : { ...one, fallbackFor: to }))),
  fc
    .record({ at: fc.nat(4), outcome: fc.constantFrom(...FAILURE_OUTCOMES), effect: fc.constantFrom(...FAILURE_EFFECTS) })
    .map(({ at, outcome, effect }) => onCritic(at, (one) => ({ ...one, onFailure: { ...one.onFailure, [outcome]: effect } }))),
  part.map((drawn) => (of: Plan) => ({
    ...of,
    critics: inOrder([...of.critics, made(SIX.find((name) => of.critics.every((one) => one.name !== name)) ?? '', drawn)]),
  })),
  fc.nat(4).map((at) => (of: Plan) => ({ ...of, critics: of.critics.filter((_, index) => index !== at % of.critics.length) })),
  fc.nat(4).map((at) => (of: Plan) => ({ ...of, critics: inOrder([...of.critics.slice(at), ...of.critics.slice(0, at)]) })),
  risk.map((to) => (of: Plan) => ({ ...of, risk: to })),
  risk.map(({ default: to }) => (of: Plan) => ({ ...of, risk: { ...of.risk, default: to } })),
  budget.map((to) => (of: Plan) => ({ ...of, budget: to })),
  otherwise.map((to) => onVerdict((verdict) => ({ ...verdict, otherwise: to }))),
  allowNeeds.map((to) => onVerdict(({ allowNeeds: _needs, ...verdict }) => (to === undefined ? verdict : { ...verdict, allowNeeds: to }))),
  rule.map((to) => onVerdict((verdict) => ({ ...verdict, rules: [...verdict.rules, to] }))),
  fc.nat(2).map((at) => onVerdict((verdict) => ({ ...verdict, rules: verdict.rules.filter((_, index) => index !== at) }))),
  fc
    .record({ at: fc.nat(2), effect: fc.constantFrom('deny', 'escalate') })
    .map(({ at, effect }) => onRule(at, (one) => ({ ...one, effect, decisive: one.decisive && effect === 'deny' }))),
  fc
    .nat(2)
    .map((at) =>
      onRule(at, (one) => ({ ...one, decisive: !one.decisive && one.effect === 'deny' && decisiveProblem(one.when) === undefined })),
    ),
);

function field(name: 'stage' | 'costWeight' | 'onFailure' | 'mode' | 'dependsOn'): fc.Arbitrary<(of: Plan) => Plan> {
  return fc.record({ at: fc.nat(4), part }).map(({ at, part: drawn }) => {
    const changed = onCritic(at, (one) => ({ ...one, [name]: drawn[name] }));
    return (of: Plan) => {
      const after = changed(of);
      return { ...after, critics: inOrder(after.critics) };
    };
  });
}

const onCritic =
  (at: number, to: (one: PlanCritic) => PlanCritic) =>
  (of: Plan): Plan => ({ ...of, critics: of.critics.map((one, index) => (index === at % of.critics.length ? to(one) : one)) });
const onVerdict =
  (to: (verdict: Plan['verdict']) => Plan['verdict']) =>
  (of: Plan): Plan => ({ ...of, verdict: to(of.verdict) });
const onRule = (at: number, to: (one: VerdictRule) => VerdictRule): ((of: Plan) => Plan) =>
  onVerdict((verdict) => ({ ...verdict, rules: verdict.rules.map((one, index) => (index === at ? to(one) : one)) }));

/** A plan and what became of it by one or two changes. */
export const pairs: fc.Arbitrary<{ readonly a: Plan; readonly b: Plan }> = fc
  .record({ a: plans, changes: fc.array(change, { minLength: 1, maxLength: 2 }) })
  .map(({ a, changes }) => ({ a, b: { ...changes.reduce((of, one) => one(of), a), hash: 'b' } }))
  .filter(({ b }) => isSound(b));

/** How every critic ends that runs, and what the request says. */
export interface Case {
  readonly given: Givens;
  readonly riskTier?: RiskTier;
  readonly context: { readonly n?: number };
  readonly gating: 'on' | 'off';
}

const end = fc.record({
  outcome: mostly(
    'succeeded' as const,
    fc.constantFrom('failed', 'timed_out', 'invalid_output', 'unavailable', 'not_reached', 'cancelled'),
  ),
  severity: fc.constantFrom(0, 0.3, 0.6, 0.95),
  violations: fc.nat(1),
  uncertainty: fc.constantFrom(undefined, 0.5, 0.9),
});

export const runsOfCases: fc.Arbitrary<readonly Case[]> = fc.array(
  fc
    .record({
      ends: fc.array(end, { minLength: SIX.length, maxLength: SIX.length }),
      riskTier: fc.option(fc.constantFrom(...RISK_TIERS), { nil: undefined }),
      context: fc.constantFrom({}, { n: 0 }, { n: 1 }),
      gating: fc.constantFrom('on', 'on', 'on', 'off'),
    })
    .map(({ ends, riskTier, context, gating }): Case => {
      const named = SIX.map((name, index) => [name, ends[index]] as const);
      const findings = named.flatMap(([name, one]) =>
        one?.outcome !== 'succeeded'
          ? []
          : [
              [
                name,
                {
                  severity: one.severity,
                  violations: Array.from({ length: one.violations }, () => ({ code: 'v', message: 'm' })),
                  ...(one.uncertainty === undefined ? {} : { uncertainty: one.uncertainty }),
                },
              ] as const,
            ],
      );
      const outcomes = Object.fromEntries(named.map(([name, one]) => [name, one?.outcome ?? 'succeeded']));
      return {
        given: { findings: Object.fromEntries(findings), outcomes },
        context,
        gating,
        ...(riskTier === undefined ? {} : { riskTier }),
      };
    }),
  { minLength: 8, maxLength: 8 },
);

export async function decisionOf(of: Plan, { given, context, gating, riskTier }: Case): Promise<Decision> {
  const request = { plan: of, content: '', context, gating, ...(riskTier === undefined ? {} : { riskTier }) };
  const { verdict } = await evaluateInProcess(request, { runCritic: (one) => endOf(given, one.name) });
  return verdict.decision;
}
