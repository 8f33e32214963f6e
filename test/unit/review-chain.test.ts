/** The account of a review: nothing in it can be changed, left out, put in another place or taken from another review unseen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainProblem, hashed, type HashedEntry } from '../../src/domain/review/chain.js';
import { inputOf, Scene } from './review-scene.js';

function decided(): Scene {
  const scene = new Scene(inputOf('determination'));
  scene.claimAndVote('ann', 'PROCEED');
  scene.send('cem', 'comment', { text: 'I see' });
  scene.claimAndVote('bob', 'PROCEED');
  scene.settle();
  return scene;
}

const scene = decided();
const of = { reviewId: scene.reviewId, reportHash: scene.input.reportHash };
const problemOf = (entries: readonly HashedEntry[]) => chainProblem(entries, of);

describe('a chain', () => {
  it('that was left alone is whole, and so is every beginning of it', () => {
    for (let length = 0; length <= scene.entries.length; length += 1) expect(problemOf(scene.entries.slice(0, length))).toBeUndefined();
  });

  it('begins at the report and names who did what with which command', () => {
    const [first, ...rest] = scene.entries.map(({ entry }) => entry);
    expect(first).toMatchObject({ seq: 1, prevHash: scene.input.reportHash, type: 'opened', from: 'OPENING', to: 'OPEN' });
    for (const { type, ...entry } of rest)
      if (type !== 'decided')
        expect(entry).toMatchObject({ by: expect.any(String), commandId: expect.any(String), assertionHash: expect.any(String) });
    expect(rest.at(-1)).toMatchObject({ type: 'decided', from: 'COMMITTING', to: 'PROCEEDED', facts: { outcome: 'PROCEEDED' } });
  });

  it('holds no words of people', () => {
    expect(JSON.stringify(scene.entries)).not.toMatch(/I see|quote is taken|transcript/);
  });

  it('of which one entry says something else is wrong at that entry', () => {
    fc.assert(
      fc.property(fc.nat(scene.entries.length - 1), fc.constantFrom('by', 'at', 'type', 'from', 'to', 'commandId'), (index, field) => {
        const entries = scene.entries.map((one, at) => (at === index ? { ...one, entry: { ...one.entry, [field]: 'mallory' } } : one));
        expect(problemOf(entries)?.seq).toBe(index + 1);
      }),
    );
  });

  it('of which one entry was made anew with a hash of its own is wrong at the next', () => {
    const last = scene.entries.length - 1;
    for (let index = 0; index < last; index += 1) {
      const entries = scene.entries.map((one, at) => (at === index ? hashed({ ...one.entry, by: 'mallory' }) : one));
      expect(problemOf(entries)?.seq).toBe(index + 2);
    }
  });

  it('of which entries are missing or change places is wrong there', () => {
    for (let index = 0; index < scene.entries.length - 1; index += 1) {
      expect(problemOf(scene.entries.toSpliced(index, 1))?.seq).toBe(index + 1);
      const [one, other] = scene.entries.slice(index, index + 2);
      if (one !== undefined && other !== undefined) expect(problemOf(scene.entries.toSpliced(index, 2, other, one))?.seq).toBe(index + 1);
    }
  });

  it('of another review or another report is not this one', () => {
    expect(chainProblem(scene.entries, { ...of, reviewId: 'review/default/other/0123456789ab' })?.seq).toBe(1);
    expect(chainProblem(scene.entries, { ...of, reportHash: 'f'.repeat(64) })?.seq).toBe(1);
  });

  it('ends at the head of the result, and each receipt is an entry of it', () => {
    expect(scene.entries.at(-1)?.hash).toBe(scene.result().head);
    for (const { receipt } of scene.state.seen)
      expect(scene.entries[receipt.seq - 1]).toMatchObject({ hash: receipt.hash, entry: { prevHash: receipt.prevHash } });
  });
});
