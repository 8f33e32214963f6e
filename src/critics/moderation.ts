/**
 * Asks a moderation endpoint of OpenAI's shape (`POST …/moderations` with `{ model, input }`). The plan sets the
 * thresholds; what an endpoint flags beyond them is handed on as it says it.
 */
import { z } from 'zod';
import type { Finding, Json, Violation } from '../domain/finding.js';
import { strict } from '../schemas/issues.js';
import { secretName, serviceUrl } from '../schemas/service.js';
import { defineCritic } from './critic.js';
import { ModerationAnswer, codeOf, judgeResult, unjudged, type Judged, type ModerationResult } from './moderation/answer.js';
import { piecesOf } from './pieces.js';
import { postJson } from './network/post-json.js';
import { answerFailure } from './network/provider-failure.js';
import { headerSecret } from './network/service-options.js';
import { findingOf, textPieces } from './text.js';

const thresholdRule = 'must be a number from 0 to 1';
const threshold = z.number({ error: thresholdRule }).min(0, { error: thresholdRule }).max(1, { error: thresholdRule });

const Options = strict({
  /** The whole address, `/moderations` included. */
  url: serviceUrl().default('https://api.openai.com/v1/moderations'),
  model: z.string().min(1).max(200).default('omni-moderation-latest'),
  /** Name of the worker's secret that is sent as the Bearer key. Absent: no key is sent. */
  secret: secretName().optional(),
  /** By category, `*` for all others: from this score on it is a violation. Absent: the endpoint's own word counts. */
  thresholds: z.record(z.string().min(1).max(64), threshold).default({}),
  /** `each`: every text of a structure for itself, so that violations have their place. `joined`: all as one text. */
  texts: z.enum(['each', 'joined']).default('each'),
});

export type ModerationOptions = z.output<typeof Options>;

/** In one request. What has more texts is sent joined, in pieces. */
const MAX_INPUTS = 100;
/** Of an answer: a hundred results with a hundred categories each fit. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Categories in `details`: more than endpoints have, and small enough for a finding. */
const MAX_TOLD = 40;

export const moderation = defineCritic<ModerationOptions>({
  name: 'moderation',
  version: '1.1.0',
  options: Options,
  asks: ({ url }) => [url],
  async evaluate({ content }, { options, signal, idempotencyKey, secret, fetch }) {
    const inputs = inputsOf(content, options.texts);
    if (inputs.length === 0) return { severity: 0, violations: [] };
    const headers = new Headers({ 'idempotency-key': idempotencyKey });
    if (options.secret !== undefined) headers.set('authorization', `Bearer ${headerSecret(options.secret, secret)}`);
    const texts = inputs.map(({ text }) => text);
    // One text as such: not every endpoint takes lists.
    const body = JSON.stringify({ model: options.model, input: texts.length === 1 ? texts[0] : texts });
    const answer = await postJson({ url: options.url, headers, body, maxBytes: MAX_ANSWER_BYTES, signal, fetch });
    const results = resultsIn(answer, inputs.length, options);
    return findingFor(
      inputs,
      results.map((result) => judgeResult(result, options.thresholds)),
    );
  },
});

interface Input {
  readonly text: string;
  /** Where the violations of this input stand; absent when it was joined. */
  readonly span?: Violation['span'];
}

/** The texts to judge, long ones in pieces that models take; blank ones say nothing, and endpoints refuse them. */
function inputsOf(content: Json, texts: ModerationOptions['texts']): Input[] {
  const all = textPieces(content).filter(({ text }) => text.trim() !== '');
  if (texts === 'each') {
    const each = all.flatMap(({ text, path }) =>
      [...piecesOf(text)].map((piece): Input => {
        const place = { start: piece.offset, end: piece.offset + piece.text.length };
        return { text: piece.text, span: { ...(path !== '' && { path }), ...place } };
      }),
    );
    if (each.length <= MAX_INPUTS) return each;
  }
  const joined = all.map(({ text }) => text).join('\n\n');
  if (joined === '') return [];
  const isWhole = all.length === 1 && all[0]?.path === '';
  return [...piecesOf(joined)].map(({ text, offset }) => ({
    text,
    ...(isWhole && { span: { start: offset, end: offset + text.length } }),
  }));
}

/** @throws CriticError when it is no answer to these inputs, or does not judge a category that the plan has a threshold for. */
function resultsIn(answer: Json, count: number, { url, thresholds }: ModerationOptions): ModerationResult[] {
  const parsed = ModerationAnswer.safeParse(answer);
  const isAnswer = parsed.success && parsed.data.results.length === count;
  if (!isAnswer || parsed.data.results.some((result) => unjudged(result, thresholds).length > 0))
    throw answerFailure('wrong_schema', new URL(url).host);
  return parsed.data.results;
}

function findingFor(inputs: readonly Input[], judged: readonly Judged[]): Finding {
  const violations = judged.flatMap((one, index) => {
    const span = inputs[index]?.span;
    return one.violations.map((violation) => (span === undefined ? violation : { ...violation, span }));
  });
  const finding = findingOf(violations, { scores: worstScores(judged) });
  const uncertainty = overall(judged);
  return {
    ...finding,
    severity: Math.max(0, ...judged.map(({ severity }) => severity)),
    ...(uncertainty !== undefined && { uncertainty }),
  };
}

/** With a violation the surest of those that have one, else the least sure of all: as for the categories of one text. */
function overall(judged: readonly Judged[]): number | undefined {
  const told = ({ uncertainty }: Judged): number[] => (uncertainty === undefined ? [] : [uncertainty]);
  const bad = judged.filter(({ violations }) => violations.length > 0);
  if (bad.length > 0) return bad.flatMap(told).length > 0 ? Math.min(...bad.flatMap(told)) : undefined;
  const all = judged.flatMap(told);
  return all.length > 0 ? Math.max(...all) : undefined;
}

/** The worst score of each category, the worst categories first. A list: endpoints give their categories any name. */
function worstScores(judged: readonly Judged[]): { readonly category: string; readonly score: number }[] {
  const worst = new Map<string, number>();
  for (const [category, score] of judged.flatMap(({ scores }) => [...scores]))
    worst.set(category, Math.max(score, worst.get(category) ?? 0));
  const ranked = [...worst].toSorted(([, a], [, b]) => b - a).slice(0, MAX_TOLD);
  return ranked.map(([category, score]) => ({ category: codeOf(category), score }));
}
