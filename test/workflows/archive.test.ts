/** What workers keep of evaluations and reviews, and what is answered from it once the server has forgotten them. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Host } from '../../src/client-calls.js';
import type { Release } from '../../src/client.js';
import { encryption } from '../../src/codec/index.js';
import { positionIn } from '../../src/review/archive-position.js';
import { makeArchive } from '../../src/review/archive.js';
import { verifyExport } from '../../src/review/export.js';
import { makeSweep } from '../../src/review/sweep.js';
import {
  ann,
  calm,
  changing,
  changingPlan,
  FOUND,
  PEOPLE,
  decide,
  decided,
  openReview,
  resetToStart,
  reviewedPlan,
} from '../support/decide.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { runCli, type CliRun } from '../support/cli-io.js';
import { until } from '../support/history.js';
import { REVIEW_BLOCK, writePeople } from '../support/reviews.js';

const { address, namespace } = inject('server');
const PLANS = (dir: string) => [
  reviewedPlan('fine', {}, REVIEW_BLOCK),
  reviewedPlan('broken', { throw: 'permanent' }),
  reviewedPlan('ack', FOUND, REVIEW_BLOCK),
  changingPlan,
  {
    ...reviewedPlan('endless', {}),
    critics: { waits: { uses: 'scripted', with: { waitFor: join(dir, 'never') }, stage: 'core_analysis', attemptTimeout: '30s' } },
  },
];

const reasonOf = (release: Release): string => (release.ok ? 'released' : release.reason);

const hostOf = (harness: Harness): Host => ({
  client: harness.encrypted,
  index: harness.encrypted,
  namespace,
  deployment: harness.deployment,
});

/** The index follows the truth after a moment. */
async function indexed(harness: Harness, ids: readonly string[]): Promise<void> {
  for (const id of ids)
    await until(async () => (await harness.temporal.workflow.count(`WorkflowId = '${id}' AND ExecutionStatus != 'Running'`)).count > 0);
}

/** As after the retention of the namespace. */
async function forget(harness: Harness, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map(async (workflowId) => {
      await harness.connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
      const handle = harness.temporal.workflow.getHandle(workflowId);
      await until(async () => (await handle.describe().catch(() => undefined)) === undefined);
    }),
  );
}

