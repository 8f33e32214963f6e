/** Answers that do not come from a worker: what `temporal activity complete` and its kind can send for a pending critic. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EvaluationReport } from '../../src/domain/report.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { strangeEvents, until } from '../support/history.js';

const ACTIVITY_ID = 'core_analysis/subject';
const finding = { severity: 0, violations: [] };
const attempts = [{ class: 'ok', queuedMs: 0, ranMs: 1 }];
const times = { startedAt: 1, endedAt: 2 };

const PLAN = (dir: string) => ({
  plan: 'pending',
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    innocent: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local' },
    subject: { uses: 'scripted', stage: 'core_analysis', attemptTimeout: '50s', maxRetries: 0, with: { waitFor: join(dir, 'end') } },
  },
  verdict: { otherwise: 'allow' },
});

/** A result that says success, but for one thing. */
const success = (over: object): object => ({ outcome: 'succeeded', attempts, finding, ...times, ...over });

/** JSON that is sent as it stands: writing it from values would need the stack that it is to exhaust. */
class JsonText {
  constructor(readonly text: string) {}
}
const DEEP = '['.repeat(60_000) + ']'.repeat(60_000);
const asText = (value: unknown): JsonText => new JsonText(JSON.stringify(value).replace('"DEEP"', DEEP));

const COMPLETIONS: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  null: null,
  'a text': 'allow',
  'a number': 0,
  'a list': [success({})],
  'an empty object': {},
  bytes: new Uint8Array([1, 2, 3]),
  'success without a finding': { outcome: 'succeeded', attempts, ...times },
  'success without attempts': { outcome: 'succeeded', finding, ...times },
  'a finding that is null': success({ finding: null }),
  'a severity that was not a number': success({ finding: { severity: Number.NaN, violations: [] } }),
  'a severity beyond all bounds': success({ finding: { severity: -1e308, violations: [] } }),
  'a severity as text': success({ finding: { severity: '0', violations: [] } }),
  'violations that are no list': success({ finding: { severity: 0, violations: { length: 0 } } }),
  'a violation that is null': success({ finding: { severity: 0, violations: [null] } }),
  'an uncertainty that is no number': success({ finding: { ...finding, uncertainty: null } }),
  'evidence that is no list': success({ finding: { ...finding, evidence: 'trust me' } }),
  'a cost that is no number': success({ finding: { ...finding, cost: { usd: 'free' } } }),
  'attempts that are no list': success({ attempts: 'one' }),
  'an attempt that is null': success({ attempts: [null] }),
  'an attempt of an unknown kind': success({ attempts: [{ class: 'perfect', queuedMs: 0, ranMs: 0 }] }),
  'an attempt whose times are texts': success({ attempts: [{ class: 'ok', queuedMs: '1', ranMs: '2' }] }),
  'an attempt whose cost is a text': success({ attempts: [{ class: 'ok', queuedMs: 0, ranMs: 0, cost: { usd: '1' } }] }),
  'details that no stack can write': asText(success({ finding: { ...finding, details: 'DEEP' } })),
  'the neutral end of a gate': { outcome: 'gated', attempts: [], ...times },
  'the neutral end of a decisive rule': { outcome: 'cancelled', code: 'DECISIVE', attempts: [], ...times },
  'an outcome that does not exist': success({ outcome: 'allow' }),
};

const FAILURES: Readonly<Record<string, unknown>> = {
  'no details': undefined,
  'a text': 'succeeded',
  'an outcome that is success': { outcome: 'succeeded', code: 'OK', attempts, finding, ...times },
  'an outcome that is neutral': { outcome: 'gated', code: 'OK', attempts: [], ...times },
  'the end by a decisive rule': { outcome: 'cancelled', code: 'DECISIVE', attempts: [] },
  'an outcome that does not exist': { outcome: 'allow', code: 'OK', attempts: [] },
  'an attempt that is null': { outcome: 'failed', code: 'X', attempts: [null] },
  'a code that is no text': { outcome: 'failed', code: { allow: true }, attempts: [] },
  'an attempt beside which stands what no stack can write': asText({
    outcome: 'failed',
    code: 'X',
    attempts: [{ class: 'permanent', queuedMs: 0, ranMs: 0, junk: 'DEEP' }],
  }),
  'a time that is a text': { outcome: 'failed', code: 'X', attempts: [], startedAt: 'now', endedAt: null },
};

