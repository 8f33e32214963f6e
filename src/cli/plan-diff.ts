/** `tribunal plan diff`: what changed between two plan files, in words, and which way. */
import type { Command } from 'commander';
import { diffPlans } from '../domain/plan-diff.js';
import { planDiffText } from '../report/plan-diff.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT } from './exit.js';
import { addPlanOptions, loadOnePlan, type PlanOptions } from './plan-files.js';

interface DiffOptions extends PlanOptions {
  readonly exitCode?: boolean;
}

export function addPlanDiff(plan: Command, cli: Cli): void {
  const command = addPlanOptions(plan.command('diff'))
    .description('tell in words what changed from plan A to plan B, and whether it lets more or less pass')
    .argument('<a>', 'the plan before: a file, or a name in the deployment')
    .argument('<b>', 'the plan after')
    .option('--exit-code', 'exit with 1 when they differ, 0 when they are the same');
  onRun<DiffOptions>(command, cli, runDiff);
}

async function runDiff({ options, args, io, output }: Call<DiffOptions>): Promise<number> {
  const [before = '', after = ''] = args;
  // One after the other: two versions of a plan have one name, which no deployment may have twice.
  const a = (await loadOnePlan(options, before, io.env)).plan;
  const b = (await loadOnePlan(options, after, io.env)).plan;
  const diff = diffPlans(a, b);
  const about = (plan: typeof a, named: string) => ({ named, plan: plan.name, version: plan.version, hash: plan.hash });
  if (output.json) output.object({ a: about(a, before), b: about(b, after), ...diff });
  else output.line(planDiffText({ a: about(a, before), b: about(b, after), ...diff }, output.color));
  return options.exitCode === true && !diff.same ? EXIT.error : EXIT.ok;
}