describe('an archive', () => {
  let harness: Harness;
  let dir: string;
  const ask = async (id: string, archive?: string): Promise<string> =>
    reasonOf(await harness.client.release(id, archive === undefined ? {} : { archive }));
  const cli = (...args: string[]): Promise<CliRun> =>
    runCli([...args, '--address', address, '--namespace', namespace, '--deployment', harness.deployment]);

  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS, critics: [changing], reviews: (own) => ({ reviewers: writePeople(own, PEOPLE) }) });
    dir = join(harness.dir, 'archive');
  });
  afterAll(() => harness.close());

  it('answers as the server did, once the server has no more of it, and of nothing that it does not hold', async () => {
    const fine = await harness.client.evaluate({ plan: 'fine', content: 'text' });
    const broken = await harness.client.evaluate({ plan: 'broken', content: 'text' });
    const cancelled = await harness.client.start({ plan: 'endless', content: 'text' });
    await cancelled.cancel();
    await cancelled.result().catch(() => undefined);
    const proceeded = await decided(harness, 'ack', ann, 'PROCEED');
    const halted = await decided(harness, 'ack', ann, 'HALT');
    const open = await openReview(harness, 'ack');
    const [washed, unwashed] = [await openReview(harness, 'changing', 'washed'), await openReview(harness, 'changing', 'unwashed')];
    await decide(washed.review, ann, 'HALT');
    await washed.review.handle.result();
    for (const { report } of [washed, unwashed]) {
      const { content } = { content: report === washed.report ? 'washed' : 'unwashed' };
      calm.add(content);
      await resetToStart(harness, report.evaluationId);
      expect((await harness.client.handle(report.evaluationId).result()).decision).toBe('allow');
    }
    await unwashed.review.handle.result();

    const evaluations = [fine, broken, proceeded.report, halted.report, open.report, washed.report, unwashed.report].map(
      (one) => one.evaluationId,
    );
    const reviews = [proceeded, halted, washed, unwashed].map(({ review }) => review.reviewId);
    const all = [...evaluations, cancelled.evaluationId];
    await indexed(harness, [...all, ...reviews]);
    const before = new Map<string, string>();
    for (const id of all) before.set(id, await ask(id));
    expect([...before.values()]).toEqual([
      'released',
      'NOT_JUDGED',
      'released',
      'HALTED',
      'REVIEW_OPEN',
      'HALTED_BEFORE',
      'released',
      'CANCELLED',
    ]);

    const log: string[] = [];
    const sweep = makeSweep(hostOf(harness), dir, (message) => log.push(message));
    // Those that were reset have two runs each.
    const counts = await Promise.all([sweep.once(), makeSweep(hostOf(harness), dir, (message) => log.push(message)).once()]);
    expect(counts[0] + counts[1]).toBe(all.length + 2 + reviews.length);
    expect(await sweep.once()).toBe(0);
    expect(log).toEqual([]);
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([`.swept-${harness.deployment}.json`]);

    await forget(harness, [...all, ...reviews]);
    for (const id of all) expect(await ask(id)).toBe('NOT_FOUND');
    const after = new Map<string, string>();
    for (const id of all) after.set(id, await ask(id, dir));
    expect(after).toEqual(before);
    expect(await ask('default/unknown', dir)).toBe('NOT_FOUND');
    expect(reasonOf(await harness.client.release(fine.evaluationId, { archive: dir, content: 'another' }))).toBe('CONTENT_DIFFERS');

    expect(await cli('show', fine.evaluationId)).toMatchObject({ exit: 1 });
    expect(await cli('show', fine.evaluationId, '--archive', dir)).toMatchObject({ exit: 0, stdout: expect.stringContaining('ALLOW') });
    expect(await cli('show', broken.evaluationId, '--archive', dir)).toMatchObject({
      exit: 12,
      stdout: expect.stringContaining('NOT JUDGED'),
    });
    expect(await cli('show', cancelled.evaluationId, '--archive', dir)).toMatchObject({ exit: 12 });
    expect(await cli('show', 'unknown', '--archive', dir)).toMatchObject({ exit: 1 });
    const [decidedId = ''] = reviews;
    expect(await cli('review', 'verify', decidedId)).toMatchObject({ exit: 1 });
    expect(await cli('review', 'verify', decidedId, '--archive', dir)).toMatchObject({ exit: 0 });
    expect(await cli('release', proceeded.report.evaluationId, '--archive', dir)).toMatchObject({ exit: 0 });
    const kept = await makeArchive(dir).getReview(decidedId);
    expect(verifyExport(kept?.export)).toEqual({ sound: true, unsigned: [] });

    // Nothing is answered over a time that nobody kept, nor by an archive that nobody keeps any more.
    const position = positionIn(dir, harness.deployment);
    const swept = await position.swept();
    await position.moveTo(Date.now() - 366 * 24 * 3_600_000);
    expect(await ask(fine.evaluationId, dir)).toBe('HISTORY_GONE');
    await sweep.once();
    expect(log.at(-1)).toContain('the archive may lack what closed from');
    expect(await position.swept()).toBeGreaterThan(swept);
    expect(await position.gaps()).toHaveLength(1);
    expect(await ask(fine.evaluationId, dir)).toBe('released');
    await position.addGap({ fromMs: Date.now() - 1, toMs: Date.now() });
    expect(await ask(fine.evaluationId, dir)).toBe('HISTORY_GONE');
    expect(await ask(halted.report.evaluationId, dir)).toBe('HALTED');
    rmSync(join(dir, `.gaps-${harness.deployment}.jsonl`));

    // What cannot be believed says no.
    const folder = join(dir, ...proceeded.report.evaluationId.split('/'), 'runs');
    const [file = ''] = readdirSync(folder);
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace('"escalate"', '"allow"'));
    expect(await ask(proceeded.report.evaluationId, dir)).toBe('UNREADABLE');
  });

  it('is asked for nothing that the server has: a newer run there counts', async () => {
    const { report, review } = await openReview(harness, 'ack');
    await decide(review, ann, 'PROCEED');
    await review.handle.result();
    await indexed(harness, [report.evaluationId, review.reviewId]);
    await makeSweep(hostOf(harness), dir, () => undefined).once();
    expect(await ask(report.evaluationId, dir)).toBe('released');
    await resetToStart(harness, review.reviewId);
    expect(await ask(report.evaluationId, dir)).toBe('QUARANTINED');
    // Both ends of the review are kept beside each other.
    await review.handle.result().catch(() => undefined);
    await until(async () => {
      await makeSweep(hostOf(harness), dir, () => undefined).once();
      return (await makeArchive(dir).reviewRuns(review.reviewId)).length === 2;
    });
    expect(await makeArchive(dir).getReview(review.reviewId)).toMatchObject({ export: { isReset: true } });
  });

  it('of which a copy lacks the position answers nothing over what it may lack', async () => {
    const own = join(harness.dir, 'copied');
    const report = await harness.client.evaluate({ plan: 'fine', content: 'text' });
    await indexed(harness, [report.evaluationId]);
    await makeSweep(hostOf(harness), own, () => undefined).once();
    await forget(harness, [report.evaluationId]);
    expect(await ask(report.evaluationId, own)).toBe('released');
    const position = positionIn(own, harness.deployment);
    expect(await position.gaps()).toEqual([]);
    // As `cp -r archive/* copy` makes one.
    rmSync(join(own, `.swept-${harness.deployment}.json`));
    await makeSweep(hostOf(harness), own, () => undefined).once();
    expect(await position.gaps()).toEqual([{ fromMs: 0, toMs: expect.any(Number) }]);
  });

  it('tells what it could not keep, and keeps it as soon as it can', async () => {
    const own = join(harness.dir, 'blocked');
    const report = await harness.client.evaluate({ plan: 'fine', content: 'text', tenant: 'blocked' });
    await indexed(harness, [report.evaluationId]);
    const log: string[] = [];
    const sweep = makeSweep(hostOf(harness), own, (message) => log.push(message));
    await makeArchive(own).putEvaluation({
      evaluationId: 'other/k',
      runId: '0',
      closedAt: new Date(0).toISOString(),
      report: null,
      history: {},
    });
    // Somebody else's file in the way of the tenant's folder.
    writeFileSync(join(own, 'blocked'), '');
    await sweep.once();
    // It holds a record, and nobody knows how far it was swept.
    const gap = expect.stringContaining('the archive may lack what closed from 1970');
    expect(log).toEqual([gap, expect.stringContaining(`the archive lacks ${report.evaluationId}`)]);
    expect(readdirSync(own)).not.toContain(`.swept-${harness.deployment}.json`);
    rmSync(join(own, 'blocked'));
    expect(await sweep.once()).toBe(1);
    expect(await makeArchive(own).getEvaluation(report.evaluationId)).toMatchObject({ runId: expect.any(String) });
  });
});

