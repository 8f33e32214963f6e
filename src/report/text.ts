/**
 * A report for people at a terminal: the decision first, then what it rests on, then what it took. Pure.
 * Every text that is not ours passes `safeText`; the only escapes in the result are the colours put in here.
 */
import pc from 'picocolors';
import type { EvaluationReport } from '../domain/report.js';
import {
  BROKEN,
  caveats,
  coverageLine,
  effectWord,
  executedLine,
  headline,
  reasonText,
  resetCommand,
  reviewLine,
  words,
} from './format.js';
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
} from './rows.js';
import { safeText } from './safe.js';
import { pairs, table, wrap, type Column } from './table.js';

export interface TextOptions {
  readonly color: boolean;
  /** Columns of the terminal: longer lines are broken. Absent: lines are as long as they are. */
  readonly width?: number;
}

/** A finding can hold 100 violations: the print-out is for reading, the report itself has them all. */
const SHOWN_VIOLATIONS = 20;

type Colors = ReturnType<typeof pc.createColors>;

export function reportText(report: EvaluationReport, { color, width }: TextOptions): string {
  const colors = pc.createColors(color);
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', colors.bold(title), ...lines]);
  return [
    ...headLines(report, colors, width),
    '',
    ...wrap(executedLine(report), width),
    ...wrap(`Coverage: ${coverageLine(report)}`, width),
    ...section('Stage breakdown', stageLines(report, width)),
    ...section('Critics', criticLines(report, colors, width)),
    ...section('Violations', violationLines(report, width)),
    ...section('Resource utilisation', pairs(utilisationLines(report))),
    ...section('Cost in weights', pairs(costLines(report))),
    ...section('Time', pairs(timeLines(report))),
    '',
    ...wrap(safeText(footLine(report)), width),
  ].join('\n');
}

function headLines(report: EvaluationReport, colors: Colors, width: number | undefined): string[] {
  const paint = { allow: colors.green, deny: colors.red, escalate: colors.yellow, not_judged: colors.magenta }[report.decision];
  const reasons = report.reasons.map((reason) => [effectWord(reason), reason.code, reasonText(reason)].map(safeText));
  return [
    `${colors.bold(paint(headline(report)))}  ${safeText(report.evaluationId)}`,
    ...(reasons.length === 0 ? ['  no rule held and nothing failed'] : table(columns(['effect', 'code', 'reason']), reasons, width)),
    ...mendLines(report),
    ...caveats(report)
      .flatMap((caveat) => wrap(`! ${caveat}`, width, '  '))
      .map(colors.yellow),
  ];
}

/** Not broken: somebody copies it. */
function mendLines(report: EvaluationReport): string[] {
  const command = resetCommand(report, report.evaluationId);
  const review = reviewLine(report);
  return [
    ...(command === undefined ? [] : [`  when the cause is gone: ${safeText(command)}`]),
    ...(review === undefined ? [] : [`  ${safeText(review)}`]),
  ];
}

/** Numbers stand to the right. */
const NUMERIC: readonly string[] = ['ms', 'ran', 'gated', 'severity', 'attempts', 'queue', 'run', 'cost'];
const columns = (names: readonly string[]): Column[] => names.map((name) => ({ name, right: NUMERIC.includes(name) }));

function stageLines(report: EvaluationReport, width: number | undefined): string[] {
  const rows = stageRows(report);
  return rows.length === 0
    ? []
    : table(
        columns(STAGE_COLUMNS),
        rows.map((row) => row.map(safeText)),
        width,
      );
}

function criticLines(report: EvaluationReport, colors: Colors, width: number | undefined): string[] {
  if (report.critics.length === 0) return [];
  const broken: readonly string[] = BROKEN.map(words);
  const paint = (cell: string, text: string): string => {
    if (text === 'succeeded') return colors.green(cell);
    if (text === 'gated') return colors.dim(cell);
    return broken.includes(text) ? colors.red(cell) : colors.yellow(cell);
  };
  const painted = columns(CRITIC_COLUMNS).map((column) => (column.name === 'outcome' ? { ...column, paint } : column));
  return table(
    painted,
    report.critics.map((critic) => criticRow(critic).map(safeText)),
    width,
  );
}

function violationLines(report: EvaluationReport, width: number | undefined): string[] {
  const rows = violationRows(report);
  if (rows.length === 0) return [];
  const shown = rows.slice(0, SHOWN_VIOLATIONS).map((row) => row.map(safeText));
  const more = rows.length > shown.length ? [`  and ${rows.length - shown.length} more`] : [];
  return [...table(columns(VIOLATION_COLUMNS), shown, width), ...more];
}
