import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutToJsonBytes, jsonBytes, jsonTextBytes, utf8Bytes } from '../../src/domain/bytes.js';
import { dropFindingsToFit } from '../../src/domain/drop-to-fit.js';
import type { Finding } from '../../src/domain/finding.js';
import { fitReport, MAX_REPORT_BYTES } from '../../src/domain/fit-report.js';
import { CRITIC_OUTCOMES, type CriticRecord } from '../../src/domain/outcomes.js';
import type { EvaluationReport, Reason, ReportCritic } from '../../src/domain/report.js';
import { MAX_SEARCH_BYTES, searchValues } from '../../src/domain/search-values.js';
import { closedRecord, criticOf, planOf, recordFor, reportOf } from './report-fixture.js';

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }));
const anyFinding: fc.Arbitrary<Finding> = fc.record(
  {
    severity: fc.double({ min: 0, max: 1, noNaN: true }),
    violations: fc.array(fc.record({ code: fc.string({ maxLength: 64 }), message: anyText }), { maxLength: 10 }),
    evidence: fc.array(anyText, { maxLength: 5 }),
    details: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value))),
  },
  { requiredKeys: ['severity', 'violations'] },
);

/** What must survive whatever is cut. */
const bones = (report: EvaluationReport): unknown => ({
  decision: report.decision,
  coverage: report.coverage,
  critics: report.critics.map(({ name, stage, outcome, code, finding }) => [name, stage, outcome, code, finding?.severity]),
  reasons: [...new Set(report.reasons.map(({ code }) => code))].toSorted(),
});

/** A report as large as its limits let it be: long names, every optional field, findings of about 16 KB. */
function hugeReport(count: number, violations: number, reasonsEach: number): EvaluationReport {
  const long = (prefix: string, index: number): string => `${prefix}_${index}_`.padEnd(64, 'x');
  const finding: Finding = {
    severity: 0.123_456_789_012_345_6,
    score: 1 / 3,
    uncertainty: 1 / 7,
    violations: Array.from({ length: violations }, (_, index) => ({
      code: long('code', index),
      message: '\u0007'.repeat(Math.floor(1_200 / violations)),
      span: { start: 100_000, end: 200_000 },
    })),
    evidence: ['ü'.repeat(1_000)],
    details: { note: 'd'.repeat(6_000) },
  };
  const critic = (index: number): ReportCritic => ({
    name: long('critic', index),
    stage: 'post_processing',
    outcome: 'invalid_output',
    attempts: 10,
    queuedMs: 1_234_567.8,
    ranMs: 1_234_567.8,
    cost: { weight: 100, usd: 0.123_456_789, inputTokens: 123_456, outputTokens: 123_456, unknown: true },
    gate: { open: true, by: 'policy', policy: 'on_uncertainty', error: 'e'.repeat(500), saw: { [long('critic', 1)]: 's'.repeat(200) } },
    finding,
    code: 'C'.repeat(64),
    message: 'm'.repeat(500),
    cut: 'deadline',
    held: { by: '\u0007'.repeat(100), reason: 'ü'.repeat(200), ms: 1_234_567 },
    root: long('critic', 0),
    coveredBy: long('critic', 2),
    mode: 'shadow',
  });
  const critics = Array.from({ length: count }, (_, index) => critic(index));
  const reason = (index: number): Reason => ({
    critic: long('critic', index),
    code: index % 2 === 0 ? 'CRITIC_OUTCOME' : 'CONDITION_ERROR',
    message: 'r'.repeat(500),
    effect: 'escalate',
  });
  return { ...reportOf(planOf([]), []), critics, reasons: Array.from({ length: count * reasonsEach }, (_, index) => reason(index)) };
}

describe('bytes', () => {
  test('lengths agree with the encoder for every text, lone surrogates too', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
        ),
        (text) => {
          expect(utf8Bytes(text)).toBe(Buffer.byteLength(text, 'utf8'));
          expect(jsonBytes({ text })).toBe(bytesOf({ text }));
          expect(jsonTextBytes(text)).toBe(bytesOf(text) - 2);
        },
      ),
    );
  });

  test('a cut text fits, begins as the whole one does and ends with a sign', () => {
    fc.assert(
      fc.property(anyText, fc.nat(100), (text, max) => {
        const cut = cutToJsonBytes(text, max);
        expect(bytesOf(cut) - 2).toBeLessThanOrEqual(max);
        if (cut !== text && max >= 3) expect(cut.endsWith('…') && text.startsWith(cut.slice(0, -1))).toBe(true);
      }),
    );
    expect(cutToJsonBytes('a😀b😀', 8)).toBe('a😀…');
  });
});

