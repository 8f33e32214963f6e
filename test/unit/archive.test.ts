/** The archive on a real disk: what is written once, what is refused, and what a damaged file says. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ArchiveConflict, ArchiveDamaged, makeArchive, type Archive } from '../../src/review/archive.js';

let folder: string;
let archive: Archive;
const at = (...path: string[]): string => join(folder, 'archive', ...path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
  archive = makeArchive(at());
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const RUN_1 = '01a2240b-6fc4-75ee-bd7f-098bd18de8d7';
const RUN_2 = '01a2240b-6fc4-75ee-bd7f-098bd18de8d8';
const REVIEW = 'review/acme/k/098bd18de8d7';

const evaluation = (evaluationId = 'acme/k', more: object = {}) => ({
  evaluationId,
  runId: RUN_1,
  closedAt: '2026-11-28T21:00:00.000Z',
  report: { v: 1, verdict: { decision: 'escalate' }, content: 'ä\u2028"' },
  history: { events: [{ eventId: '1' }] },
  ...more,
});

const review = (reviewId = REVIEW, more: object = {}) => ({
  reviewId,
  runId: RUN_1,
  closedAt: '2026-11-28T21:00:00.000Z',
  export: { chain: [1, 2] },
  histories: [{ runId: RUN_1, history: { events: [] } }],
  ...more,
});

async function filesOf(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

describe('an archive', () => {
  it('gives back what it was given, and nothing for what it was not', async () => {
    expect(await archive.getEvaluation('acme/k')).toBeUndefined();
    expect(await archive.getReview(REVIEW)).toBeUndefined();
    expect(await archive.listReviews('acme/k')).toEqual([]);
    expect(await archive.has('acme/k', RUN_1)).toBe(false);
    expect(await archive.putEvaluation(evaluation())).toBe(true);
    expect(await archive.putReview(review())).toBe(true);
    expect(await archive.getEvaluation('acme/k')).toEqual(evaluation());
    expect(await archive.getReview(REVIEW)).toEqual(review());
    expect(await archive.has('acme/k', RUN_1)).toBe(true);
    expect(await archive.has(REVIEW, RUN_2)).toBe(false);
    expect(await makeArchive(at()).listReviews('acme/k')).toEqual([REVIEW]);
  });

  it('keeps every run of a workflow that was reset, and gives the one that closed last', async () => {
    const later = { runId: RUN_2, closedAt: '2026-11-28T21:00:01.000Z' };
    // Whichever is written first.
    await archive.putEvaluation(evaluation('acme/k', later));
    await archive.putEvaluation(evaluation());
    expect((await archive.evaluationRuns('acme/k')).map(({ runId }) => runId)).toEqual([RUN_1, RUN_2]);
    expect(await archive.getEvaluation('acme/k')).toMatchObject(later);
    await archive.putReview(review(REVIEW, later));
    await archive.putReview(review());
    expect((await archive.reviewRuns(REVIEW)).map(({ runId }) => runId)).toEqual([RUN_1, RUN_2]);
    expect(await archive.getReview(REVIEW)).toMatchObject(later);
  });

  it('takes the same record again, in whatever order its fields are', async () => {
    await archive.putEvaluation(evaluation());
    const turned = Object.fromEntries(Object.entries(evaluation()).toReversed()) as ReturnType<typeof evaluation>;
    expect(await archive.putEvaluation(turned)).toBe(false);
    expect(await filesOf()).toHaveLength(1);
  });

  it.each([
    ['report', { report: { v: 1, verdict: { decision: 'allow' } } }],
    ['end', { closedAt: '2026-11-28T21:00:00.001Z' }],
    ['history', { history: { events: [] } }],
  ])('refuses another %s for a run that is there, and keeps that one', async (_what, more) => {
    await archive.putEvaluation(evaluation());
    const before = await archive.getEvaluation('acme/k');
    const refused: unknown = await archive.putEvaluation(evaluation('acme/k', more)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ArchiveConflict);
    expect(refused).toMatchObject({
      name: 'ArchiveConflict',
      message: `the archive has another record of evaluation acme/k (run ${RUN_1}), which is kept: a record is written once`,
    });
    expect(await archive.getEvaluation('acme/k')).toEqual(before);
    expect(await filesOf()).toHaveLength(1);
  });

  it('has one winner when many write different records at once, and the others are told', async () => {
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, index) => makeArchive(at()).putReview(review(REVIEW, { export: { index } }))),
    );
    const won = ends.flatMap((end, index) => (end.status === 'fulfilled' ? [index] : []));
    expect(won).toHaveLength(1);
    expect(ends.filter((end) => end.status === 'rejected' && end.reason instanceof ArchiveConflict)).toHaveLength(19);
    expect(await archive.getReview(REVIEW)).toMatchObject({ export: { index: won[0] } });
  });

  it('leaves nothing behind of what it could not write', async () => {
    await expect(archive.putEvaluation(evaluation('acme/k', { runId: '../../run' }))).rejects.toThrow(/is not the id of a run$/);
    await archive.putEvaluation(evaluation());
    await archive.putEvaluation(evaluation('acme/k', { report: null })).catch(() => undefined);
    expect(await filesOf()).toEqual([`archive/acme/k/runs/${RUN_1}.json`]);
  });

  it('lets nobody else read what it holds', async () => {
    await archive.putEvaluation(evaluation());
    for (const [path, mode] of [
      [at(), 0o700],
      [at('acme', 'k'), 0o700],
      [at('acme', 'k', 'runs', `${RUN_1}.json`), 0o600],
    ] as const)
      expect((await stat(path)).mode & 0o777).toBe(mode);
  });

  it('holds records of many megabytes', async () => {
    const events = Array.from({ length: 2_000 }, (_, index) => ({ eventId: String(index), payload: 'x'.repeat(10_000) }));
    await archive.putEvaluation(evaluation('acme/k', { history: { events } }));
    expect(await archive.getEvaluation('acme/k')).toMatchObject({ history: { events: { length: 2_000 } } });
  });
});

describe('names', () => {
  it.each(['./k', 'acme/.', '../..', './.', 'acme/..', '.git/k', 'a.b/..c', 'CON/nul'])('of %s stay in the folder', async (id) => {
    await archive.putEvaluation(evaluation(id));
    await archive.putReview(review(`review/${id}/098bd18de8d7`));
    const files = await filesOf();
    expect(files).toHaveLength(2);
    expect(files.filter((file) => !/^archive\/[^./][^/]*\/[^./][^/]*\/(?:runs|reviews\/[^/]+)\/[^./][^/]*\.json$/.test(file))).toEqual([]);
    expect(await archive.getEvaluation(id)).toMatchObject({ evaluationId: id });
    expect(await archive.listReviews(id)).toEqual([`review/${id}/098bd18de8d7`]);
  });

  it.each([
    '',
    'acme',
    'acme/',
    '/k',
    'acme/k/more',
    '../../etc/passwd',
    'acme/k\0',
    'acme/a b',
    '%2E/k',
    'acme\\k/x',
    `acme/${'k'.repeat(129)}`,
  ])('that are no id of an evaluation are refused: %j', async (id) => {
    await expect(archive.putEvaluation(evaluation(id))).rejects.toThrow(/is not the id of an evaluation: write <tenant>\/<key>$/);
    await expect(archive.getEvaluation(id)).rejects.toThrow(/is not the id/);
    await expect(archive.listReviews(id)).rejects.toThrow(/is not the id/);
    expect(await filesOf()).toEqual([]);
  });

  it.each([
    '',
    'review',
    'review/acme/k',
    'review/acme/k/',
    'review/acme/k/..',
    'review/acme/k/ABC',
    'review/acme/k/098bd18de8d7/x',
    'review/a b/k/098bd18de8d7',
    'review/acme/k/\0',
    '/acme/k',
  ])('that are no id of a review are refused: %j', async (reviewId) => {
    const isTenant = reviewId === 'review/acme/k';
    await expect(archive.putReview(review(reviewId))).rejects.toThrow(/is not the id of (a review|an evaluation)/);
    await expect(archive.getReview(isTenant ? `${reviewId}/x` : reviewId)).rejects.toThrow(/is not the id of (a review|an evaluation)/);
  });

  it('of reviews are told from evaluations of a tenant of that name, and files of others are left alone', async () => {
    await archive.putEvaluation(evaluation('review/k'));
    await archive.putReview(review('review/review/k/098bd18de8d7'));
    await archive.putReview(review('review/review/k/098bd18de8d8'));
    await mkdir(at('review', 'k', 'reviews', 'notes.txt'));
    await writeFile(at('review', 'k', 'reviews', '098bd18de8d7', 'notes.json'), '{}');
    expect(await archive.listReviews('review/k')).toEqual(['review/review/k/098bd18de8d7', 'review/review/k/098bd18de8d8']);
    expect(await archive.reviewRuns('review/review/k/098bd18de8d7')).toHaveLength(1);
    expect(await archive.getEvaluation('review/k')).toMatchObject({ evaluationId: 'review/k' });
  });
});

describe('a damaged file', () => {
  const file = (): string => at('acme', 'k', 'runs', `${RUN_1}.json`);

  it.each([
    ['is empty', () => '', 'it is empty'],
    ['ends in the middle', (text: string) => text.slice(0, 100), 'it is not JSON, or only a part of it'],
    ['was changed', (text: string) => text.replace('escalate', 'allow'), 'its digest is another one'],
    ['is another kind of JSON', () => 'null', 'it is no record of an archive'],
    ['is a list', () => '[]', 'it is no record of an archive'],
    [
      'is that of another id',
      (text: string) => text.replace('"id":"acme/k"', '"id":"acme/K"'),
      `it is that of evaluation acme/K (run ${RUN_1})`,
    ],
  ])('that %s says so in one sentence, and is not written over', async (_what, change, problem) => {
    await archive.putEvaluation(evaluation());
    const text = change(await readFile(file(), 'utf8'));
    await writeFile(file(), text);
    const message = `the archive's record of evaluation acme/k (run ${RUN_1}) is damaged: ${problem}; put a copy of the file in its place`;
    const refused: unknown = await archive.getEvaluation('acme/k').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ArchiveDamaged);
    expect(refused).toMatchObject({ name: 'ArchiveDamaged', id: 'acme/k', message });
    await expect(archive.putEvaluation(evaluation())).rejects.toThrow(message);
    expect(await readFile(file(), 'utf8')).toBe(text);
  });

  it('is none that a newer version wrote', async () => {
    await archive.putEvaluation(evaluation());
    await writeFile(file(), (await readFile(file(), 'utf8')).replace('"v":1', '"v":2'));
    await expect(archive.getEvaluation('acme/k')).rejects.toThrow(
      `the archive's record of evaluation acme/k (run ${RUN_1}) was written by a newer version (2)`,
    );
  });

  it.skipIf(process.getuid?.() === 0)('is not one that may not be read, nor is that taken for one that is not there', async () => {
    await archive.putEvaluation(evaluation());
    await chmod(file(), 0);
    await expect(archive.getEvaluation('acme/k')).rejects.toMatchObject({ code: 'EACCES' });
  });

  it('is not what somebody else has put in the way', async () => {
    await mkdir(dirname(at('acme')), { recursive: true });
    await writeFile(at('acme'), '');
    await expect(archive.putEvaluation(evaluation())).rejects.toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST/) });
  });
});
