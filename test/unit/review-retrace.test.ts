/** Accounts of reviews with everything that can happen in one, made by the moves of the domain: each is sound, and no forged one is. */
import { describe, expect, it } from 'vitest';
import { reviewId } from '../../src/contract.js';
import { contentHash, hashJson } from '../../src/digest.js';
import { hashed, type HashedEntry } from '../../src/domain/review/chain.js';
import { climb, fireDue } from '../../src/domain/review/clock.js';
import { judgeCommand, type Moment } from '../../src/domain/review/guard.js';
import { applyCommand, changePeople, commit, endBy, open, openingState, voidVotes, type Moved } from '../../src/domain/review/moves.js';
import { notDeciding, resultOf } from '../../src/domain/review/outcome.js';
import type { People } from '../../src/domain/review/people.js';
import type { ReviewTier } from '../../src/domain/review/policy.js';
import type { ReviewAction, ReviewInput, ReviewState } from '../../src/domain/review/review.js';
import { makeKeyPair, type KeyPair } from '../../src/review/keys.js';
import type { AcceptedCommand } from '../../src/review/review-record.js';
import { signCommand } from '../../src/review/sign.js';
import { verifyReview, type Verifiable } from '../../src/review/verify.js';
import { printedReport } from './report-fixture.js';
import { ann, bob, NOW_MS, peopleOf, personOf, signerOf } from './review-fixture.js';

const HOUR_MS = 3_600_000;
const RUN = '01a2240b-6fc4-75ee-bd7f-098bd18de8d7';
const KEYS: Readonly<Record<string, KeyPair>> = { ann, bob };
const BOTH = peopleOf(personOf('ann', ann), personOf('bob', bob));
const REASON = 'it was said in public, and it names nobody at all here';

function inputOf(tier: ReviewTier): ReviewInput {
  const printed = printedReport();
  const report = {
    ...printed,
    tenant: 'acme',
    evaluationId: 'acme/k',
    contentHash: contentHash('text'),
    reasons: [{ code: 'RULE', rule: 'bad', message: 'looks bad', effect: 'escalate' as const }],
  };
  const packet = { content: 'text', context: {}, report };
  const times = { claimByMs: HOUR_MS, leaseMs: HOUR_MS / 2, decideByMs: 4 * HOUR_MS, expiresMs: 24 * HOUR_MS };
  const groups = ['reviewers'];
  return {
    v: 1,
    deployment: 'd',
    tenant: 'acme',
    evaluationId: 'acme/k',
    evaluationRunId: RUN,
    tier,
    queue: 'reviews',
    rules: {
      reviewers: { triage: groups, acknowledgement: groups, determination: groups },
      leads: groups,
      reasons: ['fine'],
      times,
      ladder: [{ afterMs: 2 * HOUR_MS, notify: 'leads' }],
    },
    packet,
    reportHash: hashJson(report),
    packetDigest: hashJson(packet),
  };
}

/** A review without a server. */
class Scene {
  readonly reviewId = reviewId('acme/k', RUN);
  readonly entries: HashedEntry[] = [];
  readonly commands: AcceptedCommand[] = [];
  readonly people: People[] = [];
  nowMs = NOW_MS;
  state: ReviewState;

  constructor(readonly input: ReviewInput) {
    this.state = openingState(this.nowMs, input);
    this.nowMs += 10;
    this.people.push(BOTH);
    this.take(open(this.moment(), BOTH, false));
  }

  moment(): Moment {
    return { reviewId: this.reviewId, input: this.input, state: this.state, nowMs: this.nowMs };
  }

  take({ state, entry }: Moved): void {
    this.state = state;
    this.entries.push(entry);
  }

  act(person: string, action: ReviewAction, payload: object): void {
    const key = KEYS[person];
    if (key === undefined) throw new Error('nobody of this name');
    const commandId = `command-${this.commands.length}`;
    const { reviewId: id, input, nowMs } = this;
    const fields = { tenant: 'acme', reviewId: id, action, commandId, payload, packetDigest: input.packetDigest };
    const command = { v: 1, commandId, payload, assertion: signCommand(signerOf(person, key), fields, nowMs) };
    const judged = judgeCommand(this.moment(), action, command, true);
    if (!judged.ok) throw new Error(judged.code);
    this.commands.push({ action, command, updateId: commandId });
    this.take(applyCommand(this.moment(), judged.command, judged.by));
  }

  /** All that is due in this time. */
  pass(ms: number): void {
    this.nowMs += ms;
    for (let due = fireDue(this.moment()); due !== undefined; due = fireDue(this.moment())) this.take(due);
  }

