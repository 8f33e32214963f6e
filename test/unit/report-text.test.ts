import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitReport } from '../../src/domain/fit-report.js';
import type { AttemptRecord } from '../../src/domain/outcomes.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { reportLine } from '../../src/report/json.js';
import { reportMarkdown } from '../../src/report/markdown.js';
import { safeJson, safeMarkdown, safeText } from '../../src/report/safe.js';
import { reportText } from '../../src/report/text.js';
import { closedRecord, criticOf, planOf, printedReport, recordFor, reportOf } from './report-fixture.js';

const PRINT_OUT = `\
ESCALATE by findings  default/req-1
  effect    code  reason
  escalate  RULE  violation found

Critics executed 4/10 (success 4, failed 0, gated 6 = 60 %)
Coverage: 10 planned: 4 succeeded, 6 gated; 100 % of the cost weight is covered

Stage breakdown
  stage               ms  ran  gated
  pre_validation     1.2    1      0
  fast_critics     2,400    2      0
  core_analysis      552    1      0
  deep_analysis        0    0      3
  post_processing      0    0      2
  validation           0    0      1

Critics
  critic      outcome    severity  attempts  queue     run  cost  note
  secrets     succeeded         0         1   0 ms  1.2 ms     1
  pii         succeeded       0.6         1   4 ms   46 ms     2
  toxicity    succeeded         0         2  17 ms  390 ms     2
  fairness    succeeded         0         1   2 ms  550 ms     3
  deep_bias   gated             -         0      -       -     -  gated by on_high_risk: riskTier = medium
  deep_facts  gated             -         0      -       -     -  gated by on_high_risk: riskTier = medium
  deep_law    gated             -         0      -       -     -  gated by on_high_risk: riskTier = medium
  tone        gated             -         0      -       -     -  gated by on_uncertainty: threshold = 0.7, mostUncertain = 0
  style       gated             -         0      -       -     -  gated because of tone
  finance     gated             -         0      -       -     -  gated by conditional: context.domain = chat

Violations
  critic  code   severity  message
  pii     email       0.6  an e-mail address stands in the answer
  pii     card        0.9  a card number

Resource utilisation
  most at once  2 of 10
  queue         mean 4.6 ms, p95 12 ms
  run           mean 197 ms, p95 550 ms
  rate limited  1
  retried       1

Cost in weights
  spent    8
  saved    33 (80.5 % of all planned)
  unknown  0
  money    0.003 USD
  tokens   1,200 in, 80 out

Time
  total          2,953 ms
  critical path  941 ms
  overhead       2,012 ms

Plan chat_safety@3 (ab12cd34ef56), content 0123456789ab, tenant default, risk medium, scope: limits hold over all worker processes`;

const MARKDOWN = `\
## NOT JUDGED: default/req-1

- **fail** ATTEMPT_TIMEOUT: judge: timed out
- **degraded: a condition or rule erred, or a failure was ignored**

Critics executed 1/2 (success 0, failed 1, gated 0 = 0 %, skipped 1)

Coverage: 2 planned: 1 timed out, 1 skipped; 0 % of the cost weight is covered

### Stage breakdown

| stage | ms | ran | gated |
| --- | --- | --- | --- |
| deep_analysis | 0 | 1 | 0 |

### Critics

| critic | outcome | severity | attempts | queue | run | cost | note |
| --- | --- | --- | --- | --- | --- | --- | --- |
| judge | timed out | - | 1 | 2 ms | 10 ms | 1 | ATTEMPT_TIMEOUT: an attempt passed its time-out |
| jury | skipped | - | 0 | - | - | - | skipped because of judge; DEPENDENCY |

### Resource utilisation

- most at once: 1, no limit
- queue: mean 2 ms, p95 2 ms
- run: mean 10 ms, p95 10 ms
- rate limited: 0
- retried: 0

### Cost in weights

- spent: 1
- saved: 0 (0 % of all planned)
- unknown: 0

### Time

- total: 100 ms
- critical path: 10 ms
- overhead: 90 ms

Plan chat_safety@3 (ab12cd34ef56), content 0123456789ab, tenant default, risk medium, scope: limits hold over all worker processes
`;

