/**
 * What a caller asks to have judged, checked: records as people write them, and requests as workflows get them.
 * Every problem is told at once, each names its field, none quotes the content.
 */
import { z } from 'zod';
import { DEFAULT_TENANT, KEY_FORM, TENANT_FORM, type EvaluateInput } from '../contract.js';
import { canonicalJson } from '../digest.js';
import { MAX_CONTENT_BYTES, RISK_TIERS, type RiskTier } from '../domain/plan.js';
import type { EvaluationRequest, JsonObject } from '../domain/request.js';
import type { Json } from '../domain/finding.js';
import { isWellFormed, JsonObjectSchema, JsonSchema } from './json.js';

const PLAN_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,40}$/;

const form = (pattern: RegExp, words: string) =>
  z.string(`must be ${words}`).regex(pattern, { error: (issue) => `${quote(issue.input)} is not ${words}` });
const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values, what: string) =>
  z.enum(values, { error: (issue) => `${quote(issue.input)} is no ${what}; known are ${values.join(', ')}` });

const person = z
  .string('must be a text')
  .min(1, 'is empty')
  .max(256, 'is longer than 256 characters')
  .refine(isWellFormed, 'holds half of a surrogate pair, which no UTF-8 text can hold');
const tenant = form(TENANT_FORM, `of the form ${TENANT_FORM.source}`);
const key = form(KEY_FORM, `of the form ${KEY_FORM.source}`);
const riskTier = oneOf(RISK_TIERS, 'risk tier');
const priorityClass = oneOf(['interactive', 'background'], 'class');

/** A record as it stands in a file or in a call. */
export interface EvaluationRecord {
  /** `[A-Za-z0-9._-]{1,128}`: the same key is the same evaluation. Absent: a new one. */
  readonly key?: string;
  /** `[A-Za-z0-9._-]{1,64}`; absent: `default`. */
  readonly tenant?: string;
  readonly content: Json;
  readonly context?: JsonObject;
  /** May also stand in the context. Absent: the plan's `risk.default`. */
  readonly riskTier?: RiskTier;
  readonly class?: EvaluationRequest['class'];
  readonly requester?: string;
  readonly author?: string;
}

/** A record and how to judge it. */
export interface StartRequest extends EvaluationRecord {
  /** Name of a plan of the deployment. */
  readonly plan: string;
  /** `off` runs every critic, for comparison. Default `on`. */
  readonly gating?: EvaluationRequest['gating'];
}

const recordShape = {
  key: key.exactOptional(),
  tenant: tenant.exactOptional(),
  content: JsonSchema,
  context: JsonObjectSchema.exactOptional(),
  riskTier: riskTier.exactOptional(),
  class: priorityClass.exactOptional(),
  requester: person.exactOptional(),
  author: person.exactOptional(),
};
const howToJudge = {
  plan: form(PLAN_NAME, `the name of a plan (${PLAN_NAME.source})`),
  gating: oneOf(['on', 'off'], 'gating'),
};

const refused = {
  error: (issue: { readonly code?: string | undefined }) => (issue.code === 'invalid_type' ? 'must be an object' : undefined),
};

export const RecordSchema: z.ZodType<EvaluationRecord> = z.strictObject(recordShape, refused).superRefine((record, context) => {
  for (const problem of tierProblems(record)) context.addIssue({ code: 'custom', ...problem });
  for (const problem of sizeProblems(record)) context.addIssue({ code: 'custom', ...problem });
});

export const EvaluationRequestSchema: z.ZodType<EvaluationRequest> = z
  .strictObject({ ...recordShape, ...howToJudge, key, tenant, context: JsonObjectSchema, class: priorityClass }, refused)
  .superRefine((request, context) => {
    // The tier of the context counts only where a client has lifted it out: a workflow must not overlook a higher one.
    for (const problem of tierProblems({ ...request, riskTier: request.riskTier ?? 'none' }))
      context.addIssue({ code: 'custom', ...problem });
    for (const problem of sizeProblems(request)) context.addIssue({ code: 'custom', ...problem });
  });

