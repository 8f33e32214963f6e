/** What a key stands for: one request to one deployment, whoever started it and whatever its memo says. */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyConflict, RequestRefused } from '../../src/client-errors.js';
import { DIGEST_MEMO, EVALUATE, workflowQueue, type EvaluateInput } from '../../src/contract.js';
import { requestDigest } from '../../src/digest.js';
import type { EvaluationRequest } from '../../src/domain/request.js';
import { makeHarness, type Harness } from '../support/harness.js';

const planOf = (version: number, otherwise: 'allow' | 'deny'): object => ({
  plan: 'same',
  version,
  timeouts: { global: '30s' },
  critics: { only: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local' } },
  verdict: { rules: [], otherwise },
});

describe('a key', () => {
  let lax: Harness;
  let strict: Harness;
  beforeAll(async () => {
    lax = await makeHarness({ plans: [planOf(1, 'allow')] });
    strict = await makeHarness({ plans: [planOf(7, 'deny')] });
  });
  afterAll(async () => {
    await lax.close();
    await strict.close();
  });

  it('that was used for another deployment is refused: its plan of the same name may be laxer', async () => {
    const request = { plan: 'same', content: 'x', key: randomUUID() };
    expect((await lax.client.evaluate(request)).decision).toBe('allow');
    await expect(strict.client.evaluate(request)).rejects.toThrow(KeyConflict);
  });

  it('of a request that was refused is free for the one that was meant', async () => {
    const key = randomUUID();
    await expect(lax.client.evaluate({ plan: 'misspelt', content: 'x', key })).rejects.toThrow(RequestRefused);
    expect((await lax.client.evaluate({ plan: 'same', content: 'x', key })).decision).toBe('allow');
  });

  it('whose memo lies about the request is refused, and answers nobody', async () => {
    const key = randomUUID();
    const request: EvaluationRequest = {
      plan: 'same',
      tenant: 'default',
      key,
      content: 'harmless',
      context: {},
      class: 'interactive',
      gating: 'on',
    };
    const input: EvaluateInput = { v: 1, request, requestDigest: requestDigest(request) };
    const raw = new Client({ connection: lax.connection });
    await raw.workflow.start(EVALUATE, {
      workflowId: `default/${key}`,
      taskQueue: workflowQueue(lax.deployment),
      args: [input],
      memo: { [DIGEST_MEMO]: requestDigest({ ...request, content: 'harmful' }) },
    });
    await expect(lax.client.handle(key).result()).rejects.toThrow(RequestRefused);
    // The refused one does not block the key: the true request is judged.
    const report = await lax.client.evaluate({ plan: 'same', key, content: 'harmful' });
    expect(report.decision).toBe('allow');
    expect((await lax.history(report.evaluationId))[0]?.workflowExecutionStartedEventAttributes?.memo).toBeDefined();
  });
});
