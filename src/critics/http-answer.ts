/** What the answer of a service means: a finding, or a failure sorted into what is worth another try. No imports but errors. */
import type { Finding } from '../domain/finding.js';
import { CriticError, type CriticErrorKind } from './critic.js';

/** The failure that a status stands for; `undefined` for success. */
export function statusError(response: Response, host: string): CriticError | undefined {
  const { status } = response;
  if (response.ok) return undefined;
  if (status < 400) return new CriticError('permanent', 'HTTP_REDIRECT', `${host} answered ${status}: redirects are not followed`);
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), Date.now());
  return new CriticError(
    kindOf(status, retryAfterMs !== undefined),
    `HTTP_${status}`,
    `${host} answered ${status}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

function kindOf(status: number, saysWhen: boolean): CriticErrorKind {
  if (status === 429 || (status === 503 && saysWhen)) return 'rate_limited';
  return status === 408 || status === 425 || status >= 500 ? 'transient' : 'permanent';
}

const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Seconds or a date to milliseconds from now; `undefined` for what is neither and for what has passed. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const waitMs = HTTP_DATE.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return waitMs >= 0 ? waitMs : undefined;
}

/**
 * The parsed body. Whether it is a finding is for the host to say.
 * @throws CriticError `HTTP_TOO_LARGE` or `HTTP_MALFORMED`; errors of the connection as they come.
 */
export async function findingOfAnswer(response: Response, host: string, maxBytes: number): Promise<Finding> {
  // A proxy's page comes with status 200 as well, and goes away by itself.
  const malformed = new CriticError('transient', 'HTTP_MALFORMED', `${host} answered ${response.status} with something that is not JSON`);
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(response.headers.get('content-type') ?? '')) {
    await response.body?.cancel();
    throw malformed;
  }
  const body = await readBody(response, maxBytes);
  if (body === undefined)
    throw new CriticError('invalid_output', 'HTTP_TOO_LARGE', `${host} answered ${response.status} with more than ${maxBytes} bytes`);
  try {
    const answer: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return answer as Finding;
  } catch {
    throw malformed;
  }
}

/** `undefined` when it has more bytes than allowed; the rest is not read then. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!response.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the reader.
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Codes of Node's sockets and of its `fetch`. */
const NETWORK_CODES: Readonly<Record<string, readonly [code: string, what: string]>> = {
  ECONNREFUSED: ['HTTP_CONNECT', 'refuses connections'],
  EHOSTUNREACH: ['HTTP_CONNECT', 'cannot be reached'],
  ENETUNREACH: ['HTTP_CONNECT', 'cannot be reached'],
  ETIMEDOUT: ['HTTP_CONNECT', 'did not accept the connection in time'],
  UND_ERR_CONNECT_TIMEOUT: ['HTTP_CONNECT', 'did not accept the connection in time'],
  ENOTFOUND: ['HTTP_DNS', 'has no address'],
  EAI_AGAIN: ['HTTP_DNS', 'could not be looked up'],
  ECONNRESET: ['HTTP_RESET', 'broke the connection'],
  EPIPE: ['HTTP_RESET', 'broke the connection'],
  UND_ERR_SOCKET: ['HTTP_RESET', 'broke the connection'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['HTTP_RESET', 'sent less or more than it announced'],
  UND_ERR_HEADERS_TIMEOUT: ['HTTP_TIMEOUT', 'did not answer in time'],
  UND_ERR_BODY_TIMEOUT: ['HTTP_TIMEOUT', 'did not finish its answer in time'],
};

/** A failed connection is worth another try. The error's own message may quote the body, so that only its code is used. */
export function networkError(error: unknown, host: string): CriticError {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const known = NETWORK_CODES[codeOf(cause) ?? codeOf(error) ?? ''];
  const [code, what] = known ?? ['HTTP_NETWORK', 'could not be asked: the connection failed'];
  return new CriticError('transient', code, `${host} ${what}`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
