/** What of an account counts as a no of people. */
import { expect, it } from 'vitest';
import type { EntryType, HashedEntry } from '../../src/domain/review/chain.js';
import type { ReviewStatus } from '../../src/domain/review/review.js';
import { stillOpen, wasHalted } from '../../src/review/release-checks.js';

type Said = readonly [type: EntryType, from: ReviewStatus, to: ReviewStatus, disposition?: 'PROCEED' | 'HALT'];

const entriesOf = (said: readonly Said[]): HashedEntry[] =>
  said.map(([type, from, to, disposition], index) => ({
    entry: {
      v: 1,
      reviewId: 'review/t/k/1',
      seq: index + 1,
      prevHash: 'p',
      at: '2026-01-01T00:00:00.000Z',
      type,
      from,
      to,
      ...(disposition !== undefined ? { facts: { disposition } } : {}),
    },
    hash: `h${index + 1}`,
  }));

const HALT: Said = ['decide', 'CLAIMED', 'COMMITTING', 'HALT'];
const PROCEED: Said = ['decide', 'CLAIMED', 'COMMITTING', 'PROCEED'];
const COMMENT: Said = ['comment', 'COMMITTING', 'COMMITTING'];
const UNDO: Said = ['undo', 'COMMITTING', 'CLAIMED'];

it.each<[string, readonly Said[], boolean]>([
  ['that took effect', [HALT, ['decided', 'COMMITTING', 'HALTED']], true],
  ['that took effect before a reset', [HALT, ['decided', 'COMMITTING', 'HALTED'], ['quarantined', 'HALTED', 'QUARANTINED']], true],
  ['whose run was ended from outside before it took effect', [HALT], true],
  ['about which somebody has said a word since', [HALT, COMMENT], true],
  ['before whose effect the review was cancelled', [HALT, ['cancelled', 'COMMITTING', 'CANCELLED']], true],
  ['before whose effect a newer verdict came', [HALT, COMMENT, ['withdrawn', 'COMMITTING', 'WITHDRAWN']], true],
  ['that was undone', [HALT, UNDO], false],
  ['that was undone, and then the contrary was said', [HALT, UNDO, PROCEED], false],
  ['of somebody who had left by then', [HALT, ['vote_void', 'COMMITTING', 'OPEN'], ['expired', 'OPEN', 'EXPIRED']], false],
  ['that nobody has given', [PROCEED, ['cancelled', 'COMMITTING', 'CANCELLED']], false],
])('a halt %s: %j', (_what, said, expected) => {
  expect(wasHalted({ entries: entriesOf(said) })).toBe(expected);
});

it.each<[string, readonly Said[], string]>([
  ['of which nobody has decided', [['opened', 'OPENING', 'OPEN']], 'people have not decided yet: r is open'],
  ['with a first vote', [['decide', 'CLAIMED', 'AWAITING_SECOND', 'PROCEED']], 'people have not decided yet'],
  ['whose decision was undone', [HALT, UNDO], 'people have not decided yet'],
  ['that is decided', [HALT, COMMENT], 'people have decided, which has yet to take effect'],
])('a review %s is open, which is told', (_what, said, says) => {
  expect(stillOpen({ reviewId: 'r', entries: entriesOf(said) })).toContain(says);
});

it('a review that is decided in triage says until when that can be undone', () => {
  const [{ entry, hash } = { entry: undefined, hash: '' }] = entriesOf([HALT]);
  if (entry === undefined) throw new Error('there is no entry');
  expect(stillOpen({ reviewId: 'r', entries: [{ entry: { ...entry, facts: { tier: 'triage' } }, hash }] })).toBe(
    'people have decided, which takes effect at 2026-01-01T00:00:30.000Z unless it is undone: r is open until then',
  );
});
