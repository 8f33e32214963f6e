/** What counts as a halt of people, in a review that came to no end of its own. */
import { describe, expect, it } from 'vitest';
import { wasHalted } from '../../src/review/release-checks.js';
import { inputOf, Scene } from './review-scene.js';

const isHalted = ({ entries }: Scene): boolean => wasHalted({ entries });

describe('a vote to halt that was ended from outside', () => {
  it('counts as soon as it is in, whatever is said after it', () => {
    const scene = new Scene(inputOf('triage'));
    const epoch = scene.claim('ann');
    expect(isHalted(scene)).toBe(false);
    scene.vote('ann', 'HALT', epoch);
    expect(isHalted(scene)).toBe(true);
    scene.send('bob', 'comment', { text: 'rightly so' });
    expect(scene.entries.at(-1)?.entry).toMatchObject({ type: 'comment', to: 'COMMITTING' });
    expect(isHalted(scene)).toBe(true);
  });

  it('does not count when it was taken back, and one to proceed never does', () => {
    const scene = new Scene(inputOf('triage'));
    scene.vote('ann', 'HALT', scene.claim('ann'));
    scene.send('ann', 'undo');
    expect(isHalted(scene)).toBe(false);
    scene.vote('ann', 'PROCEED', scene.claim('ann'));
    expect(isHalted(scene)).toBe(false);
  });
});
