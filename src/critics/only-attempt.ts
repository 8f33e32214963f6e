/** What a critic comes to when its first attempt is its only one: in a batch of local critics, and without a server. */
import type { AttemptClass, AttemptRecord, CriticOutcome, CriticResult } from '../domain/outcomes.js';
import type { AttemptEnd } from './attempt.js';

const OUTCOME_OF = {
  transient: 'failed',
  rate_limited: 'failed',
  permanent: 'failed',
  timed_out: 'timed_out',
  invalid_output: 'invalid_output',
  unavailable: 'unavailable',
  cancelled: 'cancelled',
} as const satisfies Record<Exclude<AttemptClass, 'ok' | 'worker_lost'>, CriticOutcome>;

/** @param ran how long the attempt waited and ran. */
export function resultOfOnly(
  end: AttemptEnd,
  ran: Omit<AttemptRecord, 'class' | 'code' | 'cost'>,
  times: Pick<CriticResult, 'startedAt' | 'endedAt'>,
): CriticResult {
  if (end.ok) {
    const cost = end.finding.cost !== undefined ? { cost: end.finding.cost } : {};
    return { outcome: 'succeeded', finding: end.finding, attempts: [{ class: 'ok', ...ran, ...cost }], ...times };
  }
  const attempt = { class: end.class, code: end.code, ...ran, ...(end.cost !== undefined ? { cost: end.cost } : {}) };
  return { outcome: OUTCOME_OF[end.class], attempts: [attempt], code: end.code, message: end.message, ...times };
}
