/**
 * What the client throws. Each error has a code for programs and one sentence that says what happened and what to do.
 * Anything but a report whose decision is `allow` is not allow: a caller that catches these must treat them so.
 */
import type { EvaluationReport } from './domain/report.js';
import { REVIEW_CODES, type ReviewCode } from './domain/review/codes.js';

export const CLIENT_CODES = [
  'REQUEST_REFUSED',
  'KEY_CONFLICT',
  'NO_WORKER',
  'OVERLOADED',
  'STILL_RUNNING',
  'EVALUATION_NOT_FOUND',
  'ALREADY_ENDED',
  'EVALUATION_CANCELLED',
  'EVALUATION_TERMINATED',
  'EVALUATION_FAILED',
  'SERVER_UNREACHABLE',
  'SERVER_NOT_SET_UP',
  'SERVER_ERROR',
  'UNDECODABLE',
  'REVIEW_REFUSED',
  'REVIEW_NOT_FOUND',
  'NOT_RECORDED',
] as const;
export type ClientCode = (typeof CLIENT_CODES)[number];

/** Base of all of them: `error instanceof TribunalError`, then look at `code`. */
export class TribunalError extends Error {
  override readonly name: string = 'TribunalError';
  constructor(
    readonly code: ClientCode,
    message: string,
    /** `<tenant>/<key>`, where one is known. */
    readonly evaluationId?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The request is malformed, or the deployment refused it. Nothing was judged; change the request. */
export class RequestRefused extends TribunalError {
  override readonly name = 'RequestRefused';
  constructor(
    readonly problems: readonly string[],
    evaluationId?: string,
    /** Why, as a code of the error catalogue. */
    readonly reason: string = 'BAD_REQUEST',
  ) {
    super('REQUEST_REFUSED', `the request is refused: ${problems.join('; ')}`, evaluationId);
  }
}

/** The key belongs to another request. */
export class KeyConflict extends TribunalError {
  override readonly name = 'KeyConflict';
  constructor(evaluationId: string) {
    super(
      'KEY_CONFLICT',
      `${evaluationId} was started with another plan, content, context, risk tier or gating, or for another deployment: a key stands for one request, so send this one under a key of its own`,
      evaluationId,
    );
  }
}

/** No process would take the evaluation, so none was started. */
export class NoWorker extends TribunalError {
  override readonly name = 'NoWorker';
  constructor(deployment: string, namespace: string) {
    super(
      'NO_WORKER',
      `no worker of the deployment ${deployment} polls in the namespace ${namespace}, so nothing was started: run \`tribunal worker\` or \`tribunal dev\`, or name the deployment that is running`,
    );
  }
}

/** As many critics of the plan wait as it allows, so nothing was started. The same request may be sent again later. */
export class OverloadedError extends TribunalError {
  override readonly name = 'OverloadedError';
  constructor(
    evaluationId: string,
    plan: string,
    maxWaiting: number,
    waiting: number,
    /** When there may be room again. */
    readonly retryAfterMs: number,
  ) {
    super(
      'OVERLOADED',
      `${evaluationId} was not started: ${waiting} wait for plan ${plan}, which lets ${maxWaiting} wait (limits.maxQueueSize): try again in ${Math.ceil(retryAfterMs / 1_000)} s`,
      evaluationId,
    );
  }
}

/** The wait is over and the evaluation is not: it goes on, and it is not allowed. */
export class StillRunning extends TribunalError {
  override readonly name = 'StillRunning';
  constructor(
    evaluationId: string,
    readonly waitedMs: number,
  ) {
    super(
      'STILL_RUNNING',
      `${evaluationId} is not judged, still running after ${waitedMs} ms: ask again later, and check that a worker is up`,
      evaluationId,
    );
  }
}

export class EvaluationNotFound extends TribunalError {
  override readonly name = 'EvaluationNotFound';
  constructor(evaluationId: string, namespace: string) {
    super(
      'EVALUATION_NOT_FOUND',
      `there is no evaluation ${evaluationId} in the namespace ${namespace}: check the id (<tenant>/<key>) and the namespace; closed ones are gone after its retention`,
      evaluationId,
    );
  }
}

/** There is nothing left to cancel. */
export class AlreadyEnded extends TribunalError {
  override readonly name = 'AlreadyEnded';
  constructor(evaluationId: string, status: string) {
    super(
      'ALREADY_ENDED',
      `${evaluationId} has ended already (${status}), so it cannot be cancelled: \`tribunal show ${evaluationId}\` shows how`,
      evaluationId,
    );
  }
}

/** Someone cancelled it before it had a verdict. */
export class EvaluationCancelled extends TribunalError {
  override readonly name = 'EvaluationCancelled';
  constructor(
    evaluationId: string,
    /** What had been judged by then; absent when the cancellation came before anything was. */
    readonly report?: EvaluationReport,
  ) {
    super('EVALUATION_CANCELLED', `${evaluationId} was cancelled before it had a verdict: start it again under a new key`, evaluationId);
  }
}

/** An operator terminated it; a terminated workflow cannot leave a report. */
export class EvaluationTerminated extends TribunalError {
  override readonly name = 'EvaluationTerminated';
  constructor(evaluationId: string, reason: string) {
    super(
      'EVALUATION_TERMINATED',
      `${evaluationId} was terminated (${reason}): reset it in the Temporal UI, or start it again under a new key`,
      evaluationId,
    );
  }
}

/** It closed in a way that an evaluation never chooses, so there is no report. */
export class EvaluationFailed extends TribunalError {
  override readonly name = 'EvaluationFailed';
  constructor(evaluationId: string, how: string, options?: ErrorOptions) {
    super(
      'EVALUATION_FAILED',
      `${evaluationId} ended without a report (${how}): its history in the Temporal UI shows why`,
      evaluationId,
      options,
    );
  }
}

export class ServerUnreachable extends TribunalError {
  override readonly name = 'ServerUnreachable';
  constructor(what: string, evaluationId?: string, options?: ErrorOptions) {
    super(
      'SERVER_UNREACHABLE',
      `${what}: the Temporal server did not answer in time: check the address, that the server is up, and whether it asks for TLS, a certificate or a key`,
      evaluationId,
      options,
    );
  }
}

/** The namespace or the search attributes are missing. */
export class ServerNotSetUp extends TribunalError {
  override readonly name = 'ServerNotSetUp';
  constructor(what: string, why: string, options?: ErrorOptions) {
    super('SERVER_NOT_SET_UP', `${what}: the Temporal server is not set up (${why}): run \`tribunal setup\``, undefined, options);
  }
}

/** The server answered with an error that has no name here. */
export class ServerRefusal extends TribunalError {
  override readonly name = 'ServerRefusal';
  constructor(what: string, why: string, options?: ErrorOptions) {
    super('SERVER_ERROR', `${what}: the Temporal server refused: ${why}`, undefined, options);
  }
}

/** What the server has recorded cannot be read here. Nothing is known of the verdict: it is not allowed. */
export class Undecodable extends TribunalError {
  override readonly name = 'Undecodable';
  constructor(what: string, why: string, evaluationId?: string, options?: ErrorOptions) {
    super('UNDECODABLE', `${what}: ${why}`, evaluationId, options);
  }
}

/** A review did not take a command, and nothing of it is recorded: the message says what can be done about it. */
export class ReviewRefused extends TribunalError {
  override readonly name = 'ReviewRefused';
  constructor(
    readonly reason: ReviewCode,
    readonly reviewId: string,
    /** What is known of it beyond its code. */
    how: string = REVIEW_CODES[reason],
  ) {
    super('REVIEW_REFUSED', `${reviewId} is not changed (${reason}): ${how}`);
  }
}

export class ReviewNotFound extends TribunalError {
  override readonly name = 'ReviewNotFound';
  constructor(
    readonly reviewId: string,
    namespace: string,
  ) {
    super(
      'REVIEW_NOT_FOUND',
      `there is no review ${reviewId} in the namespace ${namespace}: \`tribunal review list\` names those of the deployment; closed ones are gone after its retention`,
    );
  }
}

/** Nobody has said whether a command was taken. Sent again under its id it happens once, whatever became of this one. */
export class NotRecorded extends TribunalError {
  override readonly name = 'NotRecorded';
  constructor(
    action: string,
    readonly reviewId: string,
    readonly commandId: string,
  ) {
    super(
      'NOT_RECORDED',
      `${action} of ${reviewId} is not recorded as far as is known: check that the server and a worker are up, and send it again with the command id ${commandId}`,
    );
  }
}
