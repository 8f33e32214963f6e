/**
 * The form of a finding, for values that a critic or a plan's case hands over. Fields that are not known are dropped,
 * so that an extra field beside a clear finding does not lose the finding. Never imported by value in workflow code.
 */
import { z } from 'zod';
import { jsonBytes } from '../domain/bytes.js';
import { MAX_MESSAGE_CHARS, type Finding } from '../domain/finding.js';
import { MAX_DETAILS_BYTES, MAX_TOKENS, MAX_USD, MAX_VIOLATIONS } from '../domain/finding-problem.js';
import { JsonSchema } from './json.js';

const CODE_FORM = /^[a-zA-Z0-9_.:-]{1,64}$/;

// zod's own numbers refuse NaN, infinities and anything that only looks like a number: nothing is converted here.
const finite = () => z.number({ error: 'must be a finite number' });

function share() {
  const error = 'must be a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error });
}

function count() {
  const error = 'must be a whole number, 0 or more';
  return z.int({ error }).min(0, { error });
}

const SpanSchema = z
  .object(
    { path: z.string({ error: 'must be a JSON Pointer' }).exactOptional(), start: count(), end: count() },
    { error: 'must be an object with start and end' },
  )
  .refine((span) => span.start <= span.end, { error: 'must not end before it starts' });

const messageRule = `must be a text of at most ${MAX_MESSAGE_CHARS} characters`;
const codeRule = 'must be a text of the form [a-zA-Z0-9_.:-]{1,64}';

const ViolationSchema = z.object(
  {
    code: z.string({ error: codeRule }).regex(CODE_FORM, { error: codeRule }),
    message: z.string({ error: messageRule }).max(MAX_MESSAGE_CHARS, { error: messageRule }),
    severity: share().exactOptional(),
    span: SpanSchema.exactOptional(),
  },
  { error: 'must be an object with code and message' },
);

const violationsRule = `must be a list of at most ${MAX_VIOLATIONS} violations`;

function usd() {
  const error = `must be a number from 0 to ${MAX_USD}`;
  return z.number({ error }).min(0, { error }).max(MAX_USD, { error });
}

const tokens = () => count().max(MAX_TOKENS, { error: `must be at most ${MAX_TOKENS}` });

const CostSchema = z.object(
  {
    usd: usd().exactOptional(),
    inputTokens: tokens().exactOptional(),
    outputTokens: tokens().exactOptional(),
  },
  { error: 'must be an object' },
);

/** What every finding must satisfy, whatever its critic. */
export const FindingSchema = z.object(
  {
    severity: share(),
    violations: z.array(ViolationSchema, { error: violationsRule }).max(MAX_VIOLATIONS, { error: violationsRule }),
    score: finite().exactOptional(),
    value: finite().exactOptional(),
    uncertainty: share().exactOptional(),
    evidence: z.array(z.string({ error: 'must be a text' }), { error: 'must be a list of texts' }).exactOptional(),
    cost: CostSchema.exactOptional(),
    details: JsonSchema.refine((details) => jsonBytes(details) <= MAX_DETAILS_BYTES, {
      error: `must have at most ${MAX_DETAILS_BYTES} bytes`,
    }).exactOptional(),
  },
  { error: 'must be an object with severity and violations' },
) satisfies z.ZodType<Finding>;
