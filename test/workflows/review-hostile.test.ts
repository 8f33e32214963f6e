/**
 * What no client of ours sends, on a real server: each is refused with a code of its own, fails no workflow task and leaves
 * no trace in the history.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { RawValue } from '@temporalio/common';
import { encode } from '@temporalio/common/lib/encoding.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashJson } from '../../src/digest.js';
import { REVIEW_ACTIONS, type ReviewAction } from '../../src/domain/review/review.js';
import { signCommand, type CommandFields } from '../../src/review/sign.js';
import { makeHarness, type Harness, type HistoryEvent } from '../support/harness.js';
import { ann, bob, decide, decisionOf, escalating, openReview, PEOPLE, resultOf } from '../support/review-plans.js';
import { makePerson, refusalOf, writePeople, type TestReview } from '../support/reviews.js';

const rawJson = (text: string): RawValue => RawValue.fromPayload({ metadata: { encoding: encode('json/plain') }, data: encode(text) });
const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const OTHER = 'f'.repeat(64);
/** Somebody with a key of their own who says that they are ann. */
const mallory = { ...makePerson('mallory', ['leads']), id: 'ann' };
const robot = makePerson('robot', ['leads'], { service: true });

const failedTasks = (history: readonly HistoryEvent[]): number => history.filter((event) => event.workflowTaskFailedEventAttributes).length;

