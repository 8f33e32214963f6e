/**
 * Whether a critic runs. Pure.
 *
 * G1 A gate sees the ended critics of earlier stages and its own transitive `dependsOn`, never a sibling that was quicker,
 *    so the same findings give the same gates in every order of completion.
 * G2 A gate never closes because of an error: what is unknown counts as what the policy looks for.
 * G3 Dependencies come first: one that ended without success and was not gated → `skipped`; else a gated one → `gated`.
 *    One that is covered by a fallback counts as a success.
 * G4 A fallback has no policy of its own: what it stands in for decides, before its dependencies and also with `gating: off`,
 *    since a critic and its fallback are one question.
 */
import { checkCel, compileCel, conditionBindings, seenValues, type CelScope } from './cel.js';
import { dependenciesOf, fallbacksOf, type Fallbacks } from './dependencies.js';
import { covererOf, needsFallback, withFallbacks } from './fallback.js';
import type { CriticRecord, GateDecision } from './outcomes.js';
import { effectOn, RISK_TIERS, STAGES, type Plan, type PlanCritic, type RiskTier } from './plan.js';
import type { JsonObject } from './request.js';

/** What is the same for every critic of a run. */
export interface RunFacts {
  readonly tenant: string;
  readonly riskTier: RiskTier;
  /** Risk rules that could not be evaluated, and so raised the tier. */
  readonly riskErrors?: readonly string[];
  readonly gating: 'on' | 'off';
  readonly context: JsonObject;
  /** Bytes of content and context in canonical form. */
  readonly size: number;
}

export type Gate =
  | { readonly kind: 'run'; readonly decision: GateDecision }
  | { readonly kind: 'closed'; readonly outcome: 'gated' | 'skipped'; readonly decision: GateDecision; readonly root?: string };

/** What conditions of this critic may name, and what its gate sees: enforcing critics of earlier stages and what it waits for. */
export function visibleTo(plan: Plan, critic: PlanCritic): string[] {
  const own = dependenciesOf(plan, critic.name);
  const stage = STAGES.indexOf(critic.stage);
  return plan.critics
    .filter((other) => other.mode === 'enforce' && (STAGES.indexOf(other.stage) < stage || own.has(other.name)))
    .map((other) => other.name);
}

/**
 * @param records of every critic that has ended; those of the critic's dependencies must be among them.
 */
export function decideGate(plan: Plan, critic: PlanCritic, records: ReadonlyMap<string, CriticRecord>, facts: RunFacts): Gate {
  const fallbacks = fallbacksOf(plan);
  const fallback = decideFallback(critic, records);
  if (fallback?.kind === 'closed') return fallback;
  const dependency = decideDependencies(critic, records, fallbacks);
  if (dependency !== undefined) return dependency;
  if (fallback !== undefined) return fallback;
  if (facts.gating === 'off') return { kind: 'run', decision: { open: true, by: 'gating_off', policy: critic.policy } };
  const visible = visibleTo(plan, critic).flatMap((name) => records.get(name) ?? []);
  const seen = withFallbacks(visible, fallbacks);
  const decision = decidePolicy(plan, critic, seen, facts);
  return decision.open ? { kind: 'run', decision } : { kind: 'closed', outcome: 'gated', decision };
}

/** The record of what the critic waits for. */
function ended(critic: PlanCritic, name: string, records: ReadonlyMap<string, CriticRecord>): CriticRecord {
  const record = records.get(name);
  if (record === undefined) throw new Error(`gate of ${critic.name} evaluated before its dependency ${name} ended`);
  return record;
}

function decideFallback(critic: PlanCritic, records: ReadonlyMap<string, CriticRecord>): Gate | undefined {
  if (critic.fallbackFor === undefined) return undefined;
  const record = ended(critic, critic.fallbackFor, records);
  const open = needsFallback(record);
  const decision: GateDecision = { open, by: 'fallback', policy: critic.policy, saw: { [record.name]: record.outcome } };
  return open ? { kind: 'run', decision } : { kind: 'closed', outcome: 'gated', decision };
}

