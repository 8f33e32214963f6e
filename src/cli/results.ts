/**
 * The file of results of a batch (`--out`): one line for each record that has ended, and what a second run needs to go on.
 *
 * O1 A record that has its line is not asked for again; it is known by evaluation and digest, so a record that was changed
 *    under its key is asked for, and refused by the server.
 * O2 Records without a key get one that is made of the batch and the record, so that the run after a kill finds the
 *    evaluation that was under way instead of starting a second one. Another file is another batch, which judges anew.
 * O3 The last line may be torn by a kill: it is cut off, and its record is asked for again.
 * O4 A file that is not ours is left as it is.
 *
 * Until the first line is written the name of the batch stands in `<file>.batch`; then every line has it.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { evaluationId } from '../contract.js';
import type { Decision } from '../domain/report.js';
import { requestDigest, sha256 } from '../digest.js';
import { safeJson } from '../report/safe.js';
import { toEvaluationRequest, type StartRequest } from '../schemas/request.js';
import { parseResultLine, type ResultLine } from '../schemas/result-line.js';
import { usageError } from './exit.js';
import { linesOf } from './records.js';

/** Of a SHA-256, in hexadecimal: no two records of a batch share 160 bits. */
const KEY_DIGITS = 40;
const BATCH_FORM = /^[0-9a-f-]{36}$/;
const NEWLINE = 10;

/** A record with the key and the digest by which it is known again. */
export interface KnownRequest {
  readonly request: StartRequest;
  readonly digest: string;
  /** What an earlier run has written about it; `ended`: without a report. */
  readonly done: Decision | 'ended' | undefined;
}

/** A result as a batch has it. */
export interface ResultToKeep {
  readonly at: string;
  readonly evaluationId: string;
  readonly digest: string;
  readonly [field: string]: unknown;
}

export class Results {
  readonly #file: string;
  readonly #batch: string;
  readonly #done: ReadonlyMap<string, Decision | 'ended'>;
  /** How often each digest was met: a file may hold the same record twice. */
  readonly #met = new Map<string, number>();

  private constructor(file: string, batch: string, done: ReadonlyMap<string, Decision | 'ended'>) {
    this.#file = file;
    this.#batch = batch;
    this.#done = done;
  }

  /**
   * Makes the file, or takes up the one that is there.
   * @param earlier is told every line of it.
   * @throws CliError when the file is not a file of results, or one of another plan.
   */
  static async open(file: string, plan: string, earlier: (line: ResultLine) => void): Promise<Results> {
    const done = new Map<string, Decision | 'ended'>();
    let batch: string | undefined;
    const size = existsSync(file) ? sizeOf(file) : undefined;
    const whole = size === undefined ? 0 : await endOfLastLine(file, size);
    for await (const { at, text } of size === undefined ? [] : linesOf(file, whole)) {
      if (text === '') continue;
      const line = parseResultLine(text);
      if (line === undefined) throw usageError(`${at}: is no result of a batch, so nothing is written there: name another file with --out`);
      if ('plan' in line && line.plan.name !== plan)
        throw usageError(`${at}: is a result of plan ${line.plan.name}, and this batch is judged by ${plan}: name another file with --out`);
      batch ??= line.batch;
      done.set(idOf(line.evaluationId, line.digest), 'error' in line ? 'ended' : line.decision);
      earlier(line);
    }
    const noted = size === undefined ? undefined : notedBatch(file);
    if (size !== undefined && size > whole) {
      // Nothing in it shows that it is ours: it may be anything that ends without a line break.
      if (batch === undefined && noted === undefined)
        throw usageError(`${file}: is no file of results, so nothing is written there: name another file with --out`);
      truncateSync(file, whole);
    }
    batch ??= noted;
    if (batch === undefined) {
      batch = randomUUID();
      // Before the file: one that is there without a name of its batch would be taken for another batch.
      write(noteOf(file), batch, 'w');
    }
    if (size === undefined) write(file, '', 'a');
    return new Results(file, batch, done);
  }

  /** Gives a record its key. To be called once for each, in the order of the file. */
  know(request: StartRequest): KnownRequest {
    const checked = toEvaluationRequest(request, () => 'none');
    // What the client will refuse has no digest, and never an end.
    if (!checked.ok) return { request, digest: '', done: undefined };
    const digest = requestDigest(checked.value);
    const number = (this.#met.get(digest) ?? 0) + 1;
    this.#met.set(digest, number);
    const key = request.key ?? `b-${sha256(`${this.#batch}/${digest}/${number}`).slice(0, KEY_DIGITS)}`;
    const done = this.#done.get(idOf(evaluationId(checked.value.tenant, key), digest));
    return { request: { ...request, key }, digest, done };
  }

  /** One write for each line: a kill leaves whole lines, or tears the last. */
  add({ at, evaluationId: id, digest, ...rest }: ResultToKeep): void {
    appendFileSync(this.#file, `${safeJson({ at, batch: this.#batch, evaluationId: id, digest, ...rest })}\n`);
    rmSync(noteOf(this.#file), { force: true });
  }
}

const idOf = (id: string, digest: string): string => `${id} ${digest}`;
const noteOf = (file: string): string => `${file}.batch`;

function notedBatch(file: string): string | undefined {
  if (!existsSync(noteOf(file))) return undefined;
  const text = readFileSync(noteOf(file), 'utf8');
  return BATCH_FORM.test(text) ? text : undefined;
}

function sizeOf(file: string): number {
  const found = statSync(file);
  if (!found.isFile()) throw usageError(`${file}: is not a file; name one for the results with --out`);
  return found.size;
}

function write(file: string, text: string, flag: 'a' | 'w'): void {
  try {
    writeFileSync(file, text, { flag });
  } catch (error) {
    throw usageError(`${file}: cannot be written: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`);
  }
}

/** Bytes up to the last line break: what comes after it was torn. */
async function endOfLastLine(file: string, size: number): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const chunk = Buffer.alloc(65_536);
    for (let end = size; end > 0; end -= chunk.length) {
      const from = Math.max(0, end - chunk.length);
      const { bytesRead } = await handle.read(chunk, 0, end - from, from);
      const found = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
      if (found !== -1) return from + found + 1;
    }
    return 0;
  } finally {
    await handle.close();
  }
}
