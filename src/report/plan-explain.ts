/** Which critics of a plan would run over a record, and why, for people. Pure. Every text that is not ours passes `safeText`. */
import pc from 'picocolors';
import type { EffectiveRisk } from '../domain/effective-risk.js';
import { weights, type ExplainedCritic } from '../domain/explain-plan.js';
import type { GateDecision } from '../domain/outcomes.js';
import type { Plan, PlanCritic } from '../domain/plan.js';
import type { ReviewRoute } from '../domain/review/route.js';
import type { Verdict } from '../domain/verdict.js';
import { laneOf } from '../lanes/lanes.js';
import { effectWord, number, reasonText, words } from './format.js';
import { routeLines } from './plan-review.js';
import { safeText } from './safe.js';
import { pairs, table, wrap } from './table.js';

export interface Explanation {
  readonly deployment: string;
  readonly plan: Plan;
  /** Which record, and how large. */
  readonly at: string;
  readonly tenant: string;
  readonly bytes: number;
  /** What the findings rest on, one sentence each. */
  readonly assumptions: readonly string[];
  /** Critics that would run and that nobody ran or assumed anything of: they are taken to find nothing. */
  readonly notRun: readonly string[];
  readonly risk: EffectiveRisk;
  readonly critics: readonly ExplainedCritic[];
  readonly verdict: Verdict;
  /** Of an escalation, where the plan has a `review:`. */
  readonly review?: ReviewRoute;
}

export interface ExplainOptions {
  readonly color: boolean;
  /** Columns of the terminal. Absent: lines are as long as they are. */
  readonly width?: number;
}

export function planExplainText(explanation: Explanation, { color, width }: ExplainOptions): string {
  const { plan, at, tenant, bytes, assumptions, critics, verdict } = explanation;
  const colors = pc.createColors(color);
  const { running, planned } = weights(critics);
  const count = critics.filter((critic) => critic.runs).length;
  const reasons = verdict.reasons.map((reason) => `  ${effectWord(reason)}: ${safeText(reasonText(reason))}`);
  return [
    `${plan.name}@${plan.version} over ${safeText(at)}: tenant ${safeText(tenant)}, ${number(bytes)} bytes`,
    ...assumptions.flatMap((line) => wrap(`! ${safeText(line)}`, width)).map(colors.yellow),
    '',
    colors.bold(`Risk: ${explanation.risk.riskTier}`),
    ...pairs(riskLines(plan, explanation.risk)),
    '',
    colors.bold(`${count} of ${critics.length} critics would run, cost weight ${number(running, 2)} of ${number(planned, 2)}`),
    ...table(
      [
        { name: 'critic' },
        { name: 'stage' },
        { name: 'would', paint: (cell, text) => (text === 'run' ? colors.green(cell) : colors.dim(cell)) },
        { name: 'why' },
      ],
      critics.map((critic) => [shown(critic), critic.stage, critic.runs ? 'run' : words(critic.outcome), whyText(critic)].map(safeText)),
      width,
    ),
    '',
    colors.bold('Where, and for how long'),
    ...table(
      [
        { name: 'critic' },
        { name: 'attempt', right: true },
        { name: 'timeout', right: true },
        { name: 'retries', right: true },
        { name: 'cost', right: true },
        { name: 'limits' },
        { name: 'lane' },
      ],
      plan.critics.map((critic) => [...limitCells(plan, critic), placeOf(explanation.deployment, plan, critic)].map(safeText)),
      width,
    ),
    '',
    `With these findings the decision would be ${colors.bold(words(verdict.decision))}${unlessText(explanation.notRun)}${reasons.length === 0 ? ': no rule held and nothing failed' : ':'}`,
    ...reasons,
    ...routeLines(plan.review, explanation.review).map(safeText),
  ].join('\n');
}

/** Names that a line has room for. */
const SHOWN_NOT_RUN = 5;

function unlessText(notRun: readonly string[]): string {
  if (notRun.length === 0) return '';
  const shown = notRun.slice(0, SHOWN_NOT_RUN).map(safeText);
  const more = notRun.length > shown.length ? ` and ${notRun.length - shown.length} more` : '';
  return `, if ${shown.join(', ')}${more} ${notRun.length === 1 ? 'finds' : 'find'} nothing`;
}

/** The same for programs; keys are added, never renamed. */
export function planExplainJson({ deployment, plan, at, tenant, bytes, assumptions, notRun, risk, critics, verdict, review }: Explanation) {
  const { riskTier, said, saidBy, steps } = risk;
  return {
    plan: plan.name,
    version: plan.version,
    hash: plan.hash,
    at,
    tenant,
    bytes,
    assumptions,
    notRun,
    risk: { tier: riskTier, said, saidBy, floor: plan.risk.floor, rules: steps },
    critics: critics.map((explained) => {
      const critic = plan.critics.find(({ name }) => name === explained.name);
      return critic === undefined ? explained : { ...explained, ...limitsOf(deployment, plan, critic) };
    }),
    decision: verdict.decision,
    reasons: verdict.reasons,
    ...(review !== undefined ? { review } : {}),
  };
}

