/** The watchdog without a server: what it asks for, what it makes of older servers and of records that were changed. */
import { ServiceError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defaultDataConverter, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { hashJson } from '../../src/digest.js';
import { fullPage, missingPage, operatorChannels, overduePage, stuckPage, terminatedPage } from '../../src/domain/review/pages.js';
import { pickNotification } from '../../src/domain/review/pick-notification.js';
import { mendReview } from '../../src/review/missing-review.js';
import { keepWatchdog } from '../../src/review/watchdog-schedule.js';
import { makeWatchIndex } from '../../src/review/watch-index.js';

const AT = Date.parse('2026-11-28T12:00:00.000Z');
const HOUR = 3_600_000;

/** As much of a client as is asked here. */
const clientOf = (parts: object): Client => parts as unknown as Client;

describe('pages', () => {
  it('of a late review are one for each day of lateness', () => {
    const ids = [0, 1, 23, 24, 47, 48].map((hours) => {
      const { id, rung } = overduePage({ reviewId: 'review/t/k/1' }, AT, AT + hours * HOUR);
      return [id.split('/').at(-1), rung];
    });
    expect(ids).toEqual([1, 1, 1, 2, 2, 3].map((day) => [String(day), day]));
    // A review that was late, was taken up and is late again, is another matter.
    const again = overduePage({ reviewId: 'review/t/k/1' }, AT + HOUR, AT + 2 * HOUR);
    expect(again.id).not.toBe(overduePage({ reviewId: 'review/t/k/1' }, AT, AT + 2 * HOUR).id);
  });

  it('of everything else are one a day', () => {
    const review = { reviewId: 'review/t/k/1', tenant: 't', tier: 'triage' } as const;
    for (const page of [
      (now: number) => stuckPage(review, now),
      (now: number) => terminatedPage(review, now),
      (now: number) => missingPage(review, 'NOT_STARTED', now),
      (now: number) => fullPage('d', 'chat', now),
    ]) {
      expect(page(AT).id).toBe(page(AT + 11 * HOUR).id);
      expect(page(AT).id).not.toBe(page(AT + 13 * HOUR).id);
      expect(pickNotification(page(AT))).toEqual({ ok: true, notification: page(AT) });
    }
  });

  it('go to the channel called oncall, else to all that are not for programs', () => {
    const log = { log: true } as const;
    expect(operatorChannels({ leads: log, oncall: { ...log, events: ['verdict'] } })).toEqual(['oncall']);
    expect(operatorChannels({ leads: log, app: { ...log, events: ['verdict'] }, none: { ...log, events: [] } })).toEqual(['leads']);
    expect(operatorChannels({ app: { ...log, events: ['verdict'] } })).toEqual([]);
    expect(operatorChannels({})).toEqual([]);
  });
});

describe('the question to the index', () => {
  const refusal = (code: number, details: string): ServiceError =>
    new ServiceError('Failed to list', { cause: Object.assign(new Error(details), { code, details, metadata: {} }) });

  function indexOf(answer: (query: string) => Error | undefined) {
    const queries: string[] = [];
    const warnings: string[] = [];
    const client = clientOf({
      workflow: {
        async *list({ query }: { query: string }) {
          queries.push(query);
          const error = answer(query);
          if (error !== undefined) throw error;
          yield* [];
        },
      },
    });
    return { index: makeWatchIndex(client, 'd', (message) => warnings.push(message)), queries, warnings };
  }

  it('is one, about this deployment alone', async () => {
    const { index, queries, warnings } = indexOf(() => undefined);
    expect(await index.look(AT, AT - HOUR)).toEqual({ overdue: [], stuck: [], terminated: [], unreviewed: [] });
    expect(queries).toEqual([
      `(TaskQueue = 'd/reviews' AND WorkflowType = 'review' AND ((ExecutionStatus = 'Running' AND (TribunalReviewDueAt < '2026-11-28T12:00:00.000Z' OR TemporalReportedProblems IS NOT NULL)) OR TribunalReviewOpenedAt > '2026-11-28T10:00:00.000Z' OR (ExecutionStatus = 'Terminated' AND CloseTime > '2026-11-28T11:00:00.000Z'))) OR (TaskQueue = 'd' AND WorkflowType = 'evaluate' AND ExecutionStatus = 'Completed' AND TribunalDecision = 'escalate' AND CloseTime > '2026-11-28T11:00:00.000Z')`,
    ]);
    expect(warnings).toEqual([]);
  });

  it('leaves out what an older server does not know, and says so once', async () => {
    const { index, queries, warnings } = indexOf((query) =>
      query.includes('TemporalReportedProblems') ? refusal(3, 'invalid search attribute: TemporalReportedProblems') : undefined,
    );
    await index.look(AT, AT - HOUR);
    await index.look(AT, AT - HOUR);
    expect(queries.map((query) => query.includes('TemporalReportedProblems'))).toEqual([true, false, false]);
    expect(warnings).toEqual([expect.stringContaining('the server has no search attribute TemporalReportedProblems')]);
  });

  it.each([
    [3, 'invalid search attribute: TribunalReviewDueAt'],
    [14, 'unavailable'],
  ])('that is refused for another reason (%i) fails, and the next one asks for all again', async (code, details) => {
    const { index, queries, warnings } = indexOf(() => refusal(code, details));
    await expect(index.look(AT, AT - HOUR)).rejects.toThrow('Failed to list');
    await expect(index.look(AT, AT - HOUR)).rejects.toThrow('Failed to list');
    expect([queries[0], queries.at(code === 3 ? 2 : 1)].every((query) => query?.includes('TemporalReportedProblems'))).toBe(true);
    expect(warnings).toEqual([]);
  });
});

describe('a missing review', () => {
  const judged = { v: 1, decision: 'escalate', evaluationId: 't/k', tenant: 't', plan: { name: 'chat', version: 1 } };
  const packet = { content: 'text', context: {}, report: judged };
  const reportHash = hashJson(judged);
  const packetDigest = hashJson(packet);
  const report = { ...judged, review: { id: 'review/t/k/1', tier: 'triage', queue: 'reviews', reportHash, packetDigest } };
  const rules = { reviewers: {}, leads: [], reasons: [], times: { claimByMs: 1, leaseMs: 1, decideByMs: 1, expiresMs: 1 }, ladder: [] };
  const about = { v: 1, deployment: 'd', tenant: 't', evaluationId: 't/k', evaluationRunId: 'r', tier: 'triage', queue: 'reviews', rules };
  const input = { ...about, packet, reportHash, packetDigest };

  interface World {
    readonly newest?: string;
    readonly result?: unknown;
    readonly started?: unknown;
    readonly isThere?: boolean;
    readonly refused?: Error;
  }

  async function mend({ newest = 'r', result = report, started = input, isThere = false, refused }: World) {
    const starts: { readonly workflowId: string }[] = [];
    const payloads: Payload[] = [defaultPayloadConverter.toPayload(started)];
    const initiated = { workflowId: 'review/t/k/1', input: { payloads } };
    const getHandle = (id: string) => ({
      async describe() {
        if (id === 't/k') return { runId: newest };
        if (!isThere) throw new WorkflowNotFoundError('gone', id, undefined);
        return {};
      },
      result: async () => result,
      fetchHistory: async () => ({
        events: started === null ? [] : [{ startChildWorkflowExecutionInitiatedEventAttributes: initiated }],
      }),
    });
    const start = async (_type: string, options: { readonly workflowId: string }): Promise<void> => {
      if (refused !== undefined) throw refused;
      starts.push(options);
    };
    const loadedDataConverter = { ...defaultDataConverter, payloadCodecs: [] };
    const client = clientOf({ workflow: { getHandle, start }, options: { namespace: 'n', loadedDataConverter } });
    return { ...(await mendReview(client, 'd', { evaluationId: 't/k', runId: 'r' })), starts };
  }

  it('is started with what the history says, under its id, so that one which is over is not begun anew', async () => {
    const { is, starts } = await mend({});
    expect(is).toBe('started');
    expect(starts).toEqual([
      expect.objectContaining({
        workflowId: 'review/t/k/1',
        taskQueue: 'd/reviews',
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        memo: { tribunalDigest: packetDigest },
      }),
    ]);
  });

  it.each([
    ['has other content', { ...input, packet: { ...packet, content: 'other' } }],
    ['has another report', { ...input, packet: { ...packet, report: { ...judged, decision: 'deny' } } }],
    ['has other digests', { ...input, reportHash: 'x' }],
    ['is of another deployment', { ...input, deployment: 'e' }],
    ['is of another evaluation', { ...input, evaluationId: 't/other' }],
    ['is not there', null],
  ])('whose recorded start %s is not started', async (_what, started) => {
    const { is, starts } = await mend({ started });
    expect([is, starts]).toEqual(['unstartable', []]);
  });

  it.each<[string, World, string]>([
    ['of a report that was changed', { result: { ...report, decision: 'deny' } }, 'unstartable'],
    ['that is there after all', { isThere: true }, 'there'],
    [
      'that another process was quicker with',
      { refused: new WorkflowExecutionAlreadyStartedError('x', 'review/t/k/1', 'review') },
      'there',
    ],
    ['of a run that a reset has replaced', { newest: 'r2' }, 'none'],
    ['that nobody asked for', { result: judged }, 'none'],
    ['of what is no report', { result: 'a text' }, 'none'],
  ])('%s is left alone: %j', async (_what, world, expected) => {
    const { is, starts } = await mend(world);
    expect([is, starts]).toEqual([expected, []]);
  });
});

describe('a schedule that cannot be made', () => {
  it('is a warning, and the worker starts', async () => {
    const warnings: string[] = [];
    const client = clientOf({
      withDeadline: async (_until: number, run: () => Promise<void>) => await run(),
      schedule: {
        create: async () => {
          throw new Error('this account may not make schedules');
        },
      },
    });
    await keepWatchdog(client, 'd', (message) => warnings.push(message));
    expect(warnings).toEqual(['the watchdog of the reviews has no schedule, or an older one: this account may not make schedules']);
  });
});
