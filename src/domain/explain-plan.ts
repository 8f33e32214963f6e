/** Which critics of a plan run over a record, and why, out of a run that assumed their findings. Pure. */
import { visibleTo } from './gate.js';
import type { CriticOutcome, CriticRecord, GateDecision } from './outcomes.js';
import type { Dispatch, ExecutionStage, Plan, PlanCritic } from './plan.js';
import { ran } from './run-case.js';

export interface ExplainedCritic {
  readonly name: string;
  readonly stage: ExecutionStage;
  readonly dispatch: Dispatch;
  readonly mode: PlanCritic['mode'];
  /** Whether it would begin to run. */
  readonly runs: boolean;
  readonly outcome: CriticOutcome;
  readonly policy: PlanCritic['policy'];
  /** CEL. */
  readonly condition?: string;
  readonly gate: GateDecision;
  /** Critics whose findings its gate looks at; of the policies that look at findings. */
  readonly sees?: readonly string[];
  /** The critic at the root of an end by dependency. */
  readonly root?: string;
  /** In a sentence, where there is one. */
  readonly message?: string;
  readonly costWeight: number;
}

/** All planned critics, in plan order. */
export function explainCritics(plan: Plan, records: ReadonlyMap<string, CriticRecord>): ExplainedCritic[] {
  return plan.critics.flatMap((critic) => {
    const record = records.get(critic.name);
    return record === undefined ? [] : [explained(plan, critic, record)];
  });
}

function explained(plan: Plan, critic: PlanCritic, record: CriticRecord): ExplainedCritic {
  const looks = critic.policy === 'on_violation' || critic.policy === 'on_uncertainty';
  return {
    name: critic.name,
    stage: critic.stage,
    dispatch: critic.dispatch,
    mode: critic.mode,
    runs: ran(record),
    outcome: record.outcome,
    policy: critic.policy,
    ...(critic.condition !== undefined ? { condition: critic.condition } : {}),
    gate: record.gate,
    ...(looks ? { sees: visibleTo(plan, critic) } : {}),
    ...(record.root !== undefined ? { root: record.root } : {}),
    ...(record.message !== undefined ? { message: record.message } : {}),
    costWeight: critic.costWeight,
  };
}

/** Cost weight of the critics that would run, and of all. */
export function weights(critics: readonly ExplainedCritic[]): { readonly running: number; readonly planned: number } {
  const sum = (of: readonly ExplainedCritic[]): number => of.reduce((total, critic) => total + critic.costWeight, 0);
  return { running: sum(critics.filter((critic) => critic.runs)), planned: sum(critics) };
}
