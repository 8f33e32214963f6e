import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesByPiece, PIECE_CHARS, piecesOf, takingTurns, type Judge } from '../../src/critics/pieces.js';
import { judgeTexts, type Match } from '../../src/critics/text.js';
import type { Json } from '../../src/domain/finding.js';

const still = { heartbeat: (): void => {}, signal: new AbortController().signal };
const noTurns = async (): Promise<void> => {};
const matchesInPieces = async (text: string, judge: Judge): Promise<Match[]> => {
  const all: Match[] = [];
  for await (const matches of matchesByPiece(text, judge, noTurns)) all.push(...matches);
  return all;
};

/** Words and numbers of up to 12 characters: whether one is met depends on one character before it and one behind. */
const find = (text: string): Match[] =>
  [/(?<![a-c])[a-c]{2,12}(?![a-c])/g, /(?<![0-9])[0-9]{3,12}(?![0-9])/g].flatMap((form, rank) =>
    Array.from(text.matchAll(form), ({ index, 0: value }) => ({
      code: `form_${rank}`,
      message: 'met',
      severity: 0.5,
      start: index,
      end: index + value.length,
    })),
  );

const inOrder = (matches: readonly Match[]): Match[] => matches.toSorted((a, b) => a.start - b.start || a.end - b.end);

/** Texts in which matches stand everywhere, with spaces, pairs of surrogates and halves of such pairs between them. */
const texts = fc
  .array(
    fc.oneof(
      fc.stringMatching(/^[a-c]{1,14}$/),
      fc.stringMatching(/^[0-9]{1,14}$/),
      fc.constantFrom(' ', '\n', '-', '😀', '\ud83d', '\ude00'),
    ),
  )
  .map((parts) => parts.join(''));

