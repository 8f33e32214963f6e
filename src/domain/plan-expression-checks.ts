/** The CEL of a plan: each expression against what its place may see, and what all of them may cost together. Pure. */
import { CEL_MAX_PLAN_COST, checkCel, decisiveProblem, holdsByOneFinding, type CelProblem, type CelScope } from './cel.js';
import { visibleTo } from './gate.js';
import { error, type PlanPath, type PlanProblem, type PlanUnderCheck } from './plan-problem.js';

interface Expression {
  readonly path: PlanPath;
  readonly source: string;
  readonly scope: CelScope;
  /** How often a run evaluates it; default once. */
  readonly times?: number;
}

export function expressionProblems(check: PlanUnderCheck): PlanProblem[] {
  const problems: PlanProblem[] = [];
  let cost = 0;
  let dearest: { readonly path: PlanPath; readonly cost: number } = { path: [], cost: 0 };
  for (const { path, source, scope, times } of expressionsOf(check)) {
    const checked = checkCel(source, scope);
    if (!checked.ok) {
      problems.push(...checked.problems.map((problem) => located(path, problem)));
      continue;
    }
    const steps = checked.cost * (times ?? 1);
    cost += steps;
    if (steps > dearest.cost) dearest = { path, cost: steps };
  }
  if (cost > CEL_MAX_PLAN_COST) {
    const message = `the expressions of a plan may take ${CEL_MAX_PLAN_COST} steps together, these may take ${cost}; this one takes most, ${dearest.cost}`;
    problems.push(error(dearest.path, message));
  }
  return [...problems, ...decisiveProblems(check)];
}

const located = (path: PlanPath, { message, start, end }: CelProblem): PlanProblem => ({ ...error(path, message), offset: { start, end } });

function expressionsOf({ source, plan, setAside }: PlanUnderCheck): Expression[] {
  const risk: CelScope = { place: 'risk', critics: [] };
  const output: CelScope = { place: 'output', critics: [] };
  const enforcing = plan.critics.filter((critic) => critic.mode === 'enforce').map((critic) => critic.name);
  const verdict: CelScope = { place: 'conditions', critics: [...enforcing, ...setAside] };
  return [
    ...(source.risk?.atLeast ?? []).flatMap((entry, index) =>
      Object.entries(entry).flatMap(([tier, text]) =>
        text === undefined ? [] : [{ path: ['risk', 'atLeast', index, tier], source: text, scope: risk }],
      ),
    ),
    ...plan.critics.flatMap((critic): Expression[] => {
      const { name, condition, validateOutput } = critic;
      const visible = (): CelScope => ({ place: 'conditions', critics: [...visibleTo(plan, critic), ...setAside] });
      return [
        ...(condition === undefined ? [] : [{ path: ['critics', name, 'condition'], source: condition, scope: visible() }]),
        ...(validateOutput === undefined ? [] : [{ path: ['critics', name, 'validateOutput'], source: validateOutput, scope: output }]),
      ];
    }),
    ...(source.verdict.rules ?? []).flatMap((rule, index) =>
      (['deny', 'escalate'] as const).flatMap((effect) => {
        const text = rule[effect];
        if (text === undefined) return [];
        // Tried over all findings at the end of every critic, unless one finding alone can make it hold.
        const times = rule.decisive === true && !holdsByOneFinding(text) ? verdict.critics.length : 1;
        return [{ path: ['verdict', 'rules', index, effect], source: text, scope: verdict, times }];
      }),
    ),
    ...reviewExpressions(source, verdict),
  ];
}

/** Where a review goes is asked of what the verdict saw. */
function reviewExpressions({ review }: PlanUnderCheck['source'], scope: CelScope): Expression[] {
  return (['tiers', 'queues'] as const).flatMap((part) =>
    (review?.[part]?.rules ?? []).flatMap((rule, index) =>
      Object.entries(rule).flatMap(([name, text]) =>
        text === undefined ? [] : [{ path: ['review', part, 'rules', index, name], source: text, scope }],
      ),
    ),
  );
}

function decisiveProblems({ source }: PlanUnderCheck): PlanProblem[] {
  return (source.verdict.rules ?? []).flatMap(({ deny, decisive }, index) => {
    const problem = decisive === true && deny !== undefined ? decisiveProblem(deny) : undefined;
    return problem === undefined ? [] : [located(['verdict', 'rules', index, 'deny'], problem)];
  });
}