  learn(people: People): void {
    this.people.push(people);
    const moved = changePeople(this.moment(), people, false);
    if (moved.entry === undefined) this.state = moved.state;
    else this.take(moved);
  }

  /** As a run does that another one goes on from. */
  goOn(): void {
    const { people: known, ...carried } = this.state;
    this.state = carried;
    this.learn(known ?? BOTH);
  }

  record(): Verifiable {
    const isOver = this.state.outcome !== undefined;
    return {
      reviewId: this.reviewId,
      status: isOver ? 'completed' : 'running',
      isWhole: true,
      isReset: false,
      runs: [{ runId: RUN, originalRunId: RUN }],
      input: this.input,
      openedAt: new Date(NOW_MS).toISOString(),
      entries: this.entries,
      commands: this.commands,
      people: this.people,
      ...(isOver ? { result: resultOf(this.moment()) } : {}),
    };
  }

  get types(): string[] {
    return this.entries.map(({ entry }) => entry.type);
  }
}

const voteOf = (epoch: number) => ({
  disposition: 'PROCEED',
  epoch,
  signals: [{ id: 'r1', reason: REASON }],
  rationale: `${REASON}; see the transcript`,
});

const SOUND = { sound: true, unsigned: [] };

describe('an account', () => {
  it('of a determination that went through leases, reminders, the ladder, a run that went on and an undo is sound at every step', () => {
    const scene = new Scene(inputOf('acknowledgement'));
    const step = (): void => expect(verifyReview(scene.record())).toEqual(SOUND);
    step();
    scene.act('ann', 'claim', {});
    scene.act('ann', 'comment', { text: 'I look at it' });
    scene.pass(HOUR_MS);
    step();
    scene.goOn();
    step();
    scene.learn(peopleOf(...BOTH.persons, personOf('cem', makeKeyPair())));
    step();
    scene.pass(2 * HOUR_MS);
    scene.act('bob', 'assign', { to: 'ann' });
    scene.act('ann', 'escalate', { to: 'determination', reason: 'two should look' });
    scene.act('bob', 'claim', {});
    scene.act('bob', 'unclaim', { epoch: scene.state.epoch });
    step();
    scene.act('ann', 'claim', {});
    scene.act('ann', 'decide', voteOf(scene.state.epoch));
    scene.act('bob', 'claim', {});
    scene.act('bob', 'decide', voteOf(scene.state.epoch));
    step();
    expect(notDeciding(scene.moment())).toEqual([]);
    scene.take(commit(scene.moment()));
    step();
    expect(scene.types).toEqual(
      expect.arrayContaining(['lease_over', 'claim_overdue', 'reminder', 'ladder', 'people_changed', 'assign', 'decided']),
    );
    expect(scene.record().result).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }, { by: 'bob' }] });
  });

  it('of a vote that became void, an early rung, an undo and an expiry is sound', () => {
    const scene = new Scene(inputOf('triage'));
    const early = climb(scene.moment());
    if (early === undefined) throw new Error('there is no rung');
    scene.take(early);
    scene.act('ann', 'claim', {});
    scene.act('ann', 'decide', { disposition: 'PROCEED', epoch: scene.state.epoch, code: 'fine' });
    scene.act('ann', 'undo', {});
    scene.act('ann', 'decide', { disposition: 'PROCEED', epoch: scene.state.epoch, code: 'fine' });
    scene.nowMs += 30_000;
    scene.learn(peopleOf(personOf('bob', bob)));
    scene.take(voidVotes(scene.moment(), notDeciding(scene.moment())));
    expect(verifyReview(scene.record())).toEqual(SOUND);
    scene.act('bob', 'recuse', { code: 'LANGUAGE' });
    scene.pass(30 * HOUR_MS);
    expect(scene.types.at(-1)).toBe('expired');
    expect(verifyReview(scene.record())).toEqual(SOUND);
  });

  it.each([
    ['withdrawn by a lead', (scene: Scene) => scene.act('ann', 'withdraw', { reason: 'not needed' })],
    ['superseded', (scene: Scene) => scene.take(endBy(scene.moment(), 'WITHDRAWN', 'superseded'))],
  ])('of a review that was %s is sound', (_how, end) => {
    const scene = new Scene(inputOf('acknowledgement'));
    end(scene);
    expect(verifyReview(scene.record())).toEqual(SOUND);
    expect(scene.record().result).toMatchObject({ outcome: 'WITHDRAWN' });
  });
});

