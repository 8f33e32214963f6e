/**
 * How the client speaks to the server: every call has a deadline, and every failure becomes one of `client-errors.ts`.
 * Imports `@temporalio/client` alone: no native module.
 */
import { isGrpcDeadlineError, isGrpcServiceError, QueryRejectedError, type Client } from '@temporalio/client';
import { NamespaceNotFoundError, ValueError, WorkflowNotFoundError } from '@temporalio/common';
import {
  EvaluationNotFound,
  NoWorker,
  ServerNotSetUp,
  ServerRefusal,
  ServerUnreachable,
  TribunalError,
  Undecodable,
} from './client-errors.js';
import { codecErrorIn } from './codec/codec-error.js';

/** Long enough for a busy server, short enough that a person waits for the sentence. */
export const CALL_TIMEOUT_MS = 10_000;

/** What the parts of the client share. */
export interface Host {
  readonly client: Client;
  /** The same server without its payloads: what cannot be decoded must not hide what stands beside it. */
  readonly index: Client;
  readonly namespace: string;
  /** Its name is the workflow task queue. */
  readonly deployment: string;
}

// The codes of https://grpc.github.io/grpc/core/md_doc_statuscodes.html that mean something here.
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;

/**
 * One call, or a few that belong together.
 * @param what was to be done, for the sentence of an error: `cannot start t/k`.
 */
export async function call<T>(host: Host, what: string, evaluationId: string | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await host.client.withDeadline(Date.now() + CALL_TIMEOUT_MS, run);
  } catch (error) {
    throw named(host, what, evaluationId, error);
  }
}

/** The error of this package that says what went wrong; errors that are not the server's stay as they are. */
export function named(host: Host, what: string, evaluationId: string | undefined, error: unknown): unknown {
  if (error instanceof TribunalError) return error;
  const options = { cause: error };
  if (error instanceof NamespaceNotFoundError) return new ServerNotSetUp(what, `there is no namespace ${error.namespace}`, options);
  if (error instanceof WorkflowNotFoundError && evaluationId !== undefined) return new EvaluationNotFound(evaluationId, host.namespace);
  // No condition is asked for under which a query is refused, so that only a pause is left.
  if (error instanceof QueryRejectedError)
    return new ServerRefusal(what, 'it is paused, and answers when an operator lets it go on', options);
  const undecodable = undecodableIn(error);
  if (undecodable !== undefined) return new Undecodable(what, undecodable, evaluationId, options);
  if (isGrpcDeadlineError(error)) return new ServerUnreachable(what, evaluationId, options);
  const answer = grpcAnswer(error);
  // What the transport says of a connection that `close` has closed; it has no code.
  if (error instanceof Error && error.message === 'Channel has been shut down')
    return new ServerUnreachable(`${what}: the client is closed`, evaluationId, options);
  if (answer === undefined) return error;
  if (answer.code === UNAVAILABLE) return new ServerUnreachable(what, evaluationId, options);
  if (answer.code === INVALID_ARGUMENT && /search attribute/i.test(answer.details))
    return new ServerNotSetUp(what, answer.details, options);
  // Of calls below the SDK's client, which has an error of its own for it.
  if (answer.code === NOT_FOUND && /^namespace /i.test(answer.details))
    return new ServerNotSetUp(what, `there is no namespace ${host.namespace}`, options);
  if (answer.code === FAILED_PRECONDITION && /no poller/i.test(answer.details)) return new NoWorker(host.deployment, host.namespace);
  return new ServerRefusal(what, answer.details, options);
}

function undecodableIn(error: unknown): string | undefined {
  if (error instanceof ValueError && error.message.startsWith('Unknown encoding: binary/encrypted'))
    return 'what the server has recorded is encrypted, and this client has no codec for it: name the data converter of the workers';
  return codecErrorIn(error)?.message;
}

function grpcAnswer(error: unknown): { readonly code: number; readonly details: string } | undefined {
  if (isGrpcServiceError(error)) return error;
  return error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : undefined;
}
