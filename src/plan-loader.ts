/**
 * From a plan's source to the plan that runs: read, check everything, resolve the implementations, compile, hash.
 * All problems at once, each with its place in the file.
 */
import { readFile } from 'node:fs/promises';
import { importDefault } from './critics/module.js';
import type { AnyCritic } from './critics/critic.js';
import type { CriticRegistry } from './critics/registry.js';
import { canonicalJson, hashJson } from './digest.js';
import { compilePlan, type ResolvedCritic } from './domain/compile-plan.js';
import type { Json } from './domain/finding.js';
import { planProblems } from './domain/plan-checks.js';
import { error, hint, type PlanPath, type PlanProblem } from './domain/plan-problem.js';
import type { Plan } from './domain/plan.js';
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
  | { readonly ok: true; readonly plan: Plan; readonly warnings: readonly Problem[] }
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
    throw new Error(`${path}: cannot be read: ${code === 'ENOENT' ? 'there is no such file' : code}`, { cause });
  }
}

export async function loadPlan(input: PlanInput, registry: CriticRegistry): Promise<LoadedPlan> {
  const file = 'file' in input ? input.file : input.name;
  const yaml = 'file' in input ? readYaml(input.text) : undefined;
  if (yaml?.ok === false) return { ok: false, problems: yaml.problems.map((one) => ({ file, path: '', severity: 'error', ...one })) };
  const checked = await checkPlan('file' in input ? yaml?.value : input.object, registry);
  const problems = locate(checked.problems, file, yaml);
  if (checked.plan === undefined || problems.some((one) => one.severity === 'error')) return { ok: false, problems };
  return { ok: true, plan: checked.plan, warnings: problems };
}

async function checkPlan(value: unknown, registry: CriticRegistry): Promise<{ plan?: Plan; problems: PlanProblem[] }> {
  const { issues, parsed, setAside } = parsePlan(value);
  const ofForm = issues.map((issue) => asProblem(issue, []));
  if (parsed === undefined) return { problems: ofForm };
  const { resolved, problems: unresolved } = await resolveCritics(parsed, registry);
  const compiled = compilePlan(parsed, resolved);
  const plan = { ...compiled, hash: hashJson(compiled) };
  return { plan, problems: [...ofForm, ...planProblems({ source: parsed, plan, setAside }), ...unresolved] };
}

const asProblem = ({ path, message, atKey }: Issue, base: PlanPath): PlanProblem => ({
  ...error([...base, ...path], message),
  ...(atKey === true ? { atKey } : {}),
});

/** Looks up every implementation and has it check its options. */
async function resolveCritics(
  source: ParsedPlan,
  registry: CriticRegistry,
): Promise<{ resolved: Map<string, ResolvedCritic>; problems: PlanProblem[] }> {
  const resolved = new Map<string, ResolvedCritic>();
  const problems: PlanProblem[] = [];
  for (const [name, { uses, with: written = {} }] of Object.entries(source.critics)) {
    const implementation = await registry.find(uses);
    if (implementation === undefined) {
      problems.push(
        error(['critics', name, 'uses'], `there is no implementation called ${JSON.stringify(uses)}${hint(uses, registry.names)}`),
      );
      continue;
    }
    const options = optionProblems(implementation, written);
    if (options.length > 0) problems.push(...options.map((issue) => asProblem(issue, ['critics', name, 'with'])));
    // Pinned as written: the worker has the implementation check them again, and not every schema takes its own output.
    else resolved.set(name, { version: implementation.version, options: asJson(written) });
  }
  return { resolved, problems };
}

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
