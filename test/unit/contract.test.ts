/**
 * What histories record is never renamed: a run that is under way, a listing and a reader of old reports all go by these
 * names. They stand here as literals, so that a rename fails; adding is free.
 */
import { noReviews } from '../support/no-reviews.js';
import { readFileSync } from 'node:fs';
import { SearchAttributeType } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { makeActivities } from '../../src/activities/index.js';
import {
  DEFAULT_DEPLOYMENT,
  DEFAULT_TENANT,
  DIGEST_MEMO,
  EVALUATE,
  evaluationId,
  KEY_FORM,
  PROGRESS_QUERY,
  RECORD_PARTIAL,
  SEARCH_ATTRIBUTES,
  NOTIFICATION,
  notificationId,
  TENANT_FORM,
  WATCHDOG,
  watchdogId,
  watchdogScheduleId,
  workflowQueue,
} from '../../src/contract.js';
import { makeWatchdogActivities } from '../../src/activities/watchdog.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { contentHash, requestDigest } from '../../src/digest.js';
import { CODES, FAILURE_TYPES } from '../../src/domain/errors.js';
import { CRITIC_OUTCOMES, FAILURE_EFFECTS } from '../../src/domain/outcomes.js';
import { EXECUTION_POLICIES, RISK_TIERS, STAGES } from '../../src/domain/plan.js';
import { laneOf, stageLabel } from '../../src/lanes/lanes.js';
import * as workflows from '../../src/workflows/index.js';
import { critic, plan } from '../support/plans.js';

/** Columns of SQL visibility for attributes of these types, in one namespace. */
const COLUMNS = {
  [SearchAttributeType.KEYWORD]: 10,
  [SearchAttributeType.KEYWORD_LIST]: 3,
  [SearchAttributeType.BOOL]: 3,
  [SearchAttributeType.DATETIME]: 3,
} as const;

describe('names in histories', () => {
  it('of the workflow, its query and its memo are these', () => {
    expect([EVALUATE, PROGRESS_QUERY, DIGEST_MEMO]).toEqual(['evaluate', 'progress', 'tribunalDigest']);
    expect(Object.keys(workflows)).toContain('evaluate');
  });

  it('of the watchdog, its schedule and deliveries are these', () => {
    expect([WATCHDOG, watchdogScheduleId('d'), watchdogId('d'), NOTIFICATION, notificationId('x')]).toEqual([
      'watchdog',
      'tribunal-watchdog:d',
      'watchdog:d',
      'notification',
      'notification/x',
    ]);
    expect(Object.keys(workflows)).toEqual(expect.arrayContaining([WATCHDOG, NOTIFICATION]));
    expect(Object.keys(makeWatchdogActivities(async () => ({ overdue: 0, stuck: 0, terminated: 0, missing: 0, full: 0 })))).toEqual([
      'lookAfterReviews',
    ]);
  });

  it('of the local activities are these', () => {
    const deps = {
      deployment: 'd',
      priorityLevels: 10,
      plans: new Map(),
      registry: makeRegistry(),
      secrets: () => undefined,
      reviews: noReviews,
      countPollers: async () => 0,
    } as const;
    expect(Object.keys(makeActivities(deps))).toEqual(
      expect.arrayContaining(['openEvaluation', 'runLocalCritics', 'inspectLane', 'recordPartialReport']),
    );
    expect(RECORD_PARTIAL).toBe('recordPartialReport');
  });

  it('of failures are these', () => {
    expect(FAILURE_TYPES).toMatchObject({
      notJudged: 'NotJudged',
      requestRefused: 'RequestRefused',
      criticFailed: 'CriticFailed',
      criticTimedOut: 'CriticTimedOut',
      criticInvalidOutput: 'CriticInvalidOutput',
      criticUnavailable: 'CriticUnavailable',
    });
  });

  it('of search attributes are these, with these types', () => {
    expect(Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [name, type]))).toMatchObject({
      TribunalTenant: 'KEYWORD',
      TribunalPlan: 'KEYWORD',
      TribunalDecision: 'KEYWORD',
      TribunalRisk: 'KEYWORD',
      TribunalCritics: 'KEYWORD_LIST',
      TribunalDegraded: 'BOOL',
    });
  });

  it('of what a plan and a report are made of are these', () => {
    expect(STAGES).toEqual(['pre_validation', 'fast_critics', 'core_analysis', 'deep_analysis', 'post_processing', 'validation']);
    expect(RISK_TIERS).toEqual(['low', 'medium', 'high', 'critical']);
    expect(EXECUTION_POLICIES).toEqual(expect.arrayContaining(['always', 'on_violation', 'on_high_risk', 'on_uncertainty', 'conditional']));
    expect(CRITIC_OUTCOMES).toEqual(
      expect.arrayContaining([
        'succeeded',
        'failed',
        'timed_out',
        'invalid_output',
        'unavailable',
        'gated',
        'skipped',
        'over_budget',
        'not_reached',
        'cancelled',
      ]),
    );
    expect(FAILURE_EFFECTS).toEqual(['ignore', 'escalate', 'fail', 'deny']);
  });

  it('of reasons and ends, by which consumers of reports branch, are these', () => {
    const verdict = [
      'RULE',
      'RULE_ERROR',
      'ALLOW_NEEDS',
      'NOTHING_SUCCEEDED',
      'OTHERWISE',
      'CRITIC_OUTCOME',
      'IGNORED',
      'CONDITION_ERROR',
      'CANCELLED',
    ];
    const ends = [
      'CRITIC_ERROR',
      'CRITIC_HOSTILE',
      'ATTEMPT_TIMEOUT',
      'CRITIC_TIMEOUT',
      'DEADLINE',
      'WORKER_LOST',
      'NO_WORKER',
      'UNKNOWN_CRITIC',
    ];
    const more = [
      'VERSION_MISMATCH',
      'BAD_OPTIONS',
      'NOT_A_FINDING',
      'FINDING_TOO_LARGE',
      'OUTPUT_RULE',
      'REQUIRED_FIELD',
      'DEPENDENCY',
      'BUDGET',
      'DECISIVE',
      'BATCH_LOST',
    ];
    const refusals = ['BAD_REQUEST', 'UNKNOWN_PLAN', 'TOO_LARGE', 'DIGEST_MISMATCH'];
    expect(Object.keys(CODES)).toEqual(expect.arrayContaining([...verdict, ...ends, ...more, ...refusals]));
  });

  it('are those of an evaluation that was recorded', () => {
    const text = readFileSync(new URL('../replay/histories/full-ten.json', import.meta.url), 'utf8');
    const { events }: { events: readonly Record<string, { readonly [key: string]: unknown }>[] } = JSON.parse(text);
    const started = events[0]?.['workflowExecutionStartedEventAttributes'];
    expect(started).toMatchObject({
      workflowType: { name: 'evaluate' },
      taskQueue: { name: 'full-ten' },
      memo: { fields: { tribunalDigest: {} } },
      searchAttributes: { indexedFields: { TribunalTenant: {}, TribunalPlan: {}, TribunalRisk: {} } },
    });
    const scheduled = events.flatMap((event) => event['activityTaskScheduledEventAttributes'] ?? []);
    expect(scheduled[0]).toMatchObject({
      activityId: 'core_analysis/tone',
      activityType: { name: 'tone' },
      taskQueue: { name: 'full-ten/p/recorded' },
    });
  });
});

