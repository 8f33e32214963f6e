/** The instants of a review: which come, in which order, each once, and that time is what the clock says and not what a timer did. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { climb, fireDue, nextDue, promisedMs } from '../../src/domain/review/clock.js';
import { DAY, HOUR, inputOf, MINUTE, Scene, T0 } from './review-scene.js';

/** All that is due from now on, each at its own instant, until the review is over or so much time has passed. */
function run(scene: Scene, untilMs = T0 + 30 * DAY): void {
  for (let due = nextDue(scene.moment())?.atMs; due !== undefined && due <= untilMs; due = nextDue(scene.moment())?.atMs) {
    scene.nowMs = Math.max(scene.nowMs, due);
    scene.settle();
  }
}

const typesOf = (scene: Scene): string[] => scene.entries.map(({ entry }) => entry.type);
const hoursOf = (scene: Scene): [string, number][] => scene.told.map(({ event, atMs }) => [event, (atMs - T0) / HOUR]);

describe('a review that nobody touches', () => {
  it('reminds, climbs and expires at its instants, each once', () => {
    const scene = new Scene();
    run(scene);
    expect(hoursOf(scene)).toEqual([
      ['review_opened', 0],
      ['review_claim_overdue', 4],
      ['review_ladder', 5],
      ['review_reminder', 12],
      ['review_reminder', 19.2],
      ['review_decide_overdue', 24],
      ['review_ladder', 30],
      ...[48, 72, 96, 120, 144].map((hour): [string, number] => ['review_decide_overdue', hour]),
      ['review_decided', 168],
    ]);
    expect(scene.told.filter(({ event }) => event === 'review_ladder').map(({ channel, rung }) => [channel, rung])).toEqual([
      ['lead', 1],
      ['board', 2],
    ]);
    expect(scene.result()).toMatchObject({ outcome: 'EXPIRED', deciders: [] });
  });

  it('has nothing due in the past and fires the same however time passes, once each', () => {
    const all = typesOf(((scene) => (run(scene), scene))(new Scene()));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * DAY }), { maxLength: 40 }), (steps) => {
        const scene = new Scene();
        for (const ms of [...steps, 8 * DAY]) {
          scene.pass(ms);
          const due = nextDue(scene.moment())?.atMs;
          if (due !== undefined) expect(due).toBeGreaterThan(scene.nowMs);
        }
        expect(typesOf(scene)).toEqual(all);
      }),
    );
  });
});

describe('of two at one instant', () => {
  it('expiry stands before the end of a lease and before reminders', () => {
    const scene = new Scene(
      inputOf('acknowledgement', {
        rules: { ...inputOf('triage').rules, times: { claimByMs: HOUR, leaseMs: HOUR, decideByMs: HOUR, expiresMs: HOUR }, ladder: [] },
      }),
    );
    scene.pass(HOUR - 1);
    scene.state = { ...scene.state, claims: [{ by: 'ann', epoch: 1, untilMs: T0 + HOUR }] };
    scene.nowMs = T0 + HOUR;
    expect(fireDue(scene.moment())?.state.outcome?.is).toBe('EXPIRED');
  });
});

describe('a claim', () => {
  it('stops the clock of claim-by; its end starts it anew', () => {
    const scene = new Scene();
    scene.pass(3 * HOUR);
    scene.claim('ann');
    expect(promisedMs(scene.moment())).toBe(T0 + DAY);
    scene.pass(30 * MINUTE);
    expect(typesOf(scene)).toEqual(['opened', 'claim', 'lease_over']);
    expect(promisedMs(scene.moment())).toBe(T0 + 7.5 * HOUR);
    run(scene, T0 + 8 * HOUR);
    expect(hoursOf(scene)).toEqual([
      ['review_opened', 0],
      ['review_ladder', 5],
      ['review_claim_overdue', 7.5],
    ]);
  });

  it('whose lease is over counts a new epoch, so that what quoted the old one stays stale', () => {
    const scene = new Scene();
    const epoch = scene.claim('ann');
    scene.pass(30 * MINUTE);
    const next = scene.claim('ann');
    expect(next).toBeGreaterThan(epoch + 1);
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('CLAIM_STALE');
  });

  it('moves no deadline of the review', () => {
    const scene = new Scene();
    scene.pass(7 * DAY - MINUTE);
    scene.claim('ann');
    scene.pass(MINUTE);
    expect(scene.result().outcome).toBe('EXPIRED');
  });
});

describe('a decision', () => {
  it('that came in time stands, though it takes effect after the expiry', () => {
    const scene = new Scene(inputOf('triage'));
    scene.pass(7 * DAY - 1_000);
    scene.claimAndVote('ann', 'PROCEED');
    scene.pass(29_000);
    expect(scene.state.outcome).toBeUndefined();
    scene.pass(HOUR);
    expect(scene.result().outcome).toBe('PROCEEDED');
  });

  it('that is undone after the expiry leaves nothing but the expiry', () => {
    const scene = new Scene(inputOf('triage'));
    scene.pass(7 * DAY - 1_000);
    scene.claimAndVote('ann', 'PROCEED');
    scene.nowMs += 2_000;
    scene.send('ann', 'undo');
    expect(scene.send('ann', 'decide', { disposition: 'PROCEED', epoch: scene.state.epoch, code: 'false_positive' })).toBe('EXPIRED');
    scene.settle();
    expect(scene.result().outcome).toBe('EXPIRED');
  });

  it('at the very instant of the expiry is too late', () => {
    const scene = new Scene();
    scene.nowMs = T0 + 7 * DAY - MINUTE;
    const epoch = scene.claim('ann');
    scene.nowMs = T0 + 7 * DAY;
    expect(scene.vote('ann', 'PROCEED', epoch)).toBe('EXPIRED');
  });
});

describe('the ladder', () => {
  it('climbs at once when people could not be told, and not twice for one rung', () => {
    const scene = new Scene();
    const first = climb(scene.moment());
    if (first !== undefined) scene.take(first);
    run(scene, T0 + 31 * HOUR);
    expect(scene.told.filter(({ event }) => event === 'review_ladder').map(({ rung, atMs }) => [rung, (atMs - T0) / HOUR])).toEqual([
      [1, 0],
      [2, 30],
    ]);
    expect(climb(scene.moment())).toBeUndefined();
  });

  it('has no rung above a review that is over', () => {
    const scene = new Scene();
    scene.end('WITHDRAWN');
    expect(climb(scene.moment())).toBeUndefined();
    expect(nextDue(scene.moment())?.atMs).toBeUndefined();
  });
});
