/** Starts that do not come from our client, and one that is mended by a new release. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestRefused } from '../../src/client-errors.js';
import { EVALUATE, workflowQueue } from '../../src/contract.js';
import { requestDigest } from '../../src/digest.js';
import type { EvaluationRequest } from '../../src/domain/request.js';
import { MAX_CONTENT_BYTES } from '../../src/domain/plan.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { strangeEvents } from '../support/history.js';

const planOf = (plan: string, limits: object = {}) => ({
  plan,
  version: 1,
  timeouts: { global: '60s' },
  limits,
  critics: { only: { uses: 'scripted', stage: 'core_analysis', dispatch: 'local' } },
  verdict: { otherwise: 'allow' },
});

/** A request in order, with an input that tells the truth about it. */
const requestOf = (key: string, over: object = {}): EvaluationRequest => ({
  plan: 'known',
  tenant: 'default',
  key,
  content: 'text',
  context: {},
  class: 'interactive',
  gating: 'on',
  ...over,
});
const inputOf = (request: EvaluationRequest, over: object = {}): object => ({
  v: 1,
  request,
  requestDigest: requestDigest(request),
  ...over,
});

/** What someone may start the workflow with, by what is wrong with it. */
const BAD: Readonly<Record<string, (key: string) => unknown[]>> = {
  'no arguments': () => [],
  null: () => [null],
  'a text': () => ['evaluate this'],
  'a number': () => [7],
  'a list': (key) => [[inputOf(requestOf(key))]],
  bytes: () => [new Uint8Array([0xff, 0xfe, 0x00])],
  'an empty object': () => [{}],
  'another version': (key) => [inputOf(requestOf(key), { v: 2 })],
  'no request': () => [{ v: 1, requestDigest: '0'.repeat(64) }],
  'no digest': (key) => [inputOf(requestOf(key), { requestDigest: undefined })],
  'a digest of another request': (key) => [inputOf(requestOf(key), { requestDigest: requestDigest(requestOf(key, { content: 'other' })) })],
  'an unknown field': (key) => [inputOf(requestOf(key, { decision: 'allow' }))],
  'an unknown field beside the request': (key) => [inputOf(requestOf(key), { led: { records: [], stages: [] } })],
  'no content': (key) => [{ v: 1, request: { ...requestOf(key), content: undefined }, requestDigest: '0'.repeat(64) }],
  'no context': (key) => [inputOf(requestOf(key, { context: null }))],
  'a plan that is no name': (key) => [inputOf(requestOf(key, { plan: '../known' }))],
  'a plan called like what every object has': (key) => [inputOf(requestOf(key, { plan: 'constructor' }))],
  'an unknown plan': (key) => [inputOf(requestOf(key, { plan: 'unknown' }))],
  'an unknown tier': (key) => [inputOf(requestOf(key, { riskTier: 'none' }))],
  'a tier in the context alone': (key) => [inputOf(requestOf(key, { context: { riskTier: 'high' } }))],
  'a tier in the context that the request contradicts': (key) => [
    inputOf(requestOf(key, { context: { riskTier: 'high' }, riskTier: 'low' })),
  ],
  'the key of another evaluation': () => [inputOf(requestOf('another-key'))],
  'more content than any plan takes': (key) => [inputOf(requestOf(key, { content: 'x'.repeat(MAX_CONTENT_BYTES) }))],
  'content of 1.9 MB': (key) => [inputOf(requestOf(key, { content: 'x'.repeat(1_900_000) }))],
  'more content than this plan takes': (key) => [inputOf(requestOf(key, { plan: 'small', content: 'x'.repeat(200) }))],
};

describe('a start by hand', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: [planOf('known'), planOf('small', { maxContentBytes: 100 })] });
  });
  afterAll(() => harness.close());

  const startByHand = async (key: string, args: unknown[]) =>
    await harness.temporal.workflow.start(EVALUATE, { workflowId: `default/${key}`, taskQueue: workflowQueue(harness.deployment), args });

  it('of a request in order is judged like any other', async () => {
    const key = randomUUID();
    const handle = await startByHand(key, [inputOf(requestOf(key))]);
    expect(await handle.result()).toMatchObject({ decision: 'allow' });
  });

  it.concurrent.each(Object.keys(BAD))('with %s closes as refused, at once and for good', async (what) => {
    const key = randomUUID();
    const handle = await startByHand(key, BAD[what]?.(key) ?? []);
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    expect(error.cause).toMatchObject({ type: 'RequestRefused', nonRetryable: true });
    expect(error.cause.message).toMatch(/^refused: /);
    expect(error.cause.message.length).toBeLessThanOrEqual(2_000);
    expect(strangeEvents(await harness.history(`default/${key}`))).toEqual([]);
    await expect(harness.client.handle(`default/${key}`).result()).rejects.toBeInstanceOf(RequestRefused);
  });
});

describe('a refused request', () => {
  it('is judged under its own key once a release has the plan', async () => {
    const request = { plan: 'added_later', content: 'text', key: randomUUID() };
    const before = await makeHarness({ plans: [planOf('known')] });
    // Not by a client, which would have refused to start it.
    const workflowId = `default/${request.key}`;
    const args = [inputOf(requestOf(request.key, { plan: request.plan }))];
    await before.temporal.workflow.start(EVALUATE, { workflowId, taskQueue: workflowQueue(before.deployment), args });
    await expect(before.client.handle(workflowId).result()).rejects.toMatchObject({ code: 'REQUEST_REFUSED', reason: 'UNKNOWN_PLAN' });
    await before.stopWorkers();
    const after = await makeHarness({ plans: [planOf('added_later')], deployment: before.deployment });
    expect(await after.client.evaluate(request)).toMatchObject({ decision: 'allow', evaluationId: `default/${request.key}` });
    await after.close();
    await before.close();
  });
});
