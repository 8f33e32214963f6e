/** `tribunal assess`: how good critics are, and what a plan makes of labelled records. Without a server. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Assessment } from '../assess/figures.js';
import type { Step } from '../assess/measure.js';
import type { WantedPart } from '../assess/mix.js';
import type { Subject } from '../assess/subject.js';
import type { Json } from '../domain/finding.js';
import { dependenciesOf } from '../domain/dependencies.js';
import { number } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { SECRET_PREFIX } from '../settings.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { CliError, EXIT, usageError } from './exit.js';
import type { Output } from './output.js';
import { listenForStop } from './signals.js';

interface AssessCommandOptions {
  readonly set: readonly string[];
  readonly plan?: string;
  readonly critics?: string;
  readonly with?: readonly string[];
  readonly file?: string;
  readonly module?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly sample?: string;
  readonly seed: string;
  readonly sweep?: string;
  readonly mix?: string;
  readonly mixSize: string;
  readonly judges?: readonly string[];
  readonly flagSeverity?: string;
  readonly out?: string;
  readonly cache: string | false;
  readonly concurrency: string;
  readonly showMisses?: string;
}

/** Beside what `tribunal dev` keeps in the project. */
const CACHE_FOLDER = '.tribunal/assess';
/** Side by side is worth it for what waits for a network; more is for the plan's own limits to allow. */
const MAX_CONCURRENCY = 100;
/** With a tenth of it risky, more than 300 denials. */
const MIX_SIZE = '4000';
const MAX_MIX = 1_000_000;
/** A terminal shows ten changes a second well enough. */
const SHOW_MS = 100;

export function addAssess(program: Command, cli: Cli): void {
  const command = program
    .command('assess')
    .description('measure a plan, or single critics, over labelled records, without a server')
    .requiredOption('--set <path...>', 'labelled records: files of JSON lines, or folders of them')
    .option('--plan <name>', 'plan of the deployment file, or a plan file')
    .option('--critics <names>', 'single critics, by commas: of the plan, or else implementations such as pii,secrets')
    .option('--with <name=json>', 'options of a single critic, repeatable', collect)
    .option('--file <path>', 'deployment file (default: tribunal.yaml)')
    .option('--module <path>', 'critics module, repeatable', collect)
    .option('--allow-host <host...>', 'private hosts that critics may ask, such as 127.0.0.1:8080')
    .option('--sample <n>', 'only so many records, drawn with the seed')
    .option('--seed <n>', 'of the sample and the mix', '1')
    .option('--sweep <critic.option=from..to[:step]>', 'the figures for each value of one option')
    .option('--mix <spec>', 'gating over a stated mix: ordinary=0.85,looks_risky=0.05,risky=0.10, or a JSON file')
    .option('--mix-size <n>', 'records of the mix, repeats counted', MIX_SIZE)
    .option('--judges <critic=family>', 'which label family a critic is judged by, repeatable', collect)
    .option('--flag-severity <x>', 'a finding counts as flagged from this severity on (default: with one violation)')
    .option('--out <folder>', 'write assessment.json, assessment.md and assessment.html there')
    .option('--cache <folder>', 'where findings of critics that call out are kept between runs', CACHE_FOLDER)
    .option('--no-cache', 'keep none, and use none')
    .option('--concurrency <n>', 'calls of one critic under way at once', '8')
    .option('--show-misses <n>', 'so many misses and false alarms of each critic and family, with the beginning of their texts');
  onRun<AssessCommandOptions>(command, cli, runAssess);
}

async function runAssess({ options, io, output }: Call<AssessCommandOptions>): Promise<number> {
  const { assess } = await import('../assess/assess.js');
  const { readSets } = await import('../assess/sets/read-sets.js');
  const { parseSweep } = await import('../assess/sweep.js');
  const stop = listenForStop();
  const progress = await output.progress();
  try {
    const seed = wholeNumber(options.seed, '--seed', 0, 2 ** 32 - 1);
    const sample = options.sample === undefined ? undefined : wholeNumber(options.sample, '--sample', 1, Number.MAX_SAFE_INTEGER);
    const mix = options.mix === undefined ? undefined : await readMix(options.mix);
    const showMisses = options.showMisses === undefined ? 0 : wholeNumber(options.showMisses, '--show-misses', 1, MAX_MIX);
    const settings = {
      ...(options.cache !== false ? { cache: options.cache } : {}),
      concurrency: wholeNumber(options.concurrency, '--concurrency', 1, MAX_CONCURRENCY),
      judges: namedLists(options.judges ?? []),
      flag: options.flagSeverity === undefined ? {} : { severityFrom: shareOf(options.flagSeverity) },
      ...(sample !== undefined ? { sample: { n: sample, seed } } : {}),
      ...(mix !== undefined ? { mix: { parts: mix, size: wholeNumber(options.mixSize, '--mix-size', 1, MAX_MIX), seed } } : {}),
      ...(options.sweep !== undefined ? { sweep: parseSweep(options.sweep) } : {}),
    };
    const subject = await subjectOf(options);
    const sets = await readSets(options.set);
    const assessment = await assess(subject, sets, {
      ...settings,
      signal: stop.signal,
      now: () => Date.now(),
      secrets: (name) => io.env[`${SECRET_PREFIX}${name}`],
      onRun: progressLine((text) => progress.show(text)),
      onReplay: ({ gating, done, records: all }) =>
        progress.show(`the plan with gating ${gating}: ${number(done)} of ${number(all)} records`),
    });
    progress.end();
    const { misjudgedOf } = await import('../assess/misjudged.js');
    await tell(assessment, misjudgedOf(assessment, sets.records, showMisses), options.out, output);
    return EXIT.ok;
  } catch (error) {
    throw asCliError(error);
  } finally {
    progress.end();
    stop.release();
  }
}

