/**
 * Asks a service: POSTs the content as JSON and takes the answer as the finding. Never follows a redirect, reads no more
 * than its limit, and says in its errors which host and status, never what stood in a body.
 */
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { CriticError, defineCritic } from './critic.js';
import { findingOfAnswer, networkError, statusError } from './http-answer.js';

const url = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const Options = strict({
  url,
  /** Added to every request, beside `content-type`, `accept` and `idempotency-key`. */
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'must be a header name' }), z.string().regex(/^[\t\x20-\x7e]{0,2000}$/, { error: 'must be printable ASCII' })).default({}),
  /** Of the answer, decompressed: a finding has 16 KB at most, and a service may send much beside what counts. */
  maxBytes: z.int().min(65_536).max(1_048_576).default(262_144),
});

export type HttpOptions = z.output<typeof Options>;

export const http = defineCritic<HttpOptions>({
  name: 'http',
  version: '1.0.0',
  options: Options,
  async evaluate({ content, context, findings }, { options, signal, idempotencyKey, attempt }) {
    const { host } = new URL(options.url);
    try {
      const response = await fetch(options.url, {
        method: 'POST',
        headers: { ...options.headers, 'content-type': 'application/json', accept: 'application/json', 'idempotency-key': idempotencyKey },
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

/** The text may be a secret's neighbour: it is not quoted. */
function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not an absolute URL';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  if (username !== '' || password !== '') return 'must not hold a user name or password: send them in a header';
  return undefined;
}
