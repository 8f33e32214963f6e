/** The times of a review, with skipped time: what is due comes at its instant, once, whatever workers and files do meanwhile. */
import { renameSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReviewInput } from '../../src/domain/review/review.js';
import { hashJson } from '../../src/digest.js';
import { until } from '../support/history.js';
import { ann, bob, cem, decisionOf, PEOPLE } from '../support/review-plans.js';
import { makeReport } from '../support/report.js';
import { refusalOf } from '../support/reviews.js';
import { makeTimeScene, testServer, type TimedReview, type TimeScene } from '../support/time-skipping.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIMES = { claimByMs: 4 * HOUR, leaseMs: 30 * MINUTE, decideByMs: DAY, expiresMs: 7 * DAY };

function inputOf(tier: ReviewInput['tier'], times: Partial<typeof TIMES> = {}): ReviewInput {
  const report = makeReport({ decision: 'escalate', reasons: [{ code: 'RULE', rule: 'r', message: 'looks bad', effect: 'escalate' }] });
  const packet = { content: 'text', context: {}, report };
  return {
    v: 1,
    deployment: 'd',
    tenant: 'default',
    evaluationId: 'default/k',
    evaluationRunId: 'run',
    tier,
    queue: 'reviews',
    rules: {
      reviewers: { triage: ['moderators'], acknowledgement: ['leads'], determination: ['board'] },
      leads: ['board'],
      reasons: ['false_positive'],
      times: { ...TIMES, ...times },
      ladder: [
        { afterMs: 5 * HOUR, notify: 'rung_one' },
        { afterMs: 30 * HOUR, notify: 'rung_two' },
      ],
    },
    packet,
    reportHash: hashJson(report),
    packetDigest: hashJson(packet),
  };
}

