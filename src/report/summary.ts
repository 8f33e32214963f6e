/** What many evaluations came to, for a batch at the command line. Pure. Every text that is not ours passes `safeText`. */
import { percentile, tidy } from '../domain/metrics.js';
import type { EvaluationReport, ReportCritic, ReportMetrics } from '../domain/report.js';
import { milliseconds, number, percent, words } from './format.js';
import type { Pair } from './rows.js';
import { safeText } from './safe.js';
import { pairs, table } from './table.js';

/** As much of a report, or of its line in a file of results, as a summary needs. */
export interface TalliedReport {
  readonly decision: EvaluationReport['decision'];
  readonly critics: readonly Pick<ReportCritic, 'name' | 'outcome' | 'attempts' | 'ranMs' | 'cost' | 'code' | 'mode'>[];
  readonly metrics: { readonly totalMs: number; readonly cost: Pick<ReportMetrics['cost'], 'spent' | 'saved' | 'unknown' | 'usd'> };
}

/** How one record of a batch ended. */
export type BatchEntry =
  | { readonly report: TalliedReport }
  /** Code of the refusal. */
  | { readonly refused: string }
  /** What kept the record from being started or followed, in one sentence. */
  | { readonly error: string };

/** In the order in which they are told. */
const DECISIONS = ['allow', 'deny', 'escalate', 'not_judged'] as const;

/** Enough to see where the time goes. */
const SHOWN_CRITICS = 5;
/** Kinds of failure, the most frequent first; the rest is counted. */
const SHOWN_FAILURES = 10;

export function batchSummary(entries: readonly BatchEntry[]): string {
  const tally = new BatchTally();
  for (const entry of entries) tally.add(entry);
  return tally.text();
}

/** Sums a batch up record by record: of each report it keeps numbers alone, so that a batch may be of any length. */
export class BatchTally {
  #count = 0;
  readonly #decisions = new Map<string, number>();
  #refused = 0;
  readonly #totals: number[] = [];
  readonly #cost = { spent: 0, saved: 0, unknown: 0, planned: 0, usd: 0, inputTokens: 0, outputTokens: 0 };
  readonly #ranMs = new Map<string, number[]>();
  readonly #failures = new Map<string, number>();

  get count(): number {
    return this.#count;
  }

  get reports(): number {
    return this.#totals.length;
  }

