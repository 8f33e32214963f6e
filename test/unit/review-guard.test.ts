/** Who may do what on a review, and when: every refusal by its code, and that it leaves everything as it was. */
import { describe, expect, it } from 'vitest';
import { hashJson } from '../../src/digest.js';
import { REVIEW_ACTIONS, type ReviewAction } from '../../src/domain/review/review.js';
import { peopleOf } from './review-fixture.js';
import { DAY, decision, HOUR, inputOf, MINUTE, PERSONS, REASON, Scene } from './review-scene.js';

const receipt = (status: string) => expect.objectContaining({ status });

describe('separation of duties: a decision is not taken', () => {
  it.each([
    ['from whoever asked for the evaluation', 'ann', { requester: 'ann' }],
    ['from whoever wrote the content', 'ann', { author: 'ann' }],
    ['from an author whom the record knows by an alias', 'dee', { author: 'dee@example.org' }],
    ['from a requester whose name is written in other letters', 'ann', { requester: 'ANN' }],
    ['from a requester whose name is written in wide letters', 'ann', { requester: 'ａｎｎ' }],
    ['from a requester whose name has blanks around it', 'ann', { requester: ' ann\u00a0' }],
    ['from an author whose name has an invisible character', 'ann', { author: 'an\u200bn\ufeff' }],
    ['from a service account', 'robot', {}],
  ])('%s', (_what, who, parties) => {
    const scene = new Scene(inputOf('acknowledgement', parties));
    expect(scene.send(who, 'claim')).toBe('SEPARATION_OF_DUTIES');
    expect(scene.send('chief', 'assign', { to: who })).toBe('SEPARATION_OF_DUTIES');
    expect(scene.send(who, 'decide', decision('acknowledgement', 'PROCEED', 1))).toBe('SEPARATION_OF_DUTIES');
    expect(scene.entries).toHaveLength(1);
  });

  it.each([
    ['of another group', 'only-moderator'],
    ['of another tenant', 'other-tenant'],
    ['who leads but does not review', 'chief'],
  ])('from somebody %s', (_what, who) => {
    const scene = new Scene();
    expect(scene.send(who, 'claim')).toBe('NOT_CANDIDATE');
    expect(scene.send(who, 'recuse', { code: 'OTHER' })).toBe('NOT_CANDIDATE');
    expect(scene.send('chief', 'assign', { to: who })).toBe('NOT_CANDIDATE');
    expect(scene.send(who, 'decide', decision('acknowledgement', 'PROCEED', 1))).toBe('NOT_CANDIDATE');
  });

  it('from somebody who has recused, for good, and their claim is free', () => {
    const scene = new Scene();
    const epoch = scene.claim('ann');
    expect(scene.send('ann', 'recuse', { code: 'CONFLICT' })).toEqual(receipt('OPEN'));
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('SEPARATION_OF_DUTIES');
    expect(scene.send('ann', 'claim')).toBe('SEPARATION_OF_DUTIES');
    expect(scene.send('chief', 'assign', { to: 'ann' })).toBe('SEPARATION_OF_DUTIES');
    expect(scene.send('bob', 'claim')).toEqual(receipt('CLAIMED'));
  });

  it('from somebody whom nobody knows', () => {
    expect(new Scene().send('nobody', 'claim')).toBe('KEY_UNKNOWN');
  });
});

describe('a lead', () => {
  it('assigns to a candidate, whose claim it then is and not that of the lead', () => {
    const scene = new Scene();
    const assigned = scene.send('chief', 'assign', { to: 'ann' });
    expect(assigned).toEqual(expect.objectContaining({ status: 'CLAIMED', epoch: 1 }));
    expect(scene.vote('chief', 'PROCEED', 1)).toBe('NOT_CANDIDATE');
    expect(scene.vote('ann', 'PROCEED', 1)).toEqual(receipt('COMMITTING'));
  });

  it('takes a claim away by assigning, and the vote of whoever had it is stale', () => {
    const scene = new Scene();
    const epoch = scene.claim('ann');
    scene.send('chief', 'assign', { to: 'bob' });
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('CLAIM_STALE');
    expect(scene.state.claims.map(({ by }) => by)).toEqual(['bob']);
  });

  it('does not give the second vote to whoever has the first', () => {
    const scene = new Scene(inputOf('determination'));
    scene.claimAndVote('ann', 'PROCEED');
    expect(scene.send('chief', 'assign', { to: 'ann' })).toBe('FOUR_EYES');
  });

  it('withdraws; so does the requester, and nobody else', () => {
    const scene = new Scene(inputOf('acknowledgement', { requester: 'dee@example.org' }));
    for (const who of ['ann', 'robot', 'only-moderator']) {
      expect(scene.send(who, 'withdraw', { reason: 'not needed' })).toBe('NOT_LEAD');
      expect(scene.send(who, 'assign', { to: 'bob' })).toBe('NOT_LEAD');
    }
    expect(scene.send('dee', 'withdraw', { reason: 'not needed' })).toEqual(receipt('WITHDRAWN'));
    expect(scene.result()).toEqual(expect.objectContaining({ outcome: 'WITHDRAWN', deciders: [] }));
    expect(scene.result()).not.toHaveProperty('permit');
  });
});