describe('pieces', () => {
  it('of a text cover it once, split no surrogate pair and hold their surroundings', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 40 }), (text, pieceChars, reach) => {
        const pieces = [...piecesOf(text, { pieceChars, reach })];
        expect(pieces.map(({ start }) => start)).toEqual([0, ...pieces.slice(0, -1).map(({ end }) => end)]);
        expect(pieces.at(-1)?.end).toBe(text.length);
        for (const { text: own, offset, start, end } of pieces) {
          expect(text.startsWith(own, offset)).toBe(true);
          expect(offset).toBeLessThanOrEqual(Math.max(0, start - reach + 1));
          expect(offset + own.length).toBeGreaterThanOrEqual(Math.min(text.length, end + reach));
          expect(text.slice(start - 1, start + 1)).not.toMatch(/^[\ud800-\udbff][\udc00-\udfff]$/);
        }
      }),
    );
  });

  it('judged one by one give what the whole text gives, nothing lost and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 14, max: 40 }), async (text, pieceChars, reach) => {
        const judged = await matchesInPieces(text, { find, pieceChars, reach });
        expect(inOrder(judged)).toEqual(inOrder(find(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('give one match for a repeated letter that begins in one and ends in the next', async () => {
    const letters = (text: string): Match[] =>
      Array.from(text.matchAll(/a+/g), ({ index, 0: value }) => ({
        code: 'a',
        message: 'met',
        severity: 1,
        start: index,
        end: index + value.length,
      }));
    const judged = await matchesInPieces(`${'b'.repeat(15)}aaaaaaa${'b'.repeat(40)}`, { find: letters, pieceChars: 18, reach: 8 });
    expect(judged.map(({ start, end }) => [start, end])).toEqual([[15, 22]]);
  });

  it('hand a judge little more than the text, however long that is', async () => {
    let handed = 0;
    const judge: Judge = {
      find: (text) => {
        handed += text.length;
        return [];
      },
      pieceChars: 4_096,
      reach: 1_024,
    };
    await matchesInPieces('a'.repeat(262_144), judge);
    expect(handed).toBeLessThanOrEqual(262_144 * 1.6);
  });
});

const met = (code: string, severity: number, start: number): Match => ({ code, message: 'met', severity, start, end: start + 1 });

describe('turns', () => {
  it('are taken after each piece of a long text, with a heartbeat', async () => {
    let heartbeats = 0;
    let turns = 0;
    let waiting = true;
    const count = (): void => {
      turns += 1;
      if (waiting) setImmediate(count);
    };
    setImmediate(count);
    await judgeTexts('a'.repeat(PIECE_CHARS * 10), () => [], { ...still, heartbeat: () => void (heartbeats += 1) });
    waiting = false;
    expect(heartbeats).toBeGreaterThanOrEqual(9);
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('are taken between many short texts as well', async () => {
    let heartbeats = 0;
    const content = Array.from({ length: 20_000 }, () => 'ab');
    await judgeTexts(content, () => [], { ...still, heartbeat: () => void (heartbeats += 1) });
    expect(heartbeats).toBeGreaterThan(100);
  });

  it.each<[string, Json]>([
    ['empty texts', Array.from({ length: 20_000 }, () => '')],
    ['lists without a text', Array.from({ length: 20_000 }, () => [])],
    ['words of JSON', Array.from({ length: 20_000 }, () => true)],
  ])('are taken between many %s, which no judge sees', async (_what, content) => {
    let heartbeats = 0;
    const judge: Judge = { find: () => Promise.reject(new Error('seen')) };
    await judgeTexts(content, [judge], { ...still, heartbeat: () => void (heartbeats += 1) });
    expect(heartbeats).toBeGreaterThan(100);
  });

  it('are taken between the matches of a text that is full of them', async () => {
    const words: Judge = { find: (text) => Array.from({ length: text.length / 2 }, (_, at) => met('word', 0.1, 2 * at)) };
    let heartbeats = 0;
    const tools = { ...still, heartbeat: () => void (heartbeats += 1) };
    const finding = await judgeTexts('ab'.repeat(100_000), [words], tools, { overlaps: 'drop' });
    expect(finding).toMatchObject({ severity: 0.1, details: { more: 99_900 } });
    expect(heartbeats).toBeGreaterThan(1_000);
  });

  it('end the judging when the attempt was stopped, with the reason', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    let judged = 0;
    const judging = judgeTexts(
      'a'.repeat(PIECE_CHARS * 10),
      () => {
        judged += 1;
        if (judged === 2) stop.abort(reason);
        return [];
      },
      { ...still, signal: stop.signal },
    );
    await expect(judging).rejects.toBe(reason);
    expect(judged).toBe(2);
  });

  it('are not taken for a short text', async () => {
    let heartbeats = 0;
    await takingTurns({ ...still, heartbeat: () => void (heartbeats += 1) })(1_000);
    expect(heartbeats).toBe(0);
  });
});

describe('judging texts', () => {
  const match = (start: number, end: number, rank: number): Match => ({
    code: `rank_${rank}`,
    message: 'met',
    severity: 0.1,
    start,
    end,
    rank,
  });
  const codes = async (matches: readonly Match[], overlaps: 'keep' | 'drop'): Promise<string[]> =>
    (await judgeTexts('x'.repeat(100), () => matches, still, { overlaps })).violations.map(({ code }) => code);

  it('keeps the more telling of overlapping matches when asked to, else all', async () => {
    const matches = [match(0, 10, 2), match(5, 15, 0), match(15, 20, 1), match(6, 8, 1)];
    expect(await codes(matches, 'drop')).toEqual(['rank_0', 'rank_1']);
    expect(await codes(matches, 'keep')).toEqual(['rank_2', 'rank_0', 'rank_1', 'rank_1']);
  });

  it('keeps the earlier, then the longer of equals', async () => {
    const finding = await judgeTexts('x'.repeat(100), () => [match(3, 9, 0), match(0, 4, 0), match(0, 6, 0)], still, { overlaps: 'drop' });
    expect(finding.violations.map(({ span }) => [span?.start, span?.end])).toEqual([[0, 6]]);
  });

  it('lists the first of every code and the worst of the rest, in the order of the content, and counts what it leaves out', async () => {
    const flood = Array.from({ length: 1_000 }, (_, at) => met('mild', 0.1, at));
    const rare = [met('late', 0.2, 5_000), ...Array.from({ length: 50 }, (_, at) => met('grave', 0.9, 4_000 - 10 * at))];
    const finding = await judgeTexts(
      ['x', 'y'.repeat(6_000), 'x'],
      (text) => (text === 'x' ? [met('mild', 0.1, 0)] : [...rare, ...flood]),
      still,
    );
    const { severity, violations, details } = finding;
    expect({ severity, details }).toEqual({ severity: 0.9, details: { more: 1_053 - 100 } });
    expect(violations.map(({ code, span }) => [code, span?.path, span?.start])).toEqual([
      ['mild', '/0', 0],
      ...Array.from({ length: 48 }, (_, at) => ['mild', '/1', at]),
      ...Array.from({ length: 50 }, (_, at) => ['grave', '/1', 3_510 + 10 * at]),
      ['late', '/1', 5_000],
    ]);
  });

  it('fails when the judge fails, and gives no clean finding', async () => {
    const failing = judgeTexts('text', () => Promise.reject(new Error('broken')), still);
    await expect(failing).rejects.toThrow('broken');
  });
});
