/**
 * What is kept of evaluations and their reviews beyond the retention of the server: JSON files in a folder, each written
 * once and for good. They hold content in clear; only the user of the process may read them.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sha256 } from '../digest.js';
import { evaluationFolder, reviewPlace, runFile, runOf } from './archive-names.js';
import { isReviewId, REVIEW_PREFIX } from '../contract.js';

const VERSION = 1;
const RUNS = 'runs';
const REVIEWS = 'reviews';
/** Of file systems on which a file has one name. Two writers at the same instant are not told apart there. */
const ONE_NAME_CODES: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** A history as `temporal workflow show --output json` prints it, and as `replayEvaluation` takes it. */
export interface ArchivedHistory {
  readonly runId: string;
  readonly history: unknown;
}

interface ArchivedRun {
  readonly runId: string;
  /** ISO 8601: by it the newest run is known. */
  readonly closedAt: string;
}

/** One run of an evaluation that has closed. */
export interface ArchivedEvaluation extends ArchivedRun {
  readonly evaluationId: string;
  /** `null` of a run that left none. */
  readonly report: unknown;
  readonly history: unknown;
}

/** A review that has closed; one that was reset afterwards has a record for each run that closed it. */
export interface ArchivedReview extends ArchivedRun {
  readonly reviewId: string;
  readonly export: unknown;
  /** Of all runs of its chain, oldest first. */
  readonly histories: readonly ArchivedHistory[];
}

/** The archive has another record of this id: it is left as it is. */
export class ArchiveConflict extends Error {
  override readonly name = 'ArchiveConflict';
  constructor(
    readonly id: string,
    what: string,
  ) {
    super(`the archive has another record of ${what}, which is kept: a record is written once`);
  }
}

/** A record that cannot be believed. It is left as it is. */
export class ArchiveDamaged extends Error {
  override readonly name = 'ArchiveDamaged';
  constructor(
    readonly id: string,
    what: string,
    problem: string,
  ) {
    super(`the archive's record of ${what} is damaged: ${problem}; put a copy of the file in its place`);
  }
}

export interface Archive {
  /** @returns false when the same record was there. @throws ArchiveConflict when another one is. */
  putEvaluation(evaluation: ArchivedEvaluation): Promise<boolean>;
  /** The same, for a review. */
  putReview(review: ArchivedReview): Promise<boolean>;
  /** Whether there is a record of this run. */
  has(workflowId: string, runId: string): Promise<boolean>;
  /** Of the run that closed last; `undefined` when there is none. @throws ArchiveDamaged when one cannot be believed. */
  getEvaluation(evaluationId: string): Promise<ArchivedEvaluation | undefined>;
  getReview(reviewId: string): Promise<ArchivedReview | undefined>;
  /** All runs, the one that closed first before the others. */
  evaluationRuns(evaluationId: string): Promise<readonly ArchivedEvaluation[]>;
  reviewRuns(reviewId: string): Promise<readonly ArchivedReview[]>;
  /** Ids of the reviews of an evaluation, sorted. */
  listReviews(evaluationId: string): Promise<string[]>;
}

interface Place {
  readonly kind: 'evaluation' | 'review';
  readonly id: string;
  readonly runId: string;
  readonly file: string;
}

const nameOf = ({ kind, id, runId }: Place): string => `${kind} ${id} (run ${runId})`;

/** @param dir made when the first record comes. */
export function makeArchive(dir: string): Archive {
  const root = resolve(dir);
  const evaluationRuns = async (id: string): Promise<readonly ArchivedEvaluation[]> =>
    (await readAll('evaluation', id, runsFolder(root, id))) as readonly ArchivedEvaluation[];
  const reviewRuns = async (id: string): Promise<readonly ArchivedReview[]> =>
    (await readAll('review', id, runsFolder(root, id))) as readonly ArchivedReview[];
  return {
    putEvaluation: async (record) => await put(root, placeOf(root, 'evaluation', record.evaluationId, record.runId), record),
    putReview: async (record) => await put(root, placeOf(root, 'review', record.reviewId, record.runId), record),
    has: async (id, runId) => await isThere(join(runsFolder(root, id), runFile(runId))),
    getEvaluation: async (id) => (await evaluationRuns(id)).at(-1),
    getReview: async (id) => (await reviewRuns(id)).at(-1),
    evaluationRuns,
    reviewRuns,
    async listReviews(evaluationId) {
      const names = await readdir(join(root, ...evaluationFolder(evaluationId), REVIEWS)).catch(ifAbsent([]));
      return names.flatMap((name) => reviewIdOf(evaluationId, name) ?? []).toSorted();
    },
  };
}