describe('a claim', () => {
  it('is one in tiers of one person, two in a determination', () => {
    for (const tier of ['triage', 'acknowledgement'] as const) {
      const scene = new Scene(inputOf(tier));
      scene.claim('ann');
      expect(scene.send('bob', 'claim')).toBe('CLAIM_TAKEN');
    }
    const scene = new Scene(inputOf('determination'));
    scene.claim('ann');
    scene.claim('bob');
    expect(scene.send('cem', 'claim')).toBe('CLAIM_TAKEN');
  });

  it('leaves one place when the first of two votes is in', () => {
    const scene = new Scene(inputOf('determination'));
    scene.claimAndVote('ann', 'PROCEED');
    scene.claim('bob');
    expect(scene.send('cem', 'claim')).toBe('CLAIM_TAKEN');
  });

  it('taken again by its holder has a new epoch, and a vote with the old one is stale', () => {
    const scene = new Scene();
    const first = scene.claim('ann');
    const second = scene.claim('ann');
    expect(second).toBeGreaterThan(first);
    expect(scene.vote('ann', 'PROCEED', first)).toBe('CLAIM_STALE');
    expect(scene.send('ann', 'unclaim', { epoch: first })).toBe('CLAIM_STALE');
    expect(scene.vote('ann', 'PROCEED', second)).toEqual(receipt('COMMITTING'));
  });

  it('of somebody else is no use, even with its epoch', () => {
    const scene = new Scene(inputOf('determination'));
    const epoch = scene.claim('ann');
    expect(scene.vote('bob', 'PROCEED', epoch)).toBe('CLAIM_STALE');
    expect(scene.send('bob', 'unclaim', { epoch })).toBe('CLAIM_STALE');
  });

  it('whose lease is over holds nothing, though its timer has not fired', () => {
    const scene = new Scene();
    const epoch = scene.claim('ann');
    scene.nowMs += 30 * MINUTE;
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('CLAIM_STALE');
    expect(scene.send('bob', 'claim')).toEqual(receipt('CLAIMED'));
    expect(scene.state.claims.map(({ by }) => by)).toEqual(['bob']);
  });

  it('is missing: nothing can be decided without one', () => {
    const scene = new Scene();
    expect(scene.vote('ann', 'PROCEED', 1)).toBe('CLAIM_STALE');
    expect(scene.vote('ann', 'HALT', 1)).toBe('CLAIM_STALE');
  });
});

describe('a determination', () => {
  it('is not made by one person twice', () => {
    const scene = new Scene(inputOf('determination'));
    const epoch = scene.claim('ann');
    scene.claim('bob');
    expect(scene.vote('ann', 'PROCEED', epoch)).toEqual(receipt('AWAITING_SECOND'));
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('FOUR_EYES');
    expect(scene.send('ann', 'claim')).toBe('FOUR_EYES');
  });

  it.each([
    ['no answer', []],
    ['an answer to something else', [{ id: 'r2', reason: `${REASON} ${REASON}` }]],
    ['an answer twice', [1, 2].map((one) => ({ id: 'r1', reason: `${REASON} ${REASON} ${one}` }))],
    ['a reason that is too short', [{ id: 'r1', reason: 'fine by me' }]],
    ['a reason of blanks', [{ id: 'r1', reason: `fine by me${' '.repeat(80)}` }]],
  ])('with %s is refused', (_what, signals) => {
    const scene = new Scene(inputOf('determination'));
    const payload = { ...decision('determination', 'HALT', scene.claim('ann')), signals };
    expect(scene.send('ann', 'decide', payload)).toBe('SIGNALS_UNANSWERED');
  });

  it('without a rationale is refused', () => {
    const scene = new Scene(inputOf('determination'));
    const payload = { ...decision('determination', 'PROCEED', scene.claim('ann')), rationale: 'because' };
    expect(scene.send('ann', 'decide', payload)).toBe('SIGNALS_UNANSWERED');
  });
});