describe('fitting a report', () => {
  test('a report at the limit is unchanged, one byte above it is cut', () => {
    const critic = criticOf('judge', 'fast_critics');
    const report = reportOf(planOf([critic]), [
      recordFor(critic, { finding: { severity: 0, violations: [], evidence: ['e'.repeat(1_000)] } }),
    ]);
    expect(fitReport(report, bytesOf(report))).toBe(report);
    const cut = fitReport(report, bytesOf(report) - 1);
    expect(bytesOf(cut)).toBeLessThan(bytesOf(report));
    expect(cut.truncated).toBe(1);
  });

  test('the longest text is cut first and short ones stay whole', () => {
    const critics = ['short', 'long'].map((name) => criticOf(name, 'fast_critics'));
    const messages = ['s'.repeat(400), 'l'.repeat(5_000)];
    const records = critics.map((critic, index) =>
      recordFor(critic, { finding: { severity: 1, violations: [{ code: 'x', message: messages[index] ?? '' }] } }),
    );
    const report = reportOf(planOf(critics), records);
    const cut = fitReport(report, bytesOf(report) - 3_000);
    const [short, long] = cut.critics.map((critic) => critic.finding?.violations[0]?.message ?? '');
    expect(short).toBe(messages[0]);
    expect(long?.length).toBeGreaterThan(1_500);
    expect(long?.endsWith('…')).toBe(true);
    expect(cut.truncated).toBe(1);
  });

  test('what an earlier cut counted is added to', () => {
    const critic = criticOf('judge', 'fast_critics');
    const report = reportOf(
      planOf([critic]),
      [recordFor(critic, { finding: { severity: 0, violations: [], details: 'd'.repeat(2_000) } })],
      { dropped: 4 },
    );
    expect(fitReport(report, 2_500).truncated).toBe(5);
  });

  test.each([
    [1_000, 1, 0],
    [1_000, 5, 1],
    [1_000, 100, 1],
    [1_000, 100, 2],
    [60, 100, 1],
  ])(
    '%i critics with findings of %i violations and %i reasons each fit, and lose no outcome and no code',
    (count, violations, reasonsEach) => {
      const report = hugeReport(count, violations, reasonsEach);
      const cut = fitReport(report);
      expect(bytesOf(cut)).toBeLessThanOrEqual(MAX_REPORT_BYTES);
      expect(bones(cut)).toEqual(bones(report));
      expect(cut.truncated).toBeGreaterThan(0);
      // Full use is made of the room where texts alone can fill it.
      if (count === 60) expect(bytesOf(cut)).toBeGreaterThan(MAX_REPORT_BYTES * 0.5);
    },
  );

  test('any report fits as long as there is room for what must stay, and loses nothing of that', () => {
    const critics = fc.array(
      fc.record({
        finding: fc.option(anyFinding, { nil: undefined }),
        message: anyText,
        saw: anyText,
        outcome: fc.constantFrom(...CRITIC_OUTCOMES),
      }),
      { maxLength: 15 },
    );
    fc.assert(
      fc.property(critics, fc.nat(4_000), (specs, extra) => {
        const plan = planOf(specs.map((_, index) => criticOf(`critic_${index}`, 'fast_critics')));
        const records = specs.map(({ finding, message, saw, outcome }, index): CriticRecord => ({
          ...closedRecord(plan.critics[index]!, outcome, {
            message,
            code: 'CRITIC_ERROR',
            gate: { open: true, by: 'policy', policy: 'conditional', saw: { saw } },
          }),
          ...(finding !== undefined ? { finding } : {}),
        }));
        const reasons = specs.map((spec, index): Reason => ({
          critic: `critic_${index}`,
          code: 'CRITIC_ERROR',
          message: spec.message,
          effect: 'fail',
        }));
        const report = reportOf(plan, records, { verdict: { decision: 'not_judged', reasons, degraded: false } });
        const max = 1_800 + specs.length * 320 + extra;
        const cut = fitReport(report, max);
        expect(bytesOf(cut)).toBeLessThanOrEqual(max);
        expect(bones(cut)).toEqual(bones(report));
      }),
    );
  });
});

