/** `tribunal plan check|show|graph|schema`: plans as files, without a server. */
import type { Command } from 'commander';
import { DeploymentProblems, type Deployment } from '../deployment.js';
import type { Plan } from '../domain/plan.js';
import { formatProblem, type Problem } from '../plan-loader.js';
import { planGraph } from '../report/plan-graph.js';
import { showPlan } from '../report/plan-show.js';
import { safeText } from '../report/safe.js';
import { planJsonSchema } from '../schemas/plan.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import type { Output } from './output.js';
import { loadFrom } from './worker.js';

interface PlanOptions {
  readonly file?: string;
  readonly critics?: readonly string[];
}

export function addPlan(program: Command, cli: Cli): void {
  const plan = program.command('plan').description('check and show plans');
  const files = (name: string, description: string): Command =>
    plan
      .command(name)
      .description(description)
      .argument('[files...]', 'plan files (default: those of the deployment file)')
      .option('--file <path>', 'deployment file (default: tribunal.yaml)')
      .option('--critics <module>', 'critics module beside those of the deployment file, repeatable', collect);
  onRun<PlanOptions>(files('check', 'tell everything that is wrong with plans'), cli, runCheck);
  onRun<PlanOptions>(files('show', 'show plans as tables'), cli, (call) =>
    eachPlan(call, (deployment, one) => showPlan(deployment.name, one)),
  );
  onRun<PlanOptions>(files('graph', 'show a plan as a Mermaid flowchart'), cli, (call) => eachPlan(call, (_, one) => planGraph(one)));
  onRun(plan.command('schema').description('print the JSON Schema of plan files, for editors'), cli, runSchema);
}

async function runCheck({ options, args, io, output }: Call<PlanOptions>): Promise<number> {
  try {
    const deployment = await load(options, args, io.env);
    tellProblems(deployment.warnings, output);
    for (const { name, version, hash, critics } of deployment.plans.values()) {
      if (output.json) output.object({ plan: name, version, hash, critics: critics.length });
      else output.line(`${name}@${version} is good: ${critics.length} critics`);
    }
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof DeploymentProblems)) throw error;
    tellProblems(error.problems, output);
    return EXIT.error;
  }
}

/** Problems are the result of a check: they go to stdout. */
function tellProblems(problems: readonly Problem[], output: Output): void {
  for (const problem of problems) {
    if (output.json) output.object(problem);
    else output.line(safeText(formatProblem(problem)));
  }
}

async function eachPlan(
  { options, args, io, output }: Call<PlanOptions>,
  show: (deployment: Deployment, plan: Plan) => string,
): Promise<number> {
  const deployment = await load(options, args, io.env);
  const plans = [...deployment.plans.values()];
  if (output.json) for (const plan of plans) output.object(plan);
  else output.line(plans.map((plan) => show(deployment, plan)).join('\n\n'));
  return EXIT.ok;
}

async function load(options: Call<PlanOptions>['options'], files: readonly string[], env: NodeJS.ProcessEnv): Promise<Deployment> {
  if (files.length > 0 && options.file !== undefined) throw usageError('plan files and --file exclude each other');
  return await loadFrom({ ...options, ...(files.length > 0 ? { plan: files } : {}) }, env);
}

async function runSchema({ output }: Call<unknown>): Promise<number> {
  const schema = planJsonSchema();
  if (output.json) output.object(schema);
  else output.line(JSON.stringify(schema, null, 2));
  return EXIT.ok;
}
