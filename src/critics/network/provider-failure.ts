/**
 * What can go wrong with a service or a provider, and what each of it means: one table for `http`, `moderation` and
 * `llm_judge`. A message names the host and a status, never what stood in a body.
 *
 * The rule behind it: an answer that came whole has been paid for. When it cannot be used it is `invalid_output` and is
 * not asked for again; only what never came, or came from somebody in between (a proxy's page), is worth another try.
 */
import { CriticError, type CriticErrorKind } from '../critic.js';
import type { FindingCost } from '../../domain/finding.js';

export interface FailureRow {
  /** `timed_out` is told by the host of the attempt, and tried again where the plan says `retryOnTimeout`. */
  readonly kind: CriticErrorKind | 'timed_out';
  readonly code: string;
  /** Attempts altogether, the first included. Absent: as many as the plan allows; 1 for what is final. */
  readonly maxAttempts?: number;
  /** Said after the host's name. */
  readonly what: string;
}

/** A page of a proxy goes away by itself or not at all: one more look is enough. */
const PAGE_ATTEMPTS = 2;

const final = (kind: 'permanent' | 'invalid_output', code: string, what: string): FailureRow => ({ kind, code, maxAttempts: 1, what });
const again = (kind: 'transient' | 'rate_limited', code: string, what: string, maxAttempts?: number): FailureRow => ({
  kind,
  code,
  what,
  ...(maxAttempts !== undefined ? { maxAttempts } : {}),
});

/** By status; `HTTP_n` stands for the status itself. */
const STATUS = {
  redirect: final('permanent', 'HTTP_REDIRECT', 'answered with a redirect, and none is followed'),
  bad_request: final('permanent', 'HTTP_400', 'answered 400'),
  unauthorized: final('permanent', 'HTTP_401', 'answered 401'),
  forbidden: final('permanent', 'HTTP_403', 'answered 403'),
  other_client_error: final('permanent', 'HTTP_n', 'answered 4xx'),
  too_early_or_slow: again('transient', 'HTTP_n', 'answered 408 or 425'),
  rate_limited: again('rate_limited', 'HTTP_429', 'answered 429'),
  overloaded: again('rate_limited', 'HTTP_503', 'answered 503 and said when to come back'),
  server_error: again('transient', 'HTTP_n', 'answered 5xx'),
} as const satisfies Record<string, FailureRow>;

/** Before an answer, or in the middle of one. */
const NETWORK = {
  unreachable: again('transient', 'HTTP_CONNECT', 'cannot be reached'),
  no_address: again('transient', 'HTTP_DNS', 'has no address'),
  reset: again('transient', 'HTTP_RESET', 'broke the connection'),
  silent: again('transient', 'HTTP_TIMEOUT', 'did not finish its answer in time'),
  certificate: final('permanent', 'HTTP_TLS', 'has a certificate or an encryption that cannot be trusted'),
  other_network: again('transient', 'HTTP_NETWORK', 'could not be asked: the connection failed'),
  /** No error of a socket: each piece comes, and the answer never ends. */
  slow_drip: { kind: 'timed_out', code: 'ATTEMPT_TIMEOUT', what: 'did not answer within the time of an attempt' },
} as const satisfies Record<string, FailureRow>;

/** A success by its status that cannot be used. */
const ANSWER = {
  page: again('transient', 'HTTP_MALFORMED', 'answered with something that is not JSON, as a proxy does', PAGE_ATTEMPTS),
  empty: again('transient', 'HTTP_MALFORMED', 'answered without a body', PAGE_ATTEMPTS),
  cut_in_transit: again('transient', 'HTTP_TRUNCATED', 'answered with JSON that ends in the middle', PAGE_ATTEMPTS),
  prose: final('invalid_output', 'HTTP_NOT_JSON', 'answered with words instead of JSON'),
  too_large: final('invalid_output', 'HTTP_TOO_LARGE', 'answered with more bytes than are read'),
  too_deep: final('invalid_output', 'HTTP_TOO_DEEP', 'answered with JSON that is nested too deep'),
  duplicate_keys: final('invalid_output', 'HTTP_DUPLICATE_KEY', 'answered with JSON that names one field twice'),
  forbidden_key: final('invalid_output', 'HTTP_FORBIDDEN_KEY', 'answered with JSON that has a field __proto__'),
  wrong_schema: final('invalid_output', 'HTTP_SCHEMA', 'answered with JSON of another form than was agreed'),
  declined: final('invalid_output', 'HTTP_DECLINED', 'declined to answer'),
  cut_off: final('invalid_output', 'HTTP_CUT_OFF', 'stopped its answer at the limit of its length'),
} as const satisfies Record<string, FailureRow>;

