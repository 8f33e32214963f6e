/** Reviews through the client against a real server: what the index finds, and commands that are sent until they are answered. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotRecorded, RequestRefused, ReviewNotFound, ReviewRefused } from '../../src/client.js';
import type { ReviewSummary } from '../../src/client.js';
import { chainProblem } from '../../src/domain/review/chain.js';
import { localCommandSigner, type CommandSigner } from '../../src/review/sign.js';
import { encryption } from '../../src/codec/index.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { makePerson, REVIEW_BLOCK, TestReview, writePeople } from '../support/reviews.js';

const ann = makePerson('ann', ['leads']);
const bob = makePerson('bob', ['board', 'leads']);
const mod = makePerson('mod', ['moderators']);
const late = makePerson('late', ['leads']);
const [annSigns, bobSigns, modSigns, lateSigns] = [ann, bob, mod, late].map((person) => localCommandSigner(person)) as [
  CommandSigner,
  CommandSigner,
  CommandSigner,
  CommandSigner,
];

const planOf = (plan: string, review: object) => ({
  plan,
  version: 1,
  timeouts: { global: '30s' },
  critics: { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0.5, violations: [] } } } },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review: { ...REVIEW_BLOCK, ...review },
});

const REASON = 'the quote is taken from a public speech';
const TENANTS = ['north', 'south', 'west'] as const;

let harness: Harness;
let other: Harness;

beforeAll(async () => {
  harness = await makeHarness({
    plans: [
      planOf('slow', { times: { claimBy: '2h', decideBy: '20h' } }),
      planOf('quick', { times: { claimBy: '1h', decideBy: '10h' }, queues: { default: 'quick_ones' } }),
      planOf('triage', { tiers: { default: 'triage' }, queues: { default: 'moderation' }, leads: ['board'] }),
      planOf('late', { times: { claimBy: '1s', lease: '1s', decideBy: '1s', expires: '1h' }, queues: { default: 'late_ones' } }),
      planOf('gone', { times: { claimBy: '1s', lease: '1s', decideBy: '1s', expires: '2s' }, queues: { default: 'expiring' } }),
    ],
    reviews: (dir) => ({ reviewers: writePeople(dir, [ann, bob, mod]) }),
  });
  other = await makeHarness({ plans: [planOf('slow', {})], reviews: (dir) => ({ reviewers: writePeople(dir, [ann]) }) });
});
afterAll(async () => {
  await harness.close();
  await other.close();
});

interface Opened {
  readonly id: string;
  readonly packetDigest: string;
}

async function open(plan: string, tenant = 'default', of: Harness = harness): Promise<Opened> {
  const { review } = await of.client.evaluate({ plan, content: `text for ${plan}`, tenant });
  if (review === undefined) throw new Error('no review was opened');
  return review;
}

const reviews = () => harness.client.reviews;

async function refusalOf(sending: Promise<unknown>): Promise<string> {
  const error: unknown = await sending.then(
    () => 'it was taken',
    (reason: unknown) => reason,
  );
  if (error instanceof ReviewRefused) return error.reason;
  throw error;
}

/** Once the index has seen what was done. */
async function listed(filter: Parameters<Harness['client']['reviews']['list']>[0], count: number): Promise<ReviewSummary[]> {
  await expect
    .poll(
      () =>
        reviews()
          .list({ limit: 1_000, ...filter })
          .then((found) => found.length),
      { timeout: 20_000 },
    )
    .toBe(count);
  return await reviews().list({ limit: 1_000, ...filter });
}

