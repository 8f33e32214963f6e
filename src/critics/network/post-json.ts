/** One request with JSON to a service and its answer as JSON, or the failure that the table has for it. */
import { CriticError } from '../critic.js';
import { answerFailure, networkFailure, readCapped, statusFailure } from './provider-failure.js';
import { parseStrictJson, stripFence } from './strict-json.js';
import type { Json } from '../../domain/finding.js';

export interface Post {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  /** Of the answer, decompressed. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
}

/** @throws CriticError a row of `PROVIDER_FAILURES`; the reason of the signal when it was aborted. */
export async function postJson({ url, headers, body, maxBytes, signal, fetch }: Post): Promise<Json> {
  const { host } = new URL(url);
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/json');
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    const failure = statusFailure(response.status, response.headers, host) ?? typeFailure(response, host);
    if (failure === undefined) return readJson(await readCapped(response, maxBytes), host);
    // An unread body would keep its connection busy.
    await response.body?.cancel();
    throw failure;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CriticError ? error : networkFailure(error, host);
  }
}

function typeFailure({ status, headers }: Response, host: string): CriticError | undefined {
  if (status === 204) return answerFailure('empty', host);
  const isJson = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(headers.get('content-type') ?? '');
  return isJson ? undefined : answerFailure('page', host);
}

function readJson(body: Uint8Array | undefined, host: string): Json {
  if (body === undefined) throw answerFailure('too_large', host);
  const text = decode(body);
  // Some proxies send their page under the type that was asked for.
  if (text !== undefined && /^\s*</.test(text)) throw answerFailure('page', host);
  const parsed = text === undefined ? { ok: false as const, problem: 'prose' as const } : parseStrictJson(stripFence(text));
  if (!parsed.ok) throw answerFailure(parsed.problem, host);
  return parsed.value;
}

/** `undefined` for bytes that are no UTF-8. */
function decode(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
