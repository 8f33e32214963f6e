/**
 * What a judge may answer, and the finding that it makes. The answer is untrusted: what the judge read may have written it.
 *
 * J1 A violation is never dropped because its quote is wrong: it stays without its place, and the finding is less sure.
 * J2 The severity is never lower than that of the worst violation.
 *
 * Pure.
 */
import type { JSONSchema7 } from 'ai';
import { z } from 'zod';
import { jsonBytes } from '../../domain/bytes.js';
import { MAX_MESSAGE_CHARS, type Finding, type FindingCost, type Json, type Violation } from '../../domain/finding.js';
import type { CriticTools } from '../critic.js';
import { LOOKED_THROUGH_PER_TURN, makeQuoteFinder, type MetQuote } from './quotes.js';
import { takingTurns } from '../pieces.js';

const share = () => z.number().min(0).max(1);

function answerShape(code: z.ZodType<string>) {
  return z.object({
    reasons: z.array(z.string()).nullish(),
    violations: z.array(z.object({ code, message: z.string(), severity: share().nullish(), quote: z.string().nullish() })),
    severity: share(),
    uncertainty: share(),
  });
}

/** An answer of the right form, whatever codes the plan allows. */
export const AnswerSchema = answerShape(z.string());
export type Answer = z.output<typeof AnswerSchema>;

/** As providers want it for structured output: every field is required, nothing else may stand beside them. */
export function answerJsonSchema(codes: readonly string[] | undefined): JSONSchema7 {
  const text: JSONSchema7 = { type: 'string' };
  const share01: JSONSchema7 = { type: 'number', description: '0 to 1' };
  const violation = whole({
    code: codes === undefined ? text : { ...text, enum: [...codes] },
    message: text,
    severity: share01,
    quote: { type: ['string', 'null'] },
  });
  return whole({
    // First, so that a model that writes from left to right thinks before it judges.
    reasons: { type: 'array', items: text },
    violations: { type: 'array', items: violation },
    severity: share01,
    uncertainty: share01,
  });
}

const whole = (properties: Record<string, JSONSchema7>): JSONSchema7 => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** The same in words, for models that no schema binds. */
export const ANSWER_RULES = `One JSON object and nothing before or after it, with these fields:

- "reasons": at most five short sentences that lead to your judgement.
- "violations": a list with one entry for each breach of the rubric; empty when there is none. An entry has "code" (one short word in lower case that names what was broken), "message" (one sentence for people), "severity" (0 to 1) and "quote" (the words of the content that show it, copied exactly and as few as will do; null when no words show it).
- "severity": 0 when nothing is wrong, 1 for the worst that the rubric knows; never below the severity of a violation.
- "uncertainty": 0 when you are sure of this judgement, 1 when it is a guess.`;

/** @returns `undefined` when the value is no answer. */
export function parseAnswer(value: unknown, codes: readonly string[] | undefined): Answer | undefined {
  const parsed = (codes === undefined ? AnswerSchema : answerShape(z.enum(codes))).safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** What stands in every finding of a judge beside its judgement. */
export interface JudgeNotes {
  readonly promptHash: string;
  readonly rubricHash: string;
  readonly model: string;
  /** As the provider calls the model that answered; empty when it does not say. */
  readonly modelReported: string;
}

/** What was judged, and what that cost. */
export interface Judged {
  readonly content: Json;
  /** The words that the plan allows as codes: its rules name them, so that they stay as they are. */
  readonly codes?: readonly string[] | undefined;
  readonly cost: FindingCost;
  readonly tools: Pick<CriticTools<unknown>, 'heartbeat'>;
}

/** As many as a finding may have. */
const MAX_LISTED = 100;
/** With the reasons and the notes below it this stays under the 16 KB of a finding. */
const MAX_LISTED_BYTES = 10_500;
const MAX_REASONS_BYTES = 3_000;
/** Of the model's name, which comes from the provider. */
const MAX_MODEL_CHARS = 100;

export async function findingOf(answer: Answer, judged: Judged, notes: JudgeNotes): Promise<Finding> {
  const worst = worstOf(answer.violations);
  const met = await lookUp(
    worst.map(({ quote }) => quote ?? ''),
    judged,
  );
  const listed = inFirst(worst.map(violationOf(met, judged.codes)), MAX_LISTED_BYTES);
  const unquoted = met.filter((one) => one !== undefined && !one.occurs).length;
  const evidence = inFirst((answer.reasons ?? []).map(sentence), MAX_REASONS_BYTES);
  const more = answer.violations.length - listed.length;
  return {
    severity: answer.violations.reduce((most, { severity }) => Math.max(most, severity ?? 0), answer.severity),
    violations: listed,
    // Half of its quotes invented: at best as good as a throw of a coin. All of them: a guess.
    uncertainty: Math.max(answer.uncertainty, worst.length === 0 ? 0 : unquoted / worst.length),
    ...(evidence.length > 0 && { evidence }),
    ...(Object.keys(judged.cost).length > 0 && { cost: judged.cost }),
    details: {
      promptHash: notes.promptHash,
      rubricHash: notes.rubricHash,
      model: notes.model,
      modelReported: cut(notes.modelReported, MAX_MODEL_CHARS),
      unquoted,
      ...(more > 0 && { more }),
    },
  };
}

/**
 * Where each quote stands; `undefined` for a violation without one. The answer has been paid for: it is read to its end even
 * when the attempt is stopped meanwhile.
 */
async function lookUp(quotes: readonly string[], { content, tools }: Judged): Promise<(MetQuote | undefined)[]> {
  const takeTurns = takingTurns({ heartbeat: tools.heartbeat, signal: new AbortController().signal });
  const find = makeQuoteFinder(content, (chars) => takeTurns(chars, LOOKED_THROUGH_PER_TURN));
  const met: (MetQuote | undefined)[] = [];
  for (const quote of quotes) met.push(quote.trim() === '' ? undefined : await find(quote));
  return met;
}

const violationOf =
  (met: readonly (MetQuote | undefined)[], codes: readonly string[] | undefined) =>
  ({ code, message, severity }: Answer['violations'][number], index: number): Violation => {
    const span = met[index]?.span;
    return {
      code: codes?.includes(code) === true ? code : asCode(code),
      message: sentence(message),
      ...(severity != null && { severity }),
      ...(span !== undefined && { span }),
    };
  };

/** A judge's own word in the form of a code. */
function asCode(word: string): string {
  const code = word
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9_.:-]+/g, '_')
    .slice(0, 64)
    .replace(/^_+|_+$/g, '');
  return code === '' ? 'violation' : code;
}

const sentence = (text: string): string => cut(text.trim(), MAX_MESSAGE_CHARS) || 'the judge gave no reason';

/** Never in the middle of a character. */
const cut = (text: string, chars: number): string => (text.length <= chars ? text : text.slice(0, chars).replace(/[\ud800-\udbff]$/, ''));

/** The worst first. A violation without a severity of its own has that of the whole, which may be the worst of all. */
function worstOf(violations: Answer['violations']): Answer['violations'] {
  const weight = ({ severity }: Answer['violations'][number]): number => severity ?? 1;
  return violations.toSorted((a, b) => weight(b) - weight(a)).slice(0, MAX_LISTED);
}

/** As many as fit; the first that does not ends it, so that none is left out for a less severe one. */
function inFirst<T extends Json | Violation>(list: readonly T[], maxBytes: number): T[] {
  let bytes = 0;
  const end = list.findIndex((one) => {
    bytes += jsonBytes(one) + 1;
    return bytes > maxBytes;
  });
  return end === -1 ? [...list] : list.slice(0, end);
}
