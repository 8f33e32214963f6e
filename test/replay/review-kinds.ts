/** The kinds of reviews that are recorded: each phase and end, and what happens beside the way there. */
import { REFRESH_SIGNAL, watchdogScheduleId } from '../../src/contract.js';
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import { ann, bob, cem, decisionOf, dee, PEOPLE } from '../support/review-plans.js';
import { DEAF, type ReviewKind, type ReviewRecording } from './review-kind.js';

/** The groups' own, one a rung, and one that hears every decision. */
const CHANNELS: NotifyChannels = {
  leads: { log: true },
  moderators: { log: true },
  rung_one: { log: true },
  ann: { log: true },
  consumer: { log: true, events: ['review_decided'] },
};
/** More events than the recording's server wants in one history. */
const SIGNALS = 30;

const proceed = async (recording: ReviewRecording): Promise<void> => {
  await recording.decide(ann, 'PROCEED');
  await recording.untilOver();
};

const OPEN_ONES: Readonly<Record<string, ReviewKind>> = {
  'opening-without-people': {
    unopened: true,
    run: (recording) => recording.untilEvent((event) => event.timerStartedEventAttributes != null),
    is: 'OPENING',
    entries: [],
  },
  open: { run: async () => undefined, is: 'OPEN', entries: ['opened'] },
  claimed: {
    // One of the commands comes twice.
    async run({ review }) {
      const command = review.command(ann, 'claim', {});
      await review.send('claim', command);
      await review.handle.executeUpdate('claim', { args: [command], updateId: 'again' });
      await review.act(bob, 'comment', { text: 'a speech of last year' });
    },
    is: 'CLAIMED',
    entries: ['opened', 'claim', 'comment'],
  },
  'second-wanted': {
    tier: 'determination',
    notify: { board: { log: true } },
    async run(recording) {
      await recording.decide(bob, 'PROCEED');
    },
    is: 'AWAITING_SECOND',
    entries: ['opened', 'claim', 'decide'],
  },
  committing: {
    tier: 'triage',
    async run(recording) {
      await recording.decide(ann, 'PROCEED');
    },
    is: 'COMMITTING',
    entries: ['opened', 'claim', 'decide'],
  },
  'committing-without-people': {
    async run(recording) {
      const epoch = await recording.claim(ann);
      recording.hidePeople();
      await recording.review.act(ann, 'decide', decisionOf('acknowledgement', 'HALT', epoch));
      await recording.untilEvent((event) => /again/.test(text(event.userMetadata?.summary?.data)));
    },
    is: 'COMMITTING',
    entries: ['opened', 'claim', 'decide'],
  },
  undone: {
    tier: 'triage',
    async run(recording) {
      await recording.decide(ann, 'HALT');
      await recording.review.act(ann, 'undo', {});
    },
    is: 'CLAIMED',
    entries: ['opened', 'claim', 'decide', 'undo'],
  },
  escalated: {
    tier: 'triage',
    async run({ review }) {
      await review.act(ann, 'escalate', { to: 'determination', reason: 'it names a judge' });
    },
    is: 'OPEN',
    entries: ['opened', 'escalate'],
  },
  assigned: {
    notify: CHANNELS,
    async run({ review }) {
      await review.act(bob, 'assign', { to: 'ann' });
    },
    is: 'CLAIMED',
    entries: ['opened', 'assign'],
  },
  recused: {
    async run(recording) {
      await recording.review.act(ann, 'unclaim', { epoch: await recording.claim(ann) });
      await recording.review.act(bob, 'recuse', { code: 'CONFLICT' });
    },
    is: 'OPEN',
    entries: ['opened', 'claim', 'unclaim', 'recuse'],
  },
  'vote-void': {
    async run(recording) {
      const epoch = await recording.claim(ann);
      recording.people([bob, cem, dee]);
      await recording.review.act(ann, 'decide', decisionOf('acknowledgement', 'PROCEED', epoch));
      await recording.untilIs('OPEN');
    },
    is: 'OPEN',
    entries: ['opened', 'claim', 'decide', 'people_changed', 'vote_void'],
  },
  'delivery-failed': {
    block: { ladder: [{ after: '20h', notify: 'rung_one' }] },
    notify: DEAF,
    run: (recording) => recording.until(async () => (await recording.review.view()).rung === 1),
    is: 'OPEN',
    entries: ['opened', 'ladder'],
  },
};

