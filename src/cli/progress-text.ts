/** How far a running evaluation is, for people. Pure. */
import type { Progress } from '../contract.js';
import { words } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { pairs } from '../report/table.js';

/** The first line says the most important: it is all that a log gets. */
export function progressText(evaluationId: string, progress: Progress | undefined): string {
  if (progress === undefined) return `${safeText(evaluationId)} is running, and no worker answers`;
  const stage = progress.stage === undefined ? 'not begun' : progress.stage;
  const head = `${safeText(evaluationId)} is running: ${stage}, ${progress.ended.length} of ${progress.planned} critics ended`;
  const outcomes = groupByOutcome(progress);
  return [
    head,
    ...pairs([
      ...(progress.running.length > 0 ? [['running', progress.running.map(({ name }) => safeText(name)).join(', ')] as const] : []),
      ...[...outcomes].map(([outcome, names]) => [words(outcome), names.map(safeText).join(', ')] as const),
    ]),
  ].join('\n');
}

function groupByOutcome(progress: Progress): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, outcome } of progress.ended) groups.set(outcome, [...(groups.get(outcome) ?? []), name]);
  return groups;
}
