/**
 * Says how much a text looks like ones that people labelled as harmful, or as attacks on a model's instructions: a linear
 * model over words, trained on public labelled records. It never reports a violation: its `score` is for gates, so that a
 * dear judge looks at what may matter and is spared the rest. What it was trained on and what it misses: docs/critics.md.
 */
import { z } from 'zod';
import type { Finding, Json } from '../domain/finding.js';
import { strict } from '../schemas/issues.js';
import { defineCritic, type CriticTools } from './critic.js';
import { takingTurns } from './pieces.js';
import { HASH_BITS, makeSteps, type Features } from './risk-signal/features.js';
import { MODELS } from './risk-signal/model.js';
import { eachPlace } from './text.js';

/** Characters of a window of ordinary words: what is judged between two turns of the event loop is counted in them. */
const CHARS_PER_WINDOW = 300;
/** The same for finding the words of a part, beside what its windows cost. */
const CHARS_PER_PART = 16_384;

const Options = strict({
  /** `harm`: hate, harassment, violence, self-harm, sexual content. `injection`: attacks on the instructions of a model. */
  about: z.enum(['harm', 'injection']),
  /** Field of the content that alone is looked at, such as `input`. A content that has no such field is looked at whole. */
  field: z.string().min(1).max(100).optional(),
});

export type RiskSignalOptions = z.output<typeof Options>;

export const riskSignal = defineCritic<RiskSignalOptions>({
  name: 'risk_signal',
  version: '1.1.0',
  options: Options,
  evaluate: ({ content }, { options, ...tools }) => signalOf(content, modelOf(options.about), options.field, tools),
});

/** The finding of a model: the worst window of all texts. */
export async function signalOf(
  content: Json,
  model: Model,
  field: string | undefined,
  tools: Pick<CriticTools<unknown>, 'heartbeat' | 'signal'>,
): Promise<Finding> {
  const takeTurns = takingTurns(tools);
  const stepsOf = makeSteps();
  let score = 0;
  for (const place of eachPlace(partOf(content, field))) {
    for (const features of stepsOf(place?.text ?? '')) {
      if (features !== undefined) score = Math.max(score, probability(model, features));
      await takeTurns(features === undefined ? CHARS_PER_PART : CHARS_PER_WINDOW);
    }
    await takeTurns(0);
  }
  const rounded = Math.round(score * 10_000) / 10_000;
  // To a gate `on_uncertainty` it is a question, never an answer.
  return { severity: 0, violations: [], score: rounded, uncertainty: rounded };
}

function partOf(content: Json, field: string | undefined): Json {
  if (field === undefined || typeof content !== 'object' || content === null) return content;
  const found = Object.entries(content).find(([name]) => name === field);
  return found === undefined ? content : found[1];
}

/** As it is written down. */
export interface WrittenModel {
  /** A signed byte a place, base64. */
  readonly weights: string;
  /** What a step of a byte is worth. */
  readonly scale: number;
  readonly bias: number;
}

interface Model extends Omit<WrittenModel, 'weights'> {
  readonly weights: Int8Array;
}

const known = new Map<string, Model>();

function modelOf(about: RiskSignalOptions['about']): Model {
  const model = known.get(about) ?? readModel(MODELS[about]);
  known.set(about, model);
  return model;
}

/** @throws Error when the model has another number of places than the features. */
export function readModel({ weights, scale, bias }: WrittenModel): Model {
  const model = { weights: new Int8Array(Buffer.from(weights, 'base64')), scale, bias };
  if (model.weights.length !== 2 ** HASH_BITS) throw new Error('the model does not fit its features: train it anew');
  return model;
}

function probability({ weights, scale, bias }: Model, { places, values }: Features): number {
  let sum = bias;
  for (let index = 0; index < places.length; index += 1) sum += (weights[places[index] ?? 0] ?? 0) * scale * (values[index] ?? 0);
  return 1 / (1 + Math.exp(-sum));
}
