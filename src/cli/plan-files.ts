/** What the `plan` commands have in common: which plans are meant. */
import type { Command } from 'commander';
import type { Deployment } from '../deployment.js';
import { formatProblem, type Problem } from '../plan-loader.js';
import { safeText } from '../report/safe.js';
import { collect, type Call } from './command.js';
import { usageError } from './exit.js';
import type { Output } from './output.js';
import { loadFrom } from './worker.js';

export interface PlanOptions {
  readonly file?: string;
  readonly critics?: readonly string[];
}

/** `--file` and `--critics`. */
export const addPlanOptions = (command: Command): Command =>
  command
    .option('--file <path>', 'deployment file (default: tribunal.yaml)')
    .option('--critics <module>', 'critics module beside those of the deployment file, repeatable', collect);

export const addPlanFiles = (command: Command): Command =>
  addPlanOptions(
    command.argument('[files...]', 'plan files (default: those of the deployment file, whose critics are known in either case)'),
  );

/** The named plan files, with the critics and hosts of the deployment file; else its own. */
export async function loadPlans(
  options: Call<PlanOptions>['options'],
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Deployment> {
  return await loadFrom({ ...options, ...(files.length > 0 ? { plan: files, plansAlone: true } : {}) }, env);
}

/** One plan: of this name in the deployment, or in this file. */
export async function loadOnePlan(options: Call<PlanOptions>['options'], named: string, env: NodeJS.ProcessEnv) {
  const isFile = /[./\\]/.test(named);
  const deployment = await loadPlans(options, isFile ? [named] : [], env);
  const name = isFile ? [...deployment.plans.keys()][0] : named;
  const plan = name === undefined ? undefined : deployment.plans.get(name);
  if (plan !== undefined) return { plan, deployment };
  const known = [...deployment.plans.keys()].toSorted().join(', ') || '(none)';
  throw usageError(`the deployment has no plan called ${JSON.stringify(named)}; it has ${known}. A plan file is named with its ending`);
}

/** Problems that are the result of a command: they go to stdout. */
export function tellProblems(problems: readonly Problem[], output: Output): void {
  for (const problem of problems) {
    if (output.json) output.object(problem);
    else output.line(safeText(formatProblem(problem)));
  }
}

/** What does not keep a plan from being used; on the side, for people. */
export function noteWarnings(warnings: readonly Problem[], output: Output): void {
  for (const problem of warnings) output.note(safeText(formatProblem(problem)));
}
