/**
 * What the gates of `plans/chat_with_judges.yaml` save and lose when the judges behind them are perfect: a stand-in for the
 * model reads the labels of the records. So every record that a gate keeps from its judge, and should not, shows as lost; how
 * good a real model is stays open. A script, not a test: `node --import tsx test/bench/gating.ts FOLDER [OPTION of assess]…`
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HARMS, type SetRecord } from '../../src/assess/sets/record.js';
import { readSets } from '../../src/assess/sets/read-sets.js';
import type { Json } from '../../src/domain/finding.js';
import { startFakeProvider } from '../support/fake-provider.js';
import { messagesOf, NOTHING_FOUND } from '../support/gullible-judge.js';

const [folder, ...options] = process.argv.slice(2);
if (folder === undefined) throw new Error('say which folder holds the labelled sets: node --import tsx test/bench/gating.ts FOLDER');

/** Of 5,240 records a tenth is risky: as many as the sets have, so that each stands in the mix once. */
const MIX = ['--mix', 'ordinary=0.85,looks_risky=0.05,risky=0.10', '--mix-size', '5240'];

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

const model = await startFakeProvider({ chat: ({ body }) => answer(messagesOf(body)) });
const work = mkdtempSync(join(tmpdir(), 'tribunal-gating-'));
try {
  const plan = join(work, 'chat_with_judges.yaml');
  const written = readFileSync(new URL('../../plans/chat_with_judges.yaml', import.meta.url), 'utf8');
  writeFileSync(plan, written.replaceAll('https://api.openai.com/v1', `${model.url}/v1`));
  const cli = new URL('../../bin/tribunal.mjs', import.meta.url).pathname;
  const args = [cli, 'assess', '--plan', plan, '--set', folder, '--allow-host', model.host, '--no-cache', ...MIX, ...options];
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, TRIBUNAL_SECRET_OPENAI: 'stand-in' } });
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
} finally {
  await model.close();
  rmSync(work, { recursive: true, force: true });
}
