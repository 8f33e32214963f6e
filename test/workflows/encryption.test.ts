/** Evaluations through the codec on the real server: every path of a payload, keys that come and go, and payloads that are moved. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, WorkflowFailedError } from '@temporalio/client';
import {
  defaultPayloadConverter,
  type DataConverter,
  type Payload,
  type PayloadCodec,
  type SerializationContext,
} from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { prepareEvaluation, TribunalClient } from '../../src/client.js';
import { EvaluationCancelled, KeyConflict, Undecodable } from '../../src/client-errors.js';
import { isDeploymentId } from '../../src/contract.js';
import { encryption } from '../../src/codec/index.js';
import { defineCritic, CriticError } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { replayEvaluation } from '../../src/replay.js';
import { createTribunalWorker } from '../../src/worker.js';
import { criticOf, makeHarness, outcomesOf, type Harness, type HistoryEvent } from '../support/harness.js';
import { activityOf, strangeEvents, until } from '../support/history.js';

const KEY_1 = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const KEY_2 = `k2:${Buffer.alloc(32, 2).toString('base64')}`;
const { address, namespace } = inject('server');

/** Fails in words of its own. */
const speaks = defineCritic({
  name: 'speaks',
  version: '1.0.0',
  evaluate: () => {
    throw new CriticError('permanent', 'SPOKEN', 'said by a critic that failed');
  },
});

const PLANS = (dir: string) => [
  {
    plan: 'full',
    version: 1,
    timeouts: { global: '60s' },
    critics: {
      at_home: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.2 } } },
      flaky: { uses: 'scripted', stage: 'core_analysis', retryBackoffBase: 1, maxRetries: 2, with: { failTimes: 1 } },
      echo: { uses: 'scripted', stage: 'core_analysis', dependsOn: ['flaky'], with: { echo: true } },
      at_home_later: { uses: 'scripted', stage: 'deep_analysis', dispatch: 'local' },
      speaks: { uses: 'speaks', stage: 'deep_analysis', onFailure: { failed: 'ignore' } },
    },
    verdict: { otherwise: 'allow' },
  },
  {
    plan: 'broken',
    version: 1,
    timeouts: { global: '60s' },
    critics: { speaks: { uses: 'speaks', stage: 'core_analysis' } },
    verdict: { otherwise: 'allow' },
  },
  pendingPlan(dir, 'pending'),
  pendingPlan(dir, 'pending_too'),
];

/** Its remote critic waits for a file of the plan's name. */
const pendingPlan = (dir: string, plan: string) => ({
  plan,
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    first: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local' },
    waits: { uses: 'scripted', stage: 'core_analysis', attemptTimeout: '50s', maxRetries: 0, with: { waitFor: join(dir, plan) } },
  },
  verdict: { otherwise: 'allow' },
});

/** Where each payload went through the codec. */
interface Seen {
  readonly did: 'encode' | 'decode';
  /** What the payload says it belongs to. */
  readonly bound: string;
  readonly context: SerializationContext | undefined;
}

/** The converter, and what went through its codec. */
function watched(keys: string): { readonly converter: DataConverter; readonly seen: Seen[] } {
  const { payloadCodecs: [inner] = [], ...rest } = encryption({ keys });
  if (inner === undefined) throw new Error('there is no codec');
  const seen: Seen[] = [];
  const note = (did: Seen['did'], payloads: readonly Payload[], context: SerializationContext | undefined): void => {
    for (const { metadata } of payloads) seen.push({ did, bound: Buffer.from(metadata?.['bound-to'] ?? []).toString(), context });
  };
  const codec: PayloadCodec = {
    async encode(payloads, context) {
      const encoded = await inner.encode(payloads, context);
      note('encode', encoded, context);
      return encoded;
    },
    async decode(payloads, context) {
      note('decode', payloads, context);
      return await inner.decode(payloads, context);
    },
  };
  return { converter: { ...rest, payloadCodecs: [codec] }, seen };
}

/** Every payload that stands somewhere in events, with the path to it. */
function payloadsIn(value: unknown, path = ''): { readonly path: string; readonly payload: Payload }[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && typeof value.metadata === 'object' && value.metadata !== null && 'encoding' in value.metadata)
    return [{ path, payload: value as Payload }];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => payloadsIn(inner, `${path}.${name}`));
}

const encodingOf = ({ metadata }: Payload): string => Buffer.from(metadata?.['encoding'] ?? []).toString();

