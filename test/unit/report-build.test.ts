import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { percentile, sumKnown } from '../../src/domain/metrics.js';
import { CRITIC_OUTCOMES, type AttemptRecord, type CriticRecord } from '../../src/domain/outcomes.js';
import { STAGES, type Plan } from '../../src/domain/plan.js';
import type { Reason } from '../../src/domain/report.js';
import { closedRecord, criticOf, planOf, printedReport, recordFor, reportOf } from './report-fixture.js';

const attempt = (over: Partial<AttemptRecord> = {}): AttemptRecord => ({ class: 'ok', queuedMs: 0, ranMs: 10, ...over });

/** Any plan of up to twelve critics with records as they might come: some missing, in any order, with any outcome. */
const runs = fc
  .array(
    fc.record({
      stage: fc.constantFrom(...STAGES),
      mode: fc.constantFrom('enforce' as const, 'enforce' as const, 'shadow' as const),
      dispatch: fc.constantFrom('local' as const, 'activity' as const),
      weight: fc.integer({ min: 0, max: 50 }).map((weight) => weight / 10),
      outcome: fc.constantFrom(...CRITIC_OUTCOMES),
      by: fc.constantFrom('policy' as const, 'dependency' as const, 'budget' as const, 'decisive' as const),
      attempts: fc.array(
        fc.record({
          class: fc.constantFrom('ok' as const, 'transient' as const, 'rate_limited' as const, 'unavailable' as const),
          queuedMs: fc.nat(1_000),
          ranMs: fc.nat(1_000),
        }),
        { maxLength: 4 },
      ),
      startedAt: fc.option(fc.nat(1_000), { nil: undefined }),
      recorded: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .chain((specs) =>
    fc.tuple(
      fc.constant(specs),
      fc.shuffledSubarray(
        specs.map((_, index) => index),
        { minLength: specs.length },
      ),
    ),
  )
  .map(([specs, order]): { plan: Plan; records: CriticRecord[] } => {
    const critics = specs.map((spec, index) =>
      criticOf(`critic_${index}`, spec.stage, { mode: spec.mode, dispatch: spec.dispatch, costWeight: spec.weight }),
    );
    const records = specs.map((spec, index): CriticRecord => {
      const gated = spec.outcome === 'gated';
      return {
        name: `critic_${index}`,
        stage: spec.stage,
        outcome: spec.outcome,
        attempts: gated ? [] : spec.attempts,
        gate: { open: false, by: spec.by, policy: 'on_violation' },
        ...(spec.startedAt !== undefined && !gated ? { startedAt: spec.startedAt, endedAt: spec.startedAt + 10 } : {}),
      };
    });
    return {
      plan: planOf(critics),
      records: order.filter((index) => specs[index]?.recorded === true).flatMap((index) => records[index] ?? []),
    };
  });

describe('the account of a run', () => {
  test('planned is the sum of all outcomes and of all stages, whatever the records are', () => {
    fc.assert(
      fc.property(runs, ({ plan, records }) => {
        const { coverage, stages, critics, metrics } = reportOf(plan, records);
        const { planned, ...counts } = coverage;
        expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(planned);
        expect(planned).toBe(plan.critics.filter((critic) => critic.mode === 'enforce').length);
        expect(stages.reduce((sum, stage) => sum + stage.planned, 0)).toBe(planned);
        expect(stages.reduce((sum, stage) => sum + stage.ran, 0)).toBe(metrics.executed);
        expect(critics.map((critic) => critic.name)).toEqual(plan.critics.map((critic) => critic.name));
      }),
    );
  });

  test('shares stay between 0 and 1, times are never below 0 and weights are counted once', () => {
    fc.assert(
      fc.property(runs, fc.nat(5_000), ({ plan, records }, totalMs) => {
        const { metrics, covered, critics } = reportOf(plan, records, { totalMs });
        for (const share of [metrics.cost.savedShare, covered]) expect(share >= 0 && share <= 1).toBe(true);
        expect(metrics.overheadMs).toBeGreaterThanOrEqual(0);
        const all = critics.reduce((sum, critic) => sum + critic.cost.weight, 0);
        expect(metrics.cost.spent + metrics.cost.saved + metrics.cost.unknown).toBeLessThanOrEqual(all + 1e-6);
        expect(metrics.mostAtOnce.critics).toBeLessThanOrEqual(plan.critics.length);
      }),
    );
  });

  test('the order in which records come in does not change the report', () => {
    fc.assert(
      fc.property(runs, ({ plan, records }) => {
        expect(reportOf(plan, records.toReversed())).toEqual(reportOf(plan, records));
      }),
    );
  });

  test('a critic without a record is cancelled, not dropped', () => {
    const [ran, cut] = [criticOf('ran', 'fast_critics'), criticOf('cut', 'validation')];
    const report = reportOf(planOf([ran, cut]), [recordFor(ran)], { cancelled: true });
    expect(report.coverage).toEqual({ planned: 2, succeeded: 1, cancelled: 1 });
    expect(report.cancelled).toBe(true);
    expect(report.critics[1]).toMatchObject({ name: 'cut', outcome: 'cancelled', attempts: 0, code: 'CANCELLED' });
  });

  test('a shadow critic is listed, its cost is counted, and it is not planned', () => {
    const [judge, shadow] = [criticOf('judge', 'fast_critics'), criticOf('shadow', 'fast_critics', { mode: 'shadow', costWeight: 4 })];
    const report = reportOf(planOf([judge, shadow]), [recordFor(judge), recordFor(shadow)]);
    expect(report.coverage).toEqual({ planned: 1, succeeded: 1 });
    expect(report.metrics).toMatchObject({ executed: 1, cost: { spent: 5, saved: 0, savedShare: 0 } });
    expect(report.critics[1]).toMatchObject({ name: 'shadow', mode: 'shadow' });
  });

  test('the gate is left out for an always that ran and stands there for everything else', () => {
    const critics = [
      criticOf('plain', 'fast_critics'),
      criticOf('asked', 'fast_critics', { policy: 'on_violation' }),
      criticOf('late', 'validation'),
    ];
    const [plain, asked, late] = [critics[0]!, critics[1]!, critics[2]!];
    const report = reportOf(planOf(critics), [
      recordFor(plain),
      recordFor(asked),
      closedRecord(late, 'not_reached', { gate: { open: false, by: 'deadline', policy: 'always' } }),
    ]);
    expect(report.critics.map((critic) => critic.gate?.by)).toEqual([undefined, 'policy', 'deadline']);
  });

  test('texts that local batches dropped are counted as truncated', () => {
    expect(reportOf(planOf([]), [], { dropped: 3 }).truncated).toBe(3);
    expect(reportOf(planOf([]), [], { dropped: 0 })).not.toHaveProperty('truncated');
  });

  test.each([
    [[{ code: 'RULE', effect: 'escalate' }], 'findings'],
    [[{ code: 'OTHERWISE', effect: 'escalate' }], 'findings'],
    [[{ code: 'ALLOW_NEEDS', effect: 'escalate' }], 'failures'],
    [
      [
        { code: 'RULE', effect: 'escalate' },
        { code: 'NOT_A_FINDING', effect: 'escalate' },
      ],
      'both',
    ],
    [
      [
        { code: 'RULE', effect: 'escalate' },
        { code: 'IGNORED', effect: 'none' },
      ],
      'findings',
    ],
  ] as const)('reasons %j escalate by %s', (reasons, by) => {
    const verdict = {
      decision: 'escalate' as const,
      reasons: reasons.map((reason): Reason => ({ ...reason, message: '' })),
      degraded: false,
    };
    expect(reportOf(planOf([]), [], { verdict }).escalatedBy).toBe(by);
  });

  test('what did not escalate has no word on what escalated', () => {
    const verdict = { decision: 'deny' as const, reasons: [{ code: 'RULE', message: '', effect: 'escalate' as const }], degraded: false };
    expect(reportOf(planOf([]), [], { verdict })).not.toHaveProperty('escalatedBy');
  });
});

describe('the metrics of a run', () => {
  test('cost of failed attempts counts too, and what no critic told stays unknown', () => {
    const critic = criticOf('judge', 'core_analysis');
    const attempts = [
      attempt({ class: 'rate_limited', cost: { usd: 0.1 } }),
      attempt({ class: 'permanent', cost: { usd: 0.2, inputTokens: 5 } }),
    ];
    const report = reportOf(planOf([critic]), [recordFor(critic, { outcome: 'failed', attempts })]);
    expect(report.metrics).toMatchObject({ rateLimited: 1, retried: 1, cost: { spent: 1, usd: 0.3 } });
    expect(report.critics[0]?.cost).toEqual({ weight: 1, usd: 0.3, inputTokens: 5 });
    const silent = reportOf(planOf([critic]), [recordFor(critic)]);
    expect(silent.metrics.cost).not.toHaveProperty('usd');
  });

  test('a critic that was cut after it had started has an unknown cost, one that had not started has none', () => {
    const [cut, never, done] = [
      criticOf('cut', 'fast_critics', { costWeight: 5 }),
      criticOf('never', 'fast_critics', { costWeight: 7 }),
      criticOf('done', 'fast_critics'),
    ];
    const cancelled = (critic: typeof cut, over: Partial<CriticRecord>): CriticRecord =>
      closedRecord(critic, 'cancelled', { code: 'DECISIVE', ...over });
    const { metrics, critics } = reportOf(planOf([cut, never, done]), [
      cancelled(cut, { startedAt: 5 }),
      cancelled(never, {}),
      recordFor(done),
    ]);
    expect(metrics.cost).toMatchObject({ spent: 1, unknown: 5, saved: 0 });
    expect(metrics.executed).toBe(2);
    expect(critics.map((critic) => critic.cost.unknown)).toEqual([true, undefined, undefined]);
  });

  test('only a gate that was truly evaluated saves', () => {
    const critics = ['policy', 'dependency', 'budget', 'ran'].map((name) => criticOf(name, 'deep_analysis', { costWeight: 10 }));
    const gated = (by: 'policy' | 'dependency', index: number): CriticRecord =>
      closedRecord(critics[index]!, 'gated', { gate: { open: false, by, policy: 'on_violation' } });
    const over = closedRecord(critics[2]!, 'over_budget', { gate: { open: false, by: 'budget', policy: 'always' } });
    const { metrics } = reportOf(planOf(critics), [gated('policy', 0), gated('dependency', 1), over, recordFor(critics[3]!)]);
    expect(metrics.cost).toEqual({ spent: 10, saved: 20, savedShare: 0.5, unknown: 0 });
  });

  test('an attempt that found no worker did not run and cost nothing', () => {
    const critic = criticOf('lost', 'fast_critics');
    const { metrics, critics } = reportOf(planOf([critic]), [
      recordFor(critic, { outcome: 'unavailable', attempts: [attempt({ class: 'unavailable', ranMs: 0 })] }),
    ]);
    expect(metrics).toMatchObject({ executed: 0, retried: 0, cost: { spent: 0, unknown: 0 } });
    expect(critics[0]?.attempts).toBe(0);
  });

  test('most at once counts overlaps; a critic that follows another in the same millisecond does not overlap', () => {
    const critics = ['a', 'b', 'c', 'd'].map((name) => criticOf(name, 'fast_critics'));
    const times = [
      [0, 100],
      [10, 50],
      [50, 80],
      [60, 70],
    ] as const;
    const records = critics.map((critic, index) => recordFor(critic, { startedAt: times[index]![0], endedAt: times[index]![1] }));
    expect(reportOf(planOf(critics, { maxConcurrentCritics: 5 }), records).metrics.mostAtOnce).toEqual({ critics: 3, limit: 5 });
    expect(reportOf(planOf(critics), records.slice(0, 3)).metrics.mostAtOnce).toEqual({ critics: 2 });
  });

  test('local critics, which no limit counts, are one at once', () => {
    const critics = ['a', 'b'].map((name) => criticOf(name, 'fast_critics', { dispatch: 'local' }));
    expect(
      reportOf(
        planOf(critics),
        critics.map((critic) => recordFor(critic)),
      ).metrics.mostAtOnce.critics,
    ).toBe(1);
    expect(reportOf(planOf([]), []).metrics.mostAtOnce.critics).toBe(0);
  });

  test('the critical path is the longest dependsOn chain of each stage, retries included, waiting left out', () => {
    const critics = [
      criticOf('alone', 'fast_critics'),
      criticOf('second', 'fast_critics', { dependsOn: ['first'] }),
      criticOf('first', 'fast_critics'),
      criticOf('deep', 'deep_analysis', { dependsOn: ['alone'] }),
    ];
    const ranMs: Record<string, number[]> = { alone: [100], first: [30, 40], second: [50], deep: [5] };
    const records = critics.map((critic) =>
      recordFor(critic, { attempts: (ranMs[critic.name] ?? []).map((ms) => attempt({ ranMs: ms, queuedMs: 1_000 })) }),
    );
    const { metrics } = reportOf(planOf(critics), records, { totalMs: 200 });
    expect(metrics).toMatchObject({ totalMs: 200, criticalPathMs: 125, overheadMs: 75 });
    expect(reportOf(planOf(critics), records, { totalMs: 100 }).metrics.overheadMs).toBe(0);
  });

  test('p95 is a measured value: the one at rank ⌈0.95 n⌉', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([percentile(hundred, 0.95), percentile([7], 0.95), percentile([], 0.95), percentile([1, 2], 0.5)]).toEqual([95, 7, 0, 1]);
  });

  test('the ten critics of the print-out come to its numbers', () => {
    const { metrics, coverage } = printedReport();
    expect(coverage).toEqual({ planned: 10, succeeded: 4, gated: 6 });
    expect(metrics).toMatchObject({
      executed: 4,
      rateLimited: 1,
      retried: 1,
      mostAtOnce: { critics: 2, limit: 10 },
      cost: { spent: 8, saved: 33, unknown: 0, usd: 0.003 },
    });
  });
});

describe('a sum of costs', () => {
  test('is of the numbers that are known, and unknown when none is', () => {
    expect(sumKnown([0.1, undefined, 0.2])).toBe(0.3);
    expect(sumKnown([undefined])).toBeUndefined();
    expect(sumKnown([])).toBeUndefined();
  });

  test('is unknown when it is beyond all numbers, so that the report can be written as JSON', () => {
    expect(sumKnown([1.7e308, 1.7e308])).toBeUndefined();
    expect(sumKnown([-1.7e308, -1.7e308])).toBeUndefined();
    const critics = ['a', 'b'].map((name) => criticOf(name, 'core_analysis'));
    const dear = attempt({ cost: { usd: 1.7e308 } });
    const { metrics } = reportOf(
      planOf(critics),
      critics.map((critic) => recordFor(critic, { attempts: [dear] })),
    );
    expect(metrics.cost).not.toHaveProperty('usd');
  });
});
