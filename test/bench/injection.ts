/**
 * The critic `prompt_injection` beside the open pattern packages, on the same labelled rows. A script, not a test:
 * `node --import tsx test/bench/injection.ts FOLDER`, where FOLDER holds the sets `purplellama-injection`, `arena-hard-chat` and
 * `openai-moderation`. Flagged means: violations (ours), `safe: false` (vard), `detected` (llm_guardrail, and again with the
 * confidence from which on it has at most 2 % false alarms on the harmless rows). Rows of the half `seen` (an even first byte of
 * the SHA-256 of the id) were looked at when the rules were written, those of `unseen` were not.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vard } from '@andersmyrmel/vard';
import { checkInjection } from 'llm_guardrail';
import { wilson } from '../../src/assess/statistics.js';
import { promptInjection, type PromptInjectionOptions } from '../../src/critics/prompt-injection.js';
import { inputFor, optionsOf, toolsFor } from '../critics/conformance.js';

interface Row {
  readonly id: string;
  readonly prompt: string;
  readonly response: string | null;
  readonly labels: { readonly variant?: string; readonly channel?: string };
  readonly expected: { readonly verdict: string | null };
}

/** How sure each judge is that a text is an attack; from 1 on it is flagged. */
type Judge = (text: string) => Promise<number>;

const MAX_FALSE_ALARMS = 0.02;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('say which folder holds the labelled sets: node --import tsx test/bench/injection.ts FOLDER');

const rows = (file: string): Row[] =>
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
const attacks = rows('purplellama-injection/attacks.jsonl');
const harmless = rows('purplellama-injection/harmless.jsonl').map(({ prompt }) => prompt);
const chat = rows('arena-hard-chat/data.jsonl');
const ordinary = rows('openai-moderation/data.jsonl').filter(({ expected }) => expected.verdict === 'allow');

const options: PromptInjectionOptions = optionsOf(promptInjection, {});
await promptInjection.warm?.(options);
const ours: Judge = async (text) => {
  const { violations } = await promptInjection.evaluate(inputFor(text), toolsFor(options));
  return violations.length > 0 ? 1 : 0;
};
const vards: Judge = async (text) => (vard.safe(text).safe ? 0 : 1);

const confidence = async (text: string): Promise<number> => (await checkInjection(text)).confidence;
const guardrails: Judge = async (text) => ((await checkInjection(text)).detected ? 1 : 0);
/** The least confidence that so few harmless rows exceed. */
const bar = (await Promise.all(harmless.map(confidence))).toSorted((a, b) => b - a)[Math.floor(MAX_FALSE_ALARMS * harmless.length)] ?? 1;
const guardrailsStrict: Judge = async (text) => ((await confidence(text)) > bar ? 1 : 0);

const JUDGES: Readonly<Record<string, Judge>> = {
  prompt_injection: ours,
  'vard 1.2.0': vards,
  'llm_guardrail 2.1.2': guardrails,
  [`llm_guardrail > ${bar.toFixed(4)}`]: guardrailsStrict,
};

const seen = (id: string): boolean => (createHash('sha256').update(id).digest()[0] ?? 0) % 2 === 0;
const direct = attacks.filter(({ labels }) => labels.channel === 'user');
const inDocuments = attacks.filter(({ labels }) => labels.channel === 'document');
const variants = [...new Set(direct.map(({ labels }) => labels.variant ?? ''))].toSorted();
const promptsOf = (list: readonly Row[]): string[] => list.map(({ prompt }) => prompt);

const SETS: readonly (readonly [string, readonly string[]])[] = [
  ['RECALL direct attacks', promptsOf(direct)],
  ['  seen half', promptsOf(direct.filter(({ id }) => seen(id)))],
  ['  unseen half', promptsOf(direct.filter(({ id }) => !seen(id)))],
  ...variants.map((variant) => [`  ${variant}`, promptsOf(direct.filter(({ labels }) => labels.variant === variant))] as const),
  ['RECALL attacks in documents', promptsOf(inDocuments)],
  ['  seen half', promptsOf(inDocuments.filter(({ id }) => seen(id)))],
  ['  unseen half', promptsOf(inDocuments.filter(({ id }) => !seen(id)))],
  ['FALSE ALARMS harmless technical', harmless],
  ['FALSE ALARMS ordinary prompts', promptsOf(chat)],
  ['FALSE ALARMS ordinary answers', chat.flatMap(({ response }) => (response === null ? [] : [response]))],
  ['FALSE ALARMS other texts, harmless', promptsOf(ordinary)],
];

const percent = (share: number): string => (100 * share).toFixed(1);
const WIDTH = 25;
const out = (line: string): void => void process.stdout.write(`${line}\n`);

out(
  `${''.padEnd(38)}n     ${Object.keys(JUDGES)
    .map((name) => name.padEnd(WIDTH))
    .join('')}`,
);
for (const [name, texts] of SETS) {
  const cells: string[] = [];
  for (const judge of Object.values(JUDGES)) {
    let flagged = 0;
    for (const text of texts) if ((await judge(text)) >= 1) flagged += 1;
    const { share, low, high } = wilson(flagged, texts.length);
    cells.push(`${percent(share ?? 0).padStart(5)} % (${percent(low)}–${percent(high)})`.padEnd(WIDTH));
  }
  out(`${name.padEnd(38)}${String(texts.length).padEnd(6)}${cells.join('')}`);
}