describe('a hostile command', () => {
  let harness: Harness;
  let review: TestReview;
  let epoch: number | undefined;
  /** How long the history was when only what had been accepted stood in it. */
  let quiet = 0;

  beforeAll(async () => {
    harness = await makeHarness({
      plans: [escalating('ack', 'acknowledgement')],
      reviews: (dir) => ({ reviewers: writePeople(dir, [...PEOPLE, robot]) }),
    });
    review = await openReview(harness, 'ack');
    ({ epoch } = await review.act(ann, 'claim', {}));
    quiet = (await harness.history(review.reviewId)).length;
  });
  afterAll(() => harness.close());

  const send = (action: string, args: unknown[]): Promise<unknown> =>
    review.handle.executeUpdate<unknown, [unknown]>(action, { args: args as [unknown], updateId: randomUUID() });
  const payload = (): object => decisionOf('acknowledgement', 'PROCEED', epoch);

  /** A decision of ann's that is right but for what is changed in what she signs. */
  function altered(changes: Partial<CommandFields>, { signer = ann, nowMs = Date.now() } = {}): Record<string, unknown> {
    const commandId = randomUUID();
    const { reviewId, packetDigest } = review;
    const fields = { tenant: 'default', reviewId, action: 'decide', commandId, payload: payload(), packetDigest, ...changes };
    return { v: 1, commandId, payload: payload(), assertion: signCommand(signer, fields, nowMs) };
  }

  /** With a header or claims that no signer of ours writes. */
  function forged(header: object, claims: object = {}, withKey?: (text: string) => string): Record<string, unknown> {
    const commandId = randomUUID();
    const now = Math.floor(Date.now() / 1000);
    const all = {
      iss: 'tribunal',
      aud: 'tribunal-review',
      sub: 'ann',
      tid: 'default',
      rid: review.reviewId,
      act: 'decide',
      cmd: commandId,
      pld: hashJson(payload()),
      pkt: review.packetDigest,
      iat: now,
      exp: now + 300,
      ...claims,
    };
    const signed = `${part(header)}.${part(all)}`;
    const signature = withKey?.(signed) ?? Buffer.from(ann.sign(signed)).toString('base64url');
    return { v: 1, commandId, payload: payload(), assertion: `${signed}.${signature}` };
  }

  const HEADER = { alg: 'EdDSA', kid: 'ann', typ: 'JWT' };
  const secretOf = (text: string): string => createHmac('sha256', Buffer.from(ann.publicKey, 'base64url')).update(text).digest('base64url');
  /** Deeper than the SDK's client would write it. */
  const deep = (before: string, after: string): RawValue => rawJson(`${before}${'['.repeat(10_000)}${']'.repeat(10_000)}${after}`);

  const CASES: readonly (readonly [string, string, () => unknown])[] = [
    ['signed with a forged key', 'BAD_SIGNATURE', () => altered({}, { signer: mallory })],
    ['signed by nobody who is known', 'KEY_UNKNOWN', () => altered({}, { signer: makePerson('stranger', ['leads']) })],
    ['signed by a service account', 'SEPARATION_OF_DUTIES', () => altered({}, { signer: robot })],
    ['with alg none', 'BAD_SIGNATURE', () => forged({ ...HEADER, alg: 'none' })],
    ['with alg none and no signature', 'BAD_REQUEST', () => forged({ ...HEADER, alg: 'none' }, {}, () => '')],
    ['with a shared secret', 'BAD_SIGNATURE', () => forged({ ...HEADER, alg: 'HS256' }, {}, secretOf)],
    ['that brings its own key', 'BAD_SIGNATURE', () => forged({ ...HEADER, jwk: { kty: 'OKP' } })],
    ['for another audience', 'ASSERTION_MISMATCH', () => forged(HEADER, { aud: 'other' })],
    ['in the name of another person', 'ASSERTION_MISMATCH', () => forged(HEADER, { sub: 'bob' })],
    ['for another review', 'ASSERTION_MISMATCH', () => altered({ reviewId: 'review/default/other/0123456789ab' })],
    ['for another tenant', 'ASSERTION_MISMATCH', () => altered({ tenant: 'other' })],
    ['for another action', 'ASSERTION_MISMATCH', () => altered({ action: 'comment' })],
    ['for another packet', 'PACKET_CHANGED', () => altered({ packetDigest: OTHER })],
    [
      'with a payload that was swapped',
      'ASSERTION_MISMATCH',
      () => ({ ...altered({}), payload: decisionOf('acknowledgement', 'HALT', epoch) }),
    ],
    ['sent again under another id', 'ASSERTION_MISMATCH', () => ({ ...altered({}), commandId: randomUUID() })],
    ['that is too old', 'ASSERTION_EXPIRED', () => altered({}, { nowMs: Date.now() - 301_000 })],
    ['from the future', 'ASSERTION_EXPIRED', () => altered({}, { nowMs: Date.now() + 120_000 })],
    ['that would be valid for a day', 'ASSERTION_EXPIRED', () => forged(HEADER, { exp: Math.floor(Date.now() / 1000) + 86_400 })],
    ['without signature, as the UI sends it', 'UNSIGNED', () => ({ v: 1, commandId: randomUUID(), payload: payload() })],
    ['without signature, in the name of ann', 'UNSIGNED', () => ({ v: 1, commandId: randomUUID(), payload: payload(), as: 'ann' })],
    ['that is the number 42', 'BAD_REQUEST', () => 42],
    ['that is null', 'BAD_REQUEST', () => null],
    ['that is a list', 'BAD_REQUEST', () => [altered({})]],
    ['that is a text', 'BAD_REQUEST', () => JSON.stringify(altered({}))],
    ['with a field __proto__', 'BAD_REQUEST', () => JSON.parse('{"__proto__":{"v":1}}')],
    [
      'with a payload of __proto__',
      'BAD_REQUEST',
      () => ({ ...altered({}), payload: JSON.parse('{"__proto__":{"disposition":"PROCEED"}}') }),
    ],
    ['with a field more', 'BAD_REQUEST', () => ({ ...altered({}), more: true })],
    ['with a payload that has a field more', 'BAD_REQUEST', () => ({ ...altered({}), payload: { ...payload(), force: true } })],
    ['of one and a half million characters', 'BAD_REQUEST', () => ({ ...altered({}), assertion: 'x'.repeat(1_500_000) })],
    ['that is one text of one and a half million characters', 'BAD_REQUEST', () => 'x'.repeat(1_500_000)],
    ['with a payload that is 10,000 deep', 'BAD_REQUEST', () => deep('{"v":1,"commandId":"01234567","payload":', '}')],
    ['that is 10,000 deep', 'BAD_REQUEST', () => deep('', '')],
    ['with half a character', 'BAD_REQUEST', () => ({ ...altered({}), payload: { ...payload(), rationale: 'x\ud800' } })],
    ['with half a character in a name', 'BAD_REQUEST', () => ({ ...altered({}), commandId: '\udfff'.repeat(9) })],
    ['with an epoch that is no number', 'BAD_REQUEST', () => ({ ...altered({}), payload: { ...payload(), epoch: '1' } })],
    ['with an epoch beyond all numbers', 'BAD_REQUEST', () => ({ ...altered({}), payload: { ...payload(), epoch: 1e300 } })],
  ];

  it.each(CASES)('%s is refused as %s', async (_what, code, make) => {
    expect(await refusalOf(send('decide', [make()]))).toBe(code);
  });

  it('without argument, or with more than one, is refused', async () => {
    expect(await refusalOf(send('decide', []))).toBe('BAD_REQUEST');
    expect(await refusalOf(send('decide', [altered({}), 'and more']))).toBe('BAD_REQUEST');
  });

  it.each([
    ['no JSON', rawJson('{"v":')],
    ['no text', RawValue.fromPayload({ metadata: { encoding: encode('json/plain') }, data: Uint8Array.of(0xff, 0xfe) })],
    ['bytes', RawValue.fromPayload({ metadata: { encoding: encode('binary/plain') }, data: new Uint8Array(100_000) })],
    ['of an encoding that nobody knows', RawValue.fromPayload({ metadata: { encoding: encode('x/y') }, data: encode('x') })],
    ['without an encoding', RawValue.fromPayload({ metadata: {}, data: encode('x') })],
  ])('that is %s is refused', async (_what, given) => {
    await expect(send('decide', [given])).rejects.toThrow('Workflow Update failed');
  });

  it('to an action that there is not is refused', async () => {
    await expect(review.handle.executeUpdate('approve', { args: [altered({})] })).rejects.toThrow('Workflow Update failed');
  });

  it.each(REVIEW_ACTIONS)('is refused by %s as by every other action', async (action: ReviewAction) => {
    for (const given of [42, null, {}, [], deep('', ''), 'x'.repeat(1_000_000), JSON.parse('{"__proto__":{}}')])
      expect(await refusalOf(send(action, [given]))).toBe('BAD_REQUEST');
    const forgedOne = { v: 1, commandId: randomUUID(), payload: PAYLOADS[action], assertion: 'e30.e30.AA' };
    expect(await refusalOf(review.send(action, forgedOne))).toBe('BAD_SIGNATURE');
  });

  it('has left nothing in the history and failed no workflow task, and the review goes on', async () => {
    const history = await harness.history(review.reviewId);
    expect(failedTasks(history)).toBe(0);
    expect(history.length).toBe(quiet);
    await review.act(ann, 'decide', payload());
    expect(await resultOf(review)).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }] });
    const whole = await harness.history(review.reviewId);
    expect(whole.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(2);
    expect(failedTasks(whole)).toBe(0);
  });

  it('that names a person without a claim is the same as none: others go on', async () => {
    const other = await openReview(harness, 'ack');
    expect(await refusalOf(other.send('decide', other.command(bob, 'decide', decisionOf('acknowledgement', 'PROCEED', 1))))).toBe(
      'CLAIM_STALE',
    );
    expect((await decide(other, bob, 'acknowledgement', 'HALT')).status).toBe('COMMITTING');
    expect((await resultOf(other)).outcome).toBe('HALTED');
  });
});

/** Of the right form, so that the signature is looked at. */
const PAYLOADS: Readonly<Record<ReviewAction, object>> = {
  claim: {},
  unclaim: { epoch: 1 },
  decide: { disposition: 'PROCEED', epoch: 1 },
  undo: {},
  comment: { text: 'text' },
  escalate: { to: 'determination', reason: 'more' },
  recuse: { code: 'OTHER' },
  assign: { to: 'ann' },
  withdraw: { reason: 'not needed' },
};
