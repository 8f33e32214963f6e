/** The watchdog on the real server: its schedule, and what it tells operators of reviews that are late, stuck or gone. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ScheduleDescription, type ScheduleHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { encryption } from '../../src/codec/index.js';
import { REVIEW, REVIEW_STATE_QUERY, reviewQueue, watchdogScheduleId, type ReviewView, type WatchdogFound } from '../../src/contract.js';
import type { ReportReview } from '../../src/domain/report.js';
import type { Notification } from '../../src/domain/review/notification.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { until } from '../support/history.js';
import { isSigned, makeReceiver, type Receiver } from '../support/receiver.js';
import { makePerson, REVIEW_BLOCK, TestReview, writePeople } from '../support/reviews.js';

const { namespace } = inject('server');
const SECRET = 'the-key-of-the-hook';
const ann = makePerson('ann', ['leads']);
/** So that all groups of the plans have somebody who decides. */
const OTHERS = [makePerson('bob', ['moderators', 'board']), makePerson('cem', ['board'])];
const LATE = { claimBy: '1s', lease: '1s', decideBy: '7d', expires: '14d' };

const planOf = (plan: string, review: object) => ({
  plan,
  version: 1,
  timeouts: { global: '30s' },
  critics: {
    judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.5, violations: [] } } },
  },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review: { ...REVIEW_BLOCK, ...review },
});

const scheduleOf = ({ temporal, deployment }: Harness): ScheduleHandle => temporal.schedule.getHandle(watchdogScheduleId(deployment));

/** One look, begun by hand. */
async function look(harness: Harness, client = harness.temporal): Promise<WatchdogFound> {
  const schedule = scheduleOf(harness);
  const { numActionsTaken: before } = (await schedule.describe()).info;
  await schedule.trigger();
  const { action } = await until(async () => {
    const { numActionsTaken, recentActions } = (await schedule.describe()).info;
    return numActionsTaken > before && recentActions.at(-1);
  });
  const { workflowId, firstExecutionRunId } = action.workflow;
  return await client.workflow.getHandle(workflowId, firstExecutionRunId).result();
}

async function escalate(harness: Harness, plan: string): Promise<ReportReview> {
  const { review } = await harness.client.evaluate({ plan, content: 'text' });
  if (review === undefined) throw new Error('no review was opened');
  return review;
}

