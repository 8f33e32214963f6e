/**
 * What the Temporal UI shows above an evaluation's timeline. Runs inside the workflow sandbox: pure.
 * A list, not a table: the UI's table cells have no padding. Everyone who may see the workflow reads it, so it holds
 * names, codes, numbers and the plan's own words alone, never content and never a message of a critic.
 */
import type { Progress } from '../contract.js';
import { utf8Bytes } from '../domain/bytes.js';
import type { CriticOutcome } from '../domain/outcomes.js';
import type { Plan } from '../domain/plan.js';
import type { EvaluationReport, ReportCritic } from '../domain/report.js';
import { coverageLine, effectWord, executedLine, headline, milliseconds, planName, resetCommand, words } from './format.js';

/** Of the whole text; the server refuses metadata that is much larger. */
export const MAX_DETAILS_BYTES = 20_000;

const SHOWN_RUNNING = 20;

export type DetailsInput =
  | { readonly plan: Pick<Plan, 'name' | 'version'>; readonly progress: Progress }
  | { readonly report: EvaluationReport; readonly workflowId: string };

export const currentDetails = (input: DetailsInput): string =>
  'report' in input ? endedDetails(input.report, input.workflowId) : runningDetails(input.plan, input.progress);

function runningDetails(plan: Pick<Plan, 'name' | 'version'>, progress: Progress): string {
  const broken = progress.ended.filter(({ outcome }) => hasFailed(outcome));
  // Made anew at every end of a critic: only what can be read at a glance.
  const running = progress.running.slice(0, SHOWN_RUNNING);
  const others = progress.running.length - running.length;
  return limited(
    [
      `- **running**${progress.stage === undefined ? '' : ` ${code(progress.stage)}`}, plan ${code(planName({ plan }))}`,
      `- ${progress.ended.length} of ${progress.planned} critics have ended`,
    ],
    broken.map(({ name, outcome }) => `- ${code(name)} ${words(outcome)}`),
    running.length === 0
      ? []
      : [`- running: ${running.map(({ name }) => code(name)).join(', ')}${others > 0 ? ` and ${others} more` : ''}`],
  );
}

function endedDetails(report: EvaluationReport, workflowId: string): string {
  const failed = report.critics.filter((critic) => hasFailed(critic.outcome) && critic.mode === undefined);
  return limited(
    [
      `- **${headline(report)}**, plan ${code(planName(report))}${report.degraded ? ', degraded' : ''}`,
      `- ${executedLine(report)}`,
      `- ${coverageLine(report)}`,
      ...report.stages.map(({ stage, ms, ran, gated }) => `- ${code(stage)} ${milliseconds(ms)}, ran ${ran}, gated ${gated}`),
    ],
    [
      ...failed.map((critic) => `- ${code(critic.name)} ${words(critic.outcome)}${codeOf(critic.code)}${coveredBy(critic)}`),
      ...report.reasons.map(
        (reason) =>
          `- ${effectWord(reason)}${codeOf(reason.code)}${reason.critic === undefined ? '' : `, ${code(reason.critic)}`}${reason.rule === undefined ? '' : `: ${code(reason.rule)}`}`,
      ),
    ],
    [...reviewLines(report), ...resetLines(report, workflowId)],
  );
}

/** Above the workflow of a deployment: who is there, and which lanes are owned together. */
export function deploymentDetails(workers: readonly string[], held: readonly (readonly string[])[]): string {
  return limited(
    [`- ${workers.length} worker processes`],
    [...workers.map((worker) => `- ${code(worker)}`), ...held.map((queues) => `- lanes of one owner: ${queues.map(code).join(', ')}`)],
    [],
  );
}

const hasFailed = (outcome: CriticOutcome): boolean => outcome !== 'succeeded' && outcome !== 'gated' && outcome !== 'cancelled';

const coveredBy = (critic: ReportCritic): string => (critic.coveredBy === undefined ? '' : `, covered by ${code(critic.coveredBy)}`);

function reviewLines({ review }: EvaluationReport): string[] {
  return review === undefined ? [] : [`- with people: ${code(review.tier)}, queue ${code(review.queue)}, review ${code(review.id)}`];
}

function resetLines(report: EvaluationReport, workflowId: string): string[] {
  const { reset } = report;
  const command = resetCommand(report, workflowId);
  if (reset === undefined || command === undefined) return [];
  return [
    `- when the cause is gone, reset to event ${reset.keepSiblings} (what has ended is kept): ${code(command)}`,
    ...(reset.stageBoundary === reset.keepSiblings ? [] : [`- event ${reset.stageBoundary} repeats the whole stage`]),
  ];
}

/** Backticks would end the code; names of ours have none. */
const code = (text: string): string => `\`${text.replace(/[`\p{Cc}]/gu, '?')}\``;

/** Codes may come from critics: one that does not have the form of a code is not shown. */
const codeOf = (text: string | undefined): string => (text !== undefined && /^[A-Z][A-Z0-9_]{0,63}$/.test(text) ? ` ${code(text)}` : '');

/** Head and tail always stay; of the lines between them as many as there is room for, and how many were left out. */
function limited(head: readonly string[], middle: readonly string[], tail: readonly string[]): string {
  const more = (count: number): string => `- and ${count} more`;
  let left = MAX_DETAILS_BYTES - utf8Bytes([...head, ...tail, more(middle.length)].join('\n')) - 2;
  const over = middle.findIndex((line) => (left -= utf8Bytes(line) + 1) < 0);
  const shown = over === -1 ? middle : [...middle.slice(0, over), more(middle.length - over)];
  return [...head, ...shown, ...tail].join('\n');
}
