/**
 * What activities tell the workflow, looked at again: a completion, a failure or a heartbeat may come from elsewhere
 * than our adapter (an operator's command), and what is not of its form would allow, or wedge the workflow. What comes
 * out is built anew from the fields that are known: nothing that was not looked at is handed on. Pure.
 */
import type { AttemptFailure, Beat } from '../contract.js';
import { findingProblem, isCost } from './finding-problem.js';
import type { Finding, FindingCost, Span, Violation } from './finding.js';
import { ATTEMPT_CLASSES, MAX_HELD_BY_CHARS, MAX_HELD_REASON_CHARS, type AttemptRecord, type CriticResult, type Held } from './outcomes.js';

const FAILED = [
  'failed',
  'timed_out',
  'invalid_output',
  'unavailable',
  'worker_lost',
] as const satisfies readonly AttemptFailure['outcome'][];

/** A year: plans allow 30 days, and sums over all attempts of a run stay finite. */
const MAX_DURATION_MS = 365 * 86_400_000;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isDuration = (value: unknown): boolean => isNumber(value) && value >= 0 && value <= MAX_DURATION_MS;
const isIn = <Member>(members: readonly Member[], value: unknown): value is Member => members.some((member) => member === value);

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});

/** The result of a critic that succeeded, or what is wrong with it. */
export function toldSuccess(value: unknown): CriticResult | string {
  const { outcome, attempts, finding, startedAt, endedAt } = fieldsOf(value);
  if (outcome !== 'succeeded') return 'the result is not one of a critic that succeeded';
  if (!isAttempts(attempts)) return 'the attempts of the result are none';
  if (!isFinding(finding)) return findingProblem(finding) ?? 'the finding is none';
  return { outcome, attempts: attempts.map(copyAttempt), finding: copyFinding(finding), ...timesOf(startedAt, endedAt) };
}

export function toldFailure(value: unknown): AttemptFailure | undefined {
  const { outcome, code, attempts, startedAt, endedAt } = fieldsOf(value);
  if (!isIn(FAILED, outcome) || typeof code !== 'string' || !isAttempts(attempts)) return undefined;
  return { outcome, code, attempts: attempts.map(copyAttempt), ...timesOf(startedAt, endedAt) };
}

export function toldBeat(value: unknown): Beat | undefined {
  const { attempts, startedAt, runningSince, waiting } = fieldsOf(value);
  if (!isAttempts(attempts)) return undefined;
  return {
    attempts: attempts.map(copyAttempt),
    ...(isNumber(startedAt) ? { startedAt } : {}),
    ...(isNumber(runningSince) ? { runningSince } : {}),
    ...(waiting === true ? { waiting } : {}),
  };
}

const isFinding = (value: unknown): value is Finding => findingProblem(value) === undefined;

const isAttempts = (value: unknown): value is readonly AttemptRecord[] => Array.isArray(value) && value.every(isAttempt);

function isAttempt(value: unknown): boolean {
  const { class: how, queuedMs, ranMs, startedAt, code, cost, held } = fieldsOf(value);
  const isTimed = isDuration(queuedMs) && isDuration(ranMs) && (startedAt === undefined || isNumber(startedAt));
  return isIn(ATTEMPT_CLASSES, how) && isTimed && (code === undefined || typeof code === 'string') && isCost(cost) && isHeld(held);
}

function isHeld(value: unknown): boolean {
  const { by, reason, ms } = fieldsOf(value);
  return value === undefined || (typeof by === 'string' && typeof reason === 'string' && isDuration(ms));
}

const timesOf = (startedAt: unknown, endedAt: unknown): Pick<CriticResult, 'startedAt' | 'endedAt'> => ({
  ...(isNumber(startedAt) ? { startedAt } : {}),
  ...(isNumber(endedAt) ? { endedAt } : {}),
});

const copyAttempt = ({ class: how, queuedMs, ranMs, startedAt, code, cost, held }: AttemptRecord): AttemptRecord => ({
  class: how,
  ...(code !== undefined ? { code } : {}),
  ...(cost !== undefined ? { cost: copyCost(cost) } : {}),
  queuedMs,
  ranMs,
  ...(startedAt !== undefined ? { startedAt } : {}),
  ...(held !== undefined ? { held: copyHeld(held) } : {}),
});

const copyHeld = ({ by, reason, ms }: Held): Held => ({
  by: by.slice(0, MAX_HELD_BY_CHARS),
  reason: reason.slice(0, MAX_HELD_REASON_CHARS),
  ms,
});

const copyFinding = ({ severity, violations, score, value, uncertainty, evidence, cost, details }: Finding): Finding => ({
  severity,
  violations: violations.map(copyViolation),
  ...(score !== undefined ? { score } : {}),
  ...(value !== undefined ? { value } : {}),
  ...(uncertainty !== undefined ? { uncertainty } : {}),
  ...(evidence !== undefined ? { evidence: [...evidence] } : {}),
  ...(cost !== undefined ? { cost: copyCost(cost) } : {}),
  ...(details !== undefined ? { details } : {}),
});

const copyViolation = ({ code, message, severity, span }: Violation): Violation => ({
  code,
  message,
  ...(severity !== undefined ? { severity } : {}),
  ...(span !== undefined ? { span: copySpan(span) } : {}),
});

const copySpan = ({ path, start, end }: Span): Span => ({ ...(path !== undefined ? { path } : {}), start, end });

const copyCost = ({ usd, inputTokens, outputTokens }: FindingCost): FindingCost => ({
  ...(usd !== undefined ? { usd } : {}),
  ...(inputTokens !== undefined ? { inputTokens } : {}),
  ...(outputTokens !== undefined ? { outputTokens } : {}),
});