function decideDependencies(critic: PlanCritic, records: ReadonlyMap<string, CriticRecord>, fallbacks: Fallbacks): Gate | undefined {
  const closed = (outcome: 'gated' | 'skipped', root: CriticRecord): Gate => ({
    kind: 'closed',
    outcome,
    decision: { open: false, by: 'dependency', policy: critic.policy, saw: { [root.name]: root.outcome } },
    root: root.root ?? root.name,
  });
  const before = critic.dependsOn.map((name) => ended(critic, name, records));
  const isCovered = (record: CriticRecord): boolean => covererOf(record.name, records, fallbacks) !== undefined;
  const broken = before.find((record) => record.outcome !== 'succeeded' && record.outcome !== 'gated' && !isCovered(record));
  if (broken !== undefined) return closed('skipped', broken);
  const gated = before.find((record) => record.outcome === 'gated');
  return gated === undefined ? undefined : closed('gated', gated);
}

function decidePolicy(plan: Plan, critic: PlanCritic, seen: readonly CriticRecord[], facts: RunFacts): GateDecision {
  const policy = critic.policy;
  switch (policy) {
    case 'always':
      return { open: true, by: 'policy', policy };
    case 'on_high_risk':
      return {
        open: RISK_TIERS.indexOf(facts.riskTier) >= RISK_TIERS.indexOf('high'),
        by: 'policy',
        policy,
        saw: { riskTier: facts.riskTier },
      };
    case 'on_violation':
      return onViolation(plan, critic, seen);
    case 'on_uncertainty':
      return onUncertainty(plan, critic, seen);
    case 'conditional':
      return onCondition(critic, seen, facts);
  }
}

/** An end that leaves a question open, so that a policy must look closer (G2). */
function leftOpen(plan: Plan, record: CriticRecord): boolean {
  const { outcome, coveredBy } = record;
  if (outcome === 'succeeded' || outcome === 'gated' || outcome === 'cancelled' || coveredBy !== undefined) return false;
  const critic = plan.critics.find((one) => one.name === record.name);
  return critic === undefined || effectOn(critic, outcome) !== 'ignore';
}

function onViolation(plan: Plan, critic: PlanCritic, seen: readonly CriticRecord[]): GateDecision {
  // A finding that stands in for another critic's is counted once, where it was made.
  const violations = seen.filter((record) => record.coveredBy === undefined && (record.finding?.violations.length ?? 0) > 0);
  const unknown = seen.filter((record) => leftOpen(plan, record));
  const saw = {
    violations: violations.reduce((sum, record) => sum + (record.finding?.violations.length ?? 0), 0),
    ...named(violations),
    ...named(unknown),
  };
  return { open: violations.length + unknown.length > 0, by: 'policy', policy: critic.policy, saw };
}

function onUncertainty(plan: Plan, critic: PlanCritic, seen: readonly CriticRecord[]): GateDecision {
  const threshold = critic.uncertaintyThreshold ?? 0.7;
  const uncertain = seen.filter((record) => record.coveredBy === undefined && (record.finding?.uncertainty ?? 0) > threshold);
  const unknown = seen.filter((record) => leftOpen(plan, record));
  const most = seen.reduce((max, record) => Math.max(max, record.finding?.uncertainty ?? 0), 0);
  const saw = { threshold, mostUncertain: most, ...named(uncertain), ...named(unknown) };
  return { open: uncertain.length + unknown.length > 0, by: 'policy', policy: critic.policy, saw };
}

/** At most five names: a gate record is for people, the findings stand beside it. */
function named(records: readonly CriticRecord[]): Record<string, string> {
  return Object.fromEntries(records.slice(0, 5).map((record) => [record.name, record.outcome]));
}

function onCondition(critic: PlanCritic, seen: readonly CriticRecord[], facts: RunFacts): GateDecision {
  const source = critic.condition ?? 'true';
  const scope: CelScope = { place: 'conditions', critics: seen.map((record) => record.name) };
  const bindings = conditionBindings(seen, facts);
  const checked = checkCel(source, scope);
  const saw = checked.ok ? seenValues(checked.paths, bindings) : {};
  const result = compileCel(source, scope)(bindings);
  if (!result.ok) return { open: true, by: 'policy', policy: critic.policy, saw, error: result.message };
  return { open: result.value, by: 'policy', policy: critic.policy, saw };
}
