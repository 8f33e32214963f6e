/**
 * What stands around a model's words in a completion of OpenAI's shape: whether the provider takes them for a whole answer,
 * which model wrote them and what they cost. Read apart from the client library, which believes what can be read. Pure.
 */
import { z } from 'zod';
import type { FindingCost, Json } from '../../domain/finding.js';
import type { AnswerFailure } from '../network/provider-failure.js';

/** Servers write `null` for what there is none of. */
const none = z.null().optional();

/** Of several choices none is the answer: they may disagree, and one alone was asked for. */
const Completion = z.object({
  error: none,
  choices: z.tuple([
    z.object({
      error: none,
      finish_reason: z.unknown().optional(),
      message: z
        .object({ refusal: z.unknown().optional(), tool_calls: z.array(z.unknown()).max(0).nullish(), function_call: none })
        // A filter may leave no message; without one there is no answer either.
        .nullish(),
    }),
  ]),
});

/** How servers call the end of a text that is whole. */
const WHOLE: ReadonlySet<unknown> = new Set(['stop', 'eos', 'eos_token', 'end_turn', 'stop_sequence']);

/** Why a completion is no judgement by the provider's own word, whatever its text says; `undefined` when it may be read. */
export function distrusted(completion: Json): AnswerFailure | undefined {
  const parsed = Completion.safeParse(completion);
  if (!parsed.success) return 'wrong_schema';
  const [{ finish_reason: reason, message }] = parsed.data.choices;
  const refusal = message?.refusal;
  if (reason === 'content_filter' || (typeof refusal === 'string' && refusal !== '')) return 'declined';
  if (reason === 'length') return 'cut_off';
  // Some servers never say why a text ended: that is no word of a fault, and what was cut off is no whole JSON object.
  const isWhole = WHOLE.has(typeof reason === 'string' ? reason.toLowerCase() : reason);
  return isWhole || reason === undefined || reason === null ? undefined : 'wrong_schema';
}

const THOUGHT = ['<think>', '</think>'] as const;

/** What a model writes without the thoughts that some servers leave in front of it. */
export function withoutThoughts(text: string): string {
  const [begin, end] = THOUGHT;
  // `trim` takes a byte order mark away as well.
  const written = text.trim();
  const at = written.startsWith(begin) ? written.indexOf(end) : -1;
  return at === -1 ? written : written.slice(at + end.length);
}

const tokens = z.int().min(0).optional().catch(undefined);
const Told = z
  .object({
    model: z.string().catch(''),
    usage: z.object({ prompt_tokens: tokens, completion_tokens: tokens }).catch({}),
  })
  .catch({ model: '', usage: {} });

/** Which model answered, and what it cost; a count that is not known is left out. */
export function toldBeside(completion: Json | undefined): { readonly model: string; readonly cost: FindingCost } {
  const { model, usage } = Told.parse(completion);
  return {
    model,
    cost: {
      ...(usage.prompt_tokens !== undefined && { inputTokens: usage.prompt_tokens }),
      ...(usage.completion_tokens !== undefined && { outputTokens: usage.completion_tokens }),
    },
  };
}
