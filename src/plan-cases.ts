/** Runs the `cases` of a plan in this process, and tells what they tried of it. */
import { caseCoverage, coverageShare, type CoverageItem, type CoveredRun } from './domain/case-coverage.js';
import type { Plan } from './domain/plan.js';
import { caseDifferences, endOf, givenProblems, unusedGivens, type PlanCase } from './domain/run-case.js';
import { ContentRefused, evaluateInProcess } from './in-process.js';
import { toEvaluationRequest } from './schemas/request.js';

export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  /** What came out otherwise than expected, in sentences. */
  readonly differences: readonly string[];
  /** What is odd about the case although it may pass. */
  readonly notes: readonly string[];
}

export interface PlanTest {
  readonly cases: readonly CaseResult[];
  readonly coverage: readonly CoverageItem[];
  /** 0 to 1. */
  readonly coverageShare: number;
}

export async function testPlan(plan: Plan, cases: readonly PlanCase[]): Promise<PlanTest> {
  const results: CaseResult[] = [];
  const runs: CoveredRun[] = [];
  for (const one of cases) {
    const problems = givenProblems(one.given);
    const run = problems.length > 0 ? problems : await runCase(plan, one);
    if (isRefusal(run)) {
      results.push({ name: one.name, passed: false, differences: run, notes: [] });
      continue;
    }
    const differences = caseDifferences(one, run);
    runs.push(run);
    results.push({ name: one.name, passed: differences.length === 0, differences, notes: unusedGivens(one, run) });
  }
  const coverage = caseCoverage(plan, runs);
  return { cases: results, coverage, coverageShare: coverageShare(coverage) };
}

const isRefusal = (run: CoveredRun | readonly string[]): run is readonly string[] => Array.isArray(run);

/** What the plan makes of it; sentences when the request would be refused. */
async function runCase(plan: Plan, one: PlanCase): Promise<CoveredRun | readonly string[]> {
  const { content = '', context, riskTier } = one.given ?? {};
  const named = { ...(context !== undefined ? { context } : {}), ...(riskTier !== undefined ? { riskTier } : {}) };
  const checked = toEvaluationRequest({ plan: plan.name, content, ...named }, () => 'case');
  if (!checked.ok) return checked.problems.map((problem) => `given: ${problem}`);
  const { value } = checked;
  const tier = value.riskTier !== undefined ? { riskTier: value.riskTier } : {};
  try {
    const { verdict, records, facts, risk } = await evaluateInProcess(
      { plan, content: value.content, context: value.context, tenant: value.tenant, ...tier },
      { runCritic: (critic) => endOf(one.given, critic.name) },
    );
    return { verdict, records, facts, risk: risk.steps.map((step) => step.holds) };
  } catch (error) {
    if (error instanceof ContentRefused) return [`given: ${error.message}`];
    throw error;
  }
}
