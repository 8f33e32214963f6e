/** What many evaluations came to, for a batch at the command line. Pure. Every text that is not ours passes `safeText`. */
import { percentile, tidy } from '../domain/metrics.js';
import type { EvaluationReport } from '../domain/report.js';
import { milliseconds, number, percent, words } from './format.js';
import type { Pair } from './rows.js';
import { safeText } from './safe.js';
import { pairs, table } from './table.js';

/** How one record of a batch ended. */
export type BatchEntry =
  | { readonly report: EvaluationReport }
  /** Code of the refusal. */
  | { readonly refused: string }
  /** What kept the record from being started or followed, in one sentence. */
  | { readonly error: string };

/** Enough to see where the time goes. */
const SHOWN_CRITICS = 5;
/** Kinds of failure, the most frequent first; the rest is counted. */
const SHOWN_FAILURES = 10;

export function batchSummary(entries: readonly BatchEntry[]): string {
  const reports = entries.flatMap((entry) => ('report' in entry ? entry.report : []));
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines]);
  return [
    `${entries.length} records`,
    ...pairs(decisionCounts(entries, reports)),
    ...section('Cost in weights', reports.length === 0 ? [] : pairs(costSums(reports))),
    ...section('Time of an evaluation', reports.length === 0 ? [] : pairs(totalTimes(reports))),
    ...section('Slowest critics', slowestCritics(reports)),
    ...section('Failures', failures(entries, reports)),
  ].join('\n');
}

/** All decisions, also those that did not occur: a 0 is an answer. */
function decisionCounts(entries: readonly BatchEntry[], reports: readonly EvaluationReport[]): Pair[] {
  const decided = (['allow', 'deny', 'escalate', 'not_judged'] as const).map((decision): Pair => [
    words(decision),
    String(reports.filter((report) => report.decision === decision).length),
  ]);
  const refused = entries.filter((entry) => 'refused' in entry).length;
  return [...decided, ['refused', String(refused)], ['errors', String(entries.length - reports.length - refused)]];
}

function costSums(reports: readonly EvaluationReport[]): Pair[] {
  const sum = (value: (report: EvaluationReport) => number): number => tidy(reports.reduce((total, report) => total + value(report), 0));
  const planned = sum((report) =>
    report.critics.reduce((total, critic) => total + (critic.mode === undefined ? critic.cost.weight : 0), 0),
  );
  const saved = sum((report) => report.metrics.cost.saved);
  const usd = sum((report) => report.metrics.cost.usd ?? 0);
  return [
    [
      'spent',
      number(
        sum((report) => report.metrics.cost.spent),
        2,
      ),
    ],
    ['saved', `${number(saved, 2)} (${percent(planned === 0 ? 0 : saved / planned)} of all planned)`],
    [
      'unknown',
      number(
        sum((report) => report.metrics.cost.unknown),
        2,
      ),
    ],
    ...(usd > 0 ? [['money', `${number(usd, 6)} USD`] as const] : []),
  ];
}

function totalTimes(reports: readonly EvaluationReport[]): Pair[] {
  const totals = reports.map((report) => report.metrics.totalMs);
  return [
    ['p50', milliseconds(percentile(totals, 0.5))],
    ['p95', milliseconds(percentile(totals, 0.95))],
  ];
}

/** By the 95th percentile of the running time of all attempts of one evaluation. */
function slowestCritics(reports: readonly EvaluationReport[]): string[] {
  const ranMs = new Map<string, number[]>();
  for (const critic of reports.flatMap((report) => report.critics)) {
    if (critic.attempts === 0) continue;
    const times = ranMs.get(critic.name);
    if (times === undefined) ranMs.set(critic.name, [critic.ranMs]);
    else times.push(critic.ranMs);
  }
  const slowest = [...ranMs]
    .map(([name, times]) => ({ name, runs: times.length, p50: percentile(times, 0.5), p95: percentile(times, 0.95) }))
    .toSorted((a, b) => b.p95 - a.p95 || (a.name < b.name ? -1 : 1))
    .slice(0, SHOWN_CRITICS);
  const rows = slowest.map(({ name, runs, p50, p95 }) => [safeText(name), String(runs), milliseconds(p50), milliseconds(p95)]);
  const right = true;
  return rows.length === 0
    ? []
    : table([{ name: 'critic' }, { name: 'runs', right }, { name: 'p50', right }, { name: 'p95', right }], rows);
}

/** By code, the most frequent first; critics that ended without success, refusals and errors alike. */
function failures(entries: readonly BatchEntry[], reports: readonly EvaluationReport[]): string[] {
  const counts = new Map<string, number>();
  const note = (what: string): void => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
  };
  for (const { outcome, code } of reports.flatMap((report) => report.critics)) {
    if (outcome !== 'succeeded' && outcome !== 'gated') note(`${words(outcome)} ${code ?? ''}`.trim());
  }
  for (const entry of entries) {
    if ('refused' in entry) note(`refused ${entry.refused}`);
    if ('error' in entry) note(`error ${entry.error}`);
  }
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const more = sorted.length > SHOWN_FAILURES ? [`  and ${sorted.length - SHOWN_FAILURES} other kinds`] : [];
  const rows = sorted.slice(0, SHOWN_FAILURES).map(([what, count]) => [safeText(what), String(count)]);
  return rows.length === 0 ? [] : [...table([{ name: 'what' }, { name: 'times', right: true }], rows), ...more];
}
