/**
 * Which rules, gates and failures of a plan its cases have tried. Pure. A rule that no case makes hold may be wrong, or
 * gone tomorrow, and no case would tell.
 */
import type { RunFacts } from './gate.js';
import type { CriticRecord } from './outcomes.js';
import type { Plan, PlanCritic } from './plan.js';
import type { CaseRun } from './run-case.js';
import { decideVerdict } from './verdict.js';

/** A case as it ran. */
export interface CoveredRun extends CaseRun {
  readonly facts: RunFacts;
  /** Whether each risk rule of the plan held, in its order. */
  readonly risk: readonly boolean[];
}

export interface CoverageItem {
  readonly kind: 'rule' | 'risk_rule' | 'gate_open' | 'gate_closed' | 'fallback' | 'failure';
  /** The critic; of a rule its number from 1. */
  readonly subject: string;
  readonly covered: boolean;
  /** What it means when it is not covered. */
  readonly gap: string;
}

/** Everything of the plan that a case could try, in the plan's order: rules, risk rules, gates, fallbacks, then critics' failures. */
export function caseCoverage(plan: Plan, runs: readonly CoveredRun[]): CoverageItem[] {
  const gated = plan.critics.filter(hasGate);
  const enforcing = plan.critics.filter((critic) => critic.mode === 'enforce');
  return [
    ...plan.verdict.rules.map((rule, index): CoverageItem => ({
      kind: 'rule',
      subject: String(index + 1),
      covered: runs.some((run) => holds(plan, index, run)),
      gap: `rule ${index + 1} (${rule.reason}) never fired`,
    })),
    ...plan.risk.atLeast.map((rule, index): CoverageItem => ({
      kind: 'risk_rule',
      subject: String(index + 1),
      covered: runs.some((run) => run.risk[index] === true),
      gap: `risk rule ${index + 1} (at least ${rule.tier}) never held`,
    })),
    ...gated.flatMap(({ name }): CoverageItem[] => {
      const gates = runs.flatMap((run) => run.records.get(name) ?? []).filter(decidedHere);
      return [
        { kind: 'gate_open', subject: name, covered: gates.some(({ gate }) => gate.open), gap: `${name}: its gate was never open` },
        { kind: 'gate_closed', subject: name, covered: gates.some(({ gate }) => !gate.open), gap: `${name}: its gate was never closed` },
      ];
    }),
    ...plan.critics.flatMap(({ name, fallbackFor }): CoverageItem[] => {
      if (fallbackFor === undefined) return [];
      const covered = runs.some((run) => run.records.get(name)?.gate.open === true);
      return [{ kind: 'fallback', subject: name, covered, gap: `${name} never stood in for ${fallbackFor}` }];
    }),
    ...enforcing.map(({ name }): CoverageItem => ({
      kind: 'failure',
      subject: name,
      covered: runs.some((run) => hasFailed(run.records.get(name))),
      gap: `${name} failed in no case`,
    })),
  ];
}

/** 0 to 1; 1 when there is nothing to cover. */
export function coverageShare(items: readonly CoverageItem[]): number {
  return items.length === 0 ? 1 : items.filter((item) => item.covered).length / items.length;
}

const hasGate = (critic: PlanCritic): boolean => critic.policy !== 'always';

/** Its own gate, not the end of a dependency, a budget or a cut. */
const decidedHere = ({ gate }: CriticRecord): boolean => gate.by === 'policy';

/** By the verdict's own code: rules may share their `reason`, so each is tried alone. */
function holds(plan: Plan, index: number, { records, facts }: CoveredRun): boolean {
  const rules = plan.verdict.rules.slice(index, index + 1);
  const { reasons } = decideVerdict({ ...plan, verdict: { ...plan.verdict, rules } }, records, facts);
  return reasons.some((reason) => reason.code === 'RULE');
}

/** An end of its own without success: not what a dependency, a gate or a decisive rule made of it. */
const hasFailed = (record: CriticRecord | undefined): boolean =>
  record !== undefined && !['succeeded', 'gated', 'skipped', 'cancelled'].includes(record.outcome);
