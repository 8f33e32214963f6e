/** How a review is shown to whoever decides it, and the numbers over many. */
import { describe, expect, it } from 'vitest';
import { byDue, reviewQuery, type ReviewSummary } from '../../src/client-review-list.js';
import { statsText } from '../../src/cli/review-stats.js';
import { closedStats, openStats } from '../../src/client-review-stats.js';
import type { EntryType } from '../../src/domain/review/chain.js';
import type { ReviewResult } from '../../src/domain/review/review.js';
import { contentLines, rangeText } from '../../src/report/review-content.js';
import { reviewText } from '../../src/report/review-text.js';
import { shownTimeline, timelineLines, type Happened } from '../../src/report/review-timeline.js';
import { spanText, whenText } from '../../src/report/time-left.js';
import { escalatedReport, OPENED, OPENED_MS, reviewInput, reviewView } from './review-text-fixture.js';

const HOUR = 3_600_000;
const plain = { nowMs: OPENED_MS + HOUR, color: false };

describe('a review', () => {
  it('says on top what makes the whole less than it looks, then what is asked, what happens, and how much time is left', () => {
    const input = reviewInput({
      requester: 'eve\u0007',
      packet: { content: 'text', context: {}, report: escalatedReport({ degraded: true }) },
    });
    const lines = reviewText({ view: reviewView(), input }, plain).split('\n');
    expect(lines[0]).toContain('! degraded');
    expect(lines[1]).toBe(
      'Let a text of 4 characters pass? default/req-1, judged by chat_safety@3, tenant default, asked for by eve\\u0007',
    );
    const text = lines.join('\n');
    expect(text).toContain('claim by   2026-03-01T04:00:00.000Z, in 3 h');
    expect(text).toContain('time left  6 d 23 h');
    expect(text).toContain('halt       it does not go out');
    expect(text).toContain('nobody     at 2026-03-08T00:00:00.000Z it expires, and does not go out');
  });

  it('has each signal, all failures under one, and no reason that pushed nowhere', () => {
    const text = reviewText({ view: reviewView(), input: reviewInput() }, plain);
    expect(text).toContain('  r1  volume: too \\u001b[1mloud\n  failures  took too long; and 1 more\n      tone: was away\n');
    expect(text).not.toContain('denied nothing');
  });

  it('names codes in triage, two people in a determination, and that unsigned commands are taken', () => {
    const triage = reviewText({ view: reviewView({ tier: 'triage', insecure: true }), input: reviewInput() }, plain);
    expect(triage).toContain('codes      false_positive, policy_violation');
    expect(triage).toContain('not for production');
    expect(reviewText({ view: reviewView({ tier: 'determination' }), input: reviewInput() }, plain)).toContain(
      'two people to proceed, one to halt',
    );
  });

  it('that is over says how, and promises nothing more', () => {
    const text = reviewText({ view: reviewView({ status: 'EXPIRED' }), input: reviewInput() }, plain);
    expect(text).toContain('EXPIRED: Let');
    expect(text).not.toMatch(/time left|proceed {4}/);
  });

  it('keeps to the width of the terminal, and paints without counting what paints', () => {
    const input = reviewInput({
      packet: { content: 'word '.repeat(60), context: { a: 'x'.repeat(200) }, report: escalatedReport({ degraded: true }) },
    });
    const text = reviewText({ view: reviewView(), input }, { ...plain, color: true, width: 80 });
    // oxlint-disable-next-line no-control-regex
    const shown = text.replace(/\u001b\[\d+m/g, '').split('\n');
    const content = shown.filter((line) => line.startsWith('  | '));
    expect(content.length).toBeGreaterThan(2);
    expect([...content, shown[0] ?? ''].every((line) => line.length <= 80)).toBe(true);
  });
});

describe('content', () => {
  const whole = { rest: 'look elsewhere' };

  it('is inert and marked line by line, whatever it is', () => {
    expect(contentLines('a\r\n\u001b[2Jb\n\n\ud800', whole)).toEqual(['  | a', '  | \\u001b[2Jb', '  |', '  | \\ud800']);
    expect(contentLines({ a: ['\u202e'] }, whole)).toEqual(['  | {', '  |   "a": [', '  |     "\\u202e"', '  |   ]', '  | }']);
  });

  it('is cut, and says how much is left and where', () => {
    expect(contentLines('x'.repeat(1_500), { ...whole, most: 10 })).toEqual([
      `  | ${'x'.repeat(10)}`,
      '  … 1,490 more characters: look elsewhere',
    ]);
    expect(contentLines('x'.repeat(10), { ...whole, most: 10 })).toHaveLength(1);
  });

  it('is quoted where a critic means it, by place and path, and never beyond it', () => {
    expect(rangeText('one two', { start: 4, end: 7 })).toBe('4-7 "two"');
    expect(rangeText({ a: [{ 'b/c': 'one\u0007two' }] }, { path: '/a/0/b~1c', start: 0, end: 4 })).toBe('/a/0/b~1c 0-4 "one\\u0007"');
    expect(rangeText('short', { start: 2, end: 90 })).toBe('2-90');
    expect(rangeText({ a: 1 }, { path: '/__proto__/x', start: 0, end: 1 })).toBe('/__proto__/x 0-1');
    expect(rangeText('y'.repeat(300), { start: 0, end: 300 })).toBe(`0-300 "${'y'.repeat(120)}…"`);
  });
});

describe('what has happened', () => {
  const entryOf = (type: EntryType, more: object = {}): Happened['entry'] => ({
    v: 1,
    reviewId: 'r',
    seq: 1,
    prevHash: 'a',
    at: OPENED,
    type,
    from: 'OPEN',
    to: 'OPEN',
    ...more,
  });
  const vote: Happened = {
    hash: 'h',
    entry: entryOf('decide', { by: 'ann', payloadDigest: 'd', facts: { disposition: 'HALT', tier: 'determination' } }),
    payload: { disposition: 'HALT', signals: [{ id: 'r1', reason: 'why\u001b' }], rationale: 'all of it' },
  };

  it('is told with who did it and in their words, made inert', () => {
    expect(timelineLines([vote])).toEqual([
      `  ${OPENED}  decide  by ann  disposition HALT, tier determination`,
      '      r1: why\\u001b',
      '      in all: all of it',
    ]);
  });

  it('hides votes and their reasons while a determination is open, and nothing after it or elsewhere', () => {
    const hidden = shownTimeline([vote], { status: 'AWAITING_SECOND', tier: 'determination' });
    expect(JSON.stringify(hidden)).not.toMatch(/HALT|why|all of it|payloadDigest/);
    expect(hidden).toMatchObject([{ entry: { type: 'decide', by: 'ann' } }]);
    expect(shownTimeline([vote], { status: 'HALTED', tier: 'determination' })).toEqual([vote]);
    expect(shownTimeline([vote], { status: 'COMMITTING', tier: 'triage' })).toEqual([vote]);
  });
});

describe('time', () => {
  it.each([
    [0, '0 s'],
    [999, '0 s'],
    [7_000, '7 s'],
    [45 * 60_000 + 3_000, '45 min'],
    [2 * HOUR, '2 h'],
    [27 * HOUR, '1 d 3 h'],
    [24 * HOUR + 60_000, '1 d'],
  ])('of %d ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });

  it('is ahead or past', () => {
    expect(whenText(HOUR, 0)).toBe('in 1 h');
    expect(whenText(0, HOUR)).toBe('1 h ago');
  });
});

const summaryOf = (reviewId: string, more: Partial<ReviewSummary> = {}): ReviewSummary => ({
  reviewId,
  evaluationId: 'default/e',
  tenant: 'default',
  status: 'OPEN',
  tier: 'triage',
  assignees: [],
  openedAt: new Date(OPENED_MS),
  ...more,
});

describe('a list', () => {
  it('is in the order of what is due, then of what was opened, and what has no due date comes last', () => {
    const due = (ms: number) => new Date(OPENED_MS + ms);
    const list = [
      summaryOf('over'),
      summaryOf('b', { dueAt: due(2) }),
      summaryOf('late', { dueAt: due(1), openedAt: due(1) }),
      summaryOf('early', { dueAt: due(1), openedAt: due(0) }),
      summaryOf('a', { dueAt: due(2) }),
    ];
    expect(list.toSorted(byDue).map(({ reviewId }) => reviewId)).toEqual(['early', 'late', 'a', 'b', 'over']);
  });

  it('is asked for by checked values alone', () => {
    expect(reviewQuery('mine', { tenant: 'a', tier: 'triage', overdue: true }, OPENED_MS)).toBe(
      "WorkflowType = 'review' AND TaskQueue = 'mine/reviews' AND TribunalReviewState IN ('OPENING', 'OPEN', 'CLAIMED', 'AWAITING_SECOND', 'COMMITTING') AND ExecutionStatus = 'Running' AND TribunalReviewTier = 'triage' AND TribunalTenant = 'a' AND TribunalReviewDueAt < '2026-03-01T00:00:00.000Z'",
    );
    expect(() => reviewQuery('mine', { tenant: "x' OR 1=1", queue: 'Q' }, OPENED_MS)).toThrow(/queue must be.*tenant must be/);
  });
});

describe('numbers over reviews', () => {
  it('of open ones are counts and ages by rank', () => {
    const open = Array.from({ length: 20 }, (_, index) => summaryOf(`r${index}`, { openedAt: new Date(OPENED_MS - index * HOUR) }));
    expect(openStats(open, OPENED_MS)).toEqual({
      open: 20,
      byState: { OPEN: 20 },
      byTier: { triage: 20 },
      overdue: 0,
      age: { p50: 9 * HOUR, p95: 18 * HOUR },
    });
    expect(openStats([], OPENED_MS)).toEqual({ open: 0, byState: {}, byTier: {}, overdue: 0 });
  });

  it('of closed ones are shares of what was decided, and a pace without pauses', () => {
    const ended = (by: string, minute: number, outcome: ReviewResult['outcome']): ReviewResult => ({
      v: 1,
      reviewId: 'r',
      evaluationId: 'e',
      tenant: 't',
      outcome,
      tier: 'triage',
      queue: 'q',
      openedAt: OPENED,
      endedAt: new Date(OPENED_MS + minute * 60_000).toISOString(),
      deciders: outcome === 'EXPIRED' ? [] : [{ by, disposition: outcome === 'HALTED' ? 'HALT' : 'PROCEED' }],
      seq: 4,
      head: 'h',
    });
    const results = [
      ended('a', 0, 'HALTED'),
      ended('a', 2, 'PROCEEDED'),
      ended('a', 4, 'HALTED'),
      ended('a', 600, 'HALTED'),
      ended('b', 1, 'EXPIRED'),
    ];
    expect(closedStats(results)).toEqual({ read: 5, readDecided: 4, readHalted: 3, agreement: 0.75, casesPerPersonHour: 30 });
    expect(closedStats([])).toEqual({ read: 0, readDecided: 0, readHalted: 0 });
    const text = statsText({ ...openStats([], OPENED_MS), decided: 4, expired: 1, closed: {}, ...closedStats(results) });
    expect(text).toMatch(/agreement +75\s?%: 3 of 4 decided were halted/);
  });
});
