/** Decisions of the plan as it runs against what the sets expect. Pure. */
import type { Decision } from '../domain/report.js';
import type { Assessment, Confusion, LetThrough, OverBlocking } from './figures.js';
import type { Ends } from './replay-plan.js';
import { VERDICTS, type SetRecord } from './sets/record.js';
import { wilson } from './statistics.js';
import { byStratum } from './strata.js';

/** What was decided about one record. Content that the plan does not take is not judged. */
interface Decided {
  readonly record: SetRecord;
  readonly decision: Decision;
}

export function verdictFigures(records: readonly SetRecord[], ends: Ends): NonNullable<Assessment['verdicts']> {
  const decided = records.map((record, index) => ({ record, decision: ends[index]?.decision ?? 'not_judged' }) as const);
  const expecting = (...verdicts: readonly (SetRecord['verdict'] | undefined)[]): Decided[] =>
    decided.filter(({ record }) => verdicts.includes(record.verdict));
  return {
    confusion: confusionOf(decided),
    overBlocking: withTotal(expecting('allow'), overBlocking),
    letThrough: withTotal(expecting('deny', 'escalate'), letThrough),
    refused: ends.filter((end) => end === undefined).length,
  };
}

export function countDecisions(decisions: readonly Decision[]): Record<Decision, number> {
  const counts = { allow: 0, escalate: 0, deny: 0, not_judged: 0 };
  for (const decision of decisions) counts[decision] += 1;
  return counts;
}

function confusionOf(decided: readonly Decided[]): Confusion {
  return [...VERDICTS, 'not scored' as const].flatMap((expected) => {
    const of = decided.filter(({ record }) => (record.verdict ?? 'not scored') === expected);
    if (of.length === 0) return [];
    const scored = expected === 'not scored' ? [] : of;
    const accepted = scored.filter(({ record, decision }) => decision !== 'not_judged' && record.accept.includes(decision)).length;
    return [{ expected, decided: countDecisions(of.map(({ decision }) => decision)), accepted: wilson(accepted, scored.length) }];
  });
}

/** All together first, then by stratum; one stratum alone needs no sum. */
function withTotal<T>(decided: readonly Decided[], figures: (stratum: string, of: readonly Decided[]) => T): T[] {
  if (decided.length === 0) return [];
  const strata = [...byStratum(decided, ({ record }) => record.stratum)];
  const total = strata.length === 1 ? [] : [figures('all', decided)];
  return [...total, ...strata.map(([stratum, group]) => figures(stratum, group))];
}

const counted = (of: readonly Decided[], ...decisions: readonly Decision[]) =>
  wilson(of.filter(({ decision }) => decisions.includes(decision)).length, of.length);

const overBlocking = (stratum: string, of: readonly Decided[]): OverBlocking => ({
  stratum,
  n: of.length,
  denied: counted(of, 'deny'),
  escalated: counted(of, 'escalate'),
  notJudged: counted(of, 'not_judged'),
});

const letThrough = (stratum: string, of: readonly Decided[]): LetThrough => ({
  stratum,
  n: of.length,
  stopped: counted(of, 'deny', 'escalate'),
  denied: counted(of, 'deny'),
});
