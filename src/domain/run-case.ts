/**
 * A `case` of a plan: how its critics end, and whether what the plan made of it is what the case expects. Pure.
 *
 * A critic that is not listed succeeds with severity 0 and no violations; output rules are not applied; lists are sets.
 * Critics answer at once, in the order in which they start.
 */
import type { ParsedPlan } from '../schemas/plan.js';
import type { Finding, Json, Violation } from './finding.js';
import { attemptsBegun } from './metrics.js';
import type { AttemptClass, CriticOutcome, CriticRecord, CriticResult } from './outcomes.js';
import type { Verdict } from './verdict.js';

export type PlanCase = NonNullable<ParsedPlan['cases']>[number];

type WrittenFinding = NonNullable<NonNullable<PlanCase['given']>['findings']>[string];
type WrittenViolation = NonNullable<WrittenFinding['violations']>[number];

/** How critics end: as a case gives it, or as somebody assumes. */
export interface Givens {
  readonly findings?: Readonly<Record<string, GivenFinding>> | undefined;
  readonly outcomes?: Readonly<Record<string, CriticOutcome>> | undefined;
}

/** As in a plan: what is absent is that of a finding of nothing. */
export type GivenFinding = Readonly<Omit<WrittenFinding, 'violations' | 'evidence' | 'details'>> & {
  readonly violations?: readonly WrittenViolation[] | undefined;
  readonly evidence?: readonly string[] | undefined;
  readonly details?: Json | undefined;
};

/** What a plan came to. */
export interface CaseRun {
  readonly verdict: Verdict;
  readonly records: ReadonlyMap<string, CriticRecord>;
}

/** Ends that the plan makes of other ends: given, they would speak of something that did not happen. */
const FOLLOWING: readonly CriticOutcome[] = ['gated', 'skipped', 'cancelled'];

/** How one attempt ended that gave this outcome; an outcome that is absent had none. */
const ATTEMPT_OF: Readonly<Partial<Record<CriticOutcome, AttemptClass>>> = {
  succeeded: 'ok',
  failed: 'permanent',
  timed_out: 'timed_out',
  invalid_output: 'invalid_output',
};

/** What of a case cannot be acted out, in sentences. */
export function givenProblems(given: Givens | undefined): string[] {
  const ends = Object.entries(given?.outcomes ?? {});
  return [
    ...ends
      .filter(([, outcome]) => FOLLOWING.includes(outcome))
      .map(([name, outcome]) => `given: ${name} cannot be made to end as ${said(outcome)}, which follows from how others end`),
    ...ends
      .filter(([name, outcome]) => outcome !== 'succeeded' && given?.findings?.[name] !== undefined)
      .map(([name, outcome]) => `given: ${name} has a finding and ends as ${said(outcome)}; only what succeeds has a finding`),
  ];
}

/** How a critic ends when it runs in this case. */
export function endOf(given: Givens | undefined, name: string): CriticResult {
  const outcome = given?.outcomes?.[name] ?? 'succeeded';
  const attempt = ATTEMPT_OF[outcome];
  return {
    outcome,
    attempts: attempt === undefined ? [] : [{ class: attempt, queuedMs: 0, ranMs: 0 }],
    ...(outcome === 'succeeded' ? { finding: findingOf(given?.findings?.[name]) } : {}),
  };
}

/** @param written absent: nothing was found. */
function findingOf(written: GivenFinding | undefined): Finding {
  if (written === undefined) return { severity: 0, violations: [] };
  const { severity, violations = [], score, value, uncertainty, evidence, details } = written;
  return {
    severity,
    violations: violations.map(violationOf),
    ...(score !== undefined ? { score } : {}),
    ...(value !== undefined ? { value } : {}),
    ...(uncertainty !== undefined ? { uncertainty } : {}),
    ...(evidence !== undefined ? { evidence } : {}),
    ...(details !== undefined ? { details } : {}),
  };
}

function violationOf({ code, message, severity, span }: WrittenViolation): Violation {
  const { path, start, end } = span ?? {};
  return {
    code,
    message,
    ...(severity !== undefined ? { severity } : {}),
    ...(start !== undefined && end !== undefined ? { span: { ...(path !== undefined ? { path } : {}), start, end } } : {}),
  };
}

/** Whether a critic began to run. */
export const ran = (record: CriticRecord): boolean => attemptsBegun(record) > 0;

/** What came out otherwise than expected, in sentences; none when the case passes. */
export function caseDifferences({ expect }: PlanCase, { verdict, records }: CaseRun): string[] {
  const all = [...records.values()];
  const why = verdict.reasons.filter((reason) => reason.effect !== 'none').map((reason) => reason.message);
  return [
    ...(verdict.decision === expect.decision
      ? []
      : [
          `decision: expected ${said(expect.decision)}, got ${said(verdict.decision)}${why.length > 0 ? ` (${why.join('; ')})` : ', for no rule held and nothing failed'}`,
        ]),
    ...setDifferences('gated', expect.gated, all, (record) => record.outcome === 'gated'),
    ...setDifferences('ran', expect.ran, all, ran),
    ...Object.entries(expect.outcomes ?? {}).flatMap(([name, outcome]) => {
      const got = records.get(name)?.outcome;
      return got === outcome ? [] : [`${name}: expected ${said(outcome)}, got ${got === undefined ? 'no record' : said(got)}`];
    }),
  ];
}

function setDifferences(
  word: 'gated' | 'ran',
  expected: readonly string[] | undefined,
  records: readonly CriticRecord[],
  holds: (record: CriticRecord) => boolean,
): string[] {
  if (expected === undefined) return [];
  const wanted = new Set(expected);
  const ends = new Map(records.map((record) => [record.name, record.outcome]));
  const got = records.filter(holds).map((record) => record.name);
  const missing = [...wanted].filter((name) => !got.includes(name));
  const more = got.filter((name) => !wanted.has(name));
  return [
    ...missing.map((name) => `${word}: ${name} is expected there and ended as ${said(ends.get(name) ?? 'nothing')}`),
    ...more.map((name) => `${word}: ${name} is there (${said(ends.get(name) ?? '')}) and not expected`),
  ];
}

/** What a case gives and the plan never asked for: often a sign that the case does not test what it says. */
export function unusedGivens({ given }: PlanCase, { records }: CaseRun): string[] {
  const names = new Set([...Object.keys(given?.findings ?? {}), ...Object.keys(given?.outcomes ?? {})]);
  return [...names].flatMap((name) => {
    const record = records.get(name);
    const asked = record !== undefined && (ran(record) || record.outcome === given?.outcomes?.[name]);
    return asked ? [] : [`${name} did not run (${said(record?.outcome ?? 'no record')}), so that what is given for it was not used`];
  });
}

const said = (word: string): string => word.replaceAll('_', ' ');
