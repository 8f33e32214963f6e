/** Histories of reviews put together by hand: chains of runs, some of which are gone, and commands that were refused after all. */
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../src/client-calls.js';
import { readReview } from '../../src/review/read-review.js';
import { firstOf, type HistoryEvent, type Recorded } from '../../src/review/recorded.js';
import { verifyReview } from '../../src/review/verify.js';

const loadedDataConverter = { payloadConverter: defaultPayloadConverter, payloadCodecs: [] };
const host = { client: { options: { loadedDataConverter } }, namespace: 'default', deployment: 'd' } as unknown as Host;
const ID = 'review/acme/k/098bd18de8d7';

const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value)] });

const startedBy = (originalExecutionRunId: string, continuedExecutionRunId = ''): HistoryEvent => ({
  workflowExecutionStartedEventAttributes: { originalExecutionRunId, continuedExecutionRunId, input: payloads({ v: 1 }) },
});

const accepted = (eventId: number, name: string, updateId: string): HistoryEvent =>
  ({
    eventId,
    workflowExecutionUpdateAcceptedEventAttributes: {
      acceptedRequest: { meta: { updateId }, input: { name, args: payloads({ updateId }) } },
    },
  }) as unknown as HistoryEvent;

const completed = (acceptedEventId: number, outcome: object): HistoryEvent =>
  ({ workflowExecutionUpdateCompletedEventAttributes: { acceptedEventId, outcome } }) as unknown as HistoryEvent;

const recordedIn = (newest: string, runs: Readonly<Record<string, readonly HistoryEvent[]>>): Recorded => ({
  newestRun: async () => newest,
  events: async (_id, runId) => runs[runId],
});

describe('a review', () => {
  it('is read from all runs of its chain, the oldest first', async () => {
    const record = await readReview(host, ID, recordedIn('c', { a: [startedBy('a')], b: [startedBy('b', 'a')], c: [startedBy('c', 'b')] }));
    expect(record).toMatchObject({ isWhole: true, isReset: false, input: { v: 1 } });
    expect(record.runs.map(({ runId }) => runId)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['the first run is gone', { c: [startedBy('c', 'b')] }, 'run'],
    ['a run goes on from itself', { c: [startedBy('c', 'c')] }, 'run'],
    ['an older run came of a reset', { b: [startedBy('a')], c: [startedBy('c', 'b')] }, 'run b'],
    ['the newest run came of a reset', { c: [startedBy('b')] }, 'run c'],
    ['a run does not say where it came from', { c: [{}] }, 'run c'],
  ])('is not sound when %s', async (_what, runs, record) => {
    expect(verifyReview(await readReview(host, ID, recordedIn('c', runs)))).toMatchObject({ sound: false, problem: { record } });
  });

  it('is not there when its newest run is gone', async () => {
    await expect(readReview(host, ID, recordedIn('c', {}))).rejects.toMatchObject({ code: 'EVALUATION_NOT_FOUND' });
  });

  it('is read where it stands first, and its older runs where they still are', async () => {
    const server = recordedIn('c', { c: [startedBy('c', 'b')] });
    const archive = recordedIn('b', { b: [startedBy('b')], c: [startedBy('forged')] });
    const used: string[] = [];
    const record = await readReview(
      host,
      ID,
      firstOf(server, archive, () => used.push('archive')),
    );
    expect(record).toMatchObject({ isWhole: true, isReset: false, runs: [{ runId: 'b' }, { runId: 'c' }] });
    expect(used).toEqual([]);
    const gone: Recorded = { newestRun: async () => undefined, events: async () => undefined };
    expect(
      await readReview(
        host,
        ID,
        firstOf(gone, archive, () => used.push('archive')),
      ),
    ).toMatchObject({ runs: [{ runId: 'b' }] });
    expect(used).toEqual(['archive']);
  });

  it('has the commands that its validators let pass, and tells which its handlers refused after all', async () => {
    const events = [
      startedBy('a'),
      accepted(5, 'claim', 'one'),
      accepted(6, 'claim', 'two'),
      completed(5, { success: payloads({}) }),
      completed(6, { failure: { message: 'CLAIM_TAKEN' } }),
      accepted(9, 'something else', 'three'),
    ];
    expect((await readReview(host, ID, recordedIn('a', { a: events }))).commands).toEqual([
      { action: 'claim', command: { updateId: 'one' }, updateId: 'one' },
      { action: 'claim', command: { updateId: 'two' }, updateId: 'two', refused: true },
    ]);
  });
});
