/**
 * Asks a service: POSTs the content as JSON and takes the answer as the finding. Never follows a redirect, reads no more
 * than its limit, and says in its errors which host and status, never what stood in a body.
 */
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { CriticError, defineCritic, type SecretSource } from './critic.js';
import { findingOfAnswer, networkError, statusError } from './http-answer.js';

const url = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const HEADER_NAME = /^[A-Za-z0-9-]{1,64}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]{0,2000}$/;
const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
/** Headers whose values open doors. Options stand in the plan, and so in every history. */
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key']);

const isHeaderName = (name: string): boolean => HEADER_NAME.test(name);
const isSecretHeader = (name: string): boolean => SECRET_HEADERS.has(name.toLowerCase());

/** Values are not quoted: somebody may have written the secret itself. */
const secretRule = `must be the name of a secret, of the form ${SECRET_NAME.source}`;
const secretName = z.string({ error: secretRule }).regex(SECRET_NAME, { error: secretRule });

const headerValue = z.string({ error: 'must be a text' }).regex(HEADER_VALUE, { error: 'must be printable ASCII' });

/** A map of header names; a name is told as a field of its own. */
const headersTo = <Value extends z.ZodType>(value: Value, nameProblem: (name: string) => string | undefined) =>
  z.record(z.string(), value).superRefine((headers, context) => {
    for (const name of Object.keys(headers)) {
      const message = isHeaderName(name) ? nameProblem(name) : 'must be a header name';
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
    }
  });

const Options = strict({
  url,
  /** Added to every request, beside `content-type`, `accept` and `idempotency-key`. */
  headers: headersTo(headerValue, (name) =>
    isSecretHeader(name)
      ? `is a header for secrets, and options stand in histories: write secretHeaders: { ${name}: NAME_OF_A_SECRET }`
      : undefined,
  ).default({}),
  /** Header name to the name of a secret of the worker: the value is looked up for each request and stands nowhere else. */
  secretHeaders: headersTo(secretName, () => undefined).default({}),
  /** Of the answer, decompressed: a finding has 16 KB at most, and a service may send much beside what counts. */
  maxBytes: z.int().min(65_536).max(1_048_576).default(262_144),
});

export type HttpOptions = z.output<typeof Options>;

export const http = defineCritic<HttpOptions>({
  name: 'http',
  version: '1.0.0',
  options: Options,
  async evaluate({ content, context, findings }, { options, signal, idempotencyKey, attempt, secret }) {
    const { host } = new URL(options.url);
    const headers = headersFor(options, secret);
    headers.set('idempotency-key', idempotencyKey);
    try {
      const response = await fetch(options.url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ content, context, findings, idempotencyKey, attempt }),
        redirect: 'manual',
        signal,
      });
      const failure = statusError(response, host);
      if (failure === undefined) return await findingOfAnswer(response, host, options.maxBytes);
      // An unread body would keep its connection busy.
      await response.body?.cancel();
      throw failure;
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof CriticError ? error : networkError(error, host);
    }
  },
});

/** A name that is written twice, in whatever case, stands for one header: the later one here wins. */
function headersFor(options: HttpOptions, secret: SecretSource): Headers {
  const headers = new Headers(options.headers);
  for (const [header, name] of Object.entries(options.secretHeaders)) headers.set(header, secretValue(name, secret));
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/json');
  return headers;
}

function secretValue(name: string, secret: SecretSource): string {
  const value = secret(name);
  if (value === undefined || value === '')
    throw new CriticError('permanent', 'HTTP_SECRET', `the worker has no secret called ${name}: set TRIBUNAL_SECRET_${name} where it runs`);
  // What a header cannot hold would be quoted by the error of whoever is handed it.
  if (!HEADER_VALUE.test(value))
    throw new CriticError(
      'permanent',
      'HTTP_SECRET',
      `the secret ${name} holds what no header can: only printable ASCII fits, at most 2000 characters`,
    );
  return value;
}

/** The text may be a secret's neighbour: it is not quoted. */
function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not an absolute URL';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  if (username !== '' || password !== '') return 'must not hold a user name or password: write the name of a secret under secretHeaders';
  return undefined;
}