/** By name: the classes live in modules that load everything a plan needs. */
function asCliError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (['SetProblems', 'SubjectProblem', 'MixProblem', 'SweepProblem'].includes(error.name)) return usageError(error.message);
  return error.name === 'Stopped' ? new CliError(EXIT.error, 'STOPPED', error.message) : error;
}

async function tell(
  assessment: Assessment,
  misjudged: Parameters<typeof import('../assess/output/text.js').misjudgedText>[0],
  folder: string | undefined,
  output: Output,
): Promise<void> {
  const { assessmentText, misjudgedText } = await import('../assess/output/text.js');
  if (output.json) output.object({ ...assessment, ...(misjudged.length > 0 ? { misjudged } : {}) });
  else {
    output.line(assessmentText(assessment, output.width));
    if (misjudged.length > 0) for (const line of misjudgedText(misjudged)) output.line(line);
  }
  if (folder === undefined) return;
  const { assessmentMarkdown } = await import('../assess/output/markdown.js');
  const { assessmentPage } = await import('../assess/output/page.js');
  await mkdir(folder, { recursive: true });
  const files = {
    'assessment.json': `${JSON.stringify(assessment, null, 2)}\n`,
    'assessment.md': assessmentMarkdown(assessment),
    'assessment.html': assessmentPage(assessment),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  output.note(
    `written: ${Object.keys(files)
      .map((name) => safeText(join(folder, name)))
      .join(', ')}`,
  );
}

async function subjectOf(options: AssessCommandOptions): Promise<Subject> {
  const { narrowed, planSubject, singleSubject } = await import('../assess/subject.js');
  const names = options.critics?.split(',').map((name) => name.trim());
  const modules = options.module ?? [];
  if (names !== undefined && options.plan === undefined && options.file === undefined)
    return await singleSubject({ names, options: optionsByName(options.with ?? []), modules, hosts: options.allowHost ?? [] });
  if (options.with !== undefined) throw usageError('--with is for single critics without a plan: a plan has its own options');
  const isFile = options.plan !== undefined && /[./\\]/.test(options.plan);
  const subject = await planSubject(
    {
      ...(options.file !== undefined ? { file: options.file } : {}),
      ...(isFile && options.plan !== undefined ? { plans: [options.plan], plansAlone: true } : {}),
      ...(options.allowHost !== undefined ? { hosts: options.allowHost } : {}),
      critics: modules,
    },
    isFile ? undefined : options.plan,
  );
  return names === undefined ? subject : narrowed(subject, names, dependenciesOf);
}

/** `name=rest`, split at the first `=`. */
function pairOf(text: string, option: string, form: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) throw usageError(`${option}: ${JSON.stringify(text)} is not of the form ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function optionsByName(written: readonly string[]): Map<string, Json> {
  return new Map(
    written.map((text) => {
      const [name, json] = pairOf(text, '--with', 'name={"option": value}');
      try {
        return [name, JSON.parse(json) as Json];
      } catch {
        throw usageError(`--with ${name}: the options are not JSON: write ${name}={"option": value}`);
      }
    }),
  );
}

function namedLists(written: readonly string[]): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const text of written) {
    const [name, families] = pairOf(text, '--judges', 'critic=family');
    lists.set(name, [...(lists.get(name) ?? []), ...families.split(',')]);
  }
  return lists;
}

/** A spec, or a JSON file: `{ "part": 0.85 }` or `{ "part": { "share": 0.85, "strata": ["a", "b"] } }`. */
async function readMix(spec: string): Promise<WantedPart[]> {
  const { parseMix } = await import('../assess/mix.js');
  if (!spec.endsWith('.json')) return parseMix(spec);
  const { parseMixFile } = await import('../assess/mix-file.js');
  const text = await readFile(spec, 'utf8').catch(() => {
    throw usageError(`--mix: ${spec} cannot be read`);
  });
  return parseMixFile(spec, text);
}

function wholeNumber(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw usageError(`${option}: ${JSON.stringify(text)} is no whole number from ${least} to ${most}`);
}

function shareOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw usageError(`--flag-severity: ${JSON.stringify(text)} is no number from 0 to 1`);
}

/** `pii: 1,204 of 2,247 records, 312 a second, about 3 s left; critic 2 of 7`. Rate and rest are those of this critic's real runs. */
function progressLine(show: (text: string) => void): (step: Step) => void {
  let critic = '';
  let begun = 0;
  let due = 0;
  return (step) => {
    const now = performance.now();
    if (step.critic !== critic) [critic, begun] = [step.critic, now];
    if (now < due) return;
    due = now + SHOW_MS;
    const ran = step.done - step.kept;
    const rate = (ran * 1_000) / Math.max(1, now - begun);
    const left =
      ran === 0 ? '' : `, ${number(rate, rate < 10 ? 1 : 0)} a second, about ${number((step.records - step.done) / rate, 0)} s left`;
    const kept = step.kept === 0 ? '' : ` (${number(step.kept)} kept)`;
    show(
      `${safeText(step.critic)}: ${number(step.done)} of ${number(step.records)} records${kept}${left}; critic ${step.criticNumber} of ${step.critics}`,
    );
  };
}
