/** What commands and time make of a review: tiers, epochs, votes, and the invariants over any sequence of commands of any people. */
import fc from 'fast-check';
import { makeKeyPair } from '../../src/review/keys.js';
import { describe, expect, it } from 'vitest';
import { nextDue } from '../../src/domain/review/clock.js';
import { REVIEW_TIERS } from '../../src/domain/review/policy.js';
import { quorumOf, REVIEW_ACTIONS, type ReviewAction, type ReviewState } from '../../src/domain/review/review.js';
import { viewOf } from '../../src/domain/review/outcome.js';
import { reviewDetails } from '../../src/report/review-details.js';
import { peopleOf } from './review-fixture.js';
import { DAY, decision, HOUR, inputOf, MINUTE, PERSONS, Scene } from './review-scene.js';

const receipt = (status: string) => expect.objectContaining({ status });

describe('a decision', () => {
  it('to proceed in acknowledgement carries the permit of one person', () => {
    const scene = new Scene();
    expect(scene.claimAndVote('ann', 'PROCEED')).toEqual(receipt('COMMITTING'));
    expect(scene.result()).not.toHaveProperty('permit');
    scene.settle();
    expect(scene.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }], permit: { head: scene.state.head } });
    expect(scene.told.at(-1)?.event).toBe('review_decided');
  });

  it('to proceed in a determination takes two people, and until then is not told to the second', () => {
    const scene = new Scene(inputOf('determination'));
    expect(scene.claimAndVote('ann', 'PROCEED')).toEqual(receipt('AWAITING_SECOND'));
    const seen = `${JSON.stringify(viewOf(scene.moment()))} ${reviewDetails(viewOf(scene.moment()))} ${JSON.stringify(scene.told)}`;
    expect(seen).not.toMatch(/PROCEED|HALT|ann|transcript/);
    expect(scene.claimAndVote('bob', 'PROCEED')).toEqual(receipt('COMMITTING'));
    scene.settle();
    expect(scene.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }, { by: 'bob' }] });
  });

  it('to halt in a determination takes one, before and after a vote to proceed', () => {
    for (const first of [[], ['ann']]) {
      const scene = new Scene(inputOf('determination'));
      for (const who of first) scene.claimAndVote(who, 'PROCEED');
      expect(scene.claimAndVote('bob', 'HALT')).toEqual(receipt('COMMITTING'));
      scene.settle();
      expect(scene.result()).toMatchObject({ outcome: 'HALTED', deciders: [{ by: 'bob', disposition: 'HALT' }] });
      expect(scene.result()).not.toHaveProperty('permit');
    }
  });

  it('in triage takes effect 30 seconds later', () => {
    const scene = new Scene(inputOf('triage'));
    const taken = scene.claimAndVote('ann', 'PROCEED');
    expect(taken).toMatchObject({ status: 'COMMITTING', effectiveAt: new Date(scene.nowMs + 30_000).toISOString() });
    scene.pass(29_999);
    expect(scene.state.outcome).toBeUndefined();
    scene.pass(1);
    expect(scene.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann', code: 'false_positive' }] });
  });
});

describe('a vote that is in', () => {
  it('goes with whoever recuses', () => {
    const scene = new Scene(inputOf('determination'));
    scene.claimAndVote('ann', 'PROCEED');
    expect(scene.send('ann', 'recuse', { code: 'CONFLICT' })).toEqual(receipt('OPEN'));
    expect(scene.claimAndVote('bob', 'PROCEED')).toEqual(receipt('AWAITING_SECOND'));
  });

  it('is void when its person has left the file before it takes effect, and others decide', () => {
    const scene = new Scene(inputOf('determination'));
    scene.claimAndVote('ann', 'PROCEED');
    scene.claimAndVote('bob', 'PROCEED');
    scene.change(peopleOf(...PERSONS.filter(({ id }) => id !== 'ann')));
    scene.settle();
    expect(viewOf(scene.moment())).toMatchObject({ status: 'AWAITING_SECOND', votes: 1 });
    expect(scene.send('bob', 'claim')).toBe('FOUR_EYES');
    scene.claimAndVote('cem', 'PROCEED');
    scene.settle();
    expect(scene.result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'bob' }, { by: 'cem' }] });
  });

  it('to halt that is void leaves the vote to proceed before it, which alone does not proceed', () => {
    const scene = new Scene(inputOf('determination'));
    scene.claimAndVote('ann', 'PROCEED');
    scene.claimAndVote('bob', 'HALT');
    scene.change(peopleOf(...PERSONS.filter(({ id }) => id !== 'bob')));
    scene.settle();
    expect(viewOf(scene.moment())).toMatchObject({ status: 'AWAITING_SECOND', votes: 1 });
  });

  it('of somebody who has become a service account, left the group or the tenant, is void', () => {
    const changes = [{ kind: 'service' as const }, { groups: ['moderators'] }, { tenants: ['other'] }];
    for (const change of changes) {
      const scene = new Scene();
      scene.claimAndVote('ann', 'PROCEED');
      scene.change(peopleOf(...PERSONS.map((person) => (person.id === 'ann' ? { ...person, ...change } : person))));
      scene.settle();
      expect(scene.state).toMatchObject({ votes: [] });
      expect(scene.state.outcome).toBeUndefined();
    }
  });
});

