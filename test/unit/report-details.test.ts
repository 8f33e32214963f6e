import { describe, expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/domain/report.js';
import { currentDetails, MAX_DETAILS_BYTES } from '../../src/report/details.js';
import { batchSummary } from '../../src/report/summary.js';
import { criticOf, planOf, printedReport, recordFor, reportOf } from './report-fixture.js';

function failedReport(count: number, over: Partial<EvaluationReport> = {}): EvaluationReport {
  const critics = Array.from({ length: count }, (_, index) => criticOf(`judge_${index}_`.padEnd(64, 'x'), 'fast_critics'));
  const records = critics.map((critic) => recordFor(critic, { outcome: 'failed', code: 'HTTP_503', message: 'SECRET message' }));
  const reasons = critics.map((critic) => ({ critic: critic.name, code: 'HTTP_503', message: 'SECRET reason', effect: 'fail' as const }));
  const report = reportOf(planOf(critics), records, {
    verdict: { decision: 'not_judged', reasons, degraded: false },
    reset: { keepSiblings: 57, stageBoundary: 40 },
  });
  return { ...report, ...over };
}

describe('the current details of a workflow', () => {
  test('after a verdict are a list of decision, coverage and stages', () => {
    expect(currentDetails({ report: printedReport(), workflowId: 'default/req-1' })).toBe(
      [
        '- **ESCALATE by findings**, plan `chat_safety@3`',
        '- Critics executed 4/10 (success 4, failed 0, gated 6 = 60 %)',
        '- 10 planned: 4 succeeded, 6 gated; 100 % of the cost weight is covered',
        '- `pre_validation` 1.2 ms, ran 1, gated 0',
        '- `fast_critics` 2,400 ms, ran 2, gated 0',
        '- `core_analysis` 552 ms, ran 1, gated 0',
        '- `deep_analysis` 0 ms, ran 0, gated 3',
        '- `post_processing` 0 ms, ran 0, gated 2',
        '- `validation` 0 ms, ran 0, gated 1',
        '- escalate `RULE`: `violation found`',
      ].join('\n'),
    );
  });

  test('after a failure name the failed critic, its code, the event and the command that mends it', () => {
    const details = currentDetails({ report: failedReport(1), workflowId: 'acme/order-7' });
    expect(details).toMatch(/^- `judge_0_x+` failed `HTTP_503`$/m);
    expect(details).toContain('`temporal workflow reset --workflow-id acme/order-7 --event-id 57 --reason "cause removed"`');
    expect(details).toContain('event 40 repeats the whole stage');
  });

  test('never hold a message of a critic, nor a code that does not look like one', () => {
    const report = failedReport(2);
    const critics = report.critics.map((critic) => ({ ...critic, code: 'my card is 4111' }));
    expect(currentDetails({ report: { ...report, critics }, workflowId: 'a/b' })).not.toMatch(/SECRET|4111/);
  });

  test('offer no reset for a verdict', () => {
    expect(currentDetails({ report: failedReport(1, { decision: 'deny' }), workflowId: 'a/b' })).not.toContain('reset');
  });

  test('quote a workflow id that a shell would read as more than one word', () => {
    expect(currentDetails({ report: failedReport(1), workflowId: "x'; rm -rf /" })).toContain(
      `--workflow-id 'x'\\''; rm -rf /' --event-id`,
    );
  });

  test('of a thousand failures stay under their size, say how many are left out and keep the command', () => {
    const details = currentDetails({ report: failedReport(1_000), workflowId: 'acme/order-7' });
    expect(Buffer.byteLength(details)).toBeLessThanOrEqual(MAX_DETAILS_BYTES);
    const [, more] = /^- and (\d+) more$/m.exec(details) ?? [];
    const shown = details.split('\n').filter((line) => line.includes('judge_')).length;
    expect(shown + Number(more)).toBe(2_000);
    expect(details).toContain('--event-id 57');
  });

  test('of a running evaluation say where it is, what has failed and what runs', () => {
    const plan = planOf([]);
    const progress = {
      stage: 'fast_critics' as const,
      planned: 30,
      ended: [
        { name: 'secrets', stage: 'pre_validation' as const, outcome: 'succeeded' as const },
        { name: 'pii', stage: 'fast_critics' as const, outcome: 'timed_out' as const },
      ],
      running: Array.from({ length: 22 }, (_, index) => ({ name: `judge_${index}`, stage: 'fast_critics' as const })),
    };
    const lines = currentDetails({ plan, progress }).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      '- **running** `fast_critics`, plan `chat_safety@3`',
      '- 2 of 30 critics have ended',
      '- `pii` timed out',
    ]);
    expect(lines[3]).toMatch(/^- running: `judge_0`, .*`judge_19` and 2 more$/);
  });
});

describe('the summary of a batch', () => {
  test('counts decisions, sums costs and lists the slowest critics and the failures', () => {
    const failed = failedReport(2);
    const report = printedReport();
    expect(
      batchSummary([
        { report },
        { report },
        { report: { ...failed, metrics: { ...failed.metrics, totalMs: 40 } } },
        { refused: 'UNKNOWN_PLAN' },
        { error: 'no server\u001b[2J' },
      ]),
    ).toBe(
      `\
5 records
  allow       0
  deny        0
  escalate    2
  not judged  1
  refused     1
  errors      1

Cost in weights
  spent    18
  saved    66 (78.6 % of all planned)
  unknown  0
  money    0.006 USD
  tokens   2,400 in, 160 out

Time of an evaluation
  p50  2,953 ms
  p95  2,953 ms

Slowest critics
  critic${' '.repeat(58)}  runs     p50     p95
  fairness${' '.repeat(56)}     2  550 ms  550 ms
  toxicity${' '.repeat(56)}     2  390 ms  390 ms
  pii${' '.repeat(61)}     2   46 ms   46 ms
  ${'judge_0_'.padEnd(64, 'x')}     1   10 ms   10 ms
  ${'judge_1_'.padEnd(64, 'x')}     1   10 ms   10 ms

Failures
  what                      times
  failed HTTP_503               2
  error no server\\u001b[2J      1
  refused UNKNOWN_PLAN          1`,
    );
  });

  test('of nothing but refusals has no numbers to invent', () => {
    expect(batchSummary([{ refused: 'BAD_REQUEST' }])).not.toContain('Time');
    expect(batchSummary([])).toContain('0 records');
  });
});
