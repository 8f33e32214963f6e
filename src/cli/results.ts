/**
 * The file of results of a batch (`--out`): one line for each record that has ended, and what a second run needs to go on.
 *
 * O1 A record that has its line is not asked for again; it is known by evaluation and digest, so a record that was changed
 *    under its key is asked for, and refused by the server.
 * O2 Records without a key get one that is made of the batch and the record, so that the run after a kill finds the
 *    evaluation that was under way instead of starting a second one. Another file is another batch, which judges anew.
 * O3 The last line may be torn by a kill: it is cut off, and its record is asked for again.
 * O4 A file that is not ours is left as it is.
 * O5 What could not be judged is looked at again, since an operator may have mended it meanwhile. When it has come to another
 *    end it gets a second line: the last line of an evaluation counts.
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
import { CliError, EXIT, usageError } from './exit.js';
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
  /** Bytes that earlier runs have written. */
  readonly #earlierBytes: number;
  /** Records of this run that had their line already. */
  readonly #skipped = new Set<string>();
  /** How often each digest was met: a file may hold the same record twice. */
  readonly #met = new Map<string, number>();

  private constructor(file: string, batch: string, done: ReadonlyMap<string, Decision | 'ended'>, earlierBytes: number) {
    this.#file = file;
    this.#batch = batch;
    this.#done = done;
    this.#earlierBytes = earlierBytes;
  }

  /**
   * Makes the file, or takes up the one that is there.
   * @throws CliError when the file is not a file of results, or one of another plan.
   */
  static async open(file: string, plan: string): Promise<Results> {
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
      done.set(idOf(line.evaluationId, line.digest), endOf(line));
    }
    const noted = notedBatch(file);
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
      write(noteOf(file), batch, 'wx');
    }
    if (size === undefined) write(file, '', 'a');
    return new Results(file, batch, done, whole);
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
    const id = idOf(evaluationId(checked.value.tenant, key), digest);
    const end = this.#done.get(id);
    const done = end === 'not_judged' ? undefined : end;
    if (done !== undefined) this.#skipped.add(id);
    return { request: { ...request, key }, digest, done };
  }

  /** The lines of the records that had one already: what earlier runs have written about records of this one. */
  async *skippedLines(): AsyncGenerator<ResultLine> {
    if (this.#skipped.size === 0) return;
    for await (const { text } of linesOf(this.#file, this.#earlierBytes)) {
      const line = text === '' ? undefined : parseResultLine(text);
      if (line === undefined) continue;
      const id = idOf(line.evaluationId, line.digest);
      if (this.#skipped.has(id) && this.#done.get(id) === endOf(line)) yield line;
    }
  }

  /**
   * One write for each line: a kill leaves whole lines, or tears the last.
   * @throws Error when it cannot be written whole; nothing of it is left then.
   */
  add({ at, evaluationId: id, digest, ...rest }: ResultToKeep): void {
    if (rest['decision'] === 'not_judged' && this.#done.get(idOf(id, digest)) === 'not_judged') return;
    const { size } = statSync(this.#file);
    try {
      appendFileSync(this.#file, `${safeJson({ at, batch: this.#batch, evaluationId: id, digest, ...rest })}\n`);
    } catch (error) {
      // Else the next line would be part of this one.
      truncateSync(this.#file, size);
      throw new CliError(
        EXIT.error,
        'NOT_WRITTEN',
        `${this.#file}: the result cannot be written: ${codeOf(error)}; the record is asked for again by the next run`,
      );
    }
    rmSync(noteOf(this.#file), { force: true });
  }
}

const endOf = (line: ResultLine): Decision | 'ended' => ('error' in line ? 'ended' : line.decision);
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown');

const idOf = (id: string, digest: string): string => `${id} ${digest}`;
const noteOf = (file: string): string => `${file}.batch`;

function notedBatch(file: string): string | undefined {
  if (!existsSync(noteOf(file))) return undefined;
  const text = readFileSync(noteOf(file), 'utf8');
  if (BATCH_FORM.test(text)) return text;
  throw usageError(`${noteOf(file)}: is there and is not ours, so nothing is written: move it, or name another file with --out`);
}

function sizeOf(file: string): number {
  const found = statSync(file);
  if (!found.isFile()) throw usageError(`${file}: is not a file; name one for the results with --out`);
  return found.size;
}

function write(file: string, text: string, flag: 'a' | 'wx'): void {
  try {
    writeFileSync(file, text, { flag });
  } catch (error) {
    throw usageError(`${file}: cannot be written: ${codeOf(error)}`);
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