/** `undefined` for a folder of somebody else. */
function reviewIdOf(evaluationId: string, name: string): string | undefined {
  const id = `${REVIEW_PREFIX}${evaluationId}/${name}`;
  try {
    return reviewPlace(id).name === name ? id : undefined;
  } catch {
    return undefined;
  }
}

/** @throws Error for what is neither the id of an evaluation nor that of a review. */
function runsFolder(root: string, id: string): string {
  if (!isReviewId(id)) return join(root, ...evaluationFolder(id), RUNS);
  const { evaluationId, name } = reviewPlace(id);
  return join(root, ...evaluationFolder(evaluationId), REVIEWS, name);
}

const placeOf = (root: string, kind: Place['kind'], id: string, runId: string): Place => ({
  kind,
  id,
  runId,
  file: join(runsFolder(root, id), runFile(runId)),
});

async function readAll(kind: Place['kind'], id: string, folder: string): Promise<readonly ArchivedRun[]> {
  const names = await readdir(folder).catch(ifAbsent([]));
  const records: ArchivedRun[] = [];
  for (const name of names) {
    const runId = runOf(name);
    const record = runId === undefined ? undefined : await read({ kind, id, runId, file: join(folder, name) });
    if (record !== undefined) records.push(record as ArchivedRun);
  }
  return records.toSorted((a, b) => Date.parse(a.closedAt) - Date.parse(b.closedAt));
}

/**
 * The file has its name only when the disk has all of it, and never takes that of another one: of two processes that write
 * one record at once one is first, and the other one compares.
 */
async function put(root: string, place: Place, record: object): Promise<boolean> {
  const body = JSON.stringify(record);
  const head = JSON.stringify({ v: VERSION, kind: place.kind, id: place.id, runId: place.runId, sha256: sha256(body) });
  const folder = dirname(place.file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = join(folder, `.${randomUUID()}.tmp`);
  let isNew: boolean;
  try {
    await writeDown(beside, `${head.slice(0, -1)},"record":${body}}\n`);
    isNew = await putInPlace(beside, place.file);
    // What stands for good is compared by its meaning: the order of fields counts for nothing.
    if (!isNew && !isDeepStrictEqual(await read(place), JSON.parse(body))) throw new ArchiveConflict(place.id, nameOf(place));
  } finally {
    await rm(beside, { force: true });
  }
  // Also for a record that was there: who wrote it may have died before this.
  await syncFolders(root, folder);
  return isNew;
}

/** A second name, as a rename would replace what is there. @returns whether nothing was. */
async function putInPlace(beside: string, file: string): Promise<boolean> {
  try {
    await link(beside, file);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (typeof code !== 'string' || !ONE_NAME_CODES.has(code)) throw error;
    if (await isThere(file)) return false;
    await rename(beside, file);
    return true;
  }
}

async function writeDown(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name is on the disk once its folder is; folders may be as new as the file. */
async function syncFolders(root: string, folder: string): Promise<void> {
  for (let at = folder; !relative(root, at).startsWith('..'); at = dirname(at)) {
    const handle = await open(at, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

async function read(place: Place): Promise<unknown> {
  const text = await readFile(place.file, 'utf8').catch(ifAbsent(undefined));
  if (text === undefined) return undefined;
  const damaged = (problem: string): ArchiveDamaged => new ArchiveDamaged(place.id, nameOf(place), problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(text === '' ? 'it is empty' : 'it is not JSON, or only a part of it');
  }
  const { v, kind, id, runId, sha256: digest, record }: Readonly<Record<string, unknown>> = typeof value === 'object' ? { ...value } : {};
  if (typeof v === 'number' && v > VERSION)
    throw new Error(`the archive's record of ${nameOf(place)} was written by a newer version (${v})`);
  if (v !== VERSION || typeof record !== 'object' || record === null) throw damaged('it is no record of an archive');
  // File systems that do not tell A from a give one file to two ids.
  if (kind !== place.kind || id !== place.id || runId !== place.runId)
    throw damaged(`it is that of ${String(kind)} ${String(id)} (run ${String(runId)})`.slice(0, 400));
  if (sha256(JSON.stringify(record)) !== digest) throw damaged('its digest is another one');
  return record;
}

const isThere = async (file: string): Promise<boolean> => stat(file).then(() => true, ifAbsent(false));

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const ifAbsent =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (codeOf(error) === 'ENOENT') return value;
    throw error;
  };
