/** A gate's decision with all that a person needs to see why. Pure. */
import type { Records } from './admit.js';
import { fallbacksOf } from './dependencies.js';
import { withFallbacks } from './fallback.js';
import { decideGate, visibleTo, type RunFacts } from './gate.js';
import type { CriticOutcome, GateDecision } from './outcomes.js';
import type { Plan, PlanCritic } from './plan.js';

export interface GateExplanation {
  readonly critic: string;
  /** How it ends without running; absent: it runs, as far as its gate is concerned. */
  readonly closed?: 'gated' | 'skipped';
  /** What decided, and in `saw` the values that it saw, by the paths of the condition. */
  readonly decision: GateDecision;
  /** The critic at the root of `skipped`, or of `gated` by a dependency. */
  readonly root?: string;
  /** CEL of a `conditional` critic, as the plan has it. */
  readonly condition?: string;
  /** What its policy may look at, in plan order: enforcing critics of earlier stages and what it waits for. */
  readonly sees: readonly { readonly name: string; readonly outcome: CriticOutcome; readonly coveredBy?: string }[];
}

/**
 * @param records as for `decideGate`: of every critic that has ended, those that it waits for among them.
 * @throws Error when one that it waits for has no record.
 */
export function explainGate(plan: Plan, critic: PlanCritic, records: Records, facts: RunFacts): GateExplanation {
  const gate = decideGate(plan, critic, records, facts);
  const visible = visibleTo(plan, critic).flatMap((name) => records.get(name) ?? []);
  const sees = withFallbacks(visible, fallbacksOf(plan)).map(({ name, outcome, coveredBy }) => ({
    name,
    outcome,
    ...(coveredBy !== undefined ? { coveredBy } : {}),
  }));
  return {
    critic: critic.name,
    ...(gate.kind === 'closed' ? { closed: gate.outcome, ...(gate.root !== undefined ? { root: gate.root } : {}) } : {}),
    decision: gate.decision,
    ...(critic.condition !== undefined ? { condition: critic.condition } : {}),
    sees,
  };
}
