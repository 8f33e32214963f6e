/** Kinds of evaluation whose plan has people decide: a review is opened, kept, made anew, or cannot be. */
import { writeFile } from 'node:fs/promises';
import { prepareEvaluation } from '../../src/client-prepare.js';
import { REVIEW, reviewId } from '../../src/contract.js';
import { REVIEW_BLOCK } from '../support/reviews.js';
import { core, local, plan, type Kind } from './kind.js';
import { GO, MENDED } from './mendable.js';
import type { Recording } from './recording.js';

const BAD = { finding: { severity: 0.5, violations: [] } };
const TIERS = { default: 'acknowledgement', rules: [{ determination: 'findings.exists(f, f.severity >= 0.9)' }] };
const QUEUES = { default: 'reviews', rules: [{ chats: "has(context.domain) && context.domain == 'chat'" }] };

/** Escalates at once. */
const bad = (block: object = {}): object =>
  plan(
    { bad: local(BAD) },
    {
      verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
      review: { ...REVIEW_BLOCK, ...block },
    },
  );

const broken = (critic: object, openOn: readonly string[]): object =>
  plan({ broken: critic }, { defaults: { maxRetries: 0, onFailure: 'escalate' }, review: { ...REVIEW_BLOCK, openOn } });

const running = (recording: Recording, count: number): Promise<void> =>
  recording.until(async () => {
    const query = `WorkflowType = '${REVIEW}' AND ExecutionStatus = 'Running' AND TaskQueue = '${recording.name}/reviews'`;
    return (await recording.temporal.workflow.count(query)).count >= count;
  });

async function judgeAndReset(recording: Recording, task: number): Promise<void> {
  await recording.addWorker();
  await recording.start();
  await recording.untilClosed();
  await running(recording, 1);
  await writeFile(MENDED, '');
  await recording.resetToTask(task);
  await recording.untilClosed();
}

export const REVIEWED: Readonly<Record<string, Kind>> = {
  'review-opened': {
    plan: bad({ tiers: TIERS, queues: QUEUES, ladder: [{ after: '1h', notify: 'leads' }] }),
    request: { context: { domain: 'chat' }, requester: 'ann', author: 'bob' },
    end: 'escalate',
    review: true,
  },
  'review-kept-by-reset': { plan: bad(), run: (recording) => judgeAndReset(recording, -1), end: 'escalate', review: true },
  'review-anew-by-reset': { plan: bad(), run: (recording) => judgeAndReset(recording, 0), end: 'escalate', review: true },
  'review-gone-by-reset': {
    plan: broken({ uses: 'mendable', stage: 'core_analysis' }, ['failure']),
    async run(recording) {
      await writeFile(GO, '');
      await judgeAndReset(recording, 0);
    },
    end: 'allow',
    onlyAsReset: true,
  },
  'review-not-wanted': {
    plan: broken(core({ throw: 'permanent' }), ['finding']),
    end: 'escalate',
    outcomes: { broken: 'failed' },
    reason: 'REVIEW_NOT_OPENED',
  },
  'reviews-full': {
    plan: bad({ maxOpen: 1 }),
    async run(recording) {
      await recording.addWorker();
      await (await recording.start({ key: 'another' })).result();
      await running(recording, 1);
      await recording.start();
      await recording.untilClosed();
    },
    end: 'not_judged',
    reason: 'REVIEWS_FULL',
  },
  'review-id-taken': {
    plan: bad(),
    async run(recording) {
      const { temporal, evaluationId, name } = recording;
      await recording.startRaw(prepareEvaluation({ plan: 'recorded', content: 'some text', key: name }).input);
      const { runId } = await temporal.workflow.getHandle(evaluationId).describe();
      const workflowId = reviewId(evaluationId, runId);
      await temporal.workflow.start(REVIEW, { taskQueue: 'nobody', workflowId, args: [{}] });
      await recording.addWorker();
      await recording.untilClosed();
    },
    end: 'not_judged',
    reason: 'REVIEW_NOT_OPENED',
  },
};