describe('the account of a review that ended before people were known', () => {
  const begun = (end: (moment: Moment) => Moved): Scene => {
    const scene = new Scene(inputOf('acknowledgement'));
    scene.state = openingState(NOW_MS, scene.input);
    scene.entries.length = 0;
    scene.people.length = 0;
    scene.take(end(scene.moment()));
    return scene;
  };

  it('is sound', () => {
    const superseded = begun((moment) => endBy(moment, 'WITHDRAWN', 'superseded'));
    expect(superseded.types).toEqual(['withdrawn']);
    expect(verifyReview(superseded.record())).toEqual(SOUND);
  });

  it('is not sound where somebody has acted all the same', () => {
    const { input, reviewId: id, nowMs } = new Scene(inputOf('acknowledgement'));
    const { entry } = endBy({ reviewId: id, input, state: openingState(NOW_MS, input), nowMs }, 'WITHDRAWN', 'ann').entry;
    const acted = begun(() => ({
      ...endBy({ reviewId: id, input, state: openingState(NOW_MS, input), nowMs }, 'WITHDRAWN', 'ann'),
      entry: hashed({ ...entry, type: 'withdraw', by: 'ann' }),
    }));
    expect(verifyReview(acted.record())).toEqual({
      sound: false,
      problem: { record: 'entry 1', message: 'who might act then is not recorded' },
    });
  });
});

describe('an account is not sound', () => {
  /** Somebody who writes entries by hand, hashes and all. */
  const forge = (scene: Scene, entry: object): Verifiable => {
    const record = scene.record();
    const last = scene.entries.at(-1);
    const base = {
      v: 1 as const,
      reviewId: scene.reviewId,
      seq: scene.entries.length + 1,
      prevHash: last?.hash ?? '',
      at: new Date(scene.nowMs).toISOString(),
    };
    const made = hashed({ ...base, type: 'decided', from: 'OPEN', to: 'PROCEEDED', ...entry });
    return { ...record, entries: [...record.entries, made] };
  };

  it('that ends without a vote', () => {
    const scene = new Scene(inputOf('determination'));
    expect(verifyReview(forge(scene, { facts: { outcome: 'PROCEEDED' } }))).toMatchObject({ sound: false, problem: { record: 'entry 2' } });
  });

  it('that ends with one vote where two are needed', () => {
    const scene = new Scene(inputOf('determination'));
    scene.act('ann', 'claim', {});
    scene.act('ann', 'decide', voteOf(scene.state.epoch));
    expect(verifyReview(scene.record())).toEqual(SOUND);
    expect(verifyReview(forge(scene, { from: 'AWAITING_SECOND', facts: { outcome: 'PROCEEDED' } }))).toMatchObject({
      problem: { record: 'entry 4' },
    });
  });

  it('that has a vote of somebody who may not decide it', () => {
    const scene = new Scene({ ...inputOf('acknowledgement'), author: 'ann' });
    expect(() => scene.act('ann', 'claim', {})).toThrow('SEPARATION_OF_DUTIES');
    // Told as if she had not been the author, on the account of what she signed.
    const other = new Scene(inputOf('acknowledgement'));
    other.act('ann', 'claim', {});
    expect(verifyReview({ ...other.record(), input: scene.input })).toMatchObject({ sound: false, problem: { record: 'entry 1' } });
  });

  it('that leaves out what a person did', () => {
    const scene = new Scene(inputOf('acknowledgement'));
    scene.act('ann', 'claim', {});
    scene.take(endBy(scene.moment(), 'WITHDRAWN', 'superseded'));
    const left = new Scene(inputOf('acknowledgement'));
    left.nowMs = scene.nowMs;
    left.take(endBy(left.moment(), 'WITHDRAWN', 'superseded'));
    expect(verifyReview(left.record())).toEqual(SOUND);
    expect(verifyReview({ ...left.record(), commands: scene.commands })).toMatchObject({ problem: { record: 'command command-0' } });
    // One that was refused after all has no entry, and needs none.
    const refused = scene.commands.map((command) => ({ ...command, refused: true as const }));
    expect(verifyReview({ ...left.record(), commands: refused })).toEqual(SOUND);
  });

  it('whose signature is older than its entry may be', () => {
    const scene = new Scene(inputOf('acknowledgement'));
    scene.act('ann', 'claim', {});
    const later = new Scene(inputOf('acknowledgement'));
    later.nowMs += 400_000;
    const judged = judgeCommand(later.moment(), 'claim', scene.commands[0]?.command, false);
    if (!judged.ok) throw new Error(judged.code);
    later.take(applyCommand(later.moment(), judged.command, judged.by));
    expect(verifyReview({ ...later.record(), commands: scene.commands })).toMatchObject({
      problem: { record: 'entry 2', message: 'its signature does not hold (ASSERTION_EXPIRED)' },
    });
  });
});