describe.skipIf('missing' in testServer)(
  `the times of a review${'missing' in testServer ? ` (skipped: ${testServer.missing})` : ''}`,
  () => {
    let scene: TimeScene;
    // One server each: this one may hand the task of one test to a worker of the test before, which is gone.
    beforeEach(async () => {
      scene = await makeTimeScene(PEOPLE);
      await scene.startWorker();
    });
    afterEach(() => scene.close());

    async function opened(input: ReviewInput): Promise<TimedReview> {
      const review = await scene.open(input);
      await until(async () => (await review.view()).status === 'OPEN');
      return review;
    }

    const claim = async (review: TimedReview, who = ann): Promise<number | undefined> => (await review.act(who, 'claim', {})).epoch;

    /** What was told of a review: event, channel, and minutes after it was opened. */
    async function toldOf(review: TimedReview): Promise<[string, string, number][]> {
      const openedAt = Date.parse((await review.view()).openedAt);
      // Deliveries are workflows of their own, that nobody waits for.
      await until(() =>
        scene.told.some(({ channel, notification }) => channel === 'consumer' && notification.reviewId === review.reviewId),
      );
      return scene.told
        .filter(({ notification }) => notification.reviewId === review.reviewId)
        .toSorted((a, b) => Date.parse(a.notification.at) - Date.parse(b.notification.at))
        .map(({ channel, notification }) => [notification.event, channel, Math.round((Date.parse(notification.at) - openedAt) / MINUTE)]);
    }

    it('that nobody touches: reminders and rungs at their instants, each once, and then it expires', async () => {
      const review = await opened(inputOf('acknowledgement'));
      expect(await review.result()).toMatchObject({ outcome: 'EXPIRED', deciders: [] });
      expect(await toldOf(review)).toEqual([
        ['review_opened', 'leads', 0],
        ['review_claim_overdue', 'leads', 4 * 60],
        ['review_ladder', 'rung_one', 5 * 60],
        ['review_reminder', 'leads', 12 * 60],
        ['review_reminder', 'leads', 19.2 * 60],
        ['review_decide_overdue', 'leads', 24 * 60],
        ['review_ladder', 'rung_two', 30 * 60],
        ...[2, 3, 4, 5, 6].map((day) => ['review_decide_overdue', 'leads', day * 24 * 60]),
        ['review_decided', 'consumer', 7 * 24 * 60],
      ]);
    });

    it('that somebody claims after 60 % of decide-by and leaves: the lease gives it back, and all goes on as it was to', async () => {
      const review = await opened(inputOf('acknowledgement'));
      await scene.env.sleep(0.6 * DAY);
      const epoch = await claim(review);
      await scene.env.sleep(31 * MINUTE);
      expect(await review.view()).toMatchObject({ status: 'OPEN', claims: [] });
      expect(await refusalOf(review.act(ann, 'decide', decisionOf('acknowledgement', 'PROCEED', epoch)))).toBe('CLAIM_STALE');
      expect((await review.result()).outcome).toBe('EXPIRED');
      const told = await toldOf(review);
      // 14.4 hours, half an hour of lease, and claim-by from there.
      expect(told.filter(([event]) => event === 'review_claim_overdue').map(([, , at]) => at)).toEqual([4 * 60, 18.9 * 60]);
      expect(told.filter(([event]) => event === 'review_ladder').map(([, , at]) => at)).toEqual([5 * 60, 30 * 60]);
    });

    it('whose decision comes when no worker runs and the time is over: refused as expired, and expired it is', async () => {
      const review = await opened(inputOf('acknowledgement'));
      await scene.env.sleep(7 * DAY - 10 * MINUTE);
      const epoch = await claim(review);
      const expires = Date.parse((await review.view()).expires);
      await scene.env.sleep(expires - (await scene.env.currentTimeMs()) - 5_000);
      // Without a worker this server skips nothing: the last seconds are real ones.
      await scene.stopWorker();
      await until(async () => (await scene.env.currentTimeMs()) > expires);
      const sending = refusalOf(review.act(ann, 'decide', decisionOf('acknowledgement', 'PROCEED', epoch)));
      await scene.startWorker();
      expect(await sending).toBe('EXPIRED');
      expect(await review.result()).toMatchObject({ outcome: 'EXPIRED', deciders: [] });
    });

    it('whose decision came a second before the end: it stands, though it could be checked only an hour later', async () => {
      const review = await opened(inputOf('acknowledgement'));
      await scene.env.sleep(7 * DAY - 10 * MINUTE);
      const epoch = await claim(review);
      renameSync(scene.file, `${scene.file}.away`);
      const expires = Date.parse((await review.view()).expires);
      await scene.env.sleep(expires - (await scene.env.currentTimeMs()) - 1_000);
      expect(await review.act(ann, 'decide', decisionOf('acknowledgement', 'PROCEED', epoch))).toMatchObject({ status: 'COMMITTING' });
      await scene.env.sleep(HOUR);
      // Nothing is decided on the word of a file that cannot be read.
      expect((await review.view()).status).toBe('COMMITTING');
      renameSync(`${scene.file}.away`, scene.file);
      expect(await review.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }] });
    });

    it('that waits 45 days while workers of new builds come and go: nothing is lost, and it is decided at the end', async () => {
      const review = await opened(inputOf('determination', { expiresMs: 60 * DAY, leaseMs: 50 * DAY }));
      const first = await claim(review, bob);
      for (let day = 0; day < 45; day += 9) {
        await scene.stopWorker();
        await scene.startWorker(`build of day ${day}`);
        await scene.env.sleep(9 * DAY);
      }
      expect(await review.view()).toMatchObject({ status: 'CLAIMED', claims: [{ by: 'bob', epoch: first }], rung: 2 });
      await review.act(bob, 'decide', decisionOf('determination', 'PROCEED', first));
      await review.act(cem, 'decide', decisionOf('determination', 'PROCEED', await claim(review, cem)));
      expect(await review.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'bob' }, { by: 'cem' }] });
      const told = await toldOf(review);
      expect(told.filter(([event]) => event === 'review_ladder')).toHaveLength(2);
    });

    it('of triage: a decision can be undone before 30 seconds are over, and then it stands', async () => {
      const review = await opened(inputOf('triage'));
      await review.act(ann, 'decide', decisionOf('triage', 'PROCEED', await claim(review)));
      await scene.env.sleep(20_000);
      const undone = await review.act(ann, 'undo', {});
      expect(undone.status).toBe('CLAIMED');
      await scene.env.sleep(60_000);
      expect((await review.view()).status).toBe('CLAIMED');
      await review.act(ann, 'decide', decisionOf('triage', 'HALT', undone.epoch));
      await scene.env.sleep(31_000);
      await expect(review.act(ann, 'undo', {})).rejects.toThrow(/already completed|not found/);
      expect(await review.result()).toMatchObject({ outcome: 'HALTED', deciders: [{ by: 'ann' }] });
    });

    it('of triage: whoever leaves the file before the decision takes effect has not decided', async () => {
      const review = await opened(inputOf('triage'));
      await review.act(ann, 'decide', decisionOf('triage', 'PROCEED', await claim(review)));
      scene.writePeople(PEOPLE.filter(({ id }) => id !== 'ann'));
      await scene.env.sleep(MINUTE);
      expect(await review.view()).toMatchObject({ status: 'OPEN', votes: 0 });
      await review.act(bob, 'decide', decisionOf('triage', 'HALT', await claim(review, bob)));
      expect(await review.result()).toMatchObject({ outcome: 'HALTED', deciders: [{ by: 'bob' }] });
    });

    it('whose file of people cannot be read when it opens: nobody acts until it can, and the times run', async () => {
      renameSync(scene.file, `${scene.file}.away`);
      const review = await scene.open(inputOf('acknowledgement'));
      expect((await until(() => review.view())).status).toBe('OPENING');
      expect(await refusalOf(review.act(ann, 'claim', {}))).toBe('NOT_READY');
      await scene.env.sleep(6 * HOUR);
      renameSync(`${scene.file}.away`, scene.file);
      await scene.env.sleep(11 * MINUTE);
      expect((await review.act(ann, 'claim', {})).status).toBe('CLAIMED');
      expect(await review.view()).toMatchObject({ rung: 1 });
    });

    it('of which nobody can be told: the next rung comes at once, and nothing waits for it', async () => {
      scene.deaf.add('leads');
      const review = await opened(inputOf('acknowledgement'));
      await until(async () => (await review.view()).rung === 1);
      expect((await review.act(ann, 'claim', {})).status).toBe('CLAIMED');
      expect((await review.result()).outcome).toBe('EXPIRED');
      const rungs = (await toldOf(review)).filter(([event]) => event === 'review_ladder');
      expect(rungs).toEqual([
        ['review_ladder', 'rung_one', 0],
        ['review_ladder', 'rung_two', expect.any(Number)],
      ]);
    });
  },
);