function limitsOf(deployment: string, plan: Plan, critic: PlanCritic) {
  const { maxConcurrent, rateLimitPerSecond, attemptTimeoutMs, maxRetries, dispatch, isolation } = critic;
  return {
    ...(dispatch === 'local' ? {} : { lane: laneOf(deployment, plan, critic) }),
    ...(maxConcurrent !== undefined ? { maxConcurrent } : {}),
    ...(rateLimitPerSecond !== undefined ? { rateLimitPerSecond } : {}),
    attemptTimeoutMs,
    timeoutMs: timeOf(plan, critic),
    maxRetries,
    ...(isolation !== undefined ? { isolation } : {}),
  };
}

/** The least of what critic, stage and evaluation have. */
const timeOf = (plan: Plan, { timeoutMs, stage }: PlanCritic): number =>
  Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, plan.timeouts.stagesMs[stage] ?? Number.POSITIVE_INFINITY, plan.timeouts.globalMs);

const shown = ({ name, mode }: ExplainedCritic): string => (mode === 'shadow' ? `${name} (shadow)` : name);

function riskLines(plan: Plan, { said, saidBy, steps }: EffectiveRisk): (readonly [string, string])[] {
  return [
    saidBy === 'caller' ? ['the caller says', said] : ["the plan's default", `${said}, since the caller says nothing`],
    ['at least', `${plan.risk.floor} by the plan's floor`],
    ...steps.map(({ tier, when, holds, saw, error }): readonly [string, string] => {
      const came = error !== undefined ? `erred, so it holds: ${error}` : holds ? 'true' : 'false';
      return [`at least ${tier}`, safeText(`if ${when}: ${came}${sawText(saw)}`)];
    }),
  ];
}

const sawText = (saw: GateDecision['saw']): string => {
  const values = Object.entries(saw ?? {}).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return values.length === 0 ? '' : ` (${values.join(', ')})`;
};

/** In words what decided, with the values that it saw. */
export function whyText(critic: ExplainedCritic): string {
  const { gate, outcome, root, message } = critic;
  switch (gate.by) {
    case 'policy':
      return policyText(critic);
    case 'dependency':
      return `${words(outcome)} with ${root ?? 'a dependency'}${sawText(gate.saw)}`;
    case 'fallback':
      return gate.open ? `stands in for what gave no finding${sawText(gate.saw)}` : `is not needed${sawText(gate.saw)}`;
    case 'gating_off':
      return `gating is off, else ${gate.policy}`;
    case 'decisive':
      return 'a decisive rule ends the run before';
    case 'budget':
    case 'deadline':
    case 'cancelled':
      return message ?? words(gate.by);
  }
}

function policyText({ gate, policy, condition, sees = [] }: ExplainedCritic): string {
  const saw = sawText(gate.saw);
  switch (policy) {
    case 'always':
      return 'always';
    case 'on_high_risk':
      return `on_high_risk, which begins at high${saw}`;
    case 'conditional':
      if (gate.error !== undefined) return `if ${condition ?? ''}: it erred, so the critic runs: ${gate.error}`;
      return `if ${condition ?? ''}: ${String(gate.open)}${saw}`;
    case 'on_violation':
    case 'on_uncertainty': {
      const looks = sees.length === 0 ? 'nothing, so it can never open' : sees.join(', ');
      return `${policy}${saw}; looks at ${looks}`;
    }
  }
}

function placeOf(deployment: string, plan: Plan, critic: PlanCritic): string {
  if (critic.dispatch === 'local') return 'local';
  return `${laneOf(deployment, plan, critic)}${critic.isolation === undefined ? '' : ` (${critic.isolation})`}`;
}

function limitCells(plan: Plan, critic: PlanCritic): string[] {
  const { maxConcurrent, rateLimitPerSecond, stage, lane } = critic;
  const { maxConcurrentPerStage, maxConcurrentCritics } = plan.limits;
  const limits =
    critic.dispatch === 'local'
      ? []
      : [
          ...(maxConcurrent === undefined ? [] : [`${maxConcurrent} at once`]),
          ...(rateLimitPerSecond === undefined ? [] : [`${rateLimitPerSecond}/s`]),
          ...(maxConcurrentPerStage[stage] === undefined ? [] : [`${maxConcurrentPerStage[stage]} in its stage`]),
          ...(maxConcurrentCritics === undefined ? [] : [`${maxConcurrentCritics} in all`]),
          ...(lane === undefined ? [] : [`the lane ${lane}`]),
        ];
  return [
    critic.name,
    span(critic.attemptTimeoutMs),
    span(timeOf(plan, critic)),
    String(critic.maxRetries),
    String(critic.costWeight),
    limits.join(', ') || '-',
  ];
}

const span = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);
