/** Reviews that are ready to be decided, and what became of each, told by its history. Knows no test runner. */
import { randomUUID } from 'node:crypto';
import { chainProblem } from '../../../src/domain/review/chain.js';
import type { Payloads } from '../../../src/domain/review/command.js';
import type { ReviewTier } from '../../../src/domain/review/policy.js';
import type { Disposition, Receipt, ReviewAction, ReviewResult } from '../../../src/domain/review/review.js';
import { localCommandSigner } from '../../../src/review/sign.js';
import { makePerson, REVIEW_BLOCK, writePeople, type TestPerson } from '../../support/reviews.js';
import type { Fleet, FleetPlan } from './fleet.js';

export const ann = makePerson('ann', ['leads']);
export const bob = makePerson('bob', ['board', 'leads']);
export const cem = makePerson('cem', ['board']);
export const mod = makePerson('mod', ['moderators']);

/** Longer than any process is away here. */
export const PATIENT_MS = 120_000;
const WORDS = 'the quote is taken from a public speech, and nobody is named in it';

const judge = { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.5, violations: [] } } };

/** A plan that escalates whatever it is asked. */
export const escalating = (plan: string, tier: ReviewTier, review: object = {}): FleetPlan => ({
  plan,
  critics: { judge },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review: { ...REVIEW_BLOCK, tiers: { default: tier }, ...review },
});

export const TIERS: readonly ReviewTier[] = ['triage', 'acknowledgement', 'determination'];
export const TIER_PLANS: readonly FleetPlan[] = TIERS.map((tier) => escalating(tier, tier));

export const peopleOf =
  (people: readonly TestPerson[], more: (dir: string) => object = () => ({})) =>
  (dir: string): object => ({ reviewers: writePeople(dir, people), ...more(dir) });

type ReviewFleet = Pick<Fleet, 'client' | 'temporal'>;

export interface Opened {
  readonly id: string;
  readonly packetDigest: string;
}

export async function openOne({ client }: Pick<Fleet, 'client'>, plan: string, tenant = 'default'): Promise<Opened> {
  const { review } = await client.evaluate({ plan, tenant, content: `a text for ${plan}` });
  if (review === undefined) throw new Error('no review was opened');
  return review;
}

export async function acted<Action extends ReviewAction>(
  { client }: Pick<Fleet, 'client'>,
  { id, packetDigest }: Opened,
  who: TestPerson,
  action: Action,
  payload: Payloads[Action],
  commandId: string = randomUUID(),
): Promise<Receipt> {
  const options = { signer: localCommandSigner(who), packetDigest, commandId, timeoutMs: PATIENT_MS };
  return await client.reviews.act(action, id, payload, options);
}

/** A review of which the decision that decides it is yet to be sent, with what it is to be. */
export interface Ready extends Opened {
  readonly tier: ReviewTier;
  readonly who: TestPerson;
  readonly commandId: string;
  readonly payload: Payloads['decide'];
  /** Everybody whose vote is to count. */
  readonly deciders: readonly string[];
}

export async function readyFor(fleet: ReviewFleet, tier: ReviewTier, disposition: Disposition): Promise<Ready> {
  const opened = await openOne(fleet, tier);
  const deciders: string[] = [];
  if (tier === 'determination') {
    const { epoch = 0 } = await acted(fleet, opened, bob, 'claim', {});
    await acted(fleet, opened, bob, 'decide', payloadOf(tier, 'PROCEED', epoch));
    if (disposition === 'PROCEED') deciders.push(bob.id);
  }
  const who = { triage: mod, acknowledgement: ann, determination: cem }[tier];
  const { epoch = 0 } = await acted(fleet, opened, who, 'claim', {});
  return {
    ...opened,
    tier,
    who,
    commandId: randomUUID(),
    payload: payloadOf(tier, disposition, epoch),
    deciders: [...deciders, who.id],
  };
}

function payloadOf(tier: ReviewTier, disposition: Disposition, epoch: number): Payloads['decide'] {
  if (tier === 'triage') return { disposition, epoch, code: 'policy_violation' };
  const answered = { disposition, epoch, signals: [{ id: 'r1', reason: WORDS }] };
  return tier === 'acknowledgement' ? answered : { ...answered, rationale: `${WORDS}; see the transcript of the session` };
}

/** Sends the decision until there is a receipt. */
export const decided = (fleet: ReviewFleet, { who, payload, commandId, ...review }: Ready): Promise<Receipt> =>
  acted(fleet, review, who, 'decide', payload, commandId);

/** Whether a decision that was acknowledged is in force, once. Waits for the end of the review. @returns what is wrong. */
export async function wrongWith(fleet: ReviewFleet, ready: Ready, receipt: Receipt): Promise<string[]> {
  const result = (await fleet.temporal.workflow.getHandle(ready.id).result()) as ReviewResult;
  const timeline = await fleet.client.reviews.timeline(ready.id);
  const { reportHash } = await fleet.client.reviews.input(ready.id);
  const wrong: string[] = [];
  const expect = (what: string, found: unknown, wanted: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      wrong.push(`${ready.id}: ${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  };
  expect('the chain', chainProblem(timeline, { reviewId: ready.id, reportHash }) ?? 'whole', 'whole');
  const ids = timeline.map(({ entry }) => entry.commandId).filter((id) => id !== undefined);
  expect('number of entries with a command', ids.length, new Set(ids).size);
  const own = timeline.filter(({ entry }) => entry.commandId === ready.commandId);
  const acknowledged = { seq: receipt.seq, hash: receipt.hash, prevHash: receipt.prevHash, payloadDigest: receipt.payloadDigest };
  expect(
    'what its decision is in the chain',
    own.map(({ entry, hash }) => ({ seq: entry.seq, hash, prevHash: entry.prevHash, payloadDigest: entry.payloadDigest })),
    [acknowledged],
  );
  expect('outcome', result.outcome, ready.payload.disposition === 'HALT' ? 'HALTED' : 'PROCEEDED');
  expect(
    'who decided',
    result.deciders.map(({ by }) => by),
    ready.deciders,
  );
  expect('the last entry', [result.seq, result.head], [timeline.at(-1)?.entry.seq, timeline.at(-1)?.hash]);
  return wrong;
}

/** So many at a time. */
const AT_ONCE = 20;

/** The results in the order of their numbers. */
export async function inParallel<T>(count: number, run: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const numbers = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const index of numbers) results[index] = await run(index);
    }),
  );
  return results;
}
