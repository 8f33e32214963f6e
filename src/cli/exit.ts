/** Exit codes: what scripts read. Never renumbered. */
import { CommanderError } from 'commander';
import { NotRecorded, OverloadedError, ReviewRefused, TribunalError, type ClientCode } from '../client-errors.js';
import { reasonOf } from '../domain/error-name.js';
import type { Decision } from '../domain/report.js';

export const EXIT = { ok: 0, error: 1, usage: 2, deny: 10, escalate: 11, notJudged: 12, overloaded: 13, started: 14 } as const;

const OF_DECISION: Readonly<Record<Decision, number>> = {
  allow: EXIT.ok,
  deny: EXIT.deny,
  escalate: EXIT.escalate,
  not_judged: EXIT.notJudged,
};

export const exitOfDecision = (decision: Decision): number => OF_DECISION[decision];

/** An error of the command line itself. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    readonly exitCode: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** What was typed cannot be done as it stands. */
export const usageError = (message: string): CliError => new CliError(EXIT.usage, 'USAGE', message);

/** Ends that the client tells as errors; the evaluation was not judged, or the request was refused. */
const OF_CLIENT_CODE: Partial<Readonly<Record<ClientCode, number>>> = {
  REQUEST_REFUSED: EXIT.usage,
  KEY_CONFLICT: EXIT.usage,
  OVERLOADED: EXIT.overloaded,
  STILL_RUNNING: EXIT.notJudged,
  EVALUATION_CANCELLED: EXIT.notJudged,
  EVALUATION_TERMINATED: EXIT.notJudged,
  EVALUATION_FAILED: EXIT.notJudged,
  REVIEW_REFUSED: EXIT.usage,
};

export function exitOfError(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof CommanderError) return EXIT.usage;
  if (error instanceof TribunalError) return OF_CLIENT_CODE[error.code] ?? EXIT.error;
  return EXIT.error;
}

/** Anything thrown, for people and programs. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
  /** Of what may be tried again as it stands. */
  readonly retryAfterMs?: number;
  /** Why a review has refused a command. */
  readonly reason?: string;
  /** Under which a command that nobody has answered is to be sent again. */
  readonly commandId?: string;
}

export function describeError(error: unknown): ToldError {
  if (error instanceof ReviewRefused) return { code: error.code, message: error.message, reason: error.reason };
  if (error instanceof NotRecorded) return { code: error.code, message: error.message, commandId: error.commandId };
  if (error instanceof OverloadedError) return { code: error.code, message: error.message, retryAfterMs: error.retryAfterMs };
  if (error instanceof CliError || error instanceof TribunalError) return { code: error.code, message: error.message };
  if (error instanceof CommanderError) return { code: 'USAGE', message: error.message.replace(/^error: /, '') };
  // By name: the class lives in a module that loads everything a plan needs.
  if (error instanceof Error && error.name === 'DeploymentProblems') return { code: 'DEPLOYMENT_PROBLEMS', message: error.message };
  return { code: 'ERROR', message: reasonOf(error) };
}
