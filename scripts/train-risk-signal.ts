/**
 * Trains the two models of `risk_signal` on a folder of labelled sets, prints what five-fold cross-validation says of them
 * and writes `src/critics/risk-signal/model.ts`.
 *
 *   node --import tsx scripts/train-risk-signal.ts FOLDER
 */
import { writeFileSync } from 'node:fs';
import { ABOUT, FOLDS, readSamples, SETS, train, worst, written, type About, type Model, type Sample } from './risk-signal-training.js';

/** Each record is judged by a model that has not seen it. */
function crossValidate(samples: readonly Sample[], about: About): void {
  const scored = Array.from({ length: FOLDS }, (_, fold) => {
    const model = train(
      samples.filter((sample) => sample.fold !== fold),
      about,
    );
    return samples.filter((sample) => sample.fold === fold).map((sample) => ({ ...sample, score: worst(model, sample, about) }));
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
    const { scale, bias, weights } = written(models[about]);
    return `  ${about}: { scale: ${scale}, bias: ${bias}, weights: '${weights}' },`;
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
const file = new URL('../src/critics/risk-signal/model.ts', import.meta.url);
writeFileSync(file, asSource({ harm: train(samples, 'harm'), injection: train(samples, 'injection') }));
console.log(`wrote ${file.pathname}`);