describe('a worker with an archive', () => {
  it('keeps what has closed, encrypted or not, and reads it with the key', async () => {
    const keys = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
    const options = { plans: PLANS, critics: [changing], dataConverter: encryption({ keys }), deployment: `t-${randomUUID().slice(0, 8)}` };
    const harness = await makeHarness({ ...options, archive: 'kept', reviews: (own) => ({ reviewers: writePeople(own, PEOPLE) }) });
    try {
      const { evaluationId } = await harness.client.evaluate({ plan: 'fine', content: 'text' });
      const broken = await harness.client.evaluate({ plan: 'broken', content: 'text' });
      await indexed(harness, [evaluationId, broken.evaluationId]);
      // It looks when it starts, and then now and then.
      await harness.stopWorkers();
      await harness.addWorker();
      const dir = join(harness.dir, 'kept');
      const archive = makeArchive(dir);
      const kept = await until(() => archive.getEvaluation(evaluationId));
      expect(kept).toMatchObject({ report: { decision: 'allow' } });
      expect(await until(() => archive.getEvaluation(broken.evaluationId))).toMatchObject({ report: { decision: 'not_judged' } });
      expect(JSON.stringify(kept.history)).not.toContain(Buffer.from('"text"').toString('base64'));
      await forget(harness, [evaluationId]);
      expect(reasonOf(await harness.client.release(evaluationId, { archive: dir, content: 'text' }))).toBe('released');
    } finally {
      await harness.close();
    }
  });
});