describe('forms of ids, queues and digests', () => {
  it('of an evaluation are tenant and key, which cannot be taken apart otherwise', () => {
    expect(evaluationId('team-a', 'key.1')).toBe('team-a/key.1');
    expect([DEFAULT_TENANT, DEFAULT_DEPLOYMENT]).toEqual(['default', 'tribunal']);
    expect([TENANT_FORM.source, KEY_FORM.source]).toEqual(['^[A-Za-z0-9._-]{1,64}$', '^[A-Za-z0-9._-]{1,128}$']);
  });

  it('of queues are the deployment, and for lanes the plan, then the critic or its stage', () => {
    const limited = plan([critic('own', { maxConcurrent: 1 }), critic('rated', { rateLimitPerSecond: 0.5 }), critic('shared')], {
      name: 'chat',
      limits: { maxConcurrentPerStage: { core_analysis: 2 }, maxContentBytes: 1_000 },
    });
    expect(workflowQueue('tribunal')).toBe('tribunal');
    expect(limited.critics.map((one) => laneOf('tribunal', limited, one))).toEqual([
      'tribunal/p/chat/own',
      'tribunal/p/chat/rated',
      'tribunal/p/chat/core_analysis',
    ]);
    const free = plan([critic('shared')], { name: 'chat' });
    expect(free.critics.map((one) => laneOf('tribunal', free, one))).toEqual(['tribunal/p/chat']);
    expect(STAGES.map(stageLabel)).toEqual([
      '1 pre_validation',
      '2 fast_critics',
      '3 core_analysis',
      '4 deep_analysis',
      '5 post_processing',
      '6 validation',
    ]);
  });

  it('of a request is the hash that stands in the memo of every evaluation that was started', () => {
    const request = { plan: 'chat', tenant: 'default', content: { b: 1, a: 'ü' }, context: { domain: 'chat' }, gating: 'on' } as const;
    expect(requestDigest(request)).toBe('c21149856eaef59f8085bcae99a9e4ddd8c134313c437899fd76d1b18e44aa11');
    expect(requestDigest({ ...request, riskTier: 'high' })).toBe('adbfc7efe2d17eeb630ac9e5ab2cf3056ca88266f16cc0161dd31fd948ba88e8');
    expect(requestDigest({ ...request, gating: 'off' })).toBe('08b085f12a4058f8da8893b1f4e12feab27db8f9ec1984225d553aacc2f9958e');
    expect(contentHash(request.content)).toBe('4e7ff4080b1a00acdaf71eb0cdf2d504aa8068bbb375c002eac2df3f064047a7');
  });
});

describe('search attributes', () => {
  it('fit the columns that SQL visibility has', () => {
    for (const [type, columns] of Object.entries(COLUMNS)) {
      const used = Object.values(SEARCH_ATTRIBUTES).filter((key) => key.type === type);
      expect(used.length, type).toBeLessThanOrEqual(columns);
    }
    const types = new Set<string>(Object.values(SEARCH_ATTRIBUTES).map((key) => key.type));
    expect([...types].filter((type) => !(type in COLUMNS))).toEqual([]);
  });
});
