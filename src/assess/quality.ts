/** How good one critic is: by label family, by stratum and by type of span; how its runs ended, how long they took, what they cost. Pure. */
import type { Finding, FindingCost } from '../domain/finding.js';
import type { CriticOutcome } from '../domain/outcomes.js';
import { percentile, sumKnown } from '../domain/metrics.js';
import { familiesOf, isFlagged, type FlagRule, type Judges } from './families.js';
import type { Counts, CriticFigures, FamilyQuality, Latency, StratumQuality } from './figures.js';
import type { CriticRuns } from './measure.js';
import type { SetRecord } from './sets/record.js';
import { spanFigures } from './spans.js';
import { f1, wilson } from './statistics.js';
import { byStratum } from './strata.js';

export function criticFigures(
  { critic, results, kept }: CriticRuns,
  records: readonly SetRecord[],
  judges: Judges | undefined,
  rule: FlagRule,
): CriticFigures {
  const findings = results.map((result) => result?.finding);
  const known = [...new Set(records.flatMap(({ labels }) => Object.keys(labels)))].toSorted();
  const families = judges === undefined ? [] : familiesOf(judges, findings, known);
  const spans = spanFigures(records, findings);
  const attempts = results.flatMap((result) => result?.attempts ?? []);
  const sum = (field: keyof FindingCost): number | undefined => sumKnown(attempts.map((attempt) => attempt.cost?.[field]));
  const [usd, inputTokens, outputTokens] = [sum('usd'), sum('inputTokens'), sum('outputTokens')];
  return {
    name: critic.name,
    uses: critic.uses,
    version: critic.version,
    stage: critic.stage,
    families: judges === undefined ? [] : families.map((family) => familyQuality(family, records, findings, judges, rule)),
    ...(spans !== undefined ? { spans } : {}),
    outcomes: outcomesOf(results),
    failures: failuresOf(results),
    latency: latencyOf(attempts.map(({ ranMs }) => ranMs)),
    cost: {
      weight: critic.costWeight,
      runs: attempts.length,
      ...(usd !== undefined ? { usd } : {}),
      ...(inputTokens !== undefined ? { inputTokens } : {}),
      ...(outputTokens !== undefined ? { outputTokens } : {}),
    },
    kept,
  };
}

export const latencyOf = (ms: readonly number[]): Latency => ({
  n: ms.length,
  p50: percentile(ms, 0.5),
  p95: percentile(ms, 0.95),
  p99: percentile(ms, 0.99),
});

/** One record with what its label says and what the critic said. */
interface Judged {
  readonly record: SetRecord;
  readonly isOne: boolean;
  readonly flagged: boolean;
}

export function familyQuality(
  family: string,
  records: readonly SetRecord[],
  findings: readonly (Finding | undefined)[],
  judges: Judges,
  rule: FlagRule,
): FamilyQuality {
  const judged: Judged[] = [];
  let unjudged = 0;
  for (const [index, record] of records.entries()) {
    const isOne = record.labels[family];
    if (isOne === undefined) continue;
    const finding = findings[index];
    if (finding === undefined) unjudged += 1;
    else judged.push({ record, isOne, flagged: isFlagged(judges, finding, family, rule) });
  }
  const counts = countsOf(judged);
  const { hits, falseAlarms, misses, clean } = counts;
  return {
    family,
    n: judged.length,
    unjudged,
    ...counts,
    precision: wilson(hits, hits + falseAlarms),
    recall: wilson(hits, hits + misses),
    falseAlarmRate: wilson(falseAlarms, falseAlarms + clean),
    f1: f1(hits, falseAlarms, misses),
    strata: [...byStratum(judged, ({ record }) => record.stratum)].map(([stratum, group]) => stratumQuality(stratum, group)),
    missed: judged.filter((one) => one.isOne && !one.flagged).map(({ record }) => record.id),
    wronglyFlagged: judged.filter((one) => !one.isOne && one.flagged).map(({ record }) => record.id),
  };
}

function stratumQuality(stratum: string, judged: readonly Judged[]): StratumQuality {
  const counts = countsOf(judged);
  return {
    stratum,
    ...counts,
    recall: wilson(counts.hits, counts.hits + counts.misses),
    falseAlarmRate: wilson(counts.falseAlarms, counts.falseAlarms + counts.clean),
  };
}

function countsOf(judged: readonly Judged[]): Counts {
  const count = (isOne: boolean, flagged: boolean): number => judged.filter((one) => one.isOne === isOne && one.flagged === flagged).length;
  return { hits: count(true, true), falseAlarms: count(false, true), misses: count(true, false), clean: count(false, false) };
}

function outcomesOf(results: CriticRuns['results']): Partial<Record<CriticOutcome, number>> {
  const counts: Partial<Record<CriticOutcome, number>> = {};
  for (const result of results) {
    const outcome = result?.outcome ?? 'skipped';
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

function failuresOf(results: CriticRuns['results']): CriticFigures['failures'] {
  const counts = new Map<string, number>();
  for (const result of results) {
    if (result === undefined || result.outcome === 'succeeded') continue;
    const code = result.code ?? result.outcome;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}
