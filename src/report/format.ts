/**
 * Numbers and phrases that text, Markdown and the Temporal UI show alike. Pure; runs inside the workflow sandbox too:
 * no `Intl`, whose output depends on the machine.
 */
import { CRITIC_OUTCOMES, type CriticOutcome } from '../domain/outcomes.js';
import type { Coverage, EvaluationReport, Reason } from '../domain/report.js';

/** `1,234.5`; at most so many decimals. */
export function number(value: number, decimals = 1): string {
  const [whole = '', fraction] = String(Number(value.toFixed(decimals))).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export const milliseconds = (ms: number): string => `${number(ms, ms < 10 ? 1 : 0)} ms`;
export const percent = (share: number): string => `${number(share * 100)} %`;
/** Enough of a hash to tell two apart. */
export const shortHash = (hash: string): string => hash.slice(0, 12);
export const words = (name: string): string => name.replaceAll('_', ' ');

/** `ESCALATE by failures`. */
export function headline({ decision, escalatedBy }: Pick<EvaluationReport, 'decision' | 'escalatedBy'>): string {
  const by = escalatedBy === undefined ? '' : ` by ${escalatedBy === 'both' ? 'findings and failures' : escalatedBy}`;
  return words(decision).toUpperCase() + by;
}

export const planName = (report: Pick<EvaluationReport, 'plan'>): string => `${report.plan.name}@${report.plan.version}`;

/** Ends that mean that a critic was tried and gave no finding. */
export const BROKEN: readonly CriticOutcome[] = ['failed', 'timed_out', 'invalid_output', 'unavailable'];

const count = (coverage: Coverage, outcomes: readonly CriticOutcome[]): number =>
  outcomes.reduce((sum, outcome) => sum + (coverage[outcome] ?? 0), 0);

/** `Critics executed 4/10 (success 4, failed 0, gated 6 = 60 %)`, and whatever else happened, so that the numbers add up. */
export function executedLine({ coverage, metrics }: Pick<EvaluationReport, 'coverage' | 'metrics'>): string {
  const gated = coverage.gated ?? 0;
  const share = coverage.planned === 0 ? 0 : gated / coverage.planned;
  const rest = CRITIC_OUTCOMES.filter((outcome) => !['succeeded', 'gated', ...BROKEN].includes(outcome) && (coverage[outcome] ?? 0) > 0);
  const parts = [
    `success ${coverage.succeeded ?? 0}`,
    `failed ${count(coverage, BROKEN)}`,
    `gated ${gated} = ${percent(share)}`,
    ...rest.map((outcome) => `${words(outcome)} ${coverage[outcome] ?? 0}`),
  ];
  return `Critics executed ${metrics.executed}/${coverage.planned} (${parts.join(', ')})`;
}

/** `10 planned: 3 succeeded, 1 timed out, 6 gated; fallbacks covered 1; 100 % of the cost weight is covered`. */
export function coverageLine({ coverage, covered, critics }: Pick<EvaluationReport, 'coverage' | 'covered' | 'critics'>): string {
  const parts = CRITIC_OUTCOMES.filter((outcome) => (coverage[outcome] ?? 0) > 0).map(
    (outcome) => `${coverage[outcome] ?? 0} ${words(outcome)}`,
  );
  const stoodIn = critics.filter((critic) => critic.coveredBy !== undefined && critic.mode === undefined).length;
  const byFallbacks = stoodIn === 0 ? '' : `; fallbacks covered ${stoodIn}`;
  return `${coverage.planned} planned: ${parts.join(', ') || 'none'}${byFallbacks}; ${percent(covered)} of the cost weight is covered`;
}

/** What a reader must know before trusting the rest. */
export function caveats(report: EvaluationReport): string[] {
  return [
    ...(report.cancelled === true ? ['cancelled before it had a verdict'] : []),
    ...(report.degraded ? ['degraded: a condition or rule erred, or a failure was ignored'] : []),
    ...(report.gating === 'off' ? ['gating was off: every critic ran'] : []),
    ...(report.truncated !== undefined ? [`${report.truncated} texts were cut to fit the size limit`] : []),
  ];
}

/** The message of a reason, with its rule or critic in front where the message does not name it. */
export function reasonText(reason: Reason): string {
  const about = reason.critic ?? reason.rule;
  return about === undefined || reason.message.includes(about) ? reason.message : `${about}: ${reason.message}`;
}

/** Which way a reason pushed; one that pushed nowhere is only named. */
export const effectWord = (reason: Reason): string => (reason.effect === 'none' ? 'noted' : reason.effect);

/**
 * How an operator mends a run that could not judge, once the cause is gone. No other run is worth mending: a reset of a verdict
 * would ask the critics again until one likes it.
 */
export function resetCommand({ decision, reset }: EvaluationReport, workflowId: string): string | undefined {
  if (decision !== 'not_judged' || reset === undefined) return undefined;
  return `temporal workflow reset --workflow-id ${shellWord(workflowId)} --event-id ${reset.keepSiblings} --reason "cause removed"`;
}

/** Ids made here need no quotes; one made elsewhere must not become a second command. */
const shellWord = (text: string): string => (/^[A-Za-z0-9._/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Where people decide what escalated; `undefined` when no review was opened. */
export function reviewLine({ review }: Pick<EvaluationReport, 'review'>): string | undefined {
  return review === undefined ? undefined : `with people: ${review.tier}, queue ${review.queue}; tribunal review show ${review.id}`;
}
