/** `tribunal plan`: plans as files, without a server. `test`, `explain` and `diff` have files of their own. */
import type { Command } from 'commander';
import { DeploymentProblems, type Deployment } from '../deployment.js';
import type { Plan } from '../domain/plan.js';
import type { Problem } from '../plan-loader.js';
import { planGraph } from '../report/plan-graph.js';
import { showPlan } from '../report/plan-show.js';
import { planJsonSchema } from '../schemas/plan.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT } from './exit.js';
import { addPlanDiff } from './plan-diff.js';
import { addPlanExplain } from './plan-explain.js';
import { addPlanFiles, loadPlans, tellProblems, type PlanOptions } from './plan-files.js';
import { addPlanTest } from './plan-test.js';

export function addPlan(program: Command, cli: Cli): void {
  const plan = program.command('plan').description('check, test, explain, compare and show plans');
  const files = (name: string, description: string): Command => addPlanFiles(plan.command(name).description(description));
  onRun<PlanOptions>(files('check', 'tell everything that is wrong with plans'), cli, runCheck);
  onRun<PlanOptions>(files('show', 'show plans as tables'), cli, (call) =>
    eachPlan(call, (deployment, one) => showPlan(deployment.name, one)),
  );
  onRun<PlanOptions>(files('graph', 'show a plan as a Mermaid flowchart'), cli, (call) => eachPlan(call, (_, one) => planGraph(one)));
  addPlanTest(plan, cli);
  addPlanExplain(plan, cli);
  addPlanDiff(plan, cli);
  onRun(plan.command('schema').description('print the JSON Schema of plan files, for editors'), cli, runSchema);
}

async function runCheck({ options, args, io, output }: Call<PlanOptions>): Promise<number> {
  try {
    const deployment = await loadPlans(options, args, io.env);
    const ofPeople = args.length === 0 ? await peopleOf(deployment) : [];
    tellProblems([...deployment.warnings, ...deployment.advice, ...ofPeople], output);
    if (ofPeople.some(({ severity }) => severity === 'error')) return EXIT.error;
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

/** Of a deployment whose plans bring something before people: whether they could decide it. */
async function peopleOf({ plans, reviewers }: Deployment): Promise<Problem[]> {
  if ([...plans.values()].every(({ review }) => review === undefined)) return [];
  const { NO_REVIEWERS, peopleProblems } = await import('../review/check-people.js');
  if (reviewers !== undefined) return await peopleProblems({ file: reviewers }, plans.values());
  return [{ file: 'reviewers.yaml', path: '', message: NO_REVIEWERS, severity: 'warning' }];
}

async function eachPlan(
  { options, args, io, output }: Call<PlanOptions>,
  show: (deployment: Deployment, plan: Plan) => string,
): Promise<number> {
  const deployment = await loadPlans(options, args, io.env);
  const plans = [...deployment.plans.values()];
  if (output.json) for (const plan of plans) output.object(plan);
  else output.line(plans.map((plan) => show(deployment, plan)).join('\n\n'));
  return EXIT.ok;
}

async function runSchema({ output }: Call<unknown>): Promise<number> {
  const schema = planJsonSchema();
  if (output.json) output.object(schema);
  else output.line(JSON.stringify(schema, null, 2));
  return EXIT.ok;
}
