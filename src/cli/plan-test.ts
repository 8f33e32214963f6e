/** `tribunal plan test`: runs the `cases` of plans without a server, and tells what they never tried. */
import type { Command } from 'commander';
import { testPlan, type PlanTest } from '../plan-cases.js';
import { planTestText } from '../report/plan-test.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import { addPlanFiles, loadPlans, noteWarnings, type PlanOptions } from './plan-files.js';

interface TestOptions extends PlanOptions {
  readonly minCoverage?: string;
}

export function addPlanTest(plan: Command, cli: Cli): void {
  const command = addPlanFiles(plan.command('test'))
    .description('run the cases of plans without a server: exit code 1 when one fails')
    .option('--min-coverage <percent>', 'also fail when the cases try less of the rules, gates and failures of a plan');
  onRun<TestOptions>(command, cli, runTest);
}

async function runTest({ options, args, io, output }: Call<TestOptions>): Promise<number> {
  const least = leastCoverage(options.minCoverage);
  const deployment = await loadPlans(options, args, io.env);
  noteWarnings(deployment.warnings, output);
  let exit: number = EXIT.ok;
  for (const [name, plan] of deployment.plans) {
    const { file, cases } = deployment.sources.get(name) ?? { file: name, cases: [] };
    const tested = await testPlan(plan, cases);
    const isCovered = tested.coverageShare >= least;
    if (!isCovered || tested.cases.some((one) => !one.passed)) exit = EXIT.error;
    const about = { file, plan: plan.name, version: plan.version };
    if (output.json) output.object({ ...about, hash: plan.hash, ...jsonOf(tested), covered: isCovered });
    else output.line(planTestText({ ...about, ...tested, least: isCovered ? undefined : least }, output.color));
  }
  return exit;
}

function leastCoverage(text: string | undefined): number {
  if (text === undefined) return 0;
  const percent = Number(text.replace(/%$/, ''));
  if (text.trim() === '' || !(percent >= 0 && percent <= 100)) throw usageError('--min-coverage must be a number from 0 to 100');
  return percent / 100;
}

function jsonOf({ cases, coverage, coverageShare }: PlanTest) {
  const gaps = coverage.filter((item) => !item.covered).map(({ kind, subject, gap }) => ({ kind, subject, gap }));
  const failed = cases.filter((one) => !one.passed).length;
  return { passed: cases.length - failed, failed, cases, coverage: { items: coverage.length, share: coverageShare, gaps } };
}
