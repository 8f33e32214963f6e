/** A determination with ten actions of people and six reminders, one after the other on a real server. Knows no test runner. */
import type { Client } from '@temporalio/client';
import type { TribunalClient } from '../../src/client.js';
import type { Payloads } from '../../src/domain/review/command.js';
import type { Receipt, ReviewAction } from '../../src/domain/review/review.js';
import { localCommandSigner } from '../../src/review/sign.js';
import { eventually } from './processes.js';
import { makePerson, type TestPerson } from './reviews.js';

export const ANN = makePerson('ann', ['leads']);
export const BOB = makePerson('bob', ['board']);
export const CEM = makePerson('cem', ['board']);
export const LONG_PEOPLE: readonly TestPerson[] = [ANN, BOB, CEM];

export const LONG_ACTIONS = 10;
export const LONG_REMINDERS = 6;
/** Of the groups, of the ladder and of whoever waits for the end: everything that is told goes out. */
export const LONG_CHANNELS = { leads: { log: true }, board: { log: true }, consumer: { log: true, events: ['review_decided'] } } as const;
/** Opened, each reminder, escalated, a second one wanted, decided. */
export const LONG_NOTIFICATIONS = LONG_REMINDERS + 4;

/** Rungs are told as reminders are, and can come within seconds. */
export const LONG_PLAN = {
  plan: 'long',
  version: 1,
  timeouts: { global: '300s' },
  critics: { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.5, violations: [] } } } },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review: {
    tiers: { default: 'acknowledgement' },
    reviewers: { acknowledgement: ['leads'], determination: ['board'] },
    ladder: Array.from({ length: LONG_REMINDERS }, (_, index) => ({ after: `${index + 1}s`, notify: 'board' })),
  },
} as const;

const WORDS = 'the quote is taken from a public speech, and nobody is named in it';
const VOTE = { disposition: 'PROCEED', signals: [{ id: 'r1', reason: WORDS }], rationale: `${WORDS}; see the transcript` } as const;

export interface LongReview {
  readonly reviewId: string;
  /** Of the ten actions. */
  readonly receipts: readonly Receipt[];
}

/** Each waits until what the one before has set going is over, so that the same happens however fast the machine is. */
export async function longReview(client: TribunalClient, temporal: Client): Promise<LongReview> {
  // About what a message of a forum has, so that bytes are those of the review.
  const { review } = await client.evaluate({ plan: LONG_PLAN.plan, content: 'some words of a message, '.repeat(40) });
  if (review === undefined) throw new Error('no review was opened');
  const { id, packetDigest } = review;
  const receipts: Receipt[] = [];
  const act = async <Action extends ReviewAction>(who: TestPerson, action: Action, payload: Payloads[Action]): Promise<number> => {
    await untilQuiet(temporal, id);
    const receipt = await client.reviews.act(action, id, payload, { signer: localCommandSigner(who), packetDigest });
    receipts.push(receipt);
    return receipt.epoch ?? 0;
  };
  await eventually('all reminders are told', async () => ((await client.reviews.view(id)).rung === LONG_REMINDERS ? true : undefined));
  await act(ANN, 'claim', {});
  await act(ANN, 'comment', { text: `${WORDS}, says the archive` });
  await act(ANN, 'escalate', { to: 'determination', reason: 'two of the board should look at it' });
  const first = await act(BOB, 'claim', {});
  await act(BOB, 'unclaim', { epoch: first });
  const again = await act(BOB, 'claim', {});
  await act(BOB, 'comment', { text: `${WORDS}, says the transcript` });
  await act(BOB, 'decide', { ...VOTE, epoch: again });
  const second = await act(CEM, 'claim', {});
  await act(CEM, 'decide', { ...VOTE, epoch: second });
  await temporal.workflow.getHandle(id).result();
  return { reviewId: id, receipts };
}

/** Nothing is under way: no workflow task, no notification. */
async function untilQuiet(temporal: Client, reviewId: string): Promise<void> {
  await eventually(`${reviewId} is quiet`, async () => {
    const { raw } = await temporal.workflow.getHandle(reviewId).describe();
    return raw.pendingWorkflowTask == null && (raw.pendingChildren ?? []).length === 0 ? true : undefined;
  });
}

export interface HistorySize {
  readonly events: number;
  readonly bytes: number;
}

/** As the server counts. */
export async function historySize(temporal: Client, workflowId: string): Promise<HistorySize> {
  const { historyLength, historySize: bytes = 0 } = await temporal.workflow.getHandle(workflowId).describe();
  return { events: historyLength, bytes };
}