/** Every row; tests play each of them over real sockets. */
export const PROVIDER_FAILURES: Readonly<Record<keyof typeof STATUS | keyof typeof NETWORK | keyof typeof ANSWER, FailureRow>> = {
  ...STATUS,
  ...NETWORK,
  ...ANSWER,
};

export type AnswerFailure = keyof typeof ANSWER;

interface More {
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** What the answer cost all the same. */
  readonly cost?: FindingCost;
}

function errorOf(row: FailureRow, host: string, { status, retryAfterMs, cost }: More = {}): CriticError {
  const said = status === undefined ? row.what : `answered ${status}${status < 400 ? ': redirects are not followed' : ''}`;
  const code = status === undefined ? row.code : row.code.replace('_n', `_${status}`);
  return new CriticError(row.kind === 'timed_out' ? 'transient' : row.kind, code, `${host} ${said}`, {
    ...(row.maxAttempts !== undefined ? { maxAttempts: row.maxAttempts } : {}),
    ...(retryAfterMs !== undefined ? { retryAfterMs } : {}),
    ...(cost !== undefined ? { cost } : {}),
  });
}

/** The failure that a status stands for; `undefined` for success. */
export function statusFailure(status: number, headers: Pick<Headers, 'get'>, host: string): CriticError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), Date.now());
  return errorOf(statusRow(status, retryAfterMs !== undefined), host, { status, ...(retryAfterMs !== undefined ? { retryAfterMs } : {}) });
}

function statusRow(status: number, saysWhen: boolean): FailureRow {
  if (status < 400) return STATUS.redirect;
  if (status === 429) return STATUS.rate_limited;
  if (status === 503 && saysWhen) return STATUS.overloaded;
  if (status === 408 || status === 425) return STATUS.too_early_or_slow;
  return status >= 500 ? STATUS.server_error : STATUS.other_client_error;
}

/** The longest duration of a plan: what a service asks for is cut to what the critic has left anyway. */
const LONGEST_WAIT_MS = 2_592_000_000;
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Seconds or a date to milliseconds from now; `undefined` for what is neither and for what has passed. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_WAIT_MS);
  const waitMs = HTTP_DATE.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return waitMs >= 0 ? Math.min(waitMs, LONGEST_WAIT_MS) : undefined;
}

type NetworkFailure = Exclude<keyof typeof NETWORK, 'slow_drip'>;

/** Codes of Node's sockets and of its `fetch`. */
const NETWORK_CODES: Readonly<Record<string, NetworkFailure>> = {
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'unreachable',
  ENOTFOUND: 'no_address',
  EAI_AGAIN: 'no_address',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_HEADERS_TIMEOUT: 'silent',
  UND_ERR_BODY_TIMEOUT: 'silent',
};
/** OpenSSL has many words for a certificate that is not right. */
const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;

/** What a failed connection means. The error's own message may quote the body, so that only its code is used. */
export function networkFailure(error: unknown, host: string): CriticError {
  const code = codeOf(error) ?? '';
  const known = NETWORK_CODES[code] ?? (TLS_CODE.test(code) ? 'certificate' : 'other_network');
  return errorOf(NETWORK[known], host);
}

/** Of the innermost cause: what wraps it says only that the call failed. */
function codeOf(error: unknown): string | undefined {
  let code: string | undefined;
  for (let one = error; one instanceof Error; one = one.cause) if ('code' in one && typeof one.code === 'string') code = one.code;
  return code;
}

/** An answer with a success in its status that cannot be used. */
export function answerFailure(kind: AnswerFailure, host: string, more: { readonly cost?: FindingCost } = {}): CriticError {
  return errorOf(ANSWER[kind], host, more);
}

/** `undefined` when it has more bytes than allowed, decompressed; the rest is not read then. Errors of the connection come as they are. */
export async function readCapped(response: Pick<Response, 'body'>, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!response.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the reader, and with it the connection.
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
