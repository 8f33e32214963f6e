/** How a report tells of fallbacks: as data, as text, in Markdown, on one line of JSON and above the timeline. */
import { describe, expect, it } from 'vitest';
import { decideVerdict } from '../../src/domain/verdict.js';
import { fitReport } from '../../src/domain/fit-report.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { currentDetails } from '../../src/report/details.js';
import { reportLine } from '../../src/report/json.js';
import { reportMarkdown } from '../../src/report/markdown.js';
import { reportText } from '../../src/report/text.js';
import { facts } from '../support/plans.js';
import { closedRecord, criticOf, planOf, recordFor, reportOf } from './report-fixture.js';

const judge = criticOf('judge', 'core_analysis', { costWeight: 3 });
const spare = criticOf('spare', 'core_analysis', { fallbackFor: 'judge' });
const plan = planOf([judge, spare]);
const gate = { by: 'fallback', policy: 'always' } as const;

const failed = recordFor(judge, {
  outcome: 'failed',
  code: 'HTTP_503',
  message: 'the service answered 503',
  attempts: [{ class: 'transient', queuedMs: 0, ranMs: 40, cost: { inputTokens: 1_000, usd: 0.003 } }],
});
const { finding: _, ...withoutFinding } = failed;
const standIn = recordFor(spare, { gate: { ...gate, open: true, saw: { judge: 'failed' } } });

function covered(): EvaluationReport {
  const records = [withoutFinding, standIn];
  const verdict = decideVerdict(plan, new Map(records.map((record) => [record.name, record])), facts);
  return reportOf(plan, records, { verdict });
}

describe('a report with a critic that a fallback covers', () => {
  it('names the fallback at the critic and why the fallback ran, and counts both', () => {
    const report = covered();
    expect(report.critics.map(({ name, outcome, coveredBy, gate: why }) => ({ name, outcome, coveredBy, why }))).toEqual([
      { name: 'judge', outcome: 'failed', coveredBy: 'spare', why: undefined },
      { name: 'spare', outcome: 'succeeded', coveredBy: undefined, why: standIn.gate },
    ]);
    expect(report).toMatchObject({ decision: 'allow', covered: 1, degraded: false, coverage: { planned: 2, succeeded: 1, failed: 1 } });
    expect(report.metrics.cost).toMatchObject({ spent: 4, saved: 0, usd: 0.003 });
    // The fallback began when its critic had ended.
    expect(report.metrics.criticalPathMs).toBe(50);
  });

  it('shows it wherever people look', () => {
    const report = covered();
    const text = reportText(report, { color: false });
    expect(text).toContain('2 planned: 1 succeeded, 1 failed; fallbacks covered 1; 100 % of the cost weight is covered');
    expect(text).toMatch(/^ {2}judge +failed .* HTTP_503: the service answered 503; covered by spare$/m);
    expect(text).toMatch(/^ {2}spare +succeeded .* ran as fallback: judge = failed$/m);
    expect(text).toMatch(/noted +COVERED +judge: failed; the service answered 503; covered by spare/);
    expect(reportMarkdown(report)).toContain('| HTTP_503: the service answered 503; covered by spare |');
    const details = currentDetails({ report, workflowId: 'default/req-1' });
    expect(details).toContain('- `judge` failed `HTTP_503`, covered by `spare`');
    expect(details).toContain('- noted `COVERED`, `judge`');
    expect(reportLine(report).critics[0]).toMatchObject({ name: 'judge', coveredBy: 'spare' });
  });

  it('keeps the name of the fallback however much has to be cut', () => {
    expect(fitReport(covered(), 1).critics[0]).toMatchObject({ name: 'judge', outcome: 'failed', coveredBy: 'spare' });
  });
});

describe('a report with a fallback that was not needed', () => {
  it('says so and counts nothing as saved by it: no plan would run both', () => {
    const unneeded = closedRecord(spare, 'gated', { gate: { ...gate, open: false, saw: { judge: 'succeeded' } } });
    const report = reportOf(plan, [recordFor(judge), unneeded]);
    expect(report.metrics.cost).toMatchObject({ spent: 3, saved: 0, savedShare: 0 });
    const text = reportText(report, { color: false });
    expect(text).toMatch(/^ {2}spare +gated .* gated as fallback: judge = succeeded$/m);
    expect(text).toContain('2 planned: 1 succeeded, 1 gated; 100 % of the cost weight is covered');
  });
});
