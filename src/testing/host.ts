/** Runs a critic exactly as a worker does, by `runAttempt`, and keeps what a worker would forget: the raw answer and the log. */
import { z } from 'zod';
import { runAttempt, type AttemptEnd } from '../critics/attempt.js';
import type { AnyCritic, Critic } from '../critics/critic.js';
import type { Finding, Json } from '../domain/finding.js';
import type { CriticUse } from '../domain/plan.js';
import type { JsonObject } from '../domain/request.js';
import { CODES } from '../domain/errors.js';
import { CheckFailed } from './check.js';
import { SECRET_CANARY } from './contents.js';
import { optionsOf } from './tools.js';

/** Longer than a model takes for an answer, shorter than the patience of whoever watches. */
const ANSWER_MS = 10_000;

export interface ConformanceCase<Options> {
  /** Options as a plan writes them; `{}` for a critic without options. */
  readonly good: Json;
  /** Content with something in it that must not stand in a message, and that thing. */
  readonly telling?: { readonly content: Json; readonly secret: string };
  /** Options with which an attempt waits for at least a minute. Absent: the critic never waits. */
  readonly waiting?: Json;
  /** Whatever the plan's options lack, such as the port of a server that the test starts. */
  readonly options?: () => Options;
  /** The critic may answer differently for the same content, as models do. Default `false`. */
  readonly varies?: boolean;
  /** How long one answer may take, milliseconds. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly end: AttemptEnd;
  /** What `evaluate` returned, as it was. */
  readonly returned: unknown;
  /** Everything that was logged, as text. */
  readonly logged: string;
}

export interface Host {
  /** One attempt, as a worker makes it: input and options are frozen, whatever happens becomes an end. */
  answer(content: Json, more?: { readonly context?: JsonObject }): Promise<Answer>;
  /** The finding for a content. @throws CheckFailed when there is none. */
  finding(content: Json): Promise<{ readonly finding: Finding; readonly returned: unknown }>;
}

export function makeHost<Options>(critic: Critic<Options>, oneCase: ConformanceCase<Options>): Host {
  const use: CriticUse = {
    name: critic.name,
    uses: critic.name,
    version: critic.version,
    with: {},
    priority: 5,
    attemptTimeoutMs: oneCase.timeoutMs ?? ANSWER_MS,
    retryOnTimeout: false,
    requiredOutputFields: [],
  };
  const attempt = async (content: Json, context: JsonObject): Promise<Answer> => {
    let returned: Finding | undefined;
    const logged: string[] = [];
    const watched: AnyCritic = {
      name: critic.name,
      version: critic.version,
      ...(critic.output !== undefined ? { output: critic.output } : {}),
      options: z.unknown().transform(() => optionsIn(critic, oneCase)),
      // `runAttempt` hands over what the schema above gave: options of this critic.
      evaluate: async (input, tools) => (returned = await critic.evaluate(input, tools)),
    };
    const end = await runAttempt(
      { find: async () => watched, names: [critic.name] },
      use,
      { content: structuredClone(content), context, findings: {} },
      {
        signal: new AbortController().signal,
        heartbeat: () => {},
        log: (message, fields = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`),
        idempotencyKey: 'key-1',
        attempt: 1,
        secret: () => SECRET_CANARY,
        fetch: globalThis.fetch,
        tenant: 'default',
        riskTier: 'medium',
        size: 0,
      },
      use.attemptTimeoutMs,
    );
    return { end, returned, logged: logged.join('\n') };
  };
  return {
    answer: (content, { context = {} } = {}) => attempt(content, context),
    async finding(content) {
      const { end, returned } = await attempt(content, {});
      if (end.ok) return { finding: end.finding, returned };
      throw failureOf(end);
    },
  };
}

/** Options as the plan would have them, checked by the critic's schema. */
export function optionsIn<Options>(
  critic: Critic<Options>,
  { good, options }: Pick<ConformanceCase<Options>, 'good' | 'options'>,
): Options {
  if (options !== undefined) return options();
  // A critic without a schema takes no options, and is handed an empty object.
  return critic.options === undefined ? (Object.freeze({}) as Options) : optionsOf(critic, good);
}

/** A `CriticError` is the author's own word about a content, so it may be meant; its message may quote the content, so its code is told. */
function failureOf(end: Extract<AttemptEnd, { ok: false }>): CheckFailed {
  if (!Object.hasOwn(CODES, end.code)) return new CheckFailed(`gave no finding, but a CriticError: ${end.class}, ${end.code}`, 'warning');
  return new CheckFailed(end.message, 'error', end.class === 'timed_out');
}
