/**
 * From a critic whose dependencies have ended to "start it" or to its record. Pure; the same code runs in the workflow
 * and inside a batch of local critics, so both decide alike.
 */
import { fallbacksOf, waitsFor } from './dependencies.js';
import { covererOf } from './fallback.js';
import type { Finding } from './finding.js';
import { decideGate, type RunFacts } from './gate.js';
import type { CriticRecord, CriticResult, GateDecision } from './outcomes.js';
import { STAGES, type ExecutionStage, type Plan, type PlanCritic } from './plan.js';

export type Records = ReadonlyMap<string, CriticRecord>;

export type Admission = { readonly kind: 'start'; readonly gate: GateDecision } | { readonly kind: 'ended'; readonly record: CriticRecord };

/** Weights such as 0.1 and 0.2 do not add up to 0.3 to the last bit. */
const ROUNDING = 1e-9;

/**
 * The critics of a stage that the budget covers. Reserved in plan order, a stage at once, from what earlier stages left:
 * a critic whose gate is already known to be closed reserves nothing, dependents inside the stage do.
 */
export function reservedIn(plan: Plan, stage: ExecutionStage, records: Records, facts: RunFacts): ReadonlySet<string> {
  const critics = plan.critics.filter((critic) => critic.stage === stage);
  const maxCost = plan.budget.maxCost;
  if (maxCost === undefined) return new Set(critics.map((critic) => critic.name));
  const isEarlier = (record: CriticRecord): boolean => STAGES.indexOf(record.stage) < STAGES.indexOf(stage);
  const earlier = new Map([...records].filter(([, record]) => isEarlier(record)));
  let left =
    maxCost - plan.critics.filter((critic) => spends(earlier.get(critic.name))).reduce((sum, critic) => sum + critic.costWeight, 0);
  const reserved = new Set<string>();
  const fallbacks = fallbacksOf(plan);
  for (const critic of critics) {
    const decidable = waitsFor(critic, fallbacks).every((name) => earlier.has(name));
    if (decidable && decideGate(plan, critic, earlier, facts).kind === 'closed') continue;
    if (critic.costWeight > left + ROUNDING) continue;
    left -= critic.costWeight;
    reserved.add(critic.name);
  }
  return reserved;
}

/** Whether the weight of an ended critic is gone: gated or never started gives it back. */
function spends(record: CriticRecord | undefined): boolean {
  if (record === undefined) return false;
  if (record.outcome === 'cancelled') return record.attempts.length > 0 || record.startedAt !== undefined;
  return record.attempts.length > 0 || !['gated', 'skipped', 'over_budget', 'not_reached'].includes(record.outcome);
}

/** Gate first, then the budget: a critic that would not run anyway is gated, not over budget. */
export function admit(plan: Plan, critic: PlanCritic, records: Records, reserved: ReadonlySet<string>, facts: RunFacts): Admission {
  const gate = decideGate(plan, critic, records, facts);
  if (gate.kind === 'closed') {
    const root = gate.root !== undefined ? { root: gate.root } : {};
    const why = gate.outcome === 'skipped' ? { code: 'DEPENDENCY', message: `its dependency ${gate.root ?? ''} did not succeed` } : {};
    return { kind: 'ended', record: { ...recordOf(critic, gate.decision, { outcome: gate.outcome, attempts: [], ...why }), ...root } };
  }
  if (!reserved.has(critic.name)) {
    const message = `weighs ${critic.costWeight}, more than the budget of ${plan.budget.maxCost ?? 0} has left`;
    const decision: GateDecision = { ...gate.decision, open: false, by: 'budget' };
    return { kind: 'ended', record: recordOf(critic, decision, { outcome: 'over_budget', attempts: [], code: 'BUDGET', message }) };
  }
  return { kind: 'start', gate: gate.decision };
}

export function recordOf(critic: PlanCritic, gate: GateDecision, result: CriticResult): CriticRecord {
  return { name: critic.name, stage: critic.stage, gate, ...result };
}

/** Which of the time-outs that hold for a critic comes first. */
export type TimeLimit = 'critic' | 'stage' | 'global';

/** Whose time that is, for sentences. */
export function timeOf(critic: PlanCritic, limit: TimeLimit): string {
  if (limit === 'critic') return 'the time of the critic';
  return limit === 'stage' ? `the time of ${critic.stage}` : 'the time of the evaluation';
}

/** A critic that a deadline kept from starting. */
export function notReached(critic: PlanCritic, limit: TimeLimit): CriticRecord {
  const message = `${timeOf(critic, limit)} was used up before it started`;
  const gate: GateDecision = { open: false, by: 'deadline', policy: critic.policy };
  return recordOf(critic, gate, { outcome: 'not_reached', attempts: [], code: 'DEADLINE', message });
}

/** A critic that never started because a decisive rule, or a caller, ended the run. */
export function cancelledBeforeStart(critic: PlanCritic, code: 'DECISIVE' | 'CANCELLED'): CriticRecord {
  const gate: GateDecision = { open: false, by: code === 'DECISIVE' ? 'decisive' : 'cancelled', policy: critic.policy };
  return recordOf(critic, gate, { outcome: 'cancelled', attempts: [], code });
}

/** What a critic is handed: the findings of its own dependencies, or of the fallbacks that cover them, never a peer's. */
export function findingsFor(plan: Plan, critic: PlanCritic, records: Records): Record<string, Finding> {
  const fallbacks = fallbacksOf(plan);
  return Object.fromEntries(
    critic.dependsOn.flatMap((name) => {
      const finding = (covererOf(name, records, fallbacks) ?? records.get(name))?.finding;
      return finding === undefined ? [] : [[name, finding] as const];
    }),
  );
}

/** Order in which critics of one stage start: priority, then name; those that wait for others of the list come after them. */
export function inStartOrder(plan: Plan, critics: readonly PlanCritic[]): PlanCritic[] {
  const fallbacks = fallbacksOf(plan);
  const byName = new Map(critics.map((critic) => [critic.name, critic]));
  const ordered = new Set<PlanCritic>();
  const visit = (critic: PlanCritic): void => {
    for (const name of waitsFor(critic, fallbacks)) {
      const dependency = byName.get(name);
      if (dependency !== undefined && !ordered.has(dependency)) visit(dependency);
    }
    ordered.add(critic);
  };
  const sorted = critics.toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
  const isFree = (critic: PlanCritic): boolean => waitsFor(critic, fallbacks).every((name) => !byName.has(name));
  for (const critic of [...sorted.filter(isFree), ...sorted.filter((one) => !isFree(one))]) visit(critic);
  return [...ordered];
}