describe('triage', () => {
  it.each([[undefined], ['other_reason'], ['constructor']])('is not decided with the reason %s', (code) => {
    const scene = new Scene(inputOf('triage'));
    const payload = { disposition: 'PROCEED', epoch: scene.claim('ann'), ...(code !== undefined ? { code } : {}) };
    expect(scene.send('ann', 'decide', payload)).toBe('REASON_UNKNOWN');
  });

  it('can be undone by whoever decided, before 30 seconds are over and not a moment later', () => {
    const scene = new Scene(inputOf('triage'));
    scene.claimAndVote('ann', 'PROCEED');
    scene.pass(29_999);
    expect(scene.send('bob', 'undo')).toBe('NOT_YOURS');
    expect(scene.send('ann', 'undo')).toEqual(receipt('CLAIMED'));
    scene.claimAndVote('ann', 'PROCEED');
    scene.nowMs += 30_000;
    expect(scene.send('ann', 'undo')).toBe('NOT_OPEN');
    scene.settle();
    expect(scene.result().outcome).toBe('PROCEEDED');
    expect(scene.send('ann', 'undo')).toBe('NOT_OPEN');
  });
});

describe('escalation', () => {
  it('goes up only', () => {
    const scene = new Scene(inputOf('acknowledgement'));
    expect(scene.send('ann', 'escalate', { to: 'triage', reason: 'less' })).toBe('TIER');
    expect(scene.send('ann', 'escalate', { to: 'acknowledgement', reason: 'same' })).toBe('TIER');
    expect(scene.send('only-moderator', 'escalate', { to: 'determination', reason: 'more' })).toBe('NOT_CANDIDATE');
    expect(scene.send('robot', 'escalate', { to: 'determination', reason: 'more' })).toBe('SEPARATION_OF_DUTIES');
    expect(scene.send('chief', 'escalate', { to: 'determination', reason: 'more' })).toEqual(receipt('OPEN'));
  });

  it('ends claims: what was claimed in the tier below decides nothing above', () => {
    const scene = new Scene(inputOf('acknowledgement'));
    const epoch = scene.claim('ann');
    scene.send('bob', 'escalate', { to: 'determination', reason: 'more' });
    expect(scene.state.claims).toEqual([]);
    expect(scene.send('ann', 'decide', decision('determination', 'PROCEED', epoch))).toBe('CLAIM_STALE');
  });
});

function settled(scene: Scene, disposition: 'PROCEED' | 'HALT'): void {
  scene.claimAndVote('ann', disposition);
  scene.settle();
}

describe('a review that is over or being decided', () => {
  const over: readonly (readonly [string, string, (scene: Scene) => void])[] = [
    ['decided to proceed', 'NOT_OPEN', (scene) => settled(scene, 'PROCEED')],
    ['halted', 'NOT_OPEN', (scene) => settled(scene, 'HALT')],
    ['withdrawn', 'NOT_OPEN', (scene) => void scene.send('chief', 'withdraw', { reason: 'not needed' })],
    ['quarantined', 'NOT_OPEN', (scene) => scene.end('QUARANTINED')],
    ['expired', 'EXPIRED', (scene) => scene.pass(7 * DAY)],
    ['past its expiry, whose timer has not fired', 'EXPIRED', (scene) => void (scene.nowMs += 7 * DAY)],
  ];
  const PAYLOADS: Readonly<Record<ReviewAction, object>> = {
    claim: {},
    unclaim: { epoch: 1 },
    decide: decision('acknowledgement', 'PROCEED', 1),
    undo: {},
    comment: { text: 'late' },
    escalate: { to: 'determination', reason: 'more' },
    recuse: { code: 'OTHER' },
    assign: { to: 'bob' },
    withdraw: { reason: 'not needed' },
  };

  it.each(over)('takes no command: %s', (_what, code, end) => {
    const scene = new Scene();
    end(scene);
    const { state, entries } = scene;
    const length = entries.length;
    for (const action of REVIEW_ACTIONS) expect(scene.send('bob', action, PAYLOADS[action])).toBe(code);
    expect(scene.state).toEqual(state);
    expect(scene.entries).toHaveLength(length);
  });

  it('takes comments while it is being decided, and nothing that would change the decision', () => {
    const scene = new Scene();
    scene.claimAndVote('ann', 'PROCEED');
    for (const action of ['claim', 'unclaim', 'decide', 'escalate', 'recuse', 'assign', 'withdraw'] as const)
      expect(scene.send('chief', action, PAYLOADS[action])).toBe('NOT_OPEN');
    expect(scene.send('bob', 'comment', { text: 'I see' })).toEqual(receipt('COMMITTING'));
  });

  it('answers whoever sends a command again with the receipt of the first time', () => {
    for (const [, , end] of over) {
      const scene = new Scene();
      const command = scene.command('ann', 'comment', { text: 'once' });
      const first = scene.deliver('comment', command);
      end(scene);
      const { length } = scene.entries;
      expect(scene.deliver('comment', command)).toEqual({ ...(first as object), duplicate: true });
      expect(scene.entries).toHaveLength(length);
    }
  });
});