describe('an encrypted evaluation', () => {
  const { converter, seen } = watched(KEY_1);
  let harness: Harness;
  let operator: Client;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS, critics: [speaks], dataConverter: converter });
    operator = new Client({ connection: harness.connection, namespace, dataConverter: converter });
  });
  afterAll(async () => {
    await harness.close();
  });

  /** The index follows a little later. */
  const listed = async (...ids: readonly string[]): Promise<void> => {
    await until(async () => {
      const found = (await harness.client.list({ limit: 100 })).map(({ evaluationId }) => evaluationId);
      return ids.every((id) => found.includes(id));
    });
  };

  it('is judged like any other: critics at home and elsewhere, findings handed on, retries, failures, the memo', async () => {
    const request = { plan: 'full', content: 'text', key: 'judged' };
    const report = await harness.client.evaluate(request);
    expect(report.decision).toBe('allow');
    expect(outcomesOf(report)).toEqual({
      at_home: 'succeeded',
      flaky: 'succeeded',
      echo: 'succeeded',
      at_home_later: 'succeeded',
      speaks: 'failed',
    });
    expect(criticOf(report, 'flaky').attempts).toBe(2);
    expect(criticOf(report, 'echo').finding?.details).toMatchObject({ flaky: { severity: 0 } });
    expect(JSON.stringify(report)).toContain('said by a critic that failed');
    expect(strangeEvents(await harness.history('default/judged'))).toEqual([]);
    expect((await harness.client.start(request)).wasStartedBefore).toBe(true);
    await expect(harness.client.start({ ...request, content: 'other' })).rejects.toBeInstanceOf(KeyConflict);
    await listed('default/judged');
  });

  it('that is not judged, refused or cancelled says why, and keeps its report', async () => {
    const broken = await harness.client.evaluate({ plan: 'broken', content: 'text' });
    expect(broken.decision).toBe('not_judged');
    expect(JSON.stringify(broken)).toContain('said by a critic that failed');
    await expect(harness.client.evaluate({ plan: 'missing', content: 'text' })).rejects.toThrow(/there is no plan|missing/);
    const pending = await harness.client.start({ plan: 'pending', content: 'text' });
    await until(async () => (await pending.progress()).running.some(({ name }) => name === 'waits'));
    await pending.cancel();
    const cancelled: unknown = await pending.result().catch((error: unknown) => error);
    if (!(cancelled instanceof EvaluationCancelled) || cancelled.report === undefined) throw cancelled;
    expect(outcomesOf(cancelled.report)).toEqual({ first: 'succeeded', waits: 'cancelled' });
  });

  it('is read by whoever has the key: its summary, its details, its failure', async () => {
    await harness.client.evaluate({ plan: 'full', content: 'text', key: 'described' });
    const handle = operator.workflow.getHandle('default/described');
    expect(await (await handle.describe()).staticSummary()).toBe('full');
    expect(JSON.stringify(await handle.query('__temporal_workflow_metadata'))).toContain('ALLOW');
    const { evaluationId } = await harness.client.start({ plan: 'broken', content: 'text' });
    const failed: unknown = await operator.workflow
      .getHandle(evaluationId)
      .result()
      .catch((error: unknown) => error);
    if (!(failed instanceof WorkflowFailedError)) throw failed;
    expect(failed.cause?.message).toContain('not judged: ');
  });

  it('is judged as the child of a workflow whose worker has the key', async () => {
    const prepared = prepareEvaluation({ plan: 'full', content: 'text', key: 'child' }, { deployment: harness.deployment });
    const native = await NativeConnection.connect({ address });
    const taskQueue = `${harness.deployment}-parent`;
    const workflowsPath = fileURLToPath(new URL('../support/parent-workflow.ts', import.meta.url));
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue,
      workflowsPath,
      dataConverter: converter,
    });
    try {
      const report: unknown = await worker.runUntil(
        operator.workflow.execute('parent', { taskQueue, workflowId: `${harness.deployment}-parent`, args: [prepared] }),
      );
      expect(report).toMatchObject({ evaluationId: 'default/child', decision: 'allow' });
    } finally {
      await native.close();
    }
  });

  it('that is reset runs again from where it was reset to', async () => {
    const handle = await harness.client.start({ plan: 'broken', content: 'text' });
    const { evaluationId, runId = '' } = handle;
    const { reset } = await handle.result();
    if (reset === undefined) throw new Error('the report names no event to reset to');
    await harness.connection.workflowService.resetWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: evaluationId, runId },
      reason: 'looked at again',
      requestId: `${evaluationId} again`,
      workflowTaskFinishEventId: eventIdOf(await harness.history(evaluationId, runId), reset.keepSiblings),
    });
    await until(async () => (await handle.status()).runId !== runId);
    expect((await handle.result()).decision).toBe('not_judged');
  });

  it('has no payload in its history that is not encrypted, but for what the SDK writes of its own markers', async () => {
    const reports = await Promise.all(['full', 'broken'].map((name) => harness.client.evaluate({ plan: name, content: 'text' })));
    await listed(...reports.map(({ evaluationId }) => evaluationId));
    const plain: string[] = [];
    const failures: unknown[] = [];
    for (const { evaluationId } of await harness.client.list({ limit: 100 })) {
      const history = await harness.history(evaluationId);
      for (const { path, payload } of history.flatMap((event) => payloadsIn(event)))
        if (encodingOf(payload) !== 'binary/encrypted') plain.push(path.replace(/indexedFields\..*/, 'indexedFields'));
      failures.push(...history.flatMap((event) => failuresIn(event)));
    }
    expect([...new Set(plain)].toSorted()).toEqual([
      '.markerRecordedEventAttributes.details.data.payloads.0',
      '.upsertWorkflowSearchAttributesEventAttributes.searchAttributes.indexedFields',
      '.workflowExecutionStartedEventAttributes.searchAttributes.indexedFields',
    ]);
    expect(failures.length).toBeGreaterThan(2);
    expect(failures.filter((failure) => failure !== 'Encoded failure')).toEqual([]);
  });

  it('has every payload bound to its evaluation and its critic, and each is looked at again when it is read', async () => {
    await harness.client.evaluate({ plan: 'full', content: 'text' });
    expect(seen.length).toBeGreaterThan(40);
    const places = seen
      // The deployment's own workflow stays in clear.
      .filter(({ did, context }) => did === 'decode' && !isDeploymentId(context?.workflowId ?? ''))
      .map(({ bound, context }) => [bound, context === undefined ? '' : boundOf(context)]);
    expect(places.filter(([bound, place]) => bound !== place)).toEqual([]);
    // Inputs and results of critics, of local activities, and of the evaluation.
    const lengths = new Set(places.map(([bound = '']) => (JSON.parse(bound) as unknown[]).length));
    expect([...lengths].toSorted((a, b) => a - b)).toEqual([2, 3]);
    expect(seen.filter(({ context }) => context === undefined)).toEqual([]);
  });

  it('replays from its history with the key, and not without', async () => {
    const { evaluationId } = await harness.client.start({ plan: 'full', content: 'text' });
    await harness.client.handle(evaluationId).result();
    const history = await operator.workflow.getHandle(evaluationId).fetchHistory();
    await replayEvaluation(history, { evaluationId, namespace, dataConverter: encryption({ keys: KEY_1 }) });
    await expect(replayEvaluation(history, { evaluationId, namespace, dataConverter: encryption({ keys: KEY_2 }) })).rejects.toThrow(
      'Replay failed',
    );
    await expect(
      replayEvaluation(history, { evaluationId: 'default/another', namespace, dataConverter: encryption({ keys: KEY_1 }) }),
    ).rejects.toThrow('Replay failed');
  });
});