function notJudged(): EvaluationReport {
  const judge = criticOf('judge', 'deep_analysis');
  const jury = criticOf('jury', 'deep_analysis', { dependsOn: ['judge'] });
  const { finding: _, ...timedOut } = recordFor(judge, {
    outcome: 'timed_out',
    code: 'ATTEMPT_TIMEOUT',
    message: 'an attempt passed its time-out',
  });
  const skipped = closedRecord(jury, 'skipped', {
    gate: { open: false, by: 'dependency', policy: 'always' },
    root: 'judge',
    code: 'DEPENDENCY',
  });
  return reportOf(planOf([judge, jury]), [timedOut, skipped], {
    verdict: {
      decision: 'not_judged',
      reasons: [{ critic: 'judge', code: 'ATTEMPT_TIMEOUT', message: 'judge: timed out', effect: 'fail' }],
      degraded: true,
    },
  });
}

/** A report in which every text that a critic can choose holds the same hostile one. */
function hostile(text: string): EvaluationReport {
  const critic = criticOf('judge', 'fast_critics', { policy: 'conditional' });
  const record = recordFor(critic, {
    outcome: 'failed',
    finding: { severity: 1, violations: [{ code: text, message: text }], evidence: [text], details: text },
    code: text,
    message: text,
    root: text,
    gate: { open: true, by: 'policy', policy: 'conditional', saw: { [text]: text } },
  });
  const reasons = [{ critic: 'judge', rule: text, code: text, message: text, effect: 'deny' as const }];
  return reportOf(planOf([critic]), [record], { verdict: { decision: 'deny', reasons, degraded: true } });
}

const ESC = '\u001b';
const ATTACKS = {
  'OSC 52 writes the clipboard': `${ESC}]52;c;ZXZpbA==\u0007`,
  'CSI moves and erases': `${ESC}[2J${ESC}[1;1H`,
  'a C1 control is a CSI in one character': '\u009b31m',
  'an injected line looks like ours': 'fine\nALLOW  default/req-1\r\nCritics executed 9/9',
  'a bidi override turns text round': '\u202egnitirw\u202c \u2066hidden\u2069 \u200f',
  'separators break lines in some viewers': 'a\u2028b\u2029c',
  'DEL and NUL': '\u007f\u0000',
};
/** Everything that a terminal obeys or a viewer hides, except the line feeds between our own lines. */
const OBEYED = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

describe('the print-out', () => {
  test('of ten critics reads as it always did', () => {
    expect(reportText(printedReport(), { color: false })).toBe(PRINT_OUT);
  });

  test('is the same in colour, apart from the colours', () => {
    const colored = reportText(printedReport(), { color: true });
    expect(colored).toContain(`${ESC}[33mESCALATE by findings`);
    expect(colored.replace(new RegExp(`${ESC}\\[\\d+m`, 'g'), '')).toBe(PRINT_OUT);
  });

  test('of a narrow terminal keeps every note, on lines of its own', () => {
    const text = reportText(printedReport(), { color: false, width: 72 });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(72);
    expect(text).toContain('\n  style       gated             -         0      -       -     -\n    gated because of tone\n');
  });

  test('names what it leaves out and what must be known first', () => {
    const critic = criticOf('pii', 'fast_critics');
    const violations = Array.from({ length: 25 }, () => ({ code: 'email', message: 'an address' }));
    const report = reportOf(planOf([critic]), [recordFor(critic, { finding: { severity: 1, violations } })], {
      cancelled: true,
      dropped: 2,
    });
    const text = reportText(report, { color: false });
    for (const line of ['  and 5 more', '  ! cancelled before it had a verdict', '  ! 2 texts were cut to fit the size limit'])
      expect(text.split('\n')).toContain(line);
  });

  test('of no critics at all says so without a table', () => {
    const text = reportText(reportOf(planOf([]), []), { color: false });
    expect(text).toContain('Critics executed 0/0 (success 0, failed 0, gated 0 = 0 %)');
    expect(text).not.toContain('Stage breakdown');
  });
});