describe('a command that is sent again', () => {
  it('counts once, and with another text, action or person it is a conflict', () => {
    const scene = new Scene();
    const options = { commandId: 'the-command' };
    const first = scene.send('ann', 'comment', { text: 'one' }, options);
    expect(scene.send('ann', 'comment', { text: 'one' }, options)).toEqual({ ...(first as object), duplicate: true });
    expect(scene.send('ann', 'comment', { text: 'two' }, options)).toBe('IDEMPOTENCY_CONFLICT');
    expect(scene.send('bob', 'comment', { text: 'one' }, options)).toBe('IDEMPOTENCY_CONFLICT');
    expect(scene.send('ann', 'withdraw', { reason: 'one' }, options)).toBe('IDEMPOTENCY_CONFLICT');
    expect(scene.entries).toHaveLength(2);
  });

  it('is told from a retry of somebody else, however much others have said since', () => {
    const scene = new Scene();
    const command = scene.command('ann', 'claim', {});
    const first = scene.deliver('claim', command);
    for (let count = 0; count < 300; count += 1) scene.send('bob', 'comment', { text: 'x' });
    expect(scene.deliver('claim', command)).toEqual({ ...(first as object), duplicate: true });
    expect(scene.state.epoch).toBe(1);
  });

  it('speaks of the packet that is under review, or is refused', () => {
    expect(new Scene().send('ann', 'claim', {}, { packetDigest: hashJson('another') })).toBe('PACKET_CHANGED');
  });
});

describe('limits', () => {
  it('end talk, never the decision: whoever comments without end keeps nobody from deciding', () => {
    const scene = new Scene();
    for (const length of [4_000, 100, 1])
      for (let answer: unknown = ''; answer !== 'LIMIT';) answer = scene.send('robot', 'comment', { text: 'x'.repeat(length) });
    expect(scene.claimAndVote('ann', 'HALT')).toEqual(receipt('COMMITTING'));
  });

  it('leave room for the second of two decisions, however long the first was', () => {
    const scene = new Scene(inputOf('determination'));
    const long = { ...decision('determination', 'PROCEED', scene.claim('ann')), signals: [{ id: 'r1', reason: 'x'.repeat(4_000) }] };
    scene.state = { ...scene.state, textBytes: 65_536 - 5_000 };
    expect(scene.send('ann', 'decide', long)).toEqual(receipt('AWAITING_SECOND'));
    expect(scene.send('bob', 'decide', { ...long, epoch: scene.claim('bob') })).toEqual(receipt('COMMITTING'));
  });

  it('hold for all texts together, UTF-8', () => {
    const scene = new Scene(inputOf('triage'));
    scene.state = { ...scene.state, textBytes: 65_536 - 30 };
    const epoch = scene.claim('ann');
    expect(scene.send('ann', 'decide', { disposition: 'PROCEED', epoch, code: 'false_positive', rationale: 'ü'.repeat(10) })).toBe('LIMIT');
    expect(scene.send('ann', 'decide', { disposition: 'PROCEED', epoch, code: 'false_positive' })).toEqual(receipt('COMMITTING'));
  });

  it('are those of one text as well', () => {
    const scene = new Scene();
    expect(scene.send('ann', 'comment', { text: 'ü'.repeat(2_048) })).toEqual(receipt('OPEN'));
    expect(scene.send('ann', 'comment', { text: 'ü'.repeat(2_049) })).toBe('BAD_REQUEST');
  });
});

describe('people', () => {
  it('are nobody before the file was read', () => {
    const scene = new Scene();
    const { people: _people, ...carried } = scene.state;
    scene.state = carried;
    expect(scene.send('ann', 'claim')).toBe('NOT_READY');
  });

  it('who have left decide nothing, and others do', () => {
    const scene = new Scene();
    const epoch = scene.claim('ann');
    scene.change(peopleOf(...PERSONS.filter(({ id }) => id !== 'ann')));
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('KEY_UNKNOWN');
    scene.pass(HOUR);
    expect(scene.claimAndVote('bob', 'PROCEED')).toEqual(receipt('COMMITTING'));
  });
});
