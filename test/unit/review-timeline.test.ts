/** Entries of a chain with the words of the commands behind them. */
import { expect, it } from 'vitest';
import type { EntryType, HashedEntry } from '../../src/domain/review/chain.js';
import type { AcceptedCommand } from '../../src/review/review-record.js';
import { timelineOf } from '../../src/review/timeline.js';

const entryOf = (seq: number, type: EntryType, commandId?: string): HashedEntry => ({
  entry: {
    v: 1,
    reviewId: 'review/t/k/1',
    seq,
    prevHash: 'p',
    at: '2026-01-01T00:00:00.000Z',
    type,
    from: 'OPEN',
    to: 'OPEN',
    ...(commandId !== undefined ? { commandId } : {}),
  },
  hash: `h${seq}`,
});

const said = (commandId: string, text: string, more: Partial<AcceptedCommand> = {}): AcceptedCommand => ({
  action: 'comment',
  updateId: `comment:${commandId}`,
  command: { v: 1, commandId, payload: { text } },
  ...more,
});

it('an entry has the words of the command that it tells of, never those of one that was refused or is none', () => {
  const entries = [entryOf(1, 'opened'), entryOf(2, 'comment', 'command-1'), entryOf(3, 'comment', 'command-2')];
  const commands: AcceptedCommand[] = [
    said('command-1', 'taken'),
    said('command-1', 'refused after all', { refused: true }),
    { action: 'comment', updateId: 'x', command: 42 },
    { action: 'comment', updateId: 'y', command: { commandId: 'command-2', payload: 'no words' } },
  ];
  const timeline = timelineOf({ entries, commands });
  expect(timeline.map(({ payload }) => payload)).toEqual([undefined, { text: 'taken' }, undefined]);
  expect(timeline.map(({ hash }) => hash)).toEqual(['h1', 'h2', 'h3']);
});
