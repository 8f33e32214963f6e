/**
 * One line of a file of results, as `tribunal evaluate --out` writes it and reads it again. What is not needed to go on
 * and to sum up is passed over, so that lines of a later version are understood.
 */
import { z } from 'zod';
import { CRITIC_OUTCOMES } from '../domain/outcomes.js';

const amount = z.number().min(0);
const ofBatch = {
  /** `records.jsonl:3`: where the record stood. */
  at: z.string(),
  /** Of the batch: keys of records that have none are made of it. */
  batch: z.string().regex(/^[0-9a-f-]{36}$/),
  evaluationId: z.string().min(1),
  /** Of the request, by which a record is known again. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
};

const CriticSchema = z.object({
  name: z.string(),
  outcome: z.enum(CRITIC_OUTCOMES),
  attempts: amount,
  ranMs: amount,
  cost: z.object({
    weight: amount,
    usd: amount.exactOptional(),
    inputTokens: amount.exactOptional(),
    outputTokens: amount.exactOptional(),
  }),
  code: z.string().exactOptional(),
  mode: z.literal('shadow').exactOptional(),
});

const JudgedSchema = z.object({
  ...ofBatch,
  decision: z.enum(['allow', 'deny', 'escalate', 'not_judged']),
  plan: z.object({ name: z.string() }),
  critics: z.array(CriticSchema),
  metrics: z.object({
    totalMs: amount,
    cost: z.object({ spent: amount, saved: amount, unknown: amount, usd: amount.exactOptional() }),
  }),
});

/** An evaluation that ended without a report: cancelled, terminated, broken. */
const EndedSchema = z.object({ ...ofBatch, error: z.object({ code: z.string(), message: z.string() }) });

const ResultLineSchema = z.union([JudgedSchema, EndedSchema]);

export type ResultLine = z.output<typeof ResultLineSchema>;

/** `undefined` when the text is no result. */
export function parseResultLine(text: string): ResultLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = ResultLineSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