describe('dropping to fit', () => {
  const finding = (detailChars: number): Finding => ({
    severity: 0.5,
    violations: [{ code: 'x', message: 'kept' }],
    details: 'd'.repeat(detailChars),
    evidence: ['e'.repeat(50)],
  });
  const findings = { a: finding(100), b: finding(300), c: finding(200) };

  test('findings that fit are handed on as they are; one byte less drops the longest details', () => {
    expect(dropFindingsToFit(findings, bytesOf(findings))).toEqual({ findings, dropped: 0, fits: true });
    const one = dropFindingsToFit(findings, bytesOf(findings) - 1);
    expect(Object.values(one.findings).map(({ details }) => details !== undefined)).toEqual([true, false, true]);
    expect(one).toMatchObject({ dropped: 1, fits: true });
  });

  test('evidence goes only when all details have gone, and findings themselves never do', () => {
    const noDetails = dropFindingsToFit(findings, bytesOf(findings) - 639);
    expect(noDetails.dropped).toBe(3);
    expect(Object.values(noDetails.findings).every(({ evidence }) => evidence !== undefined)).toBe(true);
    const nothingFits = dropFindingsToFit(findings, 10);
    expect(nothingFits).toMatchObject({ dropped: 6, fits: false });
    expect(Object.values(nothingFits.findings)).toEqual(
      Object.keys(findings).map(() => ({ severity: 0.5, violations: [{ code: 'x', message: 'kept' }] })),
    );
  });

  test('what it says about fitting is what the JSON form says, for any findings', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== '__proto__'),
          anyFinding,
          { maxKeys: 6 },
        ),
        fc.nat(4_000),
        (given, max) => {
          const byName = dropFindingsToFit(given, max);
          expect(byName.fits).toBe(bytesOf(byName.findings) <= max);
          expect(Object.keys(byName.findings)).toEqual(Object.keys(given));
        },
      ),
    );
  });
});

describe('search values', () => {
  const named = (names: readonly string[], over: (name: string) => Partial<CriticRecord>): EvaluationReport => {
    const critics = names.map((name) => criticOf(name, 'fast_critics', name.startsWith('shadow') ? { mode: 'shadow' } : {}));
    return reportOf(
      planOf(critics),
      critics.map((critic) => recordFor(critic, over(critic.name))),
    );
  };

  test('failures come before flags, clean and gated critics are absent', () => {
    const ends: Record<string, Partial<CriticRecord>> = {
      clean: {},
      severe: { finding: { severity: 0.2, violations: [] } },
      broken_rule: { finding: { severity: 0, violations: [{ code: 'x', message: '' }] } },
      judge: { outcome: 'timed_out' },
      gate: { outcome: 'gated' },
      cut: { outcome: 'cancelled', code: 'DECISIVE' },
      shadow: { outcome: 'failed' },
    };
    expect(searchValues(named(Object.keys(ends), (name) => ends[name] ?? {}))).toEqual([
      'fail:judge@3',
      'flag:severe@3',
      'flag:broken_rule@3',
    ]);
  });

  test('a long list is cut to its size and says how many more there are, for any number and length of names', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 55 }), (count, length) => {
        const report = named(
          Array.from({ length: count }, (_, index) => `c${index}_`.padEnd(length, 'x')),
          () => ({ outcome: 'failed' }),
        );
        const values = searchValues(report);
        expect(bytesOf(values)).toBeLessThanOrEqual(MAX_SEARCH_BYTES);
        const more = values.flatMap((value) => /^more:(\d+)$/.exec(value)?.[1] ?? []).map(Number);
        expect(more.length).toBeLessThanOrEqual(1);
        expect(values.length - more.length + (more[0] ?? 0)).toBe(count);
      }),
      { numRuns: 30 },
    );
  });
});
