/**
 * What a plan of `plans/` makes of labelled records. Two things are put in the place of real ones:
 *
 * - Signals are given by models that have not seen the record: `risk_signal` as it is shipped was trained on these sets.
 * - A stand-in for the model behind judges reads the labels of the records. So every record that a gate keeps from its judge,
 *   and should not, shows as lost; how good a real model is stays open.
 *
 * A script, not a test: `node --import tsx test/bench/plans.ts PLAN FOLDER [OPTION of assess]…`
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ABOUT, FOLDS, readSamples, train, written } from '../../scripts/risk-signal-training.js';
import { HARMS, type SetRecord } from '../../src/assess/sets/record.js';
import { readSets } from '../../src/assess/sets/read-sets.js';
import { contentHash } from '../../src/digest.js';
import type { Json } from '../../src/domain/finding.js';
import { startFakeProvider } from '../support/fake-provider.js';
import { messagesOf, NOTHING_FOUND } from '../support/gullible-judge.js';
import type { HeldOut } from './held-out-signal.js';

const [planFile, folder, ...options] = process.argv.slice(2);
if (planFile === undefined || folder === undefined)
  throw new Error('say which plan and which folder with labelled sets: node --import tsx test/bench/plans.ts PLAN FOLDER');

const { records } = await readSets([folder]);
const labelsOf = new Map(records.map(({ content, labels }): [string, SetRecord['labels']] => [JSON.stringify(content), labels]));

/** The judge of injection is told by the only code that it may use. */
function answer(messages: ReturnType<typeof messagesOf>): Json {
  const data = /^BEGIN content \w+\n(.*)\nEND content/m.exec(messages[1]?.content ?? '')?.[1] ?? 'null';
  const labels = labelsOf.get(JSON.stringify(JSON.parse(data)));
  if (labels === undefined) throw new Error('the judge was shown a content that is in no set');
  const isAboutInjection = messages[0]?.content.includes('one of these words: injection') === true;
  const isViolation = isAboutInjection ? labels['injection'] === true : HARMS.some((harm) => labels[harm] === true);
  if (!isViolation) return NOTHING_FOUND;
  const code = isAboutInjection ? 'injection' : 'hate';
  return { reasons: [], violations: [{ code, message: 'labelled so', severity: 0.9 }], severity: 0.9, uncertainty: 0 };
}

function heldOutModels(sets: string): HeldOut {
  const samples = readSamples(sets);
  const folds = samples.map(({ prompt, response, fold }): [string, number] => [
    contentHash(response === null ? prompt : { input: prompt, output: response }),
    fold,
  ]);
  const models = ABOUT.map((about) => {
    const byFold = Array.from({ length: FOLDS }, (_, fold) =>
      train(
        samples.filter((sample) => sample.fold !== fold),
        about,
      ),
    );
    return [about, byFold.map(written)] as const;
  });
  return { folds: Object.fromEntries(folds), models: Object.fromEntries(models) };
}

const model = await startFakeProvider({ chat: ({ body }) => answer(messagesOf(body)) });
const work = mkdtempSync(join(tmpdir(), 'tribunal-plans-'));
try {
  const models = join(work, 'models.json');
  writeFileSync(models, JSON.stringify(heldOutModels(folder)));
  const plan = join(work, basename(planFile));
  const changed = readFileSync(planFile, 'utf8')
    .replaceAll('https://api.openai.com/v1', `${model.url}/v1`)
    .replaceAll('uses: risk_signal, with: {', `uses: risk_signal_held_out, with: { models: ${JSON.stringify(models)},`)
    .replaceAll(
      'with: { secret: OPENAI, thresholds',
      `with: { url: ${JSON.stringify(`${model.url}/v1/moderations`)}, secret: OPENAI, thresholds`,
    );
  writeFileSync(plan, changed);
  const cli = new URL('../../bin/tribunal.mjs', import.meta.url).pathname;
  const signal = new URL('held-out-signal.ts', import.meta.url).pathname;
  const args = [cli, 'assess', '--plan', plan, '--module', signal, '--set', folder, '--allow-host', model.host, '--no-cache', ...options];
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, TRIBUNAL_SECRET_OPENAI: 'stand-in' } });
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
} finally {
  await model.close();
  rmSync(work, { recursive: true, force: true });
}
