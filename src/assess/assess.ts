/** An assessment from its records to its figures: measure, replay the plan, count. Writes nothing but kept findings. */
import { parseOptions } from '../critics/attempt.js';
import type { SecretSource } from '../critics/critic.js';
import { isBuiltIn } from '../critics/registry.js';
import { registryRunner } from '../in-process-runner.js';
import { judgesOf, type FlagRule, type Judges } from './families.js';
import type { Assessment, Sweep, SweepPoint } from './figures.js';
import { gatingFigures, pairsOf, type Pair } from './gating.js';
import { Measurement, type CriticRuns, type MeasureOptions } from './measure.js';
import { drawMix, mixFigures, type WantedPart } from './mix.js';
import { criticFigures } from './quality.js';
import { seeded, shuffled } from './random.js';
import { replay, withEverythingOn, type Ends } from './replay-plan.js';
import type { Sets } from './sets/read-sets.js';
import type { SetRecord } from './sets/record.js';
import { byStratum } from './strata.js';
import type { Subject } from './subject.js';
import { planAt, type WantedSweep } from './sweep.js';
import { verdictFigures } from './verdicts.js';

export interface AssessOptions extends Omit<MeasureOptions, 'run' | 'earlier' | 'offline'> {
  readonly secrets: SecretSource;
  /** Families by critic, over what the plan says. */
  readonly judges: ReadonlyMap<string, readonly string[]>;
  readonly flag: FlagRule;
  readonly sample?: { readonly n: number; readonly seed: number };
  readonly mix?: { readonly parts: readonly WantedPart[]; readonly size: number; readonly seed: number };
  readonly sweep?: WantedSweep;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * @throws Stopped when the signal fired; MixProblem and SweepProblem before anything runs.
 */
export async function assess(subject: Subject, sets: Sets, options: AssessOptions): Promise<Assessment> {
  const begun = options.now();
  const records = sampled(sets.records, options.sample);
  const { plan } = subject;
  // What cannot be done is told before anything is paid for.
  const drawn = options.mix === undefined ? undefined : drawMix(options.mix.parts, records, options.mix.size, options.mix.seed);
  if (options.sweep !== undefined) for (const value of options.sweep.values) await planAt(plan, subject.registry, options.sweep, value);
  await warm(subject);
  const run = registryRunner({ registry: subject.registry, secrets: options.secrets, hosts: subject.hosts });
  const offline = await offlineOf(subject);
  const measurement = new Measurement(plan, records, { ...options, run, offline });
  await measurement.runAll();
  const judges = judgesByCritic(subject, records, options);
  const critics = [...measurement.runs.values()].map((runs) => criticFigures(runs, records, judges.get(runs.critic.name), options.flag));
  const ended = subject.hasVerdict ? await bothRuns(measurement) : undefined;
  const sweep =
    options.sweep === undefined
      ? undefined
      : await swept(subject, records, { ...options, run, offline, sweep: options.sweep, earlier: measurement.runs });
  return {
    v: 1,
    at: new Date(begun).toISOString(),
    ...(subject.hasVerdict ? { plan: { name: plan.name, version: plan.version, hash: plan.hash } } : {}),
    sets: sets.files,
    records: records.length,
    ...(options.sample !== undefined ? { sample: { of: sets.records.length, seed: options.sample.seed } } : {}),
    strata: [...byStratum(records, ({ stratum }) => stratum)].map(([stratum, group]) => ({ stratum, n: group.length })),
    ...(options.flag.severityFrom !== undefined ? { flaggedFrom: options.flag.severityFrom } : {}),
    critics,
    ...(ended !== undefined
      ? { verdicts: verdictFigures(records, ended.gated), gating: gatingFigures(ended.pairs.filter((pair) => pair !== undefined)) }
      : {}),
    ...(ended !== undefined && drawn !== undefined && options.mix !== undefined
      ? { mix: mixFigures(drawn, ended.pairs, options.mix.seed) }
      : {}),
    ...(sweep !== undefined ? { sweep } : {}),
    notes: notesOf(subject, sets, critics, judges),
    tookMs: options.now() - begun,
  };
}

function sampled(records: readonly SetRecord[], sample: AssessOptions['sample']): readonly SetRecord[] {
  if (sample === undefined || sample.n >= records.length) return records;
  const chosen = new Set(shuffled([...records.keys()], seeded(sample.seed)).slice(0, sample.n));
  return records.filter((_, index) => chosen.has(index));
}

/** Loads what critics load on first use, so that no run is the one that paid for it. */
async function warm({ plan, registry }: Subject): Promise<void> {
  for (const use of plan.critics) {
    const critic = await registry.find(use.uses);
    const parsed = critic === undefined ? undefined : parseOptions(critic, use.with);
    if (critic?.warm === undefined || parsed?.ok !== true) continue;
    await critic.warm(parsed.value);
  }
}

function judgesByCritic({ plan }: Subject, records: readonly SetRecord[], options: AssessOptions): Map<string, Judges | undefined> {
  const known = new Set(records.flatMap(({ labels }) => Object.keys(labels)));
  return new Map(plan.critics.map((critic) => [critic.name, judgesOf(critic, options.judges, known)]));
}

async function bothRuns(measurement: Measurement): Promise<{ readonly gated: Ends; readonly pairs: readonly (Pair | undefined)[] }> {
  const full = await replay(measurement, withEverythingOn(measurement.plan), 'off');
  const gated = await replay(measurement, measurement.plan, 'on');
  return { gated, pairs: pairsOf(measurement.records, measurement.hashes, full, gated) };
}

/** Built in, and asking nobody; `scripted` takes what time it is told to. */
async function offlineOf({ plan, registry }: Subject): Promise<ReadonlySet<string>> {
  const offline = new Set<string>();
  for (const { uses } of plan.critics) {
    const critic = await registry.find(uses);
    if (isBuiltIn(uses) && critic?.asks === undefined && uses !== 'scripted') offline.add(uses);
  }
  return offline;
}

interface SweepOptions extends AssessOptions {
  readonly offline: MeasureOptions['offline'];
  readonly run: MeasureOptions['run'];
  readonly sweep: WantedSweep;
  readonly earlier: ReadonlyMap<string, CriticRuns>;
}

async function swept(subject: Subject, records: readonly SetRecord[], options: SweepOptions): Promise<Sweep> {
  const { critic, option, values } = options.sweep;
  const points: SweepPoint[] = [];
  const judges = judgesByCritic(subject, records, options).get(critic);
  for (const value of values) {
    const plan = await planAt(subject.plan, subject.registry, options.sweep, value);
    const measurement = new Measurement(plan, records, options);
    await measurement.runAll();
    const runs = measurement.runs.get(critic);
    const figures = runs === undefined ? undefined : criticFigures(runs, records, judges, options.flag);
    const verdicts = subject.hasVerdict ? verdictFigures(records, await replay(measurement, plan, 'on')) : undefined;
    const [overBlocking, letThrough] = [verdicts?.overBlocking[0], verdicts?.letThrough[0]];
    points.push({
      value,
      families: (figures?.families ?? []).map(({ family, precision, recall, falseAlarmRate, f1 }) => ({
        family,
        precision,
        recall,
        falseAlarmRate,
        f1,
      })),
      ...(overBlocking !== undefined ? { overBlocking } : {}),
      ...(letThrough !== undefined ? { letThrough } : {}),
    });
  }
  return { critic, option, points };
}

/** Sets that the models of `risk_signal` were trained on, by their adapters' names. */
const LEARNT_FROM: ReadonlySet<string> = new Set([
  'openai-moderation',
  'presidio-synthetic-pii',
  'purplellama-injection',
  'arena-hard-chat',
]);

/** Rules that read texts of findings would see none here. */
const READS_TEXTS = /\.message\b/;

function notesOf(
  { plan, hasVerdict, warnings }: Subject,
  sets: Sets,
  critics: Assessment['critics'],
  judges: ReadonlyMap<string, Judges | undefined>,
): string[] {
  const unjudged = critics.filter(({ name }) => judges.get(name) === undefined).map(({ name }) => name);
  const failing = critics.filter(({ failures }) => failures.length > 0).map(({ name }) => name);
  const rules = [...plan.verdict.rules.map(({ when }) => when), ...plan.critics.map(({ condition = '' }) => condition)];
  const taught = plan.critics.filter(({ uses }) => uses === 'risk_signal').map(({ name }) => name);
  const seen = sets.files.filter(({ form }) => LEARNT_FROM.has(form)).map(({ form }) => form);
  return [
    ...warnings,
    ...(taught.length > 0 && seen.length > 0
      ? [
          `${taught.join(', ')} learnt from rows of ${[...new Set(seen)].join(', ')}: on the rows that it has seen, its figures and the plan's are better than on others; docs/critics.md has those for rows that it has not seen`,
        ]
      : []),
    ...sets.skipped.map((file) => `${file} holds numbers alone and was left out`),
    ...(unjudged.length > 0
      ? [`for no label family: ${unjudged.join(', ')}; say which with --judges critic=family, or in the plan with tags: ["judges:family"]`]
      : []),
    ...(failing.length > 0
      ? [
          `some runs of ${failing.join(', ')} failed; each was tried once, counts as a failure and never as clean, and is tried again by the next run`,
        ]
      : []),
    ...(hasVerdict && rules.some((rule) => READS_TEXTS.test(rule))
      ? ['a rule reads messages of violations: here they are empty, so it decides otherwise than in an evaluation']
      : []),
  ];
}