describe('a critic that waited under a pause', () => {
  const critic = criticOf('judge', 'core_analysis');
  const waited = (queuedMs: number, held?: AttemptRecord['held']): AttemptRecord => ({
    class: held === undefined ? 'transient' : 'ok',
    queuedMs,
    ranMs: 1,
    ...(held !== undefined ? { held } : {}),
  });
  const report = reportOf(planOf([critic]), [
    recordFor(critic, {
      attempts: [
        waited(1_000, { by: 'bob', reason: 'short', ms: 900 }),
        waited(5),
        waited(21_000, { by: 'ann', reason: 'outage\u001b[31m', ms: 20_040 }),
      ],
    }),
  ]);

  test('says for how long, by whom and why, of the attempt that waited longest; text and Markdown alike', () => {
    expect(reportText(report, { color: false })).toContain('waited 20 s: lane paused by ann: outage\\u001b[31m');
    expect(reportMarkdown(report)).toContain('waited 20 s: lane paused by ann: outage');
    expect(reportLine(report).critics[0]?.held).toEqual({ by: 'ann', reason: 'outage\u001b[31m', ms: 20_040 });
  });

  test('loses the words of it before a report becomes too large, and the counter says so', () => {
    const long = { ...report, critics: report.critics.map((one) => ({ ...one, held: { by: 'ann', reason: 'r'.repeat(200), ms: 1 } })) };
    const cut = fitReport(long, JSON.stringify(long).length - 1);
    expect(cut.critics[0]?.held).toMatchObject({ by: 'ann', ms: 1 });
    expect(cut.critics[0]?.held?.reason.length).toBeLessThan(200);
    expect(cut.truncated).toBe(1);
  });
});

describe('the Markdown', () => {
  test('of a failed run reads as it always did', () => {
    expect(reportMarkdown(notJudged())).toBe(MARKDOWN);
  });

  test('keeps its tables and runs no markup whatever a critic writes', () => {
    const markdown = reportMarkdown(hostile('a|b `c` <img src=x onerror=y> [l](javascript:z) **d** _e_ &lt; \\|'));
    for (const line of markdown.split('\n').filter((one) => one.startsWith('| judge'))) {
      expect(line.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(line.includes('conditional') ? 9 : 5);
    }
    expect(markdown).not.toMatch(/<img|(?<!\\)`|(?<!\\)\]\(|(?<!\\)\*\*d\*/);
    expect(safeMarkdown('<b>&lt;')).toBe('&lt;b&gt;&amp;lt;');
    expect(safeMarkdown('fast_critics _e_ __f__')).toBe('fast_critics \\_e\\_ \\_\\_f\\_\\_');
  });
});

describe('text of critics', () => {
  test.each(Object.entries(ATTACKS))('%s: nothing of it reaches the terminal in any form of the report', (_, attack) => {
    const report = hostile(attack);
    for (const shown of [
      reportText(report, { color: false }),
      reportText(report, { color: false, width: 40 }),
      reportMarkdown(report),
      safeJson(reportLine(report)),
    ]) {
      expect(shown).not.toMatch(OBEYED);
    }
    expect(
      reportText(report, { color: false })
        .split('\n')
        .filter((line) => /^(ALLOW|Critics executed)/.test(line)),
    ).toHaveLength(1);
  });

  test('any text becomes one line without a control, and stays as it is when it holds none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
        (text) => {
          const safe = safeText(text);
          expect(safe).not.toMatch(OBEYED);
          expect(safe).not.toContain('\n');
          expect(safe).not.toMatch(/\p{Cs}/u);
          expect(JSON.parse(safeJson({ text }))).toEqual({ text });
        },
      ),
    );
    expect(safeText('Grüße, 你好 👩‍🚀!')).toBe('Grüße, 你好 👩‍🚀!');
    expect(safeText('\u001b[31m\n')).toBe('\\u001b[31m\\n');
  });
});

describe('the JSON line', () => {
  test('holds what scripts read and no finding of a critic', () => {
    const line = reportLine(notJudged());
    expect(line).toMatchObject({
      evaluationId: 'default/req-1',
      decision: 'not_judged',
      reasons: [{ critic: 'judge', code: 'ATTEMPT_TIMEOUT', message: 'judge: timed out' }],
      coverage: { planned: 2, timed_out: 1, skipped: 1 },
      stages: [{ stage: 'deep_analysis', ms: 0, ran: 1, gated: 0 }],
      metrics: { totalMs: 100, cost: { spent: 1, saved: 0 } },
      planHash: expect.any(String),
      contentHash: expect.any(String),
    });
    expect(line.critics[0]).toEqual({
      name: 'judge',
      stage: 'deep_analysis',
      outcome: 'timed_out',
      attempts: 1,
      queuedMs: 2,
      ranMs: 10,
      cost: { weight: 1 },
      code: 'ATTEMPT_TIMEOUT',
    });
    expect(line.critics[1]?.gate?.by).toBe('dependency');
    expect(JSON.stringify(reportLine(hostile('x')))).not.toContain('evidence');
  });
});
