/** A report as Markdown, for tickets and pull requests. Pure. Every text that is not ours passes `safeMarkdown`. */
import type { EvaluationReport } from '../domain/report.js';
import { caveats, coverageLine, effectWord, executedLine, headline, reasonText, reviewLine } from './format.js';
import {
  costLines,
  CRITIC_COLUMNS,
  criticRow,
  footLine,
  STAGE_COLUMNS,
  stageRows,
  timeLines,
  utilisationLines,
  VIOLATION_COLUMNS,
  violationRows,
  type Pair,
} from './rows.js';
import { safeMarkdown } from './safe.js';

export function reportMarkdown(report: EvaluationReport): string {
  return [
    `## ${headline(report)}: ${safeMarkdown(report.evaluationId)}`,
    '',
    ...reasonLines(report),
    ...caveats(report).map((caveat) => `- **${caveat}**`),
    ...(report.review === undefined ? [] : [`- ${safeMarkdown(reviewLine(report) ?? '')}`]),
    '',
    safeMarkdown(executedLine(report)),
    '',
    `Coverage: ${safeMarkdown(coverageLine(report))}`,
    ...section('Stage breakdown', table(STAGE_COLUMNS, stageRows(report))),
    ...section('Critics', table(CRITIC_COLUMNS, report.critics.map(criticRow))),
    ...section('Violations', table(VIOLATION_COLUMNS, violationRows(report))),
    ...section('Resource utilisation', list(utilisationLines(report))),
    ...section('Cost in weights', list(costLines(report))),
    ...section('Time', list(timeLines(report))),
    '',
    safeMarkdown(footLine(report)),
    '',
  ].join('\n');
}

function reasonLines({ reasons }: EvaluationReport): string[] {
  if (reasons.length === 0) return ['- no rule held and nothing failed'];
  return reasons.map((reason) => `- **${effectWord(reason)}** ${safeMarkdown(reason.code)}: ${safeMarkdown(reasonText(reason))}`);
}

const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', `### ${title}`, '', ...lines]);

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return rows.length === 0 ? [] : [line(header), line(header.map(() => '---')), ...rows.map((row) => line(row.map(safeMarkdown)))];
}

const list = (lines: readonly Pair[]): string[] => lines.map(([name, value]) => `- ${name}: ${safeMarkdown(value)}`);
