/**
 * What a run's records come to in numbers. Pure: no clock, no Node.
 * Shadow critics use workers and money, so they count in times, attempts and cost; they are not planned, so they
 * count neither in `executed` nor in what the gates saved.
 */
import type { Records } from './admit.js';
import { fallbacksOf, waitsFor } from './dependencies.js';
import type { AttemptRecord, CriticRecord } from './outcomes.js';
import { stagesOf, type ExecutionStage, type Plan, type PlanCritic } from './plan.js';
import type { ReportMetrics } from './report.js';

/** Sums of decimals come out as people write them: 0.3, not 0.30000000000000004. */
export const tidy = (value: number): number => Number(value.toFixed(9));
/** Tenths of a millisecond. */
export const tidyMs = (ms: number): number => Math.round(ms * 10) / 10;

/** The attempts that began: an `unavailable` one found no worker or no implementation, so nothing ran. */
export const begunAttempts = (record: CriticRecord | undefined): AttemptRecord[] =>
  (record?.attempts ?? []).filter((attempt) => attempt.class !== 'unavailable');

/** How many attempts began. Of one that was cut only the start may be known: then it is the one that must have begun. */
export function attemptsBegun(record: CriticRecord | undefined): number {
  if (record === undefined) return 0;
  return record.attempts.length === 0 && record.startedAt !== undefined ? 1 : begunAttempts(record).length;
}

const hasStarted = (record: CriticRecord | undefined): boolean => attemptsBegun(record) > 0;

/** Ran and was cut: what it cost is not known. */
export const isCostUnknown = (record: CriticRecord): boolean => record.outcome === 'cancelled' && hasStarted(record);

/**
 * Kept from running by a policy that was evaluated, not by a limit, an error or a cut. A fallback that was not needed
 * saved nothing: no plan would run both.
 */
const isTrulyGated = (record: CriticRecord): boolean =>
  record.outcome === 'gated' && (record.gate.by === 'policy' || record.gate.by === 'dependency');

export function metricsOf(plan: Plan, records: Records, totalMs: number): ReportMetrics {
  const all = [...records.values()];
  const attempts = all.flatMap((record) => begunAttempts(record));
  const total = tidyMs(totalMs);
  const criticalPath = tidyMs(criticalPathMs(plan, records));
  return {
    executed: plan.critics.filter((critic) => critic.mode === 'enforce' && hasStarted(records.get(critic.name))).length,
    queueMs: meanAndP95(attempts.map((attempt) => attempt.queuedMs)),
    runMs: meanAndP95(attempts.map((attempt) => attempt.ranMs)),
    mostAtOnce: {
      critics: mostAtOnce(plan, records),
      ...(plan.limits.maxConcurrentCritics !== undefined ? { limit: plan.limits.maxConcurrentCritics } : {}),
    },
    rateLimited: attempts.filter((attempt) => attempt.class === 'rate_limited').length,
    retried: all.reduce((sum, record) => sum + Math.max(0, begunAttempts(record).length - 1), 0),
    cost: costOf(plan, records),
    totalMs: total,
    criticalPathMs: criticalPath,
    overheadMs: tidyMs(Math.max(0, total - criticalPath)),
    scope: plan.limits.scope ?? 'deployment',
  };
}

/** The 95th percentile is the value at rank ⌈0.95 n⌉: one that was measured, never one in between. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function meanAndP95(values: readonly number[]): { readonly mean: number; readonly p95: number } {
  const mean = values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean: tidyMs(mean), p95: tidyMs(percentile(values, 0.95)) };
}

/**
 * Sweeps over the attempts: between two of them a critic holds no place. No limit counts local critics, so they are
 * left out, or "6 of 5" could stand in a report; but something that ran alone is one at once.
 */
function mostAtOnce(plan: Plan, records: Records): number {
  const begun = plan.critics.filter((critic) => hasStarted(records.get(critic.name)));
  const changes = begun
    .filter((critic) => critic.dispatch === 'activity')
    .flatMap((critic) =>
      spansOf(records.get(critic.name)).flatMap(({ from, to }) => [
        { at: from, by: 1 },
        { at: to, by: -1 },
      ]),
    );
  // At the same millisecond ends come first: one critic that follows another does not overlap with it.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const change of changes) {
    now += change.by;
    most = Math.max(most, now);
  }
  return Math.max(most, begun.length > 0 ? 1 : 0);
}

/** When it ran; of records without the times of each attempt, from the first start to the last end. */
function spansOf(record: CriticRecord | undefined): { readonly from: number; readonly to: number }[] {
  const spans = begunAttempts(record).flatMap(({ startedAt, ranMs }) =>
    startedAt === undefined ? [] : [{ from: startedAt, to: startedAt + ranMs }],
  );
  if (spans.length > 0) return spans;
  const { startedAt, endedAt } = record ?? {};
  return startedAt === undefined || endedAt === undefined || endedAt < startedAt ? [] : [{ from: startedAt, to: endedAt }];
}

/**
 * Stages follow each other, so their longest chains add up; inside a stage a chain follows what critics wait for.
 * Running time only: waiting for a place and for a retry is overhead.
 */
function criticalPathMs(plan: Plan, records: Records): number {
  return stagesOf(plan).reduce((sum, stage) => sum + longestChainMs(plan, stage, records), 0);
}

function longestChainMs(plan: Plan, stage: ExecutionStage, records: Records): number {
  const inStage = new Map(plan.critics.filter((critic) => critic.stage === stage).map((critic) => [critic.name, critic]));
  const fallbacks = fallbacksOf(plan);
  const known = new Map<string, number>();
  const chainMs = (critic: PlanCritic): number => {
    const earlier = known.get(critic.name);
    if (earlier !== undefined) return earlier;
    const before = waitsFor(critic, fallbacks)
      .flatMap((name) => inStage.get(name) ?? [])
      .map(chainMs);
    const ms = Math.max(0, ...before) + ranMs(records.get(critic.name));
    known.set(critic.name, ms);
    return ms;
  };
  return Math.max(0, ...[...inStage.values()].map(chainMs));
}

const ranMs = (record: CriticRecord | undefined): number => begunAttempts(record).reduce((sum, attempt) => sum + attempt.ranMs, 0);

function costOf(plan: Plan, records: Records): ReportMetrics['cost'] {
  const weightOf = (critics: readonly PlanCritic[]): number => tidy(critics.reduce((sum, critic) => sum + critic.costWeight, 0));
  const where = (test: (record: CriticRecord) => boolean): PlanCritic[] =>
    plan.critics.filter((critic) => {
      const record = records.get(critic.name);
      return record !== undefined && test(record);
    });
  const planned = weightOf(plan.critics.filter((critic) => critic.mode === 'enforce'));
  const saved = weightOf(where(isTrulyGated).filter((critic) => critic.mode === 'enforce'));
  const usd = sumKnown([...records.values()].flatMap((record) => record.attempts.map((attempt) => attempt.cost?.usd)));
  return {
    spent: weightOf(where((record) => hasStarted(record) && !isCostUnknown(record))),
    saved,
    savedShare: planned === 0 ? 0 : tidy(saved / planned),
    unknown: weightOf(where(isCostUnknown)),
    ...(usd !== undefined ? { usd } : {}),
  };
}

/**
 * The sum of the numbers that are known; `undefined` when none is, since unknown is not 0, and when it is beyond all
 * numbers, for which JSON has no form.
 */
export function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  const sum = known.reduce((total, value) => total + value, 0);
  return known.length === 0 || !Number.isFinite(sum) ? undefined : tidy(sum);
}