  add(entry: BatchEntry): void {
    this.#count += 1;
    if ('report' in entry) return this.#addReport(entry.report);
    if ('refused' in entry) this.#refused += 1;
    increase(this.#failures, 'refused' in entry ? `refused ${entry.refused}` : `error ${entry.error}`);
  }

  /** The same for programs; keys are added, never renamed. Times in milliseconds. */
  json() {
    const { spent, saved, unknown, planned, usd, inputTokens, outputTokens } = this.#cost;
    return {
      records: this.#count,
      decisions: Object.fromEntries(DECISIONS.map((decision) => [decision, this.#decisions.get(decision) ?? 0])),
      refused: this.#refused,
      errors: this.#errors(),
      cost: {
        spent: tidy(spent),
        saved: tidy(saved),
        unknown: tidy(unknown),
        planned: tidy(planned),
        usd: tidy(usd),
        inputTokens,
        outputTokens,
      },
      ...(this.#totals.length > 0 ? { totalMs: { p50: percentile(this.#totals, 0.5), p95: percentile(this.#totals, 0.95) } } : {}),
      slowest: this.#slowest(),
      failures: this.#failuresSorted().map(([what, times]) => ({ what, times })),
    };
  }

  text(): string {
    const any = this.#totals.length > 0;
    const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines]);
    return [
      `${this.#count} records`,
      ...pairs(this.#decisionCounts()),
      ...section('Cost in weights', any ? pairs(this.#costSums()) : []),
      ...section('Time of an evaluation', any ? pairs(this.#totalTimes()) : []),
      ...section('Slowest critics', this.#slowestCritics()),
      ...section('Failures', this.#failureCounts()),
    ].join('\n');
  }

  #addReport({ decision, critics, metrics }: TalliedReport): void {
    increase(this.#decisions, decision);
    this.#totals.push(metrics.totalMs);
    this.#cost.spent += metrics.cost.spent;
    this.#cost.saved += metrics.cost.saved;
    this.#cost.unknown += metrics.cost.unknown;
    this.#cost.usd += metrics.cost.usd ?? 0;
    for (const { name, outcome, attempts, ranMs, cost, code, mode } of critics) {
      if (mode === undefined) this.#cost.planned += cost.weight;
      this.#cost.inputTokens += cost.inputTokens ?? 0;
      this.#cost.outputTokens += cost.outputTokens ?? 0;
      if (outcome !== 'succeeded' && outcome !== 'gated') increase(this.#failures, `${words(outcome)} ${code ?? ''}`.trim());
      if (attempts === 0) continue;
      const times = this.#ranMs.get(name);
      if (times === undefined) this.#ranMs.set(name, [ranMs]);
      else times.push(ranMs);
    }
  }

  /** All decisions, also those that did not occur: a 0 is an answer. */
  #decisionCounts(): Pair[] {
    const decided = DECISIONS.map((decision): Pair => [words(decision), String(this.#decisions.get(decision) ?? 0)]);
    return [...decided, ['refused', String(this.#refused)], ['errors', String(this.#errors())]];
  }

  #errors(): number {
    return this.#count - this.#totals.length - this.#refused;
  }

  #costSums(): Pair[] {
    const { spent, saved, unknown, planned, usd, inputTokens, outputTokens } = this.#cost;
    const share = tidy(planned) === 0 ? 0 : saved / planned;
    return [
      ['spent', number(tidy(spent), 2)],
      ['saved', `${number(tidy(saved), 2)} (${percent(share)} of all planned)`],
      ['unknown', number(tidy(unknown), 2)],
      ...(usd > 0 ? [['money', `${number(tidy(usd), 6)} USD`] as const] : []),
      ...(inputTokens + outputTokens > 0 ? [['tokens', `${number(inputTokens)} in, ${number(outputTokens)} out`] as const] : []),
    ];
  }

  #totalTimes(): Pair[] {
    return [
      ['p50', milliseconds(percentile(this.#totals, 0.5))],
      ['p95', milliseconds(percentile(this.#totals, 0.95))],
    ];
  }

  /** By the 95th percentile of the running time of all attempts of one evaluation. */
  #slowest(): { readonly critic: string; readonly runs: number; readonly p50: number; readonly p95: number }[] {
    return [...this.#ranMs]
      .map(([critic, times]) => ({ critic, runs: times.length, p50: percentile(times, 0.5), p95: percentile(times, 0.95) }))
      .toSorted((a, b) => b.p95 - a.p95 || (a.critic < b.critic ? -1 : 1))
      .slice(0, SHOWN_CRITICS);
  }

  #slowestCritics(): string[] {
    const rows = this.#slowest().map(({ critic, runs, p50, p95 }) => [
      safeText(critic),
      String(runs),
      milliseconds(p50),
      milliseconds(p95),
    ]);
    const right = true;
    return rows.length === 0
      ? []
      : table([{ name: 'critic' }, { name: 'runs', right }, { name: 'p50', right }, { name: 'p95', right }], rows);
  }

  /** By code, the most frequent first; critics that ended without success, refusals and errors alike. */
  #failuresSorted(): [string, number][] {
    return [...this.#failures].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  #failureCounts(): string[] {
    const sorted = this.#failuresSorted();
    const more = sorted.length > SHOWN_FAILURES ? [`  and ${sorted.length - SHOWN_FAILURES} other kinds`] : [];
    const rows = sorted.slice(0, SHOWN_FAILURES).map(([what, count]) => [safeText(what), String(count)]);
    return rows.length === 0 ? [] : [...table([{ name: 'what' }, { name: 'times', right: true }], rows), ...more];
  }
}

function increase(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