/** Each with a deployment of its own, whose workers and clients have keys of their own. */
describe('an encrypted evaluation whose worker', () => {
  const start = async (keys: string | undefined, workers: string): Promise<Harness> => {
    const made = await makeHarness({
      plans: PLANS,
      critics: [speaks],
      worker: false,
      ...(keys !== undefined ? { dataConverter: encryption({ keys }) } : {}),
    });
    await made.addWorker(encryption({ keys: workers }));
    onTestFinished(() => made.close());
    return made;
  };
  const clientOf = (harness: Harness, keys?: string): Promise<TribunalClient> =>
    TribunalClient.connect({
      connection: harness.connection,
      namespace,
      deployment: harness.deployment,
      ...(keys !== undefined ? { dataConverter: encryption({ keys }) } : {}),
    });
  /** A worker has looked at it, and could not read it. */
  const cannotBeRead = async (harness: Harness, id: string): Promise<void> => {
    await until(async () => strangeEvents(await harness.history(id)).length > 0);
    expect((await harness.client.handle(id).status()).status).toBe('running');
    expect((await harness.client.handle(id).status()).decision).toBeUndefined();
  };

  it('is replaced by one with a new key goes on, and is read by whoever has both', async () => {
    const harness = await start(KEY_1, KEY_1);
    const { evaluationId } = await harness.client.start({ plan: 'pending', content: 'text', key: randomUUID() });
    await until(async () => (await harness.client.handle(evaluationId).progress()).running.some(({ name }) => name === 'waits'));
    await harness.stopWorkers();
    await harness.addWorker(encryption({ keys: `${KEY_2},${KEY_1}` }));
    writeFileSync(join(harness.dir, 'pending'), '');
    const both = await clientOf(harness, `${KEY_2},${KEY_1}`);
    expect(await both.handle(evaluationId).result()).toMatchObject({ decision: 'allow', coverage: { succeeded: 2 } });
    await expect(harness.client.handle(evaluationId).result()).rejects.toThrow(/with the key k2, which is not here/);
    await expect(harness.client.handle(evaluationId).result()).rejects.toBeInstanceOf(Undecodable);
    await expect((await clientOf(harness)).handle(evaluationId).result()).rejects.toThrow(/is encrypted, and this client has no codec/);
    // What stands in the index is no payload.
    await until(async () => (await harness.client.list()).some(({ decision }) => decision === 'allow'));
  });

  it('has not its key is not judged, and is as soon as somebody brings the key', async () => {
    const harness = await start(KEY_1, KEY_2);
    const { evaluationId } = await harness.client.start({ plan: 'full', content: 'text', key: randomUUID() });
    await cannotBeRead(harness, evaluationId);
    await harness.stopWorkers();
    await harness.addWorker(encryption({ keys: KEY_1 }));
    expect((await harness.client.handle(evaluationId).result()).decision).toBe('allow');
  });

  it('is given a request that is not encrypted leaves it alone, until it is told to take such ones', async () => {
    const harness = await start(undefined, KEY_1);
    const { evaluationId } = await harness.client.start({ plan: 'full', content: 'text', key: randomUUID() });
    await cannotBeRead(harness, evaluationId);
    await harness.stopWorkers();
    await harness.addWorker(encryption({ keys: KEY_1, acceptPlain: true }));
    expect((await (await clientOf(harness, KEY_1)).handle(evaluationId).result()).decision).toBe('allow');
  });

  it('is given code that was bundled without its converters does not start: failures would stand in clear', async () => {
    const harness = await start(KEY_1, KEY_1);
    const { deployment: name, plans } = harness;
    const native = await NativeConnection.connect({ address });
    onTestFinished(() => native.close());
    const options = { deployment: { name, plans, registry: makeRegistry([]), priorityLevels: 10 as const }, connection: native, namespace };
    const bundle = { codePath: inject('bundlePath') };
    await expect(createTribunalWorker({ ...options, bundle, dataConverter: encryption({ keys: KEY_1 }) })).rejects.toThrow(
      'exclude each other',
    );
    const named = { ...options, deployment: { ...options.deployment, dataConverter: 'missing.mjs' } };
    await expect(createTribunalWorker(named)).rejects.toThrow('missing.mjs: cannot be loaded');
  });

  it.each(['moved from another evaluation', 'not encrypted'])('is sent a result that is %s does not take it', async (what) => {
    const harness = await start(KEY_1, KEY_1);
    const judged = await harness.client.start({ plan: 'pending', content: 'harmless', key: randomUUID() });
    writeFileSync(join(harness.dir, 'pending'), '');
    expect((await judged.result()).decision).toBe('allow');
    const finished = activityOf(await harness.history(judged.evaluationId), 'waits').closed?.activityTaskCompletedEventAttributes?.result;
    const finding = { severity: 0, violations: [] };
    const success = { outcome: 'succeeded', attempts: [{ class: 'ok', queuedMs: 0, ranMs: 1 }], finding, startedAt: 1, endedAt: 2 };
    const own = defaultPayloadConverter.toPayload(success);

    const { evaluationId } = await harness.client.start({ plan: 'pending_too', content: 'harmful', key: randomUUID() });
    await until(async () => (await harness.client.handle(evaluationId).progress()).running.some(({ name }) => name === 'waits'));
    await harness.connection.workflowService.respondActivityTaskCompletedById({
      namespace,
      workflowId: evaluationId,
      activityId: 'core_analysis/waits',
      result: what === 'not encrypted' ? { payloads: [own] } : (finished ?? null),
    });
    await cannotBeRead(harness, evaluationId);
    await harness.connection.workflowService.terminateWorkflowExecution({ namespace, workflowExecution: { workflowId: evaluationId } });
  });
});

function eventIdOf(history: readonly HistoryEvent[], id: number): NonNullable<HistoryEvent['eventId']> {
  const event = history.find(({ eventId }) => Number(eventId) === id);
  if (!event?.eventId) throw new Error(`the history has no event ${id}`);
  return event.eventId;
}

function boundOf(context: SerializationContext): string {
  const activity = context.type === 'activity' ? [context.activityId] : [];
  return JSON.stringify([context.namespace, context.workflowId, ...activity]);
}

/** Messages of failures as they stand in an event. Those that the server makes itself have another source. */
function failuresIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const own = 'source' in value && value.source === 'TypeScriptSDK' && 'message' in value ? [String(value.message)] : [];
  return [...own, ...Object.values(value).flatMap((inner: unknown) => failuresIn(inner))];
}
