/**
 * Every recorded review replays on today's workflow code and writes, tells and ends as it did then; and its account, read from
 * the histories alone, is sound. A new status, outcome, tier or kind of entry without a history fails here.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { REVIEW, SEARCH_ATTRIBUTES } from '../../src/contract.js';
import type { EntryType } from '../../src/domain/review/chain.js';
import { REVIEW_TIERS } from '../../src/domain/review/policy.js';
import { OPEN_STATUSES, REVIEW_ACTIONS, REVIEW_OUTCOMES } from '../../src/domain/review/review.js';
import type { NotificationEvent } from '../../src/domain/review/notification.js';
import { retrace } from '../../src/domain/review/retrace.js';
import { readCommand } from '../../src/domain/review/command.js';
import type { ReviewRecord } from '../../src/review/review-record.js';
import { verifyReview } from '../../src/review/verify.js';
import { bundleCapturing, type CapturingBundle, type Planted } from './replays.js';
import { recordedAccount, type RunAccount } from './review-accounts.js';
import { MAX_REVIEWS_BYTES, readRecorded, recordedReviews, reviewBytes, reviewKindProblem, type RecordedKind } from './review-histories.js';
import { REVIEW_KINDS } from './review-kinds.js';
import { replayReviews } from './review-replays.js';
import { isResetRun, workflowTypeOf } from './runs.js';
import { MAX_HISTORY_BYTES } from './histories.js';

const recorded = await recordedReviews();
const names = recorded.map(({ kind }) => kind);
const reviews = recorded.filter(({ runs }) => runs.some((run) => workflowTypeOf(run) === REVIEW));
const isReset = ({ runs }: RecordedKind): boolean => runs.some(isResetRun);
const accounts: Readonly<Record<string, readonly RunAccount[]>> = Object.fromEntries(
  recorded.map(({ kind, runs }) => [kind, runs.map(recordedAccount)]),
);

/** All that a chain can say. The compiler asks for those that are missing. */
const ENTRY_TYPES: Readonly<Record<Exclude<EntryType, (typeof REVIEW_ACTIONS)[number]>, true>> = {
  opened: true,
  people_changed: true,
  decided: true,
  vote_void: true,
  lease_over: true,
  claim_overdue: true,
  reminder: true,
  decide_overdue: true,
  ladder: true,
  expired: true,
  withdrawn: true,
  cancelled: true,
  quarantined: true,
};

/** What reviews tell; the others are told by the watchdog and by evaluations. */
const TOLD: Readonly<
  Record<
    Exclude<NotificationEvent, 'review_overdue' | 'review_stuck' | 'review_missing' | 'review_terminated' | 'reviews_full' | 'verdict'>,
    true
  >
> = {
  review_opened: true,
  review_reminder: true,
  review_claim_overdue: true,
  review_decide_overdue: true,
  review_ladder: true,
  review_assigned: true,
  review_second_wanted: true,
  review_quarantined: true,
  review_decided: true,
};

/** The entries made once more by the rules, from input, people and commands alone. */
function retraced({ reviewId, input, openedAt, entries, people, commands }: ReviewRecord): ReturnType<typeof retrace> {
  return retrace({
    reviewId,
    input,
    openedAtMs: Date.parse(openedAt),
    entries,
    commandOf: ({ type, commandId }) =>
      commands.find(({ action, command }) => action === type && readCommand(action, command)?.commandId === commandId)?.command,
    peopleOf: (digest) => people.find((one) => one.digest === digest),
  });
}

