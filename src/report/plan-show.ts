/** A plan as a table for people: stages, order, policies, dependencies, limits, times, cost and lanes. Pure. */
import { stagesOf, type Plan, type PlanCritic } from '../domain/plan.js';
import { laneOf, stageLabel } from '../lanes/lanes.js';
import { shortHash } from './format.js';
import { reviewLines } from './plan-review.js';
import { safeText } from './safe.js';
import { table, type Column } from './table.js';

const STAGE_COLUMNS: readonly Column[] = [
  { name: 'stage' },
  { name: 'critics', right: true },
  { name: 'at once', right: true },
  { name: 'time', right: true },
];
const CRITIC_COLUMNS: readonly Column[] = [
  { name: 'stage' },
  { name: 'critic' },
  { name: 'uses' },
  { name: 'priority', right: true },
  { name: 'runs' },
  { name: 'depends on' },
  { name: 'limits' },
  { name: 'attempt', right: true },
  { name: 'timeout', right: true },
  { name: 'retries', right: true },
  { name: 'cost', right: true },
  { name: 'lane' },
];

/** Plain text without colours; lines end without blanks. */
export function showPlan(deployment: string, plan: Plan): string {
  const stages = stagesOf(plan);
  // In the order in which a stage's critics are sent off.
  const critics = stages.flatMap((stage) => plan.critics.filter((critic) => critic.stage === stage).toSorted(byPriority));
  return [
    `${plan.name}@${plan.version}, hash ${shortHash(plan.hash)}`,
    summary(plan),
    '',
    ...table(
      STAGE_COLUMNS,
      stages.map((stage) => [
        stageLabel(stage),
        String(plan.critics.filter((critic) => critic.stage === stage).length),
        String(plan.limits.maxConcurrentPerStage[stage] ?? '-'),
        span(plan.timeouts.stagesMs[stage] ?? plan.timeouts.globalMs),
      ]),
    ),
    '',
    ...table(
      CRITIC_COLUMNS,
      critics.map((critic) => criticRow(deployment, plan, critic).map(safeText)),
    ),
    '',
    ...[...priceLines(plan), ...verdictLines(plan), ...reviewLines(plan.review)].map(safeText),
  ].join('\n');
}

const byPriority = (a: PlanCritic, b: PlanCritic): number => a.priority - b.priority || (a.name < b.name ? -1 : 1);

function summary({ critics, limits, timeouts, budget, risk }: Plan): string {
  return [
    `${critics.length} critics`,
    limits.maxConcurrentCritics === undefined ? 'any number at once' : `at most ${limits.maxConcurrentCritics} at once`,
    ...(limits.maxQueueSize === undefined ? [] : [`at most ${limits.maxQueueSize} waiting`]),
    `${span(timeouts.globalMs)} in all`,
    budget.maxCost === undefined ? 'no budget' : `budget ${budget.maxCost}`,
    `risk ${risk.default}, at least ${risk.floor}`,
  ].join(', ');
}

function criticRow(deployment: string, plan: Plan, critic: PlanCritic): string[] {
  const limits = [
    ...(critic.maxConcurrent === undefined ? [] : [`${critic.maxConcurrent} at once`]),
    ...(critic.rateLimitPerSecond === undefined ? [] : [`${critic.rateLimitPerSecond}/s`]),
    ...(critic.lane === undefined ? [] : [`lane ${critic.lane}`]),
  ];
  return [
    stageLabel(critic.stage),
    critic.mode === 'shadow' ? `${critic.name} (shadow)` : critic.name,
    `${critic.uses}@${critic.version}${critic.isolation === undefined ? '' : ` (${critic.isolation})`}`,
    String(critic.priority),
    policyText(critic),
    critic.dependsOn.join(' ') || '-',
    limits.join(', ') || '-',
    span(critic.attemptTimeoutMs),
    critic.timeoutMs === undefined ? '-' : span(critic.timeoutMs),
    String(critic.maxRetries),
    String(critic.costWeight),
    critic.dispatch === 'local' ? 'local' : laneOf(deployment, plan, critic),
  ];
}

/** The policy with the value that it goes by; of a fallback, for whom it is. */
export function policyText({ policy, condition, uncertaintyThreshold, fallbackFor }: PlanCritic): string {
  if (fallbackFor !== undefined) return `fallback for ${fallbackFor}`;
  if (policy === 'conditional') return `if ${condition ?? ''}`;
  return policy === 'on_uncertainty' ? `on_uncertainty > ${uncertaintyThreshold ?? ''}` : policy;
}

/** Of the models that critics use. */
function priceLines({ critics }: Plan): string[] {
  return critics.flatMap(({ name, price }) =>
    price === undefined ? [] : [`${name} costs ${price.inputPerMillion} USD a million tokens read, ${price.outputPerMillion} written`],
  );
}

function verdictLines({ verdict, risk }: Plan): string[] {
  const needs = verdict.allowNeeds;
  return [
    ...risk.atLeast.map(({ tier, when }) => `risk is at least ${tier} if ${when}`),
    ...verdict.rules.map((rule) => `${rule.effect}${rule.decisive ? ' (decisive)' : ''} if ${rule.when}: ${rule.reason}`),
    ...(needs === undefined || needs.critics.length === 0 ? [] : [`allow needs ${needs.critics.join(', ')}`]),
    ...(needs?.coverage === undefined ? [] : [`allow needs a coverage of ${needs.coverage}`]),
    `otherwise ${verdict.otherwise}`,
  ];
}

const span = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);
