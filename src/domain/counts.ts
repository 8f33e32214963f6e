/**
 * What an evaluation adds to the metrics of its worker. Pure: made in the workflow, where the records are, and counted
 * outside it by `src/metrics.ts`.
 *
 * Every text in it is of a closed set: names of a plan, outcomes, classes, codes of the catalogue. Never a tenant, an id
 * or a word of content, since each new value of a label is a new series for ever.
 */
import type { Records } from './admit.js';
import { CODES } from './errors.js';
import { attemptsBegun } from './metrics.js';
import type { AttemptClass, AttemptRecord, CriticOutcome, CriticRecord } from './outcomes.js';
import type { Plan, PlanCritic } from './plan.js';
import type { Decision, EvaluationReport, Reason } from './report.js';

/** Of an evaluation that ended before its plan was known. */
export const NO_PLAN = { name: '-', version: 0 } as const;

export interface EvaluationCounts {
  readonly plan: Pick<Plan, 'name' | 'version'>;
  readonly decision: Decision;
  /** Code of the first reason that pushed to the decision; `-` when none did. */
  readonly cause: string;
  readonly seconds?: number;
  /** Of the planned cost weight, 0..1. */
  readonly savedShare?: number;
  readonly critics: readonly CriticCounts[];
}

export interface CriticCounts {
  readonly critic: string;
  readonly outcome: CriticOutcome;
  /** Its finding has violations. */
  readonly flagged: boolean;
  readonly attempts: readonly AttemptCounts[];
  readonly usd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export interface AttemptCounts {
  readonly class: AttemptClass;
  /** Absent: a local critic, which waits in no queue, or nobody knows. */
  readonly queueSeconds?: number;
  readonly runSeconds?: number;
}

/** What workflow code tells its worker; none of it happens on replay. A type and no interface, as the SDK's sinks ask for it. */
export type CountSinks = {
  readonly tribunal: {
    readonly opened: (plan: Pick<Plan, 'name' | 'version'>) => void;
    readonly refused: (cause: string) => void;
    readonly closed: (counts: EvaluationCounts) => void;
  };
};

export function countsOf(plan: Plan, records: Records, report: EvaluationReport): EvaluationCounts {
  return {
    plan: { name: plan.name, version: plan.version },
    decision: report.decision,
    cause: causeOf(report),
    seconds: report.metrics.totalMs / 1_000,
    savedShare: report.metrics.cost.savedShare,
    critics: plan.critics.map((critic) => criticCounts(critic, records.get(critic.name), report)),
  };
}

/** An evaluation whose plan could not even be pinned. */
export const unopened: EvaluationCounts = { plan: NO_PLAN, decision: 'not_judged', cause: 'NOT_OPENED', critics: [] };

/** A code of a critics module is its author's word, of which there may be any number. */
export const knownCode = (code: unknown): string => (typeof code === 'string' && Object.hasOwn(CODES, code) ? code : 'CRITIC_ERROR');

const EFFECT_OF: Readonly<Partial<Record<Decision, Reason['effect']>>> = { deny: 'deny', not_judged: 'fail', escalate: 'escalate' };

function causeOf({ decision, reasons }: EvaluationReport): string {
  const first = reasons.find(({ effect }) => effect === EFFECT_OF[decision]);
  return first === undefined ? '-' : knownCode(first.code);
}

function criticCounts(critic: PlanCritic, record: CriticRecord | undefined, report: EvaluationReport): CriticCounts {
  const told = report.critics.find(({ name }) => name === critic.name);
  const { usd, inputTokens, outputTokens } = told?.cost ?? {};
  return {
    critic: critic.name,
    outcome: told?.outcome ?? 'cancelled',
    flagged: (record?.finding?.violations.length ?? 0) > 0,
    attempts: attemptsOf(critic, record),
    ...(usd !== undefined ? { usd } : {}),
    ...(inputTokens !== undefined ? { inputTokens } : {}),
    ...(outputTokens !== undefined ? { outputTokens } : {}),
  };
}

function attemptsOf(critic: PlanCritic, record: CriticRecord | undefined): AttemptCounts[] {
  if (record === undefined) return [];
  // Of one that was cut only the start may be known.
  if (record.attempts.length === 0) return attemptsBegun(record) > 0 ? [{ class: 'cancelled' }] : [];
  return record.attempts.map((attempt) => ({ class: attempt.class, ...timesOf(critic, attempt) }));
}

/** What found no worker did not run, and what died with its process took its times along. */
function timesOf({ dispatch }: PlanCritic, attempt: AttemptRecord): Omit<AttemptCounts, 'class'> {
  if (attempt.class === 'unavailable' || (attempt.class === 'worker_lost' && attempt.startedAt === undefined)) return {};
  return {
    ...(dispatch === 'activity' ? { queueSeconds: attempt.queuedMs / 1_000 } : {}),
    runSeconds: attempt.ranMs / 1_000,
  };
}
