/** What an evaluation adds to the metrics. */
import { describe, expect, it } from 'vitest';
import { buildReport } from '../../src/domain/build-report.js';
import { countsOf, knownCode, unopened } from '../../src/domain/counts.js';
import { CODES } from '../../src/domain/errors.js';
import { ATTEMPT_CLASSES, CRITIC_OUTCOMES, type CriticRecord } from '../../src/domain/outcomes.js';
import type { PlanCritic } from '../../src/domain/plan.js';
import type { Reason } from '../../src/domain/report.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { criticOf, planOf, recordFor } from './report-fixture.js';

const CANARY = 'canary-7f3a';
const allow: Verdict = { decision: 'allow', reasons: [], degraded: false };

function counted(critics: readonly PlanCritic[], records: readonly CriticRecord[], verdict = allow) {
  const plan = planOf(critics);
  const facts = { tenant: CANARY, riskTier: 'low', gating: 'on', context: { secret: CANARY }, size: 1 } as const;
  const report = buildReport({
    evaluationId: `${CANARY}/${CANARY}`,
    tenant: CANARY,
    plan,
    facts,
    contentHash: CANARY,
    records,
    stages: [],
    verdict,
    totalMs: 1_500,
  });
  return countsOf(plan, new Map(records.map((record) => [record.name, record])), report);
}

describe('the counts of an evaluation', () => {
  const remote = criticOf('deep', 'deep_analysis');
  const local = criticOf('words', 'fast_critics', { dispatch: 'local' });

  it('are one outcome for each critic, one class for each attempt, and the money of all attempts', () => {
    const records = [
      recordFor(local, {
        attempts: [{ class: 'ok', queuedMs: 0, ranMs: 4 }],
        finding: { severity: 0.4, violations: [{ code: 'word', message: CANARY }] },
      }),
      recordFor(remote, {
        outcome: 'failed',
        attempts: [
          { class: 'transient', queuedMs: 20, ranMs: 100, cost: { usd: 0.1, inputTokens: 10 } },
          { class: 'permanent', queuedMs: 30, ranMs: 200, cost: { usd: 0.2, inputTokens: 5, outputTokens: 1 } },
        ],
      }),
    ];
    expect(counted([local, remote], records)).toEqual({
      plan: { name: 'chat_safety', version: 3 },
      decision: 'allow',
      cause: '-',
      seconds: 1.5,
      savedShare: 0,
      critics: [
        { critic: 'words', outcome: 'succeeded', flagged: true, attempts: [{ class: 'ok', runSeconds: 0.004 }] },
        {
          critic: 'deep',
          outcome: 'failed',
          flagged: false,
          attempts: [
            { class: 'transient', queueSeconds: 0.02, runSeconds: 0.1 },
            { class: 'permanent', queueSeconds: 0.03, runSeconds: 0.2 },
          ],
          usd: 0.3,
          inputTokens: 15,
          outputTokens: 1,
        },
      ],
    });
  });

  it('have no times of an attempt of which nobody knows them', () => {
    const lost = { class: 'worker_lost', queuedMs: 0, ranMs: 0 } as const;
    const none = { class: 'unavailable', queuedMs: 60_000, ranMs: 0 } as const;
    const [critic] = counted([remote], [recordFor(remote, { outcome: 'unavailable', attempts: [lost, none] })]).critics;
    expect(critic?.attempts).toEqual([{ class: 'worker_lost' }, { class: 'unavailable' }]);
  });

  it('know a critic that was cut while it ran as one attempt, and one that never ran as none', () => {
    const cut = recordFor(remote, { outcome: 'cancelled', attempts: [], startedAt: 1 });
    const { startedAt: _, ...gated } = recordFor(local, { outcome: 'gated', attempts: [] });
    const { critics } = counted([local, remote], [gated, cut]);
    expect(critics.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([
      ['gated', []],
      ['cancelled', [{ class: 'cancelled' }]],
    ]);
  });

  it.each([
    ['deny', 'RULE'],
    ['not_judged', 'CRITIC_TIMEOUT'],
    ['escalate', 'CRITIC_ERROR'],
    ['allow', '-'],
  ] as const)('name as the cause of %s the first reason that pushed there: %s', (decision, cause) => {
    const reasons: Reason[] = [
      { code: 'IGNORED', message: CANARY, effect: 'none' },
      { code: 'CANARY_7F3A', message: CANARY, effect: 'escalate' },
      { code: 'CRITIC_TIMEOUT', message: CANARY, effect: 'fail' },
      { code: 'RULE', rule: CANARY, message: CANARY, effect: 'deny' },
      { code: 'RULE_ERROR', message: CANARY, effect: 'deny' },
    ];
    expect(counted([remote], [recordFor(remote)], { decision, reasons, degraded: false }).cause).toBe(cause);
  });

  it('hold no tenant, id, content or word of a critic: every text is of a closed set', () => {
    const record = recordFor(remote, {
      outcome: 'failed',
      code: 'CANARY_7F3A',
      message: CANARY,
      attempts: [{ class: 'permanent', queuedMs: 1, ranMs: 1, code: 'CANARY_7F3A' }],
    });
    const reasons: Reason[] = [{ critic: 'deep', code: 'CANARY_7F3A', message: CANARY, effect: 'fail' }];
    const texts: string[] = [];
    JSON.stringify(counted([remote], [record], { decision: 'not_judged', reasons, degraded: false }), (_, value: unknown) => {
      if (typeof value === 'string') texts.push(value);
      return value;
    });
    const closed = ['chat_safety', 'deep', 'allow', 'deny', 'escalate', 'not_judged', '-', ...Object.keys(CODES)];
    expect(texts.filter((text) => ![...closed, ...CRITIC_OUTCOMES, ...ATTEMPT_CLASSES].includes(text))).toEqual([]);
  });

  it('of one whose plan nobody knows are not judged, under no plan', () => {
    expect(unopened).toMatchObject({ plan: { name: '-', version: 0 }, decision: 'not_judged', critics: [] });
  });
});

describe('a code of a label', () => {
  it('is one of the catalogue, whatever a critic calls its error', () => {
    expect(['RULE', 'toString', 'MY_OWN', undefined, 7].map(knownCode)).toEqual([
      'RULE',
      'CRITIC_ERROR',
      'CRITIC_ERROR',
      'CRITIC_ERROR',
      'CRITIC_ERROR',
    ]);
  });
});
