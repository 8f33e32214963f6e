/**
 * Asks a service: POSTs the content as JSON and takes the answer as the finding. The contract is published as
 * `docs/http-critic.openapi.json`. Says in its errors which host and status, never what stood in a body.
 */
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { secretName, serviceUrl } from '../schemas/service.js';
import type { Finding } from '../domain/finding.js';
import { defineCritic, type SecretSource } from './critic.js';
import { postJson } from './network/post-json.js';
import { HEADER_VALUE, headerSecret, secretValue } from './network/service-options.js';
import { sign } from './network/signature.js';

const HEADER_NAME = /^[A-Za-z0-9-]{1,64}$/;
/** Headers whose values open doors. Options stand in the plan, and so in every history. */
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key']);

const isHeaderName = (name: string): boolean => HEADER_NAME.test(name);
const isSecretHeader = (name: string): boolean => SECRET_HEADERS.has(name.toLowerCase());

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
  url: serviceUrl(),
  /** Added to every request, beside `content-type`, `accept` and `idempotency-key`. */
  headers: headersTo(headerValue, (name) =>
    isSecretHeader(name)
      ? `is a header for secrets, and options stand in histories: write secretHeaders: { ${name}: NAME_OF_A_SECRET }`
      : undefined,
  ).default({}),
  /** Header name to the name of a secret of the worker: the value is looked up for each request and stands nowhere else. */
  secretHeaders: headersTo(secretName(), () => undefined).default({}),
  /** Name of the secret that signs each request, so that the service can tell that it comes from here. Absent: not signed. */
  signWith: secretName().optional(),
  /** Of the answer, decompressed: a finding has 16 KB at most, and a service may send much beside what counts. */
  maxBytes: z.int().min(65_536).max(1_048_576).default(262_144),
});

export type HttpOptions = z.output<typeof Options>;

export const http = defineCritic<HttpOptions>({
  name: 'http',
  version: '1.1.0',
  options: Options,
  asks: ({ url }) => [url],
  async evaluate({ content, context, findings }, { options, signal, idempotencyKey, attempt, secret, fetch }) {
    const body = JSON.stringify({ content, context, findings, idempotencyKey, attempt });
    const headers = headersFor(options, secret);
    headers.set('idempotency-key', idempotencyKey);
    if (options.signWith !== undefined) sign(headers, body, secretValue(options.signWith, secret));
    const answer = await postJson({ url: options.url, headers, body, maxBytes: options.maxBytes, signal, fetch });
    // Whether it is a finding is for the host to say.
    return answer as unknown as Finding;
  },
});

/** A name that is written twice, in whatever case, stands for one header: the later one here wins. */
function headersFor(options: HttpOptions, secret: SecretSource): Headers {
  const headers = new Headers(options.headers);
  for (const [header, name] of Object.entries(options.secretHeaders)) headers.set(header, headerSecret(name, secret));
  return headers;
}
