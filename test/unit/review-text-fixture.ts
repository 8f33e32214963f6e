/** A review and what it was opened with, for the tests of how it is shown. */
import type { ReviewView } from '../../src/contract.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import type { ReviewInput } from '../../src/domain/review/review.js';
import { printedReport } from './report-fixture.js';

export const OPENED = '2026-03-01T00:00:00.000Z';
export const OPENED_MS = Date.parse(OPENED);

export const escalatedReport = (over: Partial<EvaluationReport> = {}): EvaluationReport => ({
  ...printedReport(),
  decision: 'escalate',
  escalatedBy: 'both',
  reasons: [
    { code: 'RULE', rule: 'volume', message: 'too \u001b[1mloud', effect: 'escalate' },
    { code: 'TIMEOUT', critic: 'fairness', message: 'took too long', effect: 'escalate' },
    { code: 'HTTP_503', critic: 'tone', message: 'was away', effect: 'escalate' },
    { code: 'RULE', rule: 'other', message: 'denied nothing', effect: 'none' },
  ],
  ...over,
});

export const reviewInput = (over: Partial<ReviewInput> = {}): ReviewInput => ({
  v: 1,
  deployment: 'tribunal',
  tenant: 'default',
  evaluationId: 'default/req-1',
  evaluationRunId: 'run',
  tier: 'acknowledgement',
  queue: 'reviews',
  rules: {
    reviewers: { triage: ['moderators'], acknowledgement: ['leads'], determination: ['board'] },
    leads: ['board'],
    reasons: ['false_positive', 'policy_violation'],
    times: { claimByMs: 14_400_000, leaseMs: 1_800_000, decideByMs: 86_400_000, expiresMs: 604_800_000 },
    ladder: [],
  },
  packet: { content: 'text', context: {}, report: escalatedReport() },
  reportHash: 'a'.repeat(64),
  packetDigest: 'b'.repeat(64),
  ...over,
});

export const reviewView = (over: Partial<ReviewView> = {}): ReviewView => ({
  reviewId: 'review/default/req-1/000000000000',
  evaluationId: 'default/req-1',
  tenant: 'default',
  status: 'OPEN',
  tier: 'acknowledgement',
  queue: 'reviews',
  packetDigest: 'b'.repeat(64),
  seq: 1,
  head: 'c'.repeat(64),
  claims: [],
  votes: 0,
  openedAt: OPENED,
  claimBy: '2026-03-01T04:00:00.000Z',
  decideBy: '2026-03-02T00:00:00.000Z',
  expires: '2026-03-08T00:00:00.000Z',
  rung: 0,
  ...over,
});