describe('a vote that was signed with a key', () => {
  it('that the file has replaced by the time of the decision is void, and whoever has the new key may vote with it', () => {
    const scene = new Scene(inputOf('determination'));
    scene.claimAndVote('bob', 'PROCEED');
    scene.change(peopleOf(...PERSONS.map((person) => (person.id === 'bob' ? { ...person, key: makeKeyPair().publicKey } : person))));
    scene.claimAndVote('cem', 'PROCEED');
    scene.settle();
    expect(scene.state.outcome).toBeUndefined();
    expect(scene.state.votes.map(({ by }) => by)).toEqual(['cem']);
    expect(scene.state.excluded).toEqual([]);
  });
});

describe('the state', () => {
  it('that is carried on stays under 64 KB with the longest names and the most commands', () => {
    const name = (letter: string): string => letter.repeat(128);
    const persons = PERSONS.slice(0, 4).map((person, index) => ({ ...person, id: name('abcd'.charAt(index)) }));
    const scene = new Scene(inputOf('determination'), peopleOf(...persons));
    Object.assign(scene, { reviewId: `review/${'t'.repeat(64)}/${'k'.repeat(128)}/0123456789ab` });
    for (let count = 0; count < 400; count += 1)
      scene.send(name('abcd'.charAt(count % 4)), 'claim', {}, { commandId: String(count).padStart(64, 'c') });
    for (const letter of 'ab') scene.claimAndVote(name(letter), 'PROCEED');
    const { people: _people, ...carried } = scene.state;
    expect(carried.seen.length).toBeGreaterThan(20);
    expect(JSON.stringify(carried).length).toBeLessThan(65_536);
  });
});

// ---- any people, any commands, any times

const who = fc.constantFrom(...PERSONS.map(({ id }) => id), 'nobody');
const tier = fc.constantFrom(...REVIEW_TIERS);

type Step =
  | { readonly is: 'command'; readonly by: string; readonly action: ReviewAction; readonly pick: number; readonly again: boolean }
  | { readonly is: 'pass'; readonly ms: number }
  | { readonly is: 'leave'; readonly who: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      is: fc.constant('command' as const),
      by: who,
      action: fc.oneof(fc.constantFrom('claim' as const, 'decide' as const), fc.constantFrom(...REVIEW_ACTIONS)),
      pick: fc.nat(),
      again: fc.integer({ min: 0, max: 4 }).map((one) => one === 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('pass' as const), ms: fc.constantFrom(1, 29_999, 30_000, 30 * MINUTE, 5 * HOUR) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('pass' as const), ms: fc.constantFrom(DAY, 3 * DAY, 7 * DAY) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('leave' as const), who }) },
);

/** A payload that is often right: with the epoch of a claim that somebody has, in the tier that holds. */
function payloadOf(state: ReviewState, action: ReviewAction, by: string, pick: number): object {
  const claim = state.claims.find((one) => one.by === by) ?? state.claims[0];
  const epoch = pick % 5 === 0 ? (pick % 7) + 1 : (claim?.epoch ?? 1);
  switch (action) {
    case 'decide':
      return decision(pick % 11 === 0 ? 'triage' : state.tier, pick % 3 === 0 ? 'HALT' : 'PROCEED', epoch);
    case 'unclaim':
      return { epoch };
    case 'comment':
      return { text: 'x'.repeat(1 + (pick % 4_000)) };
    case 'escalate':
      return { to: REVIEW_TIERS[pick % 3] ?? 'triage', reason: 'more' };
    case 'recuse':
      return { code: 'OTHER' };
    case 'assign':
      return { to: PERSONS[pick % PERSONS.length]?.id ?? 'ann' };
    case 'withdraw':
      return pick % 4 === 0 ? { reason: 'not needed' } : {};
    default:
      return {};
  }
}

/** Mostly whoever may: chance alone decides hardly anything. */
function senderOf({ claims, votes }: ReviewState, { by, action, pick }: Extract<Step, { is: 'command' }>): string {
  if (pick % 4 === 0) return by;
  if (action === 'decide' || action === 'unclaim') return claims[pick % Math.max(1, claims.length)]?.by ?? by;
  return action === 'undo' ? (votes.at(-1)?.by ?? by) : by;
}

const mayDecide = (id: string): boolean => ['ann', 'bob', 'cem', 'dee', 'only-moderator'].includes(id);