describe('a forged answer for a pending critic', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: (dir) => [PLAN(dir)] });
  });
  afterAll(async () => {
    writeFileSync(join(harness.dir, 'end'), '');
    await harness.close();
  });

  const { namespace } = inject('server');
  const payloadOf = (value: unknown): Payload =>
    value instanceof JsonText
      ? { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(value.text) }
      : defaultPayloadConverter.toPayload(value);
  const payloadsOf = (value: unknown): { payloads: Payload[] } | undefined =>
    value === undefined ? undefined : { payloads: [payloadOf(value)] };

  async function answerWith(send: (workflowId: string) => Promise<unknown>): Promise<EvaluationReport> {
    const handle = await harness.client.start({ plan: 'pending', content: 'text' });
    await until(async () => (await handle.progress()).running.some((critic) => critic.name === 'subject'));
    await send(handle.evaluationId);
    const report = await handle.result();
    expect(strangeEvents(await harness.history(handle.evaluationId))).toEqual([]);
    return report;
  }

  it.concurrent.each(Object.keys(COMPLETIONS))('that completes it with %s is no finding and is not allowed', async (what) => {
    const result = payloadsOf(COMPLETIONS[what]);
    const report = await answerWith((workflowId) =>
      harness.connection.workflowService.respondActivityTaskCompletedById({
        namespace,
        workflowId,
        activityId: ACTIVITY_ID,
        ...(result ? { result } : {}),
      }),
    );
    expect(report.critics.find((critic) => critic.name === 'subject')).toMatchObject({ outcome: 'invalid_output', code: 'NOT_A_FINDING' });
    expect(report.decision).toBe('escalate');
  });

  it.concurrent.each(Object.keys(FAILURES))('that fails it with %s is a failure and is not allowed', async (what) => {
    const details = payloadsOf(FAILURES[what]);
    const report = await answerWith((workflowId) =>
      harness.connection.workflowService.respondActivityTaskFailedById({
        namespace,
        workflowId,
        activityId: ACTIVITY_ID,
        failure: {
          message: 'forged',
          applicationFailureInfo: { type: 'CriticFailed', nonRetryable: true, ...(details ? { details } : {}) },
        },
      }),
    );
    expect(report.critics.find((critic) => critic.name === 'subject')).toMatchObject({ outcome: 'failed' });
    expect(report.decision).toBe('not_judged');
  });

  it('that calls itself another critic stands under its own name, and leaves the other one alone', async () => {
    const result = payloadsOf(
      success({
        name: 'innocent',
        stage: 'fast_critics',
        root: 'innocent',
        gate: { open: false, by: 'policy', policy: 'always' },
        startedAt: 'now',
      }),
    );
    const report = await answerWith((workflowId) =>
      harness.connection.workflowService.respondActivityTaskCompletedById({
        namespace,
        workflowId,
        activityId: ACTIVITY_ID,
        ...(result ? { result } : {}),
      }),
    );
    expect(report.critics.map(({ name, stage, outcome }) => ({ name, stage, outcome }))).toEqual([
      { name: 'innocent', stage: 'fast_critics', outcome: 'succeeded' },
      { name: 'subject', stage: 'core_analysis', outcome: 'succeeded' },
    ]);
    expect(report.critics[1]).not.toHaveProperty('root');
  });

  it('in a heartbeat is not read: the account of the attempts stays ours', async () => {
    const details = payloadsOf({ attempts: [null], startedAt: 'now', waiting: true });
    const report = await answerWith(async (workflowId) => {
      await harness.connection.workflowService.recordActivityTaskHeartbeatById({
        namespace,
        workflowId,
        activityId: ACTIVITY_ID,
        ...(details ? { details } : {}),
      });
      await harness.connection.workflowService.respondActivityTaskFailedById({
        namespace,
        workflowId,
        activityId: ACTIVITY_ID,
        failure: { message: 'forged', timeoutFailureInfo: { timeoutType: 2, ...(details ? { lastHeartbeatDetails: details } : {}) } },
      });
    });
    expect(report.decision).toBe('not_judged');
  });
});