describe('the list of reviews', () => {
  const opened = new Map<string, Opened>();
  let foreign: Opened;

  beforeAll(async () => {
    for (let round = 0; round < 5; round += 1)
      for (const tenant of TENANTS)
        for (const plan of ['slow', 'quick']) {
          const review = await open(plan, tenant);
          opened.set(review.id, review);
        }
    foreign = await open('slow', 'north', other);
  });

  it('has every open review of this deployment and no other, what is due first first, then what was opened first', async () => {
    const found = await listed({}, 30);
    expect(new Set(found.map(({ reviewId }) => reviewId))).toEqual(new Set(opened.keys()));
    expect(found.map(({ reviewId }) => reviewId)).not.toContain(foreign.id);
    // Quick ones are due an hour earlier; within each plan the order is that of the opening.
    const inOrder = [...opened.keys()];
    const plans = found.map(({ plan }) => plan);
    expect(plans).toEqual([...Array<string>(15).fill('quick'), ...Array<string>(15).fill('slow')]);
    for (const plan of ['quick', 'slow']) {
      const places = found.filter((one) => one.plan === plan).map(({ reviewId }) => inOrder.indexOf(reviewId));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
    expect((await reviews().list({ limit: 3 })).map(({ reviewId }) => reviewId)).toEqual(found.slice(0, 3).map(({ reviewId }) => reviewId));
  });

  it('is filtered by tenant, queue, tier, evaluation, age, and by who holds it', async () => {
    expect((await listed({ tenant: 'north' }, 10)).every(({ tenant }) => tenant === 'north')).toBe(true);
    expect((await listed({ queue: 'quick_ones' }, 15)).every(({ plan }) => plan === 'quick')).toBe(true);
    await listed({ tier: 'acknowledgement' }, 30);
    await listed({ tier: 'triage' }, 0);
    await listed({ olderThanMs: 3_600_000 }, 0);
    await listed({ olderThanMs: 0 }, 30);
    await listed({ overdue: true }, 0);
    const [first] = opened.values();
    if (first === undefined) throw new Error('none');
    const evaluationId = first.id.split('/').slice(1, 3).join('/');
    expect(await listed({ evaluationId }, 1)).toMatchObject([{ reviewId: first.id, evaluationId, status: 'OPEN' }]);
    await reviews().act('claim', first.id, {}, { signer: annSigns, packetDigest: first.packetDigest });
    expect(await listed({ assignee: 'ann' }, 1)).toMatchObject([{ reviewId: first.id, assignees: ['ann'], status: 'CLAIMED' }]);
    await listed({ states: ['OPEN'] }, 29);
    await listed({ states: ['CLAIMED', 'OPEN'] }, 30);
  });

  it('refuses a value that is not of its form, and so takes no piece of a query', async () => {
    const piece = "x' OR 1=1 OR TribunalTenant = 'y";
    for (const filter of [
      { tenant: piece },
      { queue: piece },
      { assignee: piece },
      { evaluationId: `north/${piece}` },
      { tier: piece as 'triage' },
      { states: [piece as 'OPEN'] },
      { states: [] },
      { olderThanMs: Number.NaN },
      { limit: 0 },
    ])
      await expect(reviews().list(filter)).rejects.toThrow(RequestRefused);
  });

  it('is counted, with the age of what is open', async () => {
    const stats = await reviews().stats({ tenant: 'south' });
    expect(stats).toMatchObject({ open: 10, byTier: { acknowledgement: 10 }, overdue: 0, decided: 0, expired: 0, read: 0 });
    expect(stats.age?.p95).toBeGreaterThanOrEqual(stats.age?.p50 ?? Infinity);
    expect(stats.agreement).toBeUndefined();
  });
});

describe('a command', () => {
  it('that is sent twice under one id happens once, and a second text under the id is a conflict', async () => {
    const { id, packetDigest } = await open('slow');
    const commandId = randomUUID();
    const options = { signer: annSigns, packetDigest, commandId };
    const first = await reviews().act('comment', id, { text: 'one' }, options);
    const again = await reviews().act('comment', id, { text: 'one' }, options);
    expect({ ...again, duplicate: undefined }).toEqual({ ...first, duplicate: undefined });
    expect((await reviews().view(id)).seq).toBe(2);
    expect(await refusalOf(reviews().act('comment', id, { text: 'two' }, options))).toBe('IDEMPOTENCY_CONFLICT');
    // The same id in another action is another update, so the workflow itself compares.
    expect(await refusalOf(reviews().act('claim', id, {}, options))).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('that was taken is answered with its receipt after the end, and a new one is refused', async () => {
    const { id, packetDigest } = await open('slow');
    const claim = await reviews().act('claim', id, {}, { signer: annSigns, packetDigest });
    const vote = { disposition: 'HALT', epoch: claim.epoch ?? 0, signals: [{ id: 'r1', reason: REASON }] } as const;
    const options = { signer: annSigns, packetDigest, commandId: randomUUID() };
    const receipt = await reviews().act('decide', id, vote, options);
    await harness.temporal.workflow.getHandle(id).result();
    expect(await reviews().act('decide', id, vote, options)).toEqual(receipt);
    // Known by another update to the server, and by its command to the review.
    expect(await refusalOf(reviews().act('comment', id, { text: 'one' }, options))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await refusalOf(reviews().act('decide', id, { ...vote, disposition: 'PROCEED' }, options))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await refusalOf(reviews().act('decide', id, vote, { ...options, commandId: randomUUID() }))).toBe('NOT_OPEN');
    expect(await reviews().view(id)).toMatchObject({ status: 'HALTED' });
    await expect
      .poll(() => reviews().stats(), { timeout: 20_000 })
      .toMatchObject({ decided: 1, read: 1, agreement: 1, closed: { HALTED: 1 } });
  });

  it('that the server has forgotten is known to the review that is over', async () => {
    const { id, packetDigest } = await open('triage');
    const commandId = randomUUID();
    const sent = new TestReview(harness.temporal, id, packetDigest);
    const command = sent.command(bob, 'withdraw', { reason: 'opened by mistake' }, { commandId });
    const receipt = await sent.handle.executeUpdate('withdraw', { args: [command], updateId: 'another' });
    await sent.handle.result();
    const options = { signer: bobSigns, packetDigest, commandId };
    expect(await reviews().act('withdraw', id, { reason: 'opened by mistake' }, options)).toEqual({ ...Object(receipt), duplicate: true });
  });

  it('says by code why it is refused, and how to go on', async () => {
    const { id, packetDigest } = await open('slow');
    await expect(reviews().act('claim', id, {}, { packetDigest, as: 'ann' })).rejects.toMatchObject({
      code: 'REVIEW_REFUSED',
      reason: 'UNSIGNED',
      reviewId: id,
      message: expect.stringContaining('act with `tribunal review`'),
    });
    expect(await refusalOf(reviews().act('claim', id, {}, { packetDigest: 'f'.repeat(64), signer: annSigns }))).toBe('PACKET_CHANGED');
    expect(await refusalOf(reviews().act('assign', id, { to: 'ann' }, { packetDigest, signer: modSigns, refresh: false }))).toBe(
      'NOT_LEAD',
    );
    await reviews().act('claim', id, {}, { signer: annSigns, packetDigest });
    expect(await refusalOf(reviews().act('claim', id, {}, { packetDigest, signer: bobSigns }))).toBe('CLAIM_TAKEN');
  });

  it('of somebody whom the file names only by now is taken, and of a stranger it is not', async () => {
    const { id, packetDigest } = await open('slow');
    expect(await refusalOf(reviews().act('claim', id, {}, { packetDigest, signer: lateSigns }))).toBe('KEY_UNKNOWN');
    writePeople(harness.dir, [ann, bob, mod, late]);
    expect(await refusalOf(reviews().act('claim', id, {}, { packetDigest, signer: lateSigns, refresh: false }))).toBe('KEY_UNKNOWN');
    expect(await reviews().act('claim', id, {}, { packetDigest, signer: lateSigns })).toMatchObject({ status: 'CLAIMED' });
  });

  it('signed with a key that has taken the place of another is taken as soon as the file has it', async () => {
    const { id, packetDigest } = await open('slow');
    const renewed = makePerson('late', ['leads']);
    const options = { packetDigest, signer: localCommandSigner(renewed) };
    expect(await refusalOf(reviews().act('claim', id, {}, { ...options, refresh: false }))).toBe('BAD_SIGNATURE');
    writePeople(harness.dir, [ann, bob, mod, renewed]);
    expect(await reviews().act('claim', id, {}, options)).toMatchObject({ status: 'CLAIMED' });
  });

  it('on a review that nobody has is told as such', async () => {
    const id = 'review/default/none/000000000000';
    await expect(reviews().view(id)).rejects.toThrow(ReviewNotFound);
    await expect(reviews().input(id)).rejects.toThrow(ReviewNotFound);
    await expect(reviews().act('claim', id, {}, { packetDigest: 'f'.repeat(64), signer: annSigns })).rejects.toThrow(ReviewNotFound);
  });

  it('that no worker answers is sent again, and happens once when one is back', async () => {
    const lonely = await makeHarness({ plans: [planOf('slow', {})], reviews: (dir) => ({ reviewers: writePeople(dir, [ann]) }) });
    try {
      const { id, packetDigest } = await open('slow', 'default', lonely);
      await lonely.client.reviews.view(id);
      await lonely.stopWorkers();
      const options = { signer: annSigns, packetDigest, commandId: randomUUID() };
      const unanswered = lonely.client.reviews.act('claim', id, {}, { ...options, timeoutMs: 1_500 });
      await expect(unanswered).rejects.toThrow(NotRecorded);
      await expect(unanswered).rejects.toMatchObject({ commandId: options.commandId, message: expect.stringContaining(options.commandId) });
      const answered = lonely.client.reviews.act('claim', id, {}, options);
      await lonely.addWorker();
      expect(await answered).toMatchObject({ seq: 2, epoch: 1 });
    } finally {
      await lonely.close();
    }
  });
});

describe('time', () => {
  it('makes a review overdue, and in the end expired, and both are counted', async () => {
    const [late1, gone] = [await open('late'), await open('gone')];
    expect(await listed({ overdue: true, queue: 'late_ones' }, 1)).toMatchObject([{ reviewId: late1.id }]);
    expect(await reviews().stats({ queue: 'late_ones' })).toMatchObject({ open: 1, overdue: 1, byState: { OPEN: 1 } });
    expect(await listed({ states: ['EXPIRED'] }, 1)).toMatchObject([{ reviewId: gone.id, status: 'EXPIRED' }]);
    await listed({ queue: 'expiring' }, 0);
    expect(await reviews().stats({ queue: 'expiring' })).toMatchObject({ open: 0, expired: 1, decided: 0, read: 1 });
  });
});

describe('what a review was opened with', () => {
  it('is read from its history, with the packet that its digest names', async () => {
    const { id, packetDigest } = await open('slow', 'west');
    const input = await reviews().input(id);
    expect(input).toMatchObject({ packetDigest, tenant: 'west', tier: 'acknowledgement', packet: { content: 'text for slow' } });
    const [evaluation] = input.evaluationId.split('/').slice(-1);
    expect(id).toContain(evaluation);
    await expect(reviews().input(input.evaluationId)).rejects.toThrow(ReviewNotFound);
  });

  it('is read through the codec of the deployment, as is what has happened, and the server has none of it in clear', async () => {
    const dataConverter = encryption({ keys: `k1:${Buffer.alloc(32, 1).toString('base64')}` });
    const sealed = await makeHarness({
      plans: [planOf('slow', {})],
      reviews: (dir) => ({ reviewers: writePeople(dir, [ann]) }),
      dataConverter,
    });
    try {
      const { id, packetDigest } = await open('slow', 'default', sealed);
      const options = { signer: annSigns, packetDigest };
      await sealed.client.reviews.act('claim', id, {}, options);
      await sealed.client.reviews.act('comment', id, { text: 'a word' }, options);
      expect(await sealed.client.reviews.input(id)).toMatchObject({ packet: { content: 'text for slow' } });
      await expect.poll(() => sealed.client.reviews.timeline(id), { timeout: 20_000 }).toHaveLength(3);
      const timeline = await sealed.client.reviews.timeline(id);
      expect(timeline).toMatchObject([
        { entry: { seq: 1, type: 'opened' } },
        { entry: { seq: 2, type: 'claim', by: 'ann' }, payload: {} },
        { entry: { seq: 3, type: 'comment' }, payload: { text: 'a word' } },
      ]);
      const report = timeline[0]?.entry.prevHash ?? '';
      expect(chainProblem(timeline, { reviewId: id, reportHash: report })).toBeUndefined();
      expect(await refusalOf(sealed.client.reviews.act('decide', id, { disposition: 'HALT', epoch: 9 }, options))).toBe('CLAIM_STALE');
      const bytes = JSON.stringify(await sealed.history(id), (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
      );
      expect(bytes).not.toMatch(/text for slow|a word/);
    } finally {
      await sealed.close();
    }
  });
});
