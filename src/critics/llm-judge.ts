/**
 * Asks a language model to judge by a rubric, at any endpoint of OpenAI's shape. The content goes to it as data, behind a
 * fence; its answer is untrusted and is checked like any other.
 *
 * An answer that came whole has been paid for: when it cannot be used it is not asked for again, and its tokens count.
 */
import { z } from 'zod';
import type { FindingCost, Json } from '../domain/finding.js';
import { strict } from '../schemas/issues.js';
import { JsonSchema } from '../schemas/json.js';
import { secretName, serviceUrl } from '../schemas/service.js';
import { CriticError, defineCritic, type CriticTools } from './critic.js';
import { answerJsonSchema, AnswerSchema, findingOf, parseAnswer, type Answer } from './llm-judge/answer.js';
import { distrusted, toldBeside, withoutThoughts } from './llm-judge/completion.js';
import { judgePrompt, promptHash, rubricHash, type JudgePrompt } from './llm-judge/prompt.js';
import { postJson } from './network/post-json.js';
import { answerFailure } from './network/provider-failure.js';
import { headerSecret } from './network/service-options.js';
import { parseStrictJson, stripFence } from './network/strict-json.js';

/** The largest answer with its reasoning has some 200 KB; what is larger is no answer of a model. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Twenty violations with their quotes have half of it; an answer that is cut off is paid for and lost. */
const DEFAULT_OUTPUT_TOKENS = 2_048;

const codeRule = 'must be a word of the form [a-zA-Z0-9_.:-]{1,64}';

const Options = strict({
  /** What to judge by, in the plan author's words. In a plan file `rubricFile: FILE` takes its place. */
  rubric: z.string().refine((text) => text.trim() !== '', { error: 'must say what to judge by' }),
  model: z.string().min(1).max(200),
  /** Base of the API, before `/chat/completions`: `https://api.openai.com/v1`. */
  url: serviceUrl().refine(isBase, { error: 'must be the base of an API, without ? and #' }),
  /** Name of the worker's secret that holds the key. Absent: the endpoint wants none. */
  secret: secretName().exactOptional(),
  maxOutputTokens: z.int().min(64).max(32_768).default(DEFAULT_OUTPUT_TOKENS),
  /** For models that think first and refuse `max_tokens` and a temperature: sends `max_completion_tokens` instead, and none. */
  reasoningModel: z.boolean().default(false),
  /** The only codes that violations may have; an answer with another one is no answer. */
  codes: z
    .array(z.string({ error: codeRule }).regex(/^[a-zA-Z0-9_.:-]{1,64}$/, { error: codeRule }))
    .min(1)
    .max(100)
    .exactOptional(),
  /** Contents with the answers that they should get. */
  examples: z
    .array(strict({ content: JsonSchema, answer: AnswerSchema }))
    .max(20)
    .default([]),
  /** Fields of the context that the judge is shown. They are the caller's word: none unless named. */
  context: z.array(z.string().min(1).max(200)).max(50).default([]),
  /** Whether it is shown the findings of the critics in `dependsOn`. */
  findings: z.boolean().default(false),
}).superRefine(({ codes, examples }, context) => {
  for (const [index, { answer }] of examples.entries()) {
    if (parseAnswer(answer, codes) === undefined)
      context.addIssue({
        code: 'custom',
        path: ['examples', index, 'answer'],
        message: 'has a violation with a code that is not among `codes`',
      });
  }
});

export type LlmJudgeOptions = z.output<typeof Options>;

export const llmJudge = defineCritic<LlmJudgeOptions>({
  name: 'llm_judge',
  version: '1.1.0',
  options: Options,
  asks: (options) => [options.url],
  async warm() {
    await loadClient();
  },
  async evaluate(input, tools) {
    const { options, idempotencyKey } = tools;
    const reply = await ask(judgePrompt(input, options, idempotencyKey), tools);
    const answer = answerOf(reply, tools);
    const notes = {
      promptHash: promptHash(options),
      rubricHash: rubricHash(options),
      model: options.model,
      modelReported: reply.model,
    };
    return findingOf(answer, { content: input.content, codes: options.codes, cost: reply.cost, tools }, notes);
  },
});

/** What the model said, whatever it is. */
interface Reply {
  readonly text: string;
  readonly model: string;
  readonly cost: FindingCost;
}

type Tools = CriticTools<LlmJudgeOptions>;