const EvaluateInputSchema = z.strictObject(
  { v: z.literal(1, 'must be 1'), request: EvaluationRequestSchema, requestDigest: form(DIGEST, 'a SHA-256 in hexadecimal') },
  refused,
);

type Problem = { readonly path: PropertyKey[]; readonly message: string };

/** `context.riskTier` must be a tier, and the same as `riskTier` when both are there. */
function tierProblems(record: { readonly context?: JsonObject; readonly riskTier?: string }): Problem[] {
  const inContext = record.context?.['riskTier'];
  if (inContext === undefined) return [];
  const path = ['context', 'riskTier'];
  const checked = riskTier.safeParse(inContext);
  if (!checked.success) return checked.error.issues.map((issue) => ({ path, message: issue.message }));
  if (record.riskTier === undefined || record.riskTier === checked.data) return [];
  return [{ path, message: `is ${checked.data} and riskTier is ${record.riskTier}: they must be the same` }];
}

function sizeProblems(record: { readonly content: Json; readonly context?: JsonObject }): Problem[] {
  const bytes = requestBytes(record);
  if (bytes <= MAX_CONTENT_BYTES) return [];
  return [{ path: ['content'], message: `and context are ${bytes} bytes together, at most ${MAX_CONTENT_BYTES} are accepted` }];
}

/** Bytes of content and context in canonical form. */
export function requestBytes(record: { readonly content: Json; readonly context?: JsonObject }): number {
  return Buffer.byteLength(canonicalJson(record.content)) + Buffer.byteLength(canonicalJson(record.context ?? {}));
}

export type Checked<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problems: readonly string[] };

/** Checks one record. Nothing is filled in. */
export function parseRecord(value: unknown): Checked<EvaluationRecord> {
  const parsed = RecordSchema.safeParse(value);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problems: problemsOf(parsed.error) };
}

/** Checks a record with its plan and fills in what is absent, so that its digest can be made. */
export function toEvaluationRequest(start: StartRequest, newKey: () => string): Checked<EvaluationRequest> {
  const { plan, gating = 'on', ...rest } = start;
  const record = parseRecord(rest);
  const judged = z.object(howToJudge).safeParse({ plan, gating });
  if (!record.ok || !judged.success) {
    return { ok: false, problems: [...(judged.success ? [] : problemsOf(judged.error)), ...(record.ok ? [] : record.problems)] };
  }
  const context = record.value.context ?? {};
  const tier = riskTier.safeParse(record.value.riskTier ?? context['riskTier']);
  return {
    ok: true,
    value: {
      ...record.value,
      ...judged.data,
      key: record.value.key ?? newKey(),
      tenant: record.value.tenant ?? DEFAULT_TENANT,
      context,
      class: record.value.class ?? 'interactive',
      ...(tier.success ? { riskTier: tier.data } : {}),
    },
  };
}

/** Checks the input of an evaluation inside the workflow's first activity, whoever started it. */
export function parseEvaluateInput(
  value: unknown,
): { readonly ok: true; readonly input: EvaluateInput } | { readonly ok: false; readonly message: string } {
  const parsed = EvaluateInputSchema.safeParse(value);
  return parsed.success ? { ok: true, input: parsed.data } : { ok: false, message: problemsOf(parsed.error).join('; ') };
}

/** One line a problem: the place, then what is wrong there. */
function problemsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const message = issue.code === 'unrecognized_keys' ? `has unknown fields: ${unknownFields(issue.keys)}` : issue.message;
    const at = issue.path.map(String).join('.');
    return at === '' ? `the record ${message}` : `${at} ${message}`;
  });
}

/** What does not look like the name of a field may be content that came to stand in the wrong place. */
function unknownFields(names: readonly string[]): string {
  return [...new Set(names.map((name) => (FIELD_NAME.test(name) ? quote(name) : 'a field')))].join(', ');
}

/** A value met, short enough for a sentence. */
function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value !== 'string') return `a value of type ${Array.isArray(value) ? 'list' : typeof value}`;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
