/** Rows of a report that text and Markdown show alike; nothing here is safe to show before `safeText` or `safeMarkdown`. Pure. */
import type { GateDecision, Held } from '../domain/outcomes.js';
import type { EvaluationReport, ReportCritic } from '../domain/report.js';
import { milliseconds, number, percent, planName, shortHash, words } from './format.js';

/** Name and value of a line. */
export type Pair = readonly [name: string, value: string];

export const STAGE_COLUMNS = ['stage', 'ms', 'ran', 'gated'] as const;
export const CRITIC_COLUMNS = ['critic', 'outcome', 'severity', 'attempts', 'queue', 'run', 'cost', 'note'] as const;
export const VIOLATION_COLUMNS = ['critic', 'code', 'severity', 'message'] as const;

export const stageRows = (report: EvaluationReport): string[][] =>
  report.stages.map(({ stage, ms, ran, gated }) => [stage, number(ms), String(ran), String(gated)]);

export function criticRow(critic: ReportCritic): string[] {
  const ran = critic.attempts > 0;
  return [
    critic.name,
    words(critic.outcome),
    critic.finding === undefined ? '-' : number(critic.finding.severity, 2),
    String(critic.attempts),
    ran ? milliseconds(critic.queuedMs) : '-',
    ran ? milliseconds(critic.ranMs) : '-',
    costText(critic),
    criticNote(critic),
  ];
}

export const violationRows = (report: EvaluationReport): string[][] =>
  report.critics.flatMap(({ name, finding }) =>
    (finding?.violations ?? []).map(({ code, severity, message }) => [name, code, number(severity ?? finding?.severity ?? 0, 2), message]),
  );

export const footLine = (report: EvaluationReport): string =>
  [
    `Plan ${planName(report)} (${shortHash(report.planHash)})`,
    `content ${shortHash(report.contentHash)}`,
    `tenant ${report.tenant}`,
    `risk ${report.riskTier}`,
    `scope: ${SCOPE_TEXT[report.metrics.scope]}`,
  ].join(', ');

const SCOPE_TEXT = {
  worker: 'limits hold in each worker process',
  deployment: 'limits hold over all worker processes',
} as const;

/** Why a critic ran or did not, and what went wrong; empty for one that ran always and succeeded. */
function criticNote(critic: ReportCritic): string {
  return [
    ...(critic.mode === 'shadow' ? ['shadow'] : []),
    ...(critic.gate !== undefined ? [gateText(critic, critic.gate)] : []),
    ...(critic.code !== undefined ? [critic.message === undefined ? critic.code : `${critic.code}: ${critic.message}`] : []),
    ...(critic.cut === 'deadline' ? ['cut by the deadline'] : []),
    ...(critic.held !== undefined ? [heldText(critic.held)] : []),
    ...(critic.coveredBy !== undefined ? [`covered by ${critic.coveredBy}`] : []),
  ].join('; ');
}

const heldText = ({ by, reason, ms }: Held): string => `waited ${number(ms / 1_000)} s: lane paused by ${by}: ${reason}`;

function gateText(critic: ReportCritic, gate: GateDecision): string {
  if (gate.error !== undefined) return `ran because its condition erred: ${gate.error}`;
  if (gate.by === 'dependency') return `${words(critic.outcome)} because of ${critic.root ?? 'a dependency'}`;
  if (gate.by === 'gating_off') return 'gating off';
  if (gate.by !== 'policy' && gate.by !== 'fallback') return words(gate.by);
  const saw = Object.entries(gate.saw ?? {}).map(([name, value]) => `${name} = ${String(value)}`);
  const verb = gate.open ? 'ran' : 'gated';
  const why = gate.by === 'fallback' ? 'as fallback' : `by ${gate.policy}`;
  return saw.length === 0 ? `${verb} ${why}` : `${verb} ${why}: ${saw.join(', ')}`;
}

/** Weight that the critic took: `?` when it was cut, nothing when it never ran. */
function costText({ cost, attempts }: ReportCritic): string {
  if (cost.unknown === true) return '?';
  return attempts > 0 ? number(cost.weight, 2) : '-';
}

/** Weights first, money and tokens where critics told them. */
export function costLines(report: EvaluationReport): Pair[] {
  const { cost } = report.metrics;
  const sum = (field: 'inputTokens' | 'outputTokens'): number =>
    report.critics.reduce((total, critic) => total + (critic.cost[field] ?? 0), 0);
  const [input, output] = [sum('inputTokens'), sum('outputTokens')];
  return [
    ['spent', number(cost.spent, 2)],
    ['saved', `${number(cost.saved, 2)} (${percent(cost.savedShare)} of all planned)`],
    ['unknown', number(cost.unknown, 2)],
    ...(cost.usd !== undefined ? [['money', `${number(cost.usd, 6)} USD`] as const] : []),
    ...(input + output > 0 ? [['tokens', `${number(input)} in, ${number(output)} out`] as const] : []),
  ];
}

export function utilisationLines({ metrics }: EvaluationReport): Pair[] {
  const { critics, limit } = metrics.mostAtOnce;
  const spread = ({ mean, p95 }: { readonly mean: number; readonly p95: number }): string =>
    `mean ${milliseconds(mean)}, p95 ${milliseconds(p95)}`;
  return [
    ['most at once', limit === undefined ? `${critics}, no limit` : `${critics} of ${limit}`],
    ['queue', spread(metrics.queueMs)],
    ['run', spread(metrics.runMs)],
    ['rate limited', String(metrics.rateLimited)],
    ['retried', String(metrics.retried)],
  ];
}

export function timeLines({ metrics }: EvaluationReport): Pair[] {
  return [
    ['total', milliseconds(metrics.totalMs)],
    ['critical path', milliseconds(metrics.criticalPathMs)],
    ['overhead', milliseconds(metrics.overheadMs)],
  ];
}