/** Does one step and looks at what must hold after each. */
function walk(scene: Scene, one: Step, sent: { action: ReviewAction; given: unknown }[]): void {
  const before = scene.state;
  const count = scene.entries.length;
  if (one.is === 'pass') scene.pass(one.ms);
  else if (one.is === 'leave') scene.change(peopleOf(...(scene.state.people?.persons ?? []).filter(({ id }) => id !== one.who)));
  else {
    const old = one.again ? sent[one.pick % Math.max(1, sent.length)] : undefined;
    const by = senderOf(before, one);
    const payload = payloadOf(before, one.action, by, one.pick);
    const { action, given } = old ?? { action: one.action, given: scene.command(by, one.action, payload) };
    const answer = scene.deliver(action, given);
    const isTaken = typeof answer !== 'string' && answer.duplicate !== true;
    // What was refused, or taken before, changes nothing.
    if (!isTaken) expect(scene.state).toBe(before);
    expect(scene.entries.length - count).toBe(isTaken ? 1 : 0);
    if (isTaken) sent.push({ action, given });
    scene.settle();
  }
  expect(scene.state.epoch).toBeGreaterThanOrEqual(before.epoch);
  if (before.outcome !== undefined) expect(scene.state.outcome).toEqual(before.outcome);
  const { claims, votes } = scene.state;
  expect(new Set(votes.map(({ by }) => by)).size).toBe(votes.length);
  expect(claims.some(({ by }) => votes.some((vote) => vote.by === by))).toBe(false);
  expect(claims.length + votes.length).toBeLessThanOrEqual(Math.max(quorumOf(scene.state.tier), votes.length));
  const due = nextDue(scene.moment())?.atMs;
  if (due !== undefined) expect(due).toBeGreaterThan(scene.nowMs);
}

describe('whatever people send, in whatever order and at whatever times', () => {
  const scenes = fc.record({
    at: tier,
    steps: fc.array(step, { minLength: 10, maxLength: 50, size: 'max' }),
    requester: fc.constantFrom(undefined, 'ann'),
  });

  it('a review proceeds only on votes of as many people as the tier asks for, who may decide and said so in that tier', () => {
    let proceeded = 0;
    fc.assert(
      fc.property(scenes, ({ at, steps, requester }) => {
        const scene = new Scene(inputOf(at, requester !== undefined ? { requester } : {}));
        const sent: { action: ReviewAction; given: unknown }[] = [];
        for (const one of steps) walk(scene, one, sent);
        const { outcome, deciders, permit, tier: last } = scene.result();
        expect(permit !== undefined).toBe(scene.state.outcome !== undefined && outcome === 'PROCEEDED');
        if (permit === undefined) return;
        proceeded += 1;
        expect(new Set(deciders.map(({ by }) => by)).size).toBe(quorumOf(last));
        const since = scene.entries.findLastIndex(({ entry }) => entry.type === 'escalate');
        for (const { by } of deciders) {
          expect(mayDecide(by) && by !== requester).toBe(true);
          const said = scene.entries.slice(since + 1).filter(({ entry }) => entry.type === 'decide' && entry.by === by);
          expect(said.at(-1)?.entry.facts).toMatchObject({ disposition: 'PROCEED', tier: last });
          expect(scene.entries.some(({ entry }) => entry.type === 'recuse' && entry.by === by)).toBe(false);
        }
      }),
      { numRuns: 500, seed: 7 },
    );
    // Otherwise the property above has looked at nothing.
    expect(proceeded).toBeGreaterThan(30);
  });

  it('the chain is whole, epochs rise with each claim, at most one outcome is written, and the state stays small', () => {
    fc.assert(
      fc.property(scenes, ({ at, steps }) => {
        const scene = new Scene(inputOf(at));
        const sent: { action: ReviewAction; given: unknown }[] = [];
        for (const one of steps) walk(scene, one, sent);
        expect(scene.problem()).toBeUndefined();
        expect(scene.entries.map(({ entry }) => entry.seq)).toEqual(scene.entries.map((_one, index) => index + 1));
        const epochs = scene.entries.flatMap(({ entry }) => (typeof entry.facts?.['epoch'] === 'number' ? [entry.facts['epoch']] : []));
        expect(epochs.every((epoch, index) => index === 0 || epoch > (epochs[index - 1] ?? 0))).toBe(true);
        const outcomes = scene.entries.filter(({ entry }) => entry.facts?.['outcome'] !== undefined || entry.type === 'withdraw');
        expect(outcomes.length).toBe(scene.state.outcome === undefined ? 0 : 1);
        const { people: _people, ...carried } = scene.state;
        expect(JSON.stringify(carried).length).toBeLessThan(65_536);
        expect(JSON.parse(JSON.stringify(carried))).toEqual(carried);
      }),
      { numRuns: 200 },
    );
  });
});
