/**
 * Every recorded evaluation replays on today's workflow code and ends as it ended then: what a deployment does to runs
 * that are under way. No server is needed. How the ends are compared: `replays.ts`.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { recordedEnd } from './ends.js';
import { historyBytes, kindProblem, MAX_FOLDER_BYTES, MAX_HISTORY_BYTES, readHistory, recordedKinds, replayable } from './histories.js';
import { KINDS } from './kinds.js';
import { recordedAsk } from './review-accounts.js';
import { bundleCapturing, replay, type CapturingBundle, type Planted } from './replays.js';

const kinds = await recordedKinds();

describe('recorded evaluations', () => {
  it('are there of every kind, and each shows what its kind is about', async () => {
    expect(kinds).toEqual(Object.keys(KINDS).toSorted());
    for (const [name, kind] of Object.entries(KINDS)) expect(kindProblem(kind, recordedEnd(await readHistory(name))), name).toBeUndefined();
  });

  it('say which behaviour of the SDK their commands were made with, without which a replay takes an older one', async () => {
    for (const kind of kinds) {
      const { events } = await readHistory(kind);
      const flags = events?.flatMap((event) => event.workflowTaskCompletedEventAttributes?.sdkMetadata?.coreUsedFlags ?? []);
      expect(flags, kind).not.toEqual([]);
    }
  });

  it('are small enough to be kept', async () => {
    const bytes = await Promise.all(kinds.map(historyBytes));
    expect(Math.max(...bytes)).toBeLessThanOrEqual(MAX_HISTORY_BYTES);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(MAX_FOLDER_BYTES);
  });

  it('replay on the workflow code of today', async () => {
    expect((await replay(inject('bundlePath'), replayable(kinds))).problems).toEqual({});
  });

  it('come to the same end when they are computed anew', async () => {
    const bundle = await bundleCapturing();
    try {
      const { ends, asked, problems } = await replay(bundle.codePath, kinds);
      expect(problems).toEqual({});
      expect(ends).toEqual(await recordedEnds());
      // And ask people for the same decision, by the same rules.
      expect(asked).toEqual(await recordedAsks());
      expect(asked['review-opened']).toMatchObject({ tier: 'acknowledgement', queue: 'chats', requester: 'ann', author: 'bob' });
    } finally {
      await bundle.remove();
    }
  });
});

describe('a planted fault', () => {
  let bundle: CapturingBundle | undefined;
  afterAll(() => bundle?.remove());

  async function plant(planted: Planted): Promise<string> {
    await bundle?.remove();
    bundle = await bundleCapturing(planted);
    return bundle.codePath;
  }

  it.each([
    ['leaves out a critic', 'skips-a-critic.ts', ['not-judged-failed', 'full-ten', 'hundred']],
    ['runs the stages in another order', 'reverses-stages.ts', ['condition-errs', 'cut-by-stage', 'shadow']],
  ])('that %s does not replay', async (_what, file, broken) => {
    const { problems } = await replay(await plant({ request: './walk.js', file }), broken);
    for (const kind of broken) expect(problems[kind], kind).toMatch(/^DeterminismViolationError: /);
  });

  it('that decides otherwise replays clean, and its other end is seen', async () => {
    const { ends, problems } = await replay(await plant({ request: '../domain/verdict.js', file: 'lenient-verdict.ts' }), kinds);
    expect(problems).toEqual({});
    const recorded = await recordedEnds();
    const differing = kinds.filter((kind) => !isDeepStrictEqual(ends[kind], recorded[kind]));
    expect(differing).toEqual(kinds.filter((kind) => recorded[kind]?.end === 'deny'));
    expect(differing).toContain('deny-by-rule');
  });

  it('that leaves every decision to one person replays clean, and is seen', async () => {
    const { asked, problems } = await replay(await plant({ request: '../domain/review/route.js', file: 'lower-tier.ts' }), kinds);
    expect(problems).toEqual({});
    const recorded = await recordedAsks();
    const differing = kinds.filter((kind) => !isDeepStrictEqual(asked[kind], recorded[kind]));
    expect(differing).toEqual(['review-anew-by-reset', 'review-id-taken', 'review-kept-by-reset', 'review-opened']);
  });
});

async function recordedEnds() {
  return Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, recordedEnd(await readHistory(kind))] as const)));
}

async function recordedAsks() {
  const asks = await Promise.all(kinds.map(async (kind) => [kind, recordedAsk(await readHistory(kind))] as const));
  return Object.fromEntries(asks.filter(([, ask]) => ask !== undefined));
}
