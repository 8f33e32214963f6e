/**
 * What is kept of evaluations and their reviews beyond the retention of the server: JSON files in a folder, each written
 * once and for good. They hold content in clear; only the user of the process may read them.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sha256 } from '../digest.js';
import { evaluationFolder, reviewOf, reviewPlace } from './archive-names.js';

const VERSION = 1;
const EVALUATION_FILE = 'evaluation.json';
const REVIEWS = 'reviews';
/** Of file systems on which a file has one name. Two writers at the same instant are not told apart there. */
const ONE_NAME_CODES: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

export interface ArchivedEvaluation {
  readonly evaluationId: string;
  readonly runId: string;
  readonly report: unknown;
  /** As `replayEvaluation` takes it. */
  readonly history: unknown;
}

export interface ArchivedReview {
  readonly reviewId: string;
  readonly export: unknown;
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
  /**
   * @param evaluation with its history as JSON, as `temporal workflow show --output json` prints it.
   * @returns false when the same record was there. @throws ArchiveConflict when another one is.
   */
  putEvaluation(evaluation: {
    readonly evaluationId: string;
    readonly runId: string;
    readonly report: unknown;
    readonly historyJson: string;
  }): Promise<boolean>;
  /** The same, for a review. */
  putReview(review: ArchivedReview): Promise<boolean>;
  /** `undefined` when there is none. @throws ArchiveDamaged when it cannot be believed. */
  getEvaluation(evaluationId: string): Promise<ArchivedEvaluation | undefined>;
  getReview(reviewId: string): Promise<ArchivedReview | undefined>;
  /** Ids of the reviews of an evaluation, sorted. */
  listReviews(evaluationId: string): Promise<string[]>;
}

interface Place {
  readonly kind: 'evaluation' | 'review';
  readonly id: string;
  readonly file: string;
}

const nameOf = ({ kind, id }: Place): string => `${kind} ${id}`;

/** @param dir made when the first record comes. */
export function makeArchive(dir: string): Archive {
  const root = resolve(dir);
  const folderOf = (evaluationId: string): string => join(root, ...evaluationFolder(evaluationId));
  const evaluationAt = (id: string): Place => ({ kind: 'evaluation', id, file: join(folderOf(id), EVALUATION_FILE) });
  const reviewAt = (id: string): Place => {
    const { evaluationId, file } = reviewPlace(id);
    return { kind: 'review', id, file: join(folderOf(evaluationId), REVIEWS, file) };
  };
  return {
    async putEvaluation({ evaluationId, runId, report, historyJson }) {
      const place = evaluationAt(evaluationId);
      const record: ArchivedEvaluation = { evaluationId, runId, report, history: parsedHistory(historyJson, evaluationId) };
      return await put(root, place, record);
    },
    putReview: async ({ reviewId, export: exported }) =>
      await put(root, reviewAt(reviewId), { reviewId, export: exported } satisfies ArchivedReview),
    getEvaluation: async (id) => (await read(evaluationAt(id))) as ArchivedEvaluation | undefined,
    getReview: async (id) => (await read(reviewAt(id))) as ArchivedReview | undefined,
    async listReviews(evaluationId) {
      const names = await readdir(join(folderOf(evaluationId), REVIEWS)).catch(ifAbsent([]));
      return names.flatMap((name) => reviewOf(evaluationId, name) ?? []).toSorted();
    },
  };
}

function parsedHistory(json: string, evaluationId: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own words quote the text.
    throw new Error(`the history of evaluation ${evaluationId} is not JSON`);
  }
}

/**
 * The file has its name only when the disk has all of it, and never takes that of another one: of two processes that write
 * one record at once one is first, and the other one compares.
 */
async function put(root: string, place: Place, record: object): Promise<boolean> {
  const body = JSON.stringify(record);
  const head = JSON.stringify({ v: VERSION, kind: place.kind, id: place.id, sha256: sha256(body) });
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
  const { v, kind, id, sha256: digest, record }: Readonly<Record<string, unknown>> = typeof value === 'object' ? { ...value } : {};
  if (typeof v === 'number' && v > VERSION)
    throw new Error(`the archive's record of ${nameOf(place)} was written by a newer version (${v})`);
  if (v !== VERSION || typeof record !== 'object' || record === null) throw damaged('it is no record of an archive');
  // File systems that do not tell A from a give one file to two ids.
  if (kind !== place.kind || id !== place.id) throw damaged(`it is that of ${String(kind)} ${String(id)}`.slice(0, 400));
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
