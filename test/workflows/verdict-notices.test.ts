/** The event `verdict` on the real server: who waits for verdicts hears each once, and nothing of it changes one. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EvaluationCancelled, RequestRefused } from '../../src/client-errors.js';
import { NOTIFICATION, notificationId, reviewQueue, watchdogScheduleId } from '../../src/contract.js';
import type { Notification } from '../../src/domain/review/notification.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { strangeEvents, until } from '../support/history.js';
import { isSigned, makeReceiver, type Receiver } from '../support/receiver.js';

const SECRET = 'the-key-of-the-hook';
const { namespace } = inject('server');

const planOf = (plan: string, withOptions: object, more: object = {}) => ({
  plan,
  version: 1,
  defaults: { maxRetries: 0 },
  timeouts: { global: '60s' },
  critics: { judge: { uses: 'scripted', stage: 'core_analysis', with: withOptions } },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true }], otherwise: 'allow' },
  ...more,
});

describe('a channel that waits for verdicts', () => {
  let harness: Harness;
  let receiver: Receiver;
  const said: string[] = [];
  beforeAll(async () => {
    receiver = await makeReceiver();
    harness = await makeHarness({
      plans: (dir) => [
        planOf('fine', {}),
        planOf('bad', { finding: { severity: 0.95 } }),
        planOf('broken', { throw: 'permanent' }),
        planOf('pending', { waitFor: join(dir, 'never') }),
      ],
      hosts: [receiver.host],
      secrets: (name) => (name === 'HOOK_SECRET' ? SECRET : undefined),
      log: (_level, message) => said.push(message),
      reviews: (dir) => ({
        notify: {
          app: { webhook: receiver.url, secretEnv: 'HOOK_SECRET', events: ['verdict'] },
          ledger: { file: join(dir, 'verdicts.jsonl'), events: ['verdict', 'review_decided'] },
          decisions: { file: join(dir, 'decisions.jsonl'), events: ['review_decided'] },
          oncall: { file: join(dir, 'oncall.jsonl') },
        },
      }),
    });
  });
  afterAll(async () => {
    await harness.close();
    await receiver.close();
  });

  const heard = (evaluationId: string): Notification[] =>
    receiver.taken.map(({ notification }) => notification).filter((one) => one.evaluationId === evaluationId);

  it('hears it once, signed, with ids and the decision alone', async () => {
    const report = await harness.client.evaluate({ plan: 'fine', content: 'the text of somebody' });
    await until(() => heard(report.evaluationId).length > 0);
    const [taken] = receiver.taken.filter(({ notification }) => notification.evaluationId === report.evaluationId);
    if (taken === undefined) throw new Error('it did not come');
    expect(isSigned(taken, SECRET)).toBe(true);
    expect(taken.headers['tribunal-delivery']).toBe(taken.notification.id);
    expect(taken.notification).toEqual({
      id: expect.stringMatching(new RegExp(`^${report.evaluationId}/[0-9a-f-]{36}/verdict$`)),
      event: 'verdict',
      at: expect.any(String),
      tenant: 'default',
      evaluationId: report.evaluationId,
      outcome: 'allow',
    });
    await harness.temporal.workflow.getHandle(notificationId(taken.notification.id)).result();
    expect(heard(report.evaluationId)).toHaveLength(1);
    const lines = (await readFile(join(harness.dir, 'verdicts.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Notification).id)).toContain(taken.notification.id);
    expect(await readFile(join(harness.dir, 'decisions.jsonl'), 'utf8').catch(() => 'nothing')).toBe('nothing');
    expect(strangeEvents(await harness.history(report.evaluationId))).toEqual([]);
  });

  it('hears of denials, of what is not judged and of what was cancelled, and nothing of a refused request', async () => {
    const bad = await harness.client.evaluate({ plan: 'bad', content: 'text' });
    const broken = await harness.client.evaluate({ plan: 'broken', content: 'text' });
    const pending = await harness.client.start({ plan: 'pending', content: 'text' });
    await until(async () => (await pending.progress()).running.length > 0);
    await pending.cancel();
    await expect(pending.result()).rejects.toThrow(EvaluationCancelled);
    await expect(harness.client.evaluate({ plan: 'no_such_plan', content: 'text', key: 'refused' })).rejects.toThrow(RequestRefused);
    const ids = [bad.evaluationId, broken.evaluationId, pending.evaluationId];
    await until(() => ids.every((id) => heard(id).length > 0));
    expect(ids.map((id) => heard(id).map(({ outcome }) => outcome))).toEqual([['deny'], ['not_judged'], ['not_judged']]);
    expect(heard('default/refused')).toEqual([]);
  });

  it('hears of the verdict of a run that was reset as well, under an id of its own, and the kept part replays', async () => {
    const { evaluationId } = await harness.client.evaluate({ plan: 'fine', content: 'text' });
    await until(() => heard(evaluationId).length > 0);
    const resetTo = async (which: number): Promise<void> => {
      const { runId } = await harness.temporal.workflow.getHandle(evaluationId).describe();
      const tasks = (await harness.history(evaluationId, runId)).filter((event) => event.workflowTaskCompletedEventAttributes);
      const event = tasks.at(which)?.eventId;
      if (event == null) throw new Error('the history has no such task');
      await harness.connection.workflowService.resetWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: evaluationId, runId },
        workflowTaskFinishEventId: event,
        requestId: randomUUID(),
        reason: 'a test',
      });
      expect((await harness.client.handle(evaluationId).result()).decision).toBe('allow');
    };
    // The last task knows that the delivery has begun: nothing is told twice.
    await resetTo(-1);
    expect(heard(evaluationId)).toHaveLength(1);
    await resetTo(0);
    await until(() => heard(evaluationId).length > 1);
    expect(new Set(heard(evaluationId).map(({ id }) => id)).size).toBe(2);
  });

  it('needs a worker that delivers, and neither people who decide nor a watchdog', async () => {
    expect(said).toEqual([]);
    const ids: string[] = [];
    for await (const { scheduleId } of harness.temporal.schedule.list()) ids.push(scheduleId);
    expect(ids).not.toContain(watchdogScheduleId(harness.deployment));
  });
});

describe('a receiver', () => {
  it('that never answers changes no verdict, and the evaluation ends before the delivery does', async () => {
    const receiver = await makeReceiver(() => undefined);
    const harness = await makeHarness({
      plans: [planOf('fine', {})],
      hosts: [receiver.host],
      secrets: () => SECRET,
      reviews: () => ({ notify: { app: { webhook: receiver.url, secretEnv: 'HOOK_SECRET', events: ['verdict'] } } }),
    });
    try {
      const report = await harness.client.evaluate({ plan: 'fine', content: 'text' });
      expect(report.decision).toBe('allow');
      const query = `WorkflowType = '${NOTIFICATION}' AND TaskQueue = '${reviewQueue(harness.deployment)}' AND ExecutionStatus = 'Running'`;
      expect(await until(async () => (await harness.temporal.workflow.count(query)).count)).toBe(1);
      expect((await harness.client.handle(report.evaluationId).status()).status).toBe('completed');
    } finally {
      await receiver.close();
      await harness.close();
    }
  });

  it('that cannot be reached at all changes none either', async () => {
    const harness = await makeHarness({
      plans: [planOf('fine', {})],
      reviews: (dir) => ({ notify: { app: { file: join(dir, 'no-such-folder', 'verdicts.jsonl'), events: ['verdict'] } } }),
    });
    try {
      expect((await harness.client.evaluate({ plan: 'fine', content: 'text' })).decision).toBe('allow');
    } finally {
      await harness.close();
    }
  });

  it('that waits for nothing costs nothing: no delivery is started', async () => {
    const harness = await makeHarness({
      plans: [planOf('fine', {})],
      reviews: (dir) => ({ notify: { oncall: { file: join(dir, 'oncall.jsonl') } } }),
    });
    try {
      const { evaluationId } = await harness.client.evaluate({ plan: 'fine', content: 'text' });
      const history = await harness.history(evaluationId);
      expect(history.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)).toEqual([]);
    } finally {
      await harness.close();
    }
  });
});
