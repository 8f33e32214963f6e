/**
 * From a plan's source to the plan that runs: read, check everything, resolve the implementations, compile, hash.
 * All problems at once, each with its place in the file.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { importDefault } from './critics/module.js';
import type { AnyCritic } from './critics/critic.js';
import { isForThreads, notForThreads, type CriticRegistry } from './critics/registry.js';
import { canonicalJson, hashJson } from './digest.js';
import { compilePlan, type ResolvedCritic } from './domain/compile-plan.js';
import type { Json } from './domain/finding.js';
import { planProblems } from './domain/plan-checks.js';
import { error, hint, type PlanPath, type PlanProblem } from './domain/plan-problem.js';
import { reviewAdvice } from './domain/plan-review-checks.js';
import type { Plan } from './domain/plan.js';
import type { PlanCase } from './domain/run-case.js';
import { safeText } from './report/safe.js';
import { parseWith, type Issue } from './schemas/issues.js';
import { parsePlan } from './schemas/parse-plan.js';
import type { ParsedPlan } from './schemas/plan.js';
import { readYaml, type YamlText } from './schemas/plan-file.js';

/** YAML text of a file, or what a module exports. */
export type PlanInput = { readonly file: string; readonly text: string } | { readonly object: unknown; readonly name: string };

export interface Problem {
  readonly file: string;
  /** Both count from 1; absent for plans that are not YAML. */
  readonly line?: number;
  readonly col?: number;
  /** Dotted: `critics.pii.dependsOn.0`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

export type LoadedPlan =
  | {
      readonly ok: true;
      readonly plan: Plan;
      readonly warnings: readonly Problem[];
      /** Warnings for who looks at the plan, not for who uses it. */
      readonly advice: readonly Problem[];
      readonly cases: readonly PlanCase[];
      /** Where a part of it stands; nowhere for plans that are not YAML. */
      readonly placeOf: (path: PlanPath) => Pick<Problem, 'line' | 'col'>;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** `file:line:col path message` on one line; warnings say so. */
export function formatProblem({ file, line, col, path, message, severity }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}:${col ?? 1}`;
  const parts = [place, path, severity === 'warning' ? `warning: ${message}` : message];
  return safeText(parts.filter((part) => part !== '').join(' '));
}

/**
 * Reads a plan file: YAML, or a module (`.mjs`, `.js`, `.ts`) whose default export is a plan.
 * @throws Error with one sentence that names the file, when it cannot be read or its module does not load.
 */
export async function readPlanInput(path: string): Promise<PlanInput> {
  if (/\.[mc]?[jt]s$/.test(path)) return { object: await importDefault(path), name: path };
  return { file: path, text: await readText(path) };
}

/** @throws Error with one sentence that names the file. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const known: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder; name a file' };
    throw new Error(`${path}: cannot be read: ${known[code] ?? code}`, { cause });
  }
}

export async function loadPlan(input: PlanInput, registry: CriticRegistry): Promise<LoadedPlan> {
  const file = 'file' in input ? input.file : input.name;
  const yaml = 'file' in input ? readYaml(input.text) : undefined;
  if (yaml?.ok === false) return { ok: false, problems: yaml.problems.map((one) => ({ file, path: '', severity: 'error', ...one })) };
  const checked = await checkPlan('file' in input ? yaml?.value : input.object, registry, dirname(file));
  const problems = locate(checked.problems, file, yaml);
  if (checked.plan === undefined || problems.some((one) => one.severity === 'error')) return { ok: false, problems };
  const advice = locate(checked.advice ?? [], file, yaml);
  const placeOf = (path: PlanPath): Pick<Problem, 'line' | 'col'> => yaml?.position(path) ?? {};
  return { ok: true, plan: checked.plan, warnings: problems, advice, cases: checked.cases ?? [], placeOf };
}

async function checkPlan(
  value: unknown,
  registry: CriticRegistry,
  folder: string,
): Promise<{ plan?: Plan; cases?: readonly PlanCase[]; advice?: PlanProblem[]; problems: PlanProblem[] }> {
  const { issues, parsed: written, setAside } = parsePlan(value);
  const ofForm = issues.map((issue) => asProblem(issue, []));
  if (written === undefined) return { problems: ofForm };
  const { source: parsed, problems: unread } = await withRubricFiles(written, folder);
  const { resolved, problems: unresolved } = await resolveCritics(parsed, registry);
  const compiled = compilePlan(parsed, resolved);
  const plan = { ...compiled, hash: hashJson(compiled) };
  const check = { source: parsed, plan, setAside };
  return {
    plan,
    cases: parsed.cases ?? [],
    advice: reviewAdvice(check),
    problems: [...ofForm, ...unread, ...planProblems(check), ...unresolved],
  };
}

const asProblem = ({ path, message, atKey }: Issue, base: PlanPath): PlanProblem => ({
  ...error([...base, ...path], message),
  ...(atKey === true ? { atKey } : {}),
});

/** As much as all options of a critic may have. */
const MAX_RUBRIC_FILE_BYTES = 8_192;

/**
 * Puts the text of every `rubricFile` of an `llm_judge` in its place, as `rubric`: the pinned plan holds what was judged by,
 * and a worker needs no file. Paths start at the plan's folder.
 */
async function withRubricFiles(source: ParsedPlan, folder: string): Promise<{ source: ParsedPlan; problems: PlanProblem[] }> {
  const problems: PlanProblem[] = [];
  const critics = new Map(Object.entries(source.critics));
  for (const [name, critic] of critics) {
    const { rubricFile, ...options } = critic.with ?? {};
    if (critic.uses !== 'llm_judge' || rubricFile === undefined) continue;
    const read = Object.hasOwn(options, 'rubric')
      ? { problem: 'write rubric or rubricFile, not both' }
      : await readRubric(rubricFile, folder);
    if (read.problem !== undefined) problems.push(error(['critics', name, 'with', 'rubricFile'], read.problem));
    // With a text in any case: that the rubric is missing as well would be said beside the reason.
    critics.set(name, { ...critic, with: { ...options, rubric: read.rubric ?? options['rubric'] ?? 'not read' } });
  }
  return { source: { ...source, critics: Object.fromEntries(critics) }, problems };
}

async function readRubric(written: Json, folder: string): Promise<{ rubric?: string; problem?: string }> {
  if (typeof written !== 'string' || written === '') return { problem: 'must be the path of a file, from the folder of the plan' };
  const path = resolve(folder, written);
  const about = `the file ${written} cannot be read`;
  try {
    const file = await stat(path);
    if (!file.isFile()) return { problem: `${about}: it is no file` };
    if (file.size > MAX_RUBRIC_FILE_BYTES)
      return { problem: `the file ${written} has ${file.size} bytes, and all options of a critic have at most ${MAX_RUBRIC_FILE_BYTES}` };
    return { rubric: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)).trimEnd() };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8',
    };
    return { problem: `${about}: ${reasons[code] ?? code}` };
  }
}

/** Looks up every implementation and has it check its options. */
async function resolveCritics(
  source: ParsedPlan,
  registry: CriticRegistry,
): Promise<{ resolved: Map<string, ResolvedCritic>; problems: PlanProblem[] }> {
  const resolved = new Map<string, ResolvedCritic>();
  const problems: PlanProblem[] = [];
  for (const [name, { uses, with: written = {}, dispatch, isolation }] of Object.entries(source.critics)) {
    const implementation = await registry.find(uses);
    if (implementation === undefined) {
      problems.push(
        error(['critics', name, 'uses'], `there is no implementation called ${JSON.stringify(uses)}${hint(uses, registry.names)}`),
      );
      continue;
    }
    if (isolation === 'thread' && !isForThreads(uses, registry)) {
      problems.push(error(['critics', name, 'isolation'], notForThreads(uses)));
    }
    const options = optionProblems(implementation, written);
    problems.push(...options.map((issue) => asProblem(issue, ['critics', name, 'with'])));
    if (implementation.asks !== undefined && (dispatch ?? source.defaults?.dispatch) === 'local') problems.push(asksLocally(name));
    // Pinned as written: the worker has the implementation check them again, and not every schema takes its own output.
    if (options.length === 0) resolved.set(name, { version: implementation.version, options: asJson(written) });
  }
  return { resolved, problems };
}

const asksLocally = (name: string): PlanProblem => ({
  ...error(
    ['critics', name],
    `${name} asks a service and is dispatched local: it has one attempt of a second, and after a crash it is asked, and paid, again`,
  ),
  severity: 'warning',
});

/** As it will be read back from a history: -0 becomes 0 there, and the hash must not change. */
const asJson = (written: Json): Json => JSON.parse(canonicalJson(written)) as Json;

/** The schema is the critic author's: it may throw. */
function optionProblems({ name, options: schema }: AnyCritic, written: Json): readonly Issue[] {
  const refused = (message: string): Issue[] => [{ path: [], message }];
  if (schema === undefined) return Object.keys(written ?? {}).length === 0 ? [] : refused(`${name} takes no options`);
  try {
    const parsed = parseWith(schema, written);
    return parsed.ok ? [] : parsed.issues;
  } catch (cause) {
    return refused(
      `the options schema of ${name} threw: ${cause instanceof Error ? cause.message.slice(0, 200) : 'something that is not an Error'}`,
    );
  }
}

/** With lines and columns, in the order of the file. */
function locate(problems: readonly PlanProblem[], file: string, yaml: YamlText | undefined): Problem[] {
  const located = problems.map(({ path, message, severity, atKey, offset }): Problem => {
    const where = { ...(atKey === true ? { atKey } : {}), ...(offset !== undefined ? { offset: offset.start } : {}) };
    return { file, ...yaml?.position(path, where), path: path.join('.'), message, severity };
  });
  return located.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.col ?? 0) - (b.col ?? 0));
}