/** A quarter of a second to load: only where a plan uses it. */
async function loadClient() {
  const [sdk, { createOpenAICompatible }] = await Promise.all([import('ai'), import('@ai-sdk/openai-compatible')]);
  return { ...sdk, createOpenAICompatible };
}

async function ask({ system, user }: JudgePrompt, tools: Tools): Promise<Reply> {
  const { options, signal, idempotencyKey, secret } = tools;
  const apiKey = options.secret === undefined ? undefined : headerSecret(options.secret, secret);
  const { generateText, jsonSchema, Output, NoObjectGeneratedError, createOpenAICompatible } = await loadClient();
  const line = makeLine(tools);
  const provider = createOpenAICompatible({
    name: 'judge',
    baseURL: options.url,
    headers: { 'idempotency-key': idempotencyKey },
    ...(apiKey !== undefined && { apiKey }),
    supportsStructuredOutputs: true,
    ...(options.reasoningModel && { transformRequestBody: forReasoning }),
    fetch: line.fetch,
  });
  try {
    const { text } = await generateText({
      model: provider(options.model),
      system,
      prompt: user,
      output: Output.object({ schema: jsonSchema(answerJsonSchema(options.codes)), name: 'judgement' }),
      temperature: 0,
      maxOutputTokens: options.maxOutputTokens,
      // Temporal retries, with the plan's back-off and within its time.
      maxRetries: 0,
      abortSignal: signal,
    });
    return { text, ...line.told() };
  } catch (error) {
    signal.throwIfAborted();
    // What the library makes of the line's failures may quote bodies and keys.
    if (line.failure() !== undefined) throw line.failure();
    if (NoObjectGeneratedError.isInstance(error)) return { text: error.text ?? '', ...line.told() };
    throw line.answered() ? answerFailure('wrong_schema', hostOf(options), line.told()) : libraryFailure(error);
  }
}

/**
 * The connection to the model: every failure of it is sorted here, before the library sees it, and kept. What goes on to
 * the library is a completion that the provider itself takes for whole.
 */
function makeLine({ fetch, options, signal }: Tools) {
  let failure: CriticError | undefined;
  let answer: Json | undefined;
  const call: typeof fetch = async (_, init) => {
    try {
      answer = await postJson({
        url: `${options.url.replace(/\/+$/, '')}/chat/completions`,
        headers: new Headers(init?.headers),
        body: typeof init?.body === 'string' ? init.body : '',
        maxBytes: MAX_ANSWER_BYTES,
        signal,
        fetch,
      });
      const problem = distrusted(answer);
      if (problem !== undefined) throw answerFailure(problem, hostOf(options), toldBeside(answer));
      return Response.json(answer);
    } catch (error) {
      if (error instanceof CriticError) failure = error;
      throw error;
    }
  };
  return { fetch: call, failure: () => failure, answered: () => answer !== undefined, told: () => toldBeside(answer) };
}

/** A field that is undefined is not sent. */
const forReasoning = ({ max_tokens: limit, ...body }: Record<string, unknown>): Record<string, unknown> => ({
  ...body,
  temperature: undefined,
  max_completion_tokens: limit,
});

/** @throws CriticError `invalid_output` with what the answer cost. */
function answerOf({ text, cost }: Reply, { options }: Tools): Answer {
  const host = hostOf(options);
  const paid = { cost };
  const parsed = parseStrictJson(stripFence(withoutThoughts(text)));
  if (!parsed.ok) {
    if (parsed.problem === 'cut_in_transit') throw answerFailure('cut_off', host, paid);
    throw answerFailure(parsed.problem === 'empty' ? 'prose' : parsed.problem, host, paid);
  }
  const answer = parseAnswer(parsed.value, options.codes);
  if (answer === undefined) throw answerFailure('wrong_schema', host, paid);
  return answer;
}

const hostOf = (options: LlmJudgeOptions): string => new URL(options.url).host;

function libraryFailure(error: unknown): CriticError {
  const name = error instanceof Error && /^[A-Za-z_]{1,64}$/.test(error.name) ? error.name : 'an error';
  return new CriticError('permanent', 'JUDGE_CLIENT', `the request for the model could not be made: ${name}`);
}

/** Its path is added to, so that nothing may stand behind it. */
function isBase(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { search, hash } = new URL(text);
  return search === '' && hash === '';
}