describe('recorded reviews', () => {
  it('are there of every kind, and each shows what its kind is about', async () => {
    expect(names).toEqual(Object.keys(REVIEW_KINDS).toSorted());
    for (const { kind, runs } of recorded) {
      const expected = REVIEW_KINDS[kind];
      expect(expected === undefined ? 'no kind' : await reviewKindProblem(expected, runs), kind).toBeUndefined();
    }
  });

  it('are of every status, outcome and tier, and hold every kind of entry and every notice of a review', () => {
    const entries = Object.values(accounts).flatMap((runs) => runs.flatMap((run) => run.entries));
    const shown = Object.values(accounts).flatMap((runs) => runs.map((run) => run.shown));
    const ends = reviews.map(({ kind }) => accounts[kind]?.at(-1)?.shown[SEARCH_ATTRIBUTES.reviewState.name] ?? 'OPENING');
    expect(new Set(ends)).toEqual(new Set([...OPEN_STATUSES, ...REVIEW_OUTCOMES]));
    const tiers = shown.flatMap((one) => one[SEARCH_ATTRIBUTES.reviewTier.name] ?? []);
    expect(new Set(tiers)).toEqual(new Set(REVIEW_TIERS));
    expect(new Set(entries.map(({ entry }) => entry.type))).toEqual(new Set([...REVIEW_ACTIONS, ...Object.keys(ENTRY_TYPES)]));
    const events = Object.values(accounts).flatMap((runs) => runs.flatMap(({ children }) => children.map(({ input }) => eventOf(input))));
    expect(new Set(events)).toEqual(new Set(Object.keys(TOLD)));
  });

  it('are small enough to be kept', async () => {
    const bytes = await reviewBytes();
    expect(Math.max(...bytes)).toBeLessThanOrEqual(MAX_HISTORY_BYTES);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(MAX_REVIEWS_BYTES);
  });

  it('replay on the workflow code of today; those that were reset only when they are told so', async () => {
    const kept = recorded.filter((one) => !isReset(one));
    expect((await replayReviews(inject('bundlePath'), kept)).problems).toEqual({});
    const reset = recorded.filter(isReset);
    const { problems } = await replayReviews(inject('bundlePath'), reset);
    expect(reset.map(({ kind }) => kind)).toEqual(['quarantined', 'quarantined-while-open']);
    for (const { kind } of reset) expect(problems[kind], kind).toMatch(/^DeterminismViolationError: /);
  });

  it('write the same entries, show and tell the same, set the same timers and come to the same end when they are computed anew', async () => {
    const bundle = await bundleCapturing();
    try {
      const replayed = await replayReviews(bundle.codePath, recorded);
      expect(replayed.problems).toEqual({});
      for (const { kind } of recorded) expect(replayed.accounts[kind], kind).toEqual(accounts[kind]);
    } finally {
      await bundle.remove();
    }
  });

  it('are what the rules make of input, people and commands: each entry, and the result', async () => {
    for (const { kind, runs } of reviews) {
      const record = await readRecorded(runs);
      const traced = retraced(record);
      // One that was cancelled closes without its result.
      if (record.status === 'cancelled') expect(traced, kind).toMatchObject({ ok: true, result: { outcome: 'CANCELLED' } });
      else expect(traced, kind).toEqual({ ok: true, ...(record.result !== undefined ? { result: record.result } : {}) });
    }
  });

  it('verify, and none does that was reset', async () => {
    for (const one of reviews) {
      const verified = verifyReview(await readRecorded(one.runs));
      if (isReset(one))
        expect(verified, one.kind).toMatchObject({ sound: false, problem: { message: expect.stringMatching(/^it was reset/) } });
      else expect(verified, one.kind).toEqual({ sound: true, unsigned: one.kind === 'proceeded-unsigned' ? [2, 3] : [] });
    }
  });
});

describe('a planted fault of reviews', () => {
  let bundle: CapturingBundle | undefined;
  afterAll(() => bundle?.remove());

  async function replayed(planted: Planted) {
    await bundle?.remove();
    bundle = await bundleCapturing(planted);
    const { problems, accounts: anew } = await replayReviews(bundle.codePath, recorded);
    return { problems, differing: names.filter((kind) => !isDeepStrictEqual(anew[kind], accounts[kind])) };
  }

  const withEntries = names.filter((kind) => (accounts[kind] ?? []).some(({ entries }) => entries.length > 0));
  const tellers = names.filter((kind) => (accounts[kind] ?? []).some(({ children }) => children.length > 0));

  it('that writes entries of another form is seen in every chain, also where nothing was told and it replays clean', async () => {
    const { problems, differing } = await replayed({ request: './chain.js', file: 'other-hash.ts' });
    // A hash stands in the id of what is told.
    expect(Object.keys(problems).toSorted()).toEqual(tellers);
    expect(differing.filter((kind) => !tellers.includes(kind))).toEqual(withEntries.filter((kind) => !tellers.includes(kind)));
    expect(differing).toContain('proceeded-determination');
  });

  it('that gives a permit for production to what nobody signed replays clean, and is seen', async () => {
    const { problems, differing } = await replayed({ request: '../domain/review/outcome.js', file: 'lenient-permit.ts' });
    expect(problems).toEqual({});
    expect(differing).toEqual(['proceeded-unsigned']);
  });

  it('that sets every timer a second late replays clean, and is seen', async () => {
    const { problems, differing } = await replayed({ request: '../domain/review/clock.js', file: 'late-clock.ts' });
    expect(problems).toEqual({});
    expect(differing).toContain('open');
    expect(differing).toContain('expired');
  });

  it('that lets somebody decide who has left does not replay', async () => {
    const { problems } = await replayed({ request: '../domain/review/outcome.js', file: 'lenient-guard.ts' });
    expect(Object.keys(problems)).toEqual(['vote-void']);
  });
});

function eventOf(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || !('notification' in input)) return undefined;
  const { notification } = input;
  return typeof notification === 'object' && notification !== null && 'event' in notification ? notification.event : undefined;
}