const ENDED: Readonly<Record<string, ReviewKind>> = {
  'proceeded-triage': {
    tier: 'triage',
    run: proceed,
    is: 'PROCEEDED',
    entries: ['opened', 'claim', 'decide', 'decided'],
  },
  'proceeded-acknowledgement': {
    run: proceed,
    is: 'PROCEEDED',
    entries: ['opened', 'claim', 'decide', 'decided'],
  },
  'proceeded-determination': {
    tier: 'determination',
    async run(recording) {
      await recording.decide(bob, 'PROCEED');
      await recording.decide(cem, 'PROCEED');
      await recording.untilOver();
    },
    is: 'PROCEEDED',
    entries: ['opened', 'claim', 'decide', 'claim', 'decide', 'decided'],
  },
  halted: {
    tier: 'determination',
    async run(recording) {
      await recording.decide(dee, 'HALT');
      await recording.untilOver();
    },
    is: 'HALTED',
    entries: ['opened', 'claim', 'decide', 'decided'],
  },
  'proceeded-unsigned': {
    insecure: true,
    async run(recording) {
      const { epoch } = await recording.actUnsigned('eve', 'claim', {});
      await recording.actUnsigned('eve', 'decide', decisionOf('acknowledgement', 'PROCEED', epoch));
      await recording.untilOver();
    },
    is: 'PROCEEDED',
    entries: ['opened', 'claim', 'decide', 'decided'],
  },
  expired: {
    block: {
      times: { claimBy: '1s', lease: '1s', decideBy: '4s', expires: '6s' },
      ladder: [
        { after: '3600ms', notify: 'rung_one' },
        { after: '5s', notify: 'nowhere' },
      ],
    },
    notify: { leads: { log: true }, rung_one: { log: true }, consumer: { log: true, events: ['review_decided'] } },
    async run(recording) {
      await recording.claim(ann);
      await recording.untilOver();
    },
    is: 'EXPIRED',
    entries: ['opened', 'claim', 'lease_over', 'reminder', 'claim_overdue', 'reminder', 'ladder', 'decide_overdue', 'ladder', 'expired'],
  },
  withdrawn: {
    request: { requester: 'ann' },
    async run(recording) {
      await recording.review.act(ann, 'withdraw', { reason: 'sent twice' });
      await recording.untilOver();
    },
    is: 'WITHDRAWN',
    entries: ['opened', 'withdraw'],
  },
  superseded: {
    async run(recording) {
      await recording.claim(ann);
      await recording.until(async () => (await recording.temporal.workflow.count(`WorkflowId = '${recording.review.reviewId}'`)).count > 0);
      await recording.resetToTask(0);
      await recording.untilOver();
    },
    is: 'WITHDRAWN',
    entries: ['opened', 'claim', 'withdrawn'],
  },
  'cancelled-review': {
    async run(recording) {
      await recording.claim(ann);
      await recording.review.handle.cancel();
      await recording.untilOver();
    },
    is: 'CANCELLED',
    entries: ['opened', 'claim', 'cancelled'],
  },
  quarantined: {
    async run(recording) {
      await proceed(recording);
      await recording.resetToTask(-1, recording.review.reviewId);
      await recording.untilOver();
    },
    is: 'QUARANTINED',
    // What the task told that is done again is not kept.
    entries: ['opened', 'claim', 'decide', 'quarantined'],
  },
  'quarantined-while-open': {
    notify: { leads: { log: true } },
    async run(recording) {
      await recording.claim(ann);
      await recording.resetToTask(-1, recording.review.reviewId);
      await recording.untilOver();
    },
    is: 'QUARANTINED',
    entries: ['opened', 'quarantined'],
  },
  continued: {
    async run(recording) {
      const { review } = recording;
      const epoch = await recording.claim(ann);
      await recording.stopWorkers();
      for (let sent = 0; sent < SIGNALS; sent += 1) await review.handle.signal(REFRESH_SIGNAL);
      await recording.addWorker();
      await recording.until(async () => (await recording.runsOf(review.reviewId)).length > 1);
      recording.people(PEOPLE.slice(0, 3));
      await review.act(ann, 'decide', decisionOf('acknowledgement', 'PROCEED', epoch));
      await recording.untilOver();
    },
    runs: 2,
    is: 'PROCEEDED',
    entries: ['opened', 'claim', 'decide', 'people_changed', 'decided'],
  },
};

/** Workflows beside the review. */
const BESIDE: Readonly<Record<string, ReviewKind>> = {
  notified: {
    notify: CHANNELS,
    run: async (recording) => await deliveryOf(recording),
    is: 'completed',
    entries: [],
  },
  'not-notified': {
    notify: DEAF,
    run: async (recording) => await deliveryOf(recording),
    is: 'failed',
    entries: [],
  },
  'looked-after': {
    async run(recording) {
      const schedule = recording.temporal.schedule.getHandle(watchdogScheduleId(recording.name));
      await schedule.trigger();
      let id = '';
      await recording.until(async () => {
        id = (await schedule.describe()).info.recentActions.at(-1)?.action.workflow.workflowId ?? '';
        return id !== '';
      });
      await recording.temporal.workflow.getHandle(id).result();
      return id;
    },
    is: 'completed',
    entries: [],
  },
};

/** The workflow that tells of the opening. */
async function deliveryOf(recording: ReviewRecording): Promise<string> {
  let id = '';
  await recording.until(async () => {
    const { events = [] } = await recording.history(recording.review.reviewId);
    id = events?.map((event) => event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId).find(Boolean) ?? '';
    return id !== '';
  });
  await recording.temporal.workflow
    .getHandle(id)
    .result()
    .catch(() => undefined);
  return id;
}

const text = (data: Uint8Array | null | undefined): string => (data == null ? '' : Buffer.from(data).toString());

export const REVIEW_KINDS: Readonly<Record<string, ReviewKind>> = { ...OPEN_ONES, ...ENDED, ...BESIDE };
