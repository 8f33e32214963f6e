/**
 * What activities tell the workflow, looked at again: a completion, a failure or a heartbeat may come from elsewhere
 * than our adapter (an operator's command), and what is not of its form would allow, or wedge the workflow. Pure.
 */
import type { AttemptFailure, Beat } from '../contract.js';
import { findingProblem, isCost } from './finding-problem.js';
import type { Finding } from './finding.js';
import { ATTEMPT_CLASSES, type AttemptRecord, type CriticResult } from './outcomes.js';

const FAILED = ['failed', 'timed_out', 'invalid_output', 'unavailable', 'worker_lost'] as const satisfies readonly AttemptFailure['outcome'][];

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isDuration = (value: unknown): boolean => isNumber(value) && value >= 0;
const isIn = <Member>(members: readonly Member[], value: unknown): value is Member => members.some((member) => member === value);

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});

/** The result of a critic that succeeded, with the fields of a result and no others, or what is wrong with it. */
export function toldSuccess(value: unknown): CriticResult | string {
  const { outcome, attempts, finding, startedAt, endedAt } = fieldsOf(value);
  if (outcome !== 'succeeded') return 'the result is not one of a critic that succeeded';
  if (!isAttempts(attempts)) return 'the attempts of the result are none';
  if (!isFinding(finding)) return findingProblem(finding) ?? 'the finding is none';
  return { outcome, attempts, finding, ...timesOf(startedAt, endedAt) };
}

export function toldFailure(value: unknown): AttemptFailure | undefined {
  const { outcome, code, attempts, startedAt, endedAt } = fieldsOf(value);
  if (!isIn(FAILED, outcome) || typeof code !== 'string' || !isAttempts(attempts)) return undefined;
  return { outcome, code, attempts, ...timesOf(startedAt, endedAt) };
}

export function toldBeat(value: unknown): Beat | undefined {
  const { attempts, startedAt, runningSince, waiting } = fieldsOf(value);
  if (!isAttempts(attempts)) return undefined;
  return {
    attempts,
    ...(isNumber(startedAt) ? { startedAt } : {}),
    ...(isNumber(runningSince) ? { runningSince } : {}),
    ...(waiting === true ? { waiting } : {}),
  };
}

const isFinding = (value: unknown): value is Finding => findingProblem(value) === undefined;

const isAttempts = (value: unknown): value is readonly AttemptRecord[] => Array.isArray(value) && value.every(isAttempt);

function isAttempt(value: unknown): boolean {
  const { class: how, queuedMs, ranMs, startedAt, code, cost } = fieldsOf(value);
  const isTimed = isDuration(queuedMs) && isDuration(ranMs) && (startedAt === undefined || isNumber(startedAt));
  return isIn(ATTEMPT_CLASSES, how) && isTimed && (code === undefined || typeof code === 'string') && isCost(cost);
}

const timesOf = (startedAt: unknown, endedAt: unknown): Pick<CriticResult, 'startedAt' | 'endedAt'> => ({
  ...(isNumber(startedAt) ? { startedAt } : {}),
  ...(isNumber(endedAt) ? { endedAt } : {}),
});
