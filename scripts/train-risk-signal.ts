/**
 * Trains the two models of `risk_signal` on a folder of labelled sets, prints what five-fold cross-validation says of them
 * and writes `src/critics/risk-signal-model.ts`. The same folder gives the same file.
 *
 *   node --import tsx scripts/train-risk-signal.ts FOLDER
 *
 * Logistic regression by AdaGrad (Duchi, Hazan, Singer, JMLR 2011), classes weighted to count alike.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HASH_BITS, windowsOf, type Features } from '../src/critics/risk-signal-features.js';

const ABOUT = ['harm', 'injection'] as const;
type About = (typeof ABOUT)[number];

interface Row {
  readonly prompt: string;
  readonly response: string | null;
  readonly id: string;
  readonly labels: { readonly positive?: readonly string[] };
  readonly expected: { readonly verdict: string | null };
}

interface Sample {
  readonly set: string;
  readonly fold: number;
  readonly windows: readonly Features[];
  /** A label that nobody gave is absent. */
  readonly is: Readonly<Partial<Record<About, boolean>>>;
}

interface Model {
  readonly weights: Float64Array;
  readonly bias: number;
}

const PASSES = 30;
const RATE = 0.3;
const SHRINK = 1e-4;
const FOLDS = 5;

const SETS = [
  { set: 'moderation', file: 'openai-moderation/data.jsonl', is: harmOf },
  { set: 'attacks', file: 'purplellama-injection/attacks.jsonl', is: () => ({ harm: false, injection: true }) },
  { set: 'harmless', file: 'purplellama-injection/harmless.jsonl', is: () => ({ harm: false, injection: false }) },
  { set: 'chat', file: 'arena-hard-chat/data.jsonl', is: () => ({ harm: false, injection: false }) },
  { set: 'personal data', file: 'presidio-synthetic-pii/data.jsonl', is: () => ({ harm: false, injection: false }) },
] as const;

function harmOf({ labels, expected }: Row): Sample['is'] {
  if ((labels.positive ?? []).length > 0) return { harm: true, injection: false };
  return expected.verdict === 'allow' ? { harm: false, injection: false } : { injection: false };
}

function readSamples(folder: string): Sample[] {
  return SETS.flatMap(({ set, file, is }) =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
      .map((row) => ({
        set,
        fold: (createHash('sha256').update(row.id).digest()[0] ?? 0) % FOLDS,
        windows: [row.prompt, ...(row.response === null ? [] : [row.response])].flatMap((text) => [...windowsOf(text)]),
        is: is(row),
      })),
  );
}

function train(samples: readonly Sample[], about: About): Model {
  const known = samples
    .flatMap(({ is, windows }) => windows.map((window) => ({ window, yes: is[about] })))
    .filter(({ yes }) => yes !== undefined);
  const positives = known.filter(({ yes }) => yes).length;
  const weightOfYes = (known.length - positives) / positives;
  const weights = new Float64Array(2 ** HASH_BITS);
  const squares = new Float64Array(2 ** HASH_BITS).fill(1e-2);
  let bias = 0;
  let biasSquares = 1e-2;
  const random = randomNumbers();
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const { window, yes } of shuffled(known, random)) {
      const slope = (chance(weights, bias, window) - Number(yes)) * (yes === true ? weightOfYes : 1);
      for (const [place, value] of window) {
        const step = slope * value + SHRINK * (weights[place] ?? 0);
        squares[place] = (squares[place] ?? 0) + step * step;
        weights[place] = (weights[place] ?? 0) - (RATE * step) / Math.sqrt(squares[place] ?? 1);
      }
      biasSquares += slope * slope;
      bias -= (RATE * slope) / Math.sqrt(biasSquares);
    }
  }
  return { weights, bias };
}

function chance(weights: ArrayLike<number>, bias: number, window: Features): number {
  let sum = bias;
  for (const [place, value] of window) sum += (weights[place] ?? 0) * value;
  return 1 / (1 + Math.exp(-sum));
}

const worst = ({ weights, bias }: Model, { windows }: Sample): number =>
  Math.max(0, ...windows.map((window) => chance(weights, bias, window)));

/** Numerical Recipes' linear congruential generator: the same order each time. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Each record is judged by a model that has not seen it. */
function crossValidate(samples: readonly Sample[], about: About): void {
  const scored = Array.from({ length: FOLDS }, (_, fold) => {
    const model = train(
      samples.filter((sample) => sample.fold !== fold),
      about,
    );
    return samples.filter((sample) => sample.fold === fold).map((sample) => ({ ...sample, score: worst(model, sample) }));
  }).flat();
  const positives = scored.filter(({ is }) => is[about] === true);
  console.log(`${about}: ${positives.length} records, judged by models that had not seen them`);
  for (const threshold of [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5]) {
    const open = (rows: readonly { readonly score: number }[]): string =>
      `${rows.filter(({ score }) => score > threshold).length}/${rows.length}`;
    const negatives = SETS.map(({ set }) => `${set} ${open(scored.filter((one) => one.set === set && one.is[about] === false))}`);
    console.log(`  > ${threshold}: found ${open(positives)}; opens for ${negatives.join(', ')}`);
  }
}

function asSource(models: Readonly<Record<About, Model>>): string {
  const entries = ABOUT.map((about) => {
    const { weights, bias } = models[about];
    const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127;
    const bytes = Buffer.from(Int8Array.from(weights, (weight) => Math.round(weight / scale)).buffer).toString('base64');
    return `  ${about}: { scale: ${scale}, bias: ${bias}, weights: '${bytes}' },`;
  });
  return [
    '// Made by scripts/train-risk-signal.ts; what it was trained on stands in docs/critics.md.',
    'export const MODELS = {',
    ...entries,
    '} as const;',
    '',
  ].join('\n');
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node --import tsx scripts/train-risk-signal.ts FOLDER, the folder with the labelled sets');
  process.exit(2);
}
const samples = readSamples(folder);
for (const about of ABOUT) crossValidate(samples, about);
const file = new URL('../src/critics/risk-signal-model.ts', import.meta.url);
writeFileSync(file, asSource({ harm: train(samples, 'harm'), injection: train(samples, 'injection') }));
console.log(`wrote ${file.pathname}`);