const toldIn = (file: string, event: string): Notification[] =>
  (existsSync(file) ? readFileSync(file, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Notification)
    .filter((one) => one.event === event);

const indexed = async ({ temporal }: Harness, workflowId: string): Promise<boolean> =>
  (await temporal.workflow.count(`WorkflowId = '${workflowId}'`)).count > 0;

async function remove(harness: Harness, workflowId: string): Promise<void> {
  await until(() => indexed(harness, workflowId));
  await harness.connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
  await until(async () => !(await indexed(harness, workflowId)));
  await until(async () =>
    harness.temporal.workflow
      .getHandle(workflowId)
      .describe()
      .then(
        () => false,
        () => true,
      ),
  );
}

describe('the watchdog', () => {
  let harness: Harness;
  let receiver: Receiver;
  const lines: string[] = [];
  const told = (event: string): Notification[] =>
    receiver.taken.map(({ notification }) => notification).filter((one) => one.event === event);
  beforeAll(async () => {
    receiver = await makeReceiver();
    harness = await makeHarness({
      plans: [
        planOf('late', { times: LATE }),
        planOf('wedged', {}),
        planOf('gone', {}),
        planOf('few', { maxOpen: 1 }),
        planOf('plenty', { maxOpen: 2 }),
        planOf('unasked', { openOn: ['failure'] }),
      ],
      hosts: [receiver.host],
      secrets: () => SECRET,
      log: (_level, message) => lines.push(message),
      reviews: (dir) => ({
        reviewers: writePeople(dir, [ann, ...OTHERS]),
        notify: {
          oncall: { webhook: receiver.url, secretEnv: 'HOOK_SECRET' },
          leads: { file: join(dir, 'leads.jsonl') },
          app: { file: join(dir, 'app.jsonl'), events: ['verdict'] },
        },
      }),
    });
  });
  afterAll(async () => {
    await harness.close();
    await receiver.close();
  });

  it('is told once of a late review, however often it looks, with the instant that has passed', async () => {
    const { id, tier, queue } = await escalate(harness, 'late');
    await until(async () => (await look(harness)).overdue > 0);
    for (const _again of [1, 2]) expect((await look(harness)).overdue).toBe(1);
    await until(() => told('review_overdue').length > 0);
    const view = await new TestReview(harness.temporal, id, '').view();
    expect(told('review_overdue')).toEqual([
      {
        id: `${id}/overdue/${view.claimBy}/1`,
        event: 'review_overdue',
        at: expect.any(String),
        tenant: 'default',
        evaluationId: view.evaluationId,
        reviewId: id,
        tier,
        queue,
        due: view.claimBy,
        rung: 1,
      },
    ]);
    expect(receiver.taken.every((one) => isSigned(one, SECRET))).toBe(true);
    // `oncall` is there, so that nobody else is told.
    expect(toldIn(join(harness.dir, 'leads.jsonl'), 'review_overdue')).toEqual([]);
  });

  it('tells of a review whose workflow tasks fail', async () => {
    const reviewId = 'review/default/wedged-by-hand/000000000000';
    await harness.temporal.workflow.start(REVIEW, {
      workflowId: `${reviewId}-${harness.deployment}`,
      taskQueue: reviewQueue(harness.deployment),
      // Its code throws what is no failure of a workflow, so that the task is tried for ever.
      args: [null],
      workflowTaskTimeout: '1s',
    });
    await until(async () => (await look(harness)).stuck > 0);
    await look(harness);
    await until(() => told('review_stuck').length > 0);
    expect(told('review_stuck')).toEqual([
      expect.objectContaining({ event: 'review_stuck', reviewId: `${reviewId}-${harness.deployment}` }),
    ]);
    await harness.temporal.workflow.getHandle(`${reviewId}-${harness.deployment}`).terminate('a test');
  });

  it('starts a review that was deleted anew, under its id, and people decide it', async () => {
    const { id, packetDigest } = await escalate(harness, 'gone');
    const before = await harness.temporal.workflow.getHandle(id).describe();
    const opened = () => toldIn(join(harness.dir, 'leads.jsonl'), 'review_opened').filter(({ reviewId }) => reviewId === id);
    await until(() => opened().length > 0);
    await remove(harness, id);
    expect((await look(harness)).missing).toBe(1);
    await until(() => told('review_missing').length > 0);
    expect(told('review_missing')).toEqual([expect.objectContaining({ reviewId: id, outcome: 'STARTED_ANEW', tier: 'acknowledgement' })]);
    const after = await harness.temporal.workflow.getHandle(id).describe();
    expect([after.memo, after.taskQueue, after.type]).toEqual([before.memo, before.taskQueue, before.type]);
    expect(after.runId).not.toBe(before.runId);
    const names = (one: typeof after): string[] => [...one.typedSearchAttributes.getAll()].map(({ key }) => key.name).toSorted();
    expect(names(after)).toEqual(expect.arrayContaining(['TribunalPlan', 'TribunalReviewEvaluationId', 'TribunalTenant']));
    // The people who decide hear of it again, and not under the id of what they were told before.
    await until(() => opened().length > 1);
    expect(new Set(opened().map((one) => one.id)).size).toBe(2);
    const review = new TestReview(harness.temporal, id, packetDigest);
    const { epoch } = await review.act(ann, 'claim', {});
    await review.act(ann, 'decide', { disposition: 'HALT', epoch, signals: [{ id: 'r1', reason: 'it is as bad as it looks' }] });
    expect(await review.handle.result()).toMatchObject({ outcome: 'HALTED', reviewId: id });
    expect((await look(harness)).missing).toBe(0);
  });

  it('tells of a review that somebody has terminated', async () => {
    const { id } = await escalate(harness, 'gone');
    await harness.temporal.workflow.getHandle(id).terminate('a test');
    const page = () => told('review_terminated').filter(({ reviewId }) => reviewId === id);
    await until(async () => (await look(harness)).terminated > 0 && page().length > 0);
    await look(harness);
    expect(page()).toEqual([expect.objectContaining({ reviewId: id, tier: 'acknowledgement', queue: expect.any(String) })]);
  });

  it('does nothing about an escalation that asked for no review, and none about one that was decided', async () => {
    const { decision, review } = await harness.client.evaluate({ plan: 'unasked', content: 'text' });
    expect([decision, review]).toEqual(['escalate', undefined]);
    expect((await look(harness)).missing).toBe(0);
  });

  it('is not needed by those who wait for verdicts: these name the review that they have opened', async () => {
    const { id } = await escalate(harness, 'plenty');
    const named = () => toldIn(join(harness.dir, 'app.jsonl'), 'verdict').find(({ reviewId }) => reviewId === id);
    expect(await until(named)).toMatchObject({ event: 'verdict', outcome: 'escalate', evaluationId: id.split('/').slice(1, 3).join('/') });
  });

  it('tells when all places of a plan are taken', async () => {
    await escalate(harness, 'few');
    await until(async () => (await look(harness)).full > 0);
    expect((await look(harness)).full).toBe(1);
    await until(() => told('reviews_full').length > 0);
    const day = new Date().toISOString().slice(0, 10);
    expect(told('reviews_full')).toEqual([
      { id: `${harness.deployment}/full/few/${day}`, event: 'reviews_full', at: expect.any(String), plan: 'few' },
    ]);
  });

  it('never had to say that something was wrong', () => {
    expect(lines).toEqual([]);
  });
});

describe('the schedule of the watchdog', () => {
  const form = ({ spec, action, policies, state }: ScheduleDescription) => ({
    every: spec.intervals?.map(({ every }) => every),
    policies,
    type: action.workflowType,
    queue: action.taskQueue,
    args: action.args,
    paused: state.paused,
  });
  let harness: Harness;
  afterEach(() => harness.close());

  it('is one for all workers, and put right by the next one after somebody changed it, but stays paused', async () => {
    harness = await makeHarness({ plans: [planOf('any', {})], worker: false });
    await Promise.all([harness.addWorker(), harness.addWorker()]);
    const schedule = scheduleOf(harness);
    const made = await schedule.describe();
    expect(form(made)).toEqual({
      every: [600_000],
      policies: { overlap: 'SKIP', catchupWindow: 60_000, pauseOnFailure: false },
      type: 'watchdog',
      queue: reviewQueue(harness.deployment),
      args: [],
      paused: false,
    });
    await harness.addWorker();
    expect((await schedule.describe()).info.lastUpdatedAt).toEqual(made.info.lastUpdatedAt);
    await schedule.update(({ action, state }) => ({
      spec: { intervals: [{ every: '12h' }], jitter: '1h' },
      action: { ...action, type: 'startWorkflow', taskQueue: 'somewhere-else', args: ['of somebody'] },
      policies: { overlap: 'ALLOW_ALL' },
      state,
    }));
    await schedule.pause('we know');
    // What is written to a schedule is read from it a moment later.
    const eventually = <T>(pick: (now: Awaited<ReturnType<typeof schedule.describe>>) => T) =>
      expect.poll(async () => pick(await schedule.describe()), { timeout: 20_000 });
    await eventually(({ state, spec }) => [state.note, spec.jitter]).toEqual(['we know', 3_600_000]);
    await harness.addWorker();
    await eventually(form).toEqual({ ...form(made), paused: true });
    await eventually(({ spec, state }) => [spec.jitter ?? 0, state.note]).toEqual([0, 'we know']);
  });

  it('is not made where nothing has to be looked after', async () => {
    harness = await makeHarness({ plans: [{ ...planOf('any', {}), review: undefined }] });
    const ids: string[] = [];
    for await (const { scheduleId } of harness.temporal.schedule.list()) ids.push(scheduleId);
    expect(ids).not.toContain(watchdogScheduleId(harness.deployment));
  });
});

describe('without a channel of its own', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it('the watchdog tells every channel that is not for programs', async () => {
    harness = await makeHarness({
      plans: [planOf('few', { maxOpen: 1 })],
      reviews: (dir) => ({
        notify: {
          leads: { file: join(dir, 'leads.jsonl') },
          ops: { file: join(dir, 'ops.jsonl') },
          app: { file: join(dir, 'app.jsonl'), events: ['review_decided'] },
        },
      }),
    });
    await escalate(harness, 'few');
    await until(async () => (await look(harness)).full > 0);
    const at = (name: string): number => toldIn(join(harness.dir, `${name}.jsonl`), 'reviews_full').length;
    await until(() => at('leads') > 0 && at('ops') > 0);
    expect([at('leads'), at('ops'), at('app')]).toEqual([1, 1, 0]);
  });

  it('the log is told, once, and all of it works on what is encrypted', async () => {
    const lines: string[] = [];
    const dataConverter = encryption({ keys: `k1:${Buffer.alloc(32, 1).toString('base64')}` });
    harness = await makeHarness({
      plans: [planOf('few', { maxOpen: 1 })],
      dataConverter,
      log: (_level, message) => lines.push(message),
    });
    const { id } = await escalate(harness, 'few');
    const client = new Client({ connection: harness.connection, namespace, dataConverter });
    await remove(harness, id);
    expect((await look(harness, client)).missing).toBe(1);
    expect(await until(async () => (await client.workflow.getHandle(id).query<ReviewView>(REVIEW_STATE_QUERY)).status)).toBe('OPEN');
    await until(async () => (await look(harness, client)).full > 0);
    await look(harness, client);
    const said = lines.filter((line) => line.startsWith('review'));
    expect(said).toEqual([`review_missing: ${id} STARTED_ANEW`, 'reviews_full: few']);
  });
});
