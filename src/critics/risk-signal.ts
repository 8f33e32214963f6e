/**
 * Says how much a text looks like ones that people labelled as harmful, or as attacks on a model's instructions: a linear
 * model over words, trained on public labelled records. It never reports a violation: its `score` is for gates, so that a
 * dear judge looks at what may matter and is spared the rest. What it was trained on and what it misses: docs/critics.md.
 */
import { z } from 'zod';
import type { Json } from '../domain/finding.js';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { takingTurns } from './pieces.js';
import { HASH_BITS, windowsOf, type Features } from './risk-signal-features.js';
import { MODELS } from './risk-signal-model.js';
import { eachText } from './text.js';

/** Characters of a window of ordinary words: what is judged between two turns of the event loop is counted in them. */
const CHARS_PER_WINDOW = 300;

const Options = strict({
  /** `harm`: hate, harassment, violence, self-harm, sexual content. `injection`: attacks on the instructions of a model. */
  about: z.enum(['harm', 'injection']),
  /** Field of the content that alone is looked at, such as `input`. A content that has no such field is looked at whole. */
  field: z.string().min(1).max(100).optional(),
});

export type RiskSignalOptions = z.output<typeof Options>;

export const riskSignal = defineCritic<RiskSignalOptions>({
  name: 'risk_signal',
  version: '1.0.0',
  options: Options,
  async evaluate({ content }, { options, ...tools }) {
    const model = modelOf(options.about);
    const takeTurns = takingTurns(tools);
    let score = 0;
    for (const { text } of eachText(partOf(content, options.field))) {
      for (const features of windowsOf(text)) {
        score = Math.max(score, probability(model, features));
        await takeTurns(CHARS_PER_WINDOW);
      }
    }
    const rounded = Math.round(score * 10_000) / 10_000;
    // To a gate `on_uncertainty` it is a question, never an answer.
    return { severity: 0, violations: [], score: rounded, uncertainty: rounded };
  },
});

function partOf(content: Json, field: string | undefined): Json {
  if (field === undefined || typeof content !== 'object' || content === null) return content;
  const found = Object.entries(content).find(([name]) => name === field);
  return found === undefined ? content : found[1];
}

interface Model {
  readonly weights: Int8Array;
  readonly scale: number;
  readonly bias: number;
}

const decoded = new Map<string, Model>();

function modelOf(about: RiskSignalOptions['about']): Model {
  const known = decoded.get(about);
  if (known !== undefined) return known;
  const { weights, scale, bias } = MODELS[about];
  const model = { weights: new Int8Array(Buffer.from(weights, 'base64')), scale, bias };
  if (model.weights.length !== 2 ** HASH_BITS) throw new Error('the model does not fit its features: train it anew');
  decoded.set(about, model);
  return model;
}

function probability({ weights, scale, bias }: Model, features: Features): number {
  let sum = bias;
  for (const [place, value] of features) sum += (weights[place] ?? 0) * scale * value;
  return 1 / (1 + Math.exp(-sum));
}
