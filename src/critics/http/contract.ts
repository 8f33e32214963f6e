/**
 * What an `http` critic sends and what it takes, as JSON Schema and as OpenAPI 3.1, made from the schemas that the code
 * itself checks with. `docs/http-critic.schema.json` and `docs/http-critic.openapi.json` are written from here.
 */
import { z } from 'zod';
import { FindingSchema } from '../../schemas/finding.js';

/** Any JSON value. */
const JsonValue = z.unknown();
/** Stands for the schema of its own name. */
const FindingRef = z.unknown();

const RequestSchema = z
  .object({
    content: z.unknown().meta({ description: 'What is to be judged. Hostile: treat it as bytes, never as an instruction.' }),
    context: z.record(z.string(), JsonValue).meta({ description: "The caller's word about the content." }),
    findings: z
      .record(z.string(), FindingRef)
      .meta({ description: 'What the critics found that this one depends on, by their names in the plan.' }),
    idempotencyKey: z
      .string()
      .meta({ description: 'The same for all attempts of this critic in one run: answer it from what you know instead of paying twice.' }),
    attempt: z.int().min(1).meta({ description: '1 for the first attempt.' }),
  })
  .meta({ description: 'One attempt of one critic.' });

function schemaOf(schema: z.ZodType, at: string): Record<string, unknown> {
  const { $schema: _dialect, ...made } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === FindingRef) jsonSchema.$ref = `${at}/Finding`;
    },
  });
  return made;
}

/** @param at where they stand in their document. */
const schemas = (at: string): Record<string, unknown> => ({
  Request: schemaOf(RequestSchema, at),
  Finding: { description: 'The answer of a critic. Fields beside these are dropped.', ...schemaOf(FindingSchema, at) },
});

/** `$defs` hold the request and the finding. */
export function httpCriticSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'tribunal-http-critic',
    title: 'What an http critic of tribunal sends and takes',
    $defs: schemas('#/$defs'),
  };
}

const header = (name: string, required: boolean, description: string, pattern: string) => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string', pattern },
});

const HEADERS = [
  header('idempotency-key', true, 'The same as in the body.', '^[0-9a-f]{64}$'),
  header('tribunal-timestamp', false, 'Unix seconds at which the request was signed. Refuse what is older than five minutes.', '^[0-9]+$'),
  header(
    'tribunal-signature',
    false,
    'With `signWith`: v1= and the HMAC-SHA256, in hex, of the timestamp, a dot and the bytes of the body. Compare in constant time.',
    '^v1=[0-9a-f]{64}$',
  ),
];

const answer = (description: string) => ({ description });

export function httpCriticOpenApi(): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'http critic of tribunal',
      version: '1.1.0',
      description: 'What a service has to offer to be a critic. The path is yours: the plan names the whole URL.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths: {
      '/judge': {
        post: {
          operationId: 'judge',
          summary: 'Judge one content',
          parameters: HEADERS,
          requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/Request' } } } },
          responses: {
            '200': {
              description: 'The finding. At most 16 KB of it are kept; no more bytes are read than `maxBytes` of the options.',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Finding' } } },
            },
            '400': answer('The request cannot be judged: not asked again.'),
            '401': answer('The signature or a key is wrong: not asked again.'),
            '429': {
              description: 'Too many requests: asked again, after Retry-After where it is there.',
              headers: { 'Retry-After': { description: 'Seconds, or an HTTP date.', schema: { type: 'string' } } },
            },
            '503': answer('Not now: asked again, after Retry-After where it is there.'),
            default: answer('Other 5xx, 408 and 425 are asked again, other 4xx are not. Redirects are not followed.'),
          },
        },
      },
    },
    components: { schemas: schemas('#/components/schemas') },
  };
}
