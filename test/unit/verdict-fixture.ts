/** Generated plans, outcomes and runs for the properties of gates and verdicts. */
import fc from 'fast-check';
import { admit, inStartOrder, reservedIn } from '../../src/domain/admit.js';
import { dependenciesOf, fallbacksOf, waitsFor } from '../../src/domain/dependencies.js';
import { CRITIC_OUTCOMES, FAILURE_EFFECTS, FAILURE_OUTCOMES, type CriticOutcome, type CriticRecord } from '../../src/domain/outcomes.js';
import { EXECUTION_POLICIES, stagesOf, STAGES, type Plan, type PlanCritic } from '../../src/domain/plan.js';
import { critic, facts, onFailure, plan } from '../support/plans.js';

const gate = { open: true, by: 'policy', policy: 'always' } as const;

export function record(of: PlanCritic, outcome: CriticOutcome, severity = 0, violations = 0, uncertainty?: number): CriticRecord {
  const finding = {
    severity,
    violations: Array.from({ length: violations }, (_, index) => ({ code: `v${index}`, message: 'm' })),
    ...(uncertainty !== undefined ? { uncertainty } : {}),
  };
  return { name: of.name, stage: of.stage, gate, outcome, attempts: [], ...(outcome === 'succeeded' ? { finding } : {}) };
}

export const records = (list: readonly CriticRecord[]): Map<string, CriticRecord> => new Map(list.map((one) => [one.name, one]));

export const rules = [
  { effect: 'deny', when: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true },
  { effect: 'escalate', when: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation', decisive: false },
] as const;

/** Makes critics fallbacks for earlier ones, as far as a checked plan may have it so. */
function withStandIns(critics: readonly PlanCritic[], standIns: readonly (number | undefined)[]): readonly PlanCritic[] {
  return critics.reduce<readonly PlanCritic[]>((made, one, index) => {
    const other = critics[standIns[index] ?? critics.length];
    if (other === undefined || critics.indexOf(other) >= index || other.mode !== one.mode) return made;
    if (made.some((each) => each.fallbackFor === other.name)) return made;
    const dependsOn = one.dependsOn.filter((name) => name !== other.name);
    const next = made.map((each) =>
      each.name === one.name ? { ...one, policy: 'always' as const, dependsOn, fallbackFor: other.name } : each,
    );
    return isSound(plan(next)) ? next : made;
  }, critics);
}

/** Nobody waits for itself or for a later stage. */
function isSound(of: Plan): boolean {
  const stageOf = new Map(of.critics.map((one) => [one.name, STAGES.indexOf(one.stage)]));
  return of.critics.every((one) => {
    const before = dependenciesOf(of, one.name);
    return !before.has(one.name) && [...before].every((name) => (stageOf.get(name) ?? 0) <= STAGES.indexOf(one.stage));
  });
}

/** Plans of up to eight critics: any stage, policy, dependencies on earlier ones, fallbacks for earlier ones, effects. */
const plans: fc.Arbitrary<Plan> = fc
  .array(
    fc.record({
      stage: fc.constantFrom(...STAGES),
      policy: fc.constantFrom(...EXECUTION_POLICIES.filter((one) => one !== 'conditional')),
      priority: fc.integer({ min: 1, max: 10 }),
      costWeight: fc.integer({ min: 0, max: 5 }),
      effects: fc.array(fc.constantFrom(...FAILURE_EFFECTS), { minLength: FAILURE_OUTCOMES.length, maxLength: FAILURE_OUTCOMES.length }),
      depends: fc.array(fc.nat(7), { maxLength: 2 }),
      mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'shadow'),
      fallbackFor: fc.option(fc.nat(7), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .chain((specs) =>
    fc
      .record({
        maxCost: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
        otherwise: fc.constantFrom('allow', 'escalate', 'deny'),
      })
      .map(({ maxCost, otherwise }) => {
        const sorted = specs.toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
        const critics = sorted.map((spec, index) =>
          critic(`c${index}`, {
            stage: spec.stage,
            policy: spec.policy,
            priority: spec.priority,
            costWeight: spec.costWeight,
            mode: spec.mode,
            onFailure: onFailure(Object.fromEntries(FAILURE_OUTCOMES.map((outcome, at) => [outcome, spec.effects[at] ?? 'fail']))),
            dependsOn: [
              ...new Set(
                spec.depends.filter((on) => on < index && (spec.mode === 'shadow' || sorted[on]?.mode === 'enforce')).map((on) => `c${on}`),
              ),
            ],
          }),
        );
        const standIns = sorted.map((spec) => spec.fallbackFor);
        return plan(withStandIns(critics, standIns), {
          budget: maxCost === undefined ? {} : { maxCost },
          verdict: { rules, otherwise: otherwise },
        });
      }),
  );

const ends = fc.record({
  outcome: fc.constantFrom(...CRITIC_OUTCOMES.filter((one) => !['gated', 'skipped', 'over_budget'].includes(one))),
  severity: fc.constantFrom(0, 0.3, 0.95),
  violations: fc.nat(2),
  uncertainty: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  at: fc.nat(100),
});

/** What the walk does, without its clock: gates and ends every critic, in the order of completion that `at` gives. */
export function run(
  of: Plan,
  outcomes: readonly { outcome: CriticOutcome; severity: number; violations: number; uncertainty?: number | undefined; at: number }[],
): Map<string, CriticRecord> {
  const done = new Map<string, CriticRecord>();
  for (const stage of stagesOf(of)) {
    const reserved = reservedIn(of, stage, done, facts);
    let waiting = inStartOrder(
      of,
      of.critics.filter((one) => one.stage === stage),
    );
    while (waiting.length > 0) {
      const ready = waiting.filter((one) => waitsFor(one, fallbacksOf(of)).every((name) => done.has(name)));
      const next = ready.toSorted((a, b) => (outcomes[of.critics.indexOf(a)]?.at ?? 0) - (outcomes[of.critics.indexOf(b)]?.at ?? 0))[0];
      if (next === undefined) throw new Error('nothing is ready');
      const admission = admit(of, next, done, reserved, facts);
      const end = outcomes[of.critics.indexOf(next)];
      if (end === undefined) throw new Error('no end for this critic');
      done.set(
        next.name,
        admission.kind === 'ended' ? admission.record : record(next, end.outcome, end.severity, end.violations, end.uncertainty),
      );
      waiting = waiting.filter((one) => one !== next);
    }
  }
  return done;
}

export const runs = plans.chain((of) =>
  fc.record({
    plan: fc.constant(of),
    ends: fc.array(ends, { minLength: of.critics.length, maxLength: of.critics.length }),
    orders: fc.array(fc.nat(100), { minLength: 8, maxLength: 8 }),
  }),
);
