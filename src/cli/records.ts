/**
 * Records out of files and pipes: one JSON object, or JSON lines. Everything that is wrong is told at once with its line,
 * before anything is started. No text of a record stands in a message.
 *
 * A file of JSON lines is read twice, once to check it and once to judge it, so that it is never in memory as a whole.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DEFAULT_TENANT, evaluationId } from '../contract.js';
import { parseRecord, type Checked, type EvaluationRecord } from '../schemas/request.js';
import { CliError, usageError } from './exit.js';

export interface RecordAt {
  /** `records.jsonl:3`, or the file's name when it holds one record. */
  readonly at: string;
  readonly record: EvaluationRecord;
}

/** Records that have been checked. */
export interface Records {
  readonly count: number;
  /** The first; the only one when the count is 1. */
  readonly first: RecordAt;
  /** In their order. May be called once more; throws when the file has changed since it was checked. */
  read(): AsyncIterable<RecordAt>;
}

/** More than a person reads. */
const MAX_TOLD = 20;
/** A record of 256 KB with every character escaped has 1.5 MB; what is longer is no line of records. */
const MAX_LINE_CHARS = 4_194_304;

/**
 * @param source a file, or `-` for stdin.
 * @throws CliError naming every line that is not a record.
 */
export async function openRecords(source: string, stdin: AsyncIterable<Uint8Array | string>): Promise<Records> {
  if (source !== '-' && (await isJsonLines(source))) return await checkLines(source);
  const records = parseRecords(nameOf(source), await readSource(source, stdin));
  const [first] = records;
  if (first === undefined) throw noRecord(nameOf(source));
  return inMemory(first, records);
}

export const onlyRecord = (record: RecordAt): Records => inMemory(record, [record]);

const inMemory = (first: RecordAt, records: readonly RecordAt[]): Records => ({
  count: records.length,
  first,
  async *read() {
    yield* records;
  },
});

/** The only record of a file, of stdin (`-`), or the one on a line of JSON lines (`FILE:LINE`). */
export async function readRecord(source: string, stdin: AsyncIterable<Uint8Array | string>): Promise<RecordAt> {
  const [, file, line] = /^(.+):(\d+)$/.exec(source) ?? [];
  if (file === undefined || line === undefined) {
    const records = await openRecords(source, stdin);
    if (records.count === 1) return records.first;
    throw usageError(`${nameOf(source)} holds ${records.count} records: name one, such as ${records.first.at}`);
  }
  for await (const entry of linesOf(file)) {
    if (entry.at !== source || entry.text === '') continue;
    const checked = checkEntry(entry.text);
    if (checked.ok) return { at: source, record: checked.value };
    throw usageError(checked.problems.map((problem) => `${source}: ${problem}`).join('\n'));
  }
  throw usageError(`${source}: there is no record on this line`);
}

/** The text of a file, or of stdin for `-`. */
export async function readSource(source: string, stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  if (source !== '-') return decode(source, await readFile(source).catch((error: unknown) => refuseFile(source, error)));
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return decode('stdin', Buffer.concat(chunks));
}

const nameOf = (source: string): string => (source === '-' ? 'stdin' : source);
const noRecord = (name: string): Error => usageError(`${name}: holds no record: write a JSON object, or one a line`);

function refuseFile(file: string, error: unknown): never {
  if (error instanceof CliError || !(error instanceof Error) || !('code' in error)) throw error;
  throw usageError(error.code === 'ENOENT' ? `${file}: there is no such file` : `${file}: cannot be read: ${String(error.code)}`);
}

/** Refuses what is not UTF-8: replacement characters would be judged instead of the content. */
function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`${name}: is not UTF-8`);
  }
}

/**
 * The lines of a file, trimmed, with their numbers; empty ones too.
 * @param bytes how many of it; absent: all.
 * @throws CliError when it cannot be read, is not UTF-8, or has a line that no record can be.
 */
export async function* linesOf(file: string, bytes = Number.POSITIVE_INFINITY): AsyncGenerator<Entry> {
  if (bytes <= 0) return;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (chunk: Uint8Array | undefined): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw usageError(`${file}: is not UTF-8`);
    }
  };
  let rest = '';
  let number = 0;
  const entry = (text: string): Entry => ({ at: `${file}:${(number += 1)}`, text: text.trim() });
  try {
    for await (const chunk of createReadStream(file, { end: bytes - 1 })) {
      const lines = (rest + decoded(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARS)
        throw usageError(`${file}:${number + lines.length + 1}: is longer than ${MAX_LINE_CHARS} characters`);
      for (const line of lines) yield entry(line);
    }
  } catch (error) {
    refuseFile(file, error);
  }
  yield entry(rest + decoded(undefined));
}

/** Whether its first line stands for itself; what opens an object that a later line closes is one record. */
async function isJsonLines(file: string): Promise<boolean> {
  for await (const { text } of linesOf(file)) if (text !== '') return text.endsWith('}');
  return false;
}

async function checkLines(file: string): Promise<Records> {
  const checker = new Checker();
  for await (const entry of linesOf(file)) if (entry.text !== '') checker.add(entry);
  const { count, first } = checker.end(file);
  return { count, first, read: () => readLines(file) };
}

async function* readLines(file: string): AsyncGenerator<RecordAt> {
  for await (const { at, text } of linesOf(file)) {
    if (text === '') continue;
    const checked = checkEntry(text);
    if (!checked.ok) throw usageError(`${at}: the file has changed since it was checked`);
    yield { at, record: checked.value };
  }
}

/**
 * @param name for messages.
 * @throws CliError naming every line that is not a record.
 */
export function parseRecords(name: string, text: string): RecordAt[] {
  const records: RecordAt[] = [];
  const checker = new Checker();
  for (const entry of entriesOf(name, text)) {
    const record = checker.add(entry);
    if (record !== undefined) records.push(record);
  }
  checker.end(name);
  return records;
}

/** Keeps of each record no more than it needs to find what is wrong with all of them together. */
class Checker {
  readonly #problems: string[] = [];
  #problemCount = 0;
  readonly #places = new Map<string, string>();
  #first: RecordAt | undefined;
  #count = 0;

  add({ at, text }: Entry): RecordAt | undefined {
    const checked = checkEntry(text);
    if (!checked.ok) {
      for (const problem of checked.problems) this.#tell(`${at}: ${problem}`);
      return undefined;
    }
    const { key, tenant = DEFAULT_TENANT } = checked.value;
    if (key !== undefined) {
      const id = evaluationId(tenant, key);
      const earlier = this.#places.get(id);
      // Which of the two would be judged is a race.
      if (earlier !== undefined) this.#tell(`${at}: has the key of ${earlier}`);
      this.#places.set(id, at);
    }
    const record = { at, record: checked.value };
    this.#first ??= record;
    this.#count += 1;
    return record;
  }

  end(name: string): { readonly count: number; readonly first: RecordAt } {
    if (this.#problemCount > 0) {
      const more = this.#problemCount > MAX_TOLD ? [`and ${this.#problemCount - MAX_TOLD} more`] : [];
      throw usageError([...this.#problems, ...more, 'nothing was started'].join('\n'));
    }
    if (this.#first === undefined) throw noRecord(name);
    return { count: this.#count, first: this.#first };
  }

  #tell(problem: string): void {
    this.#problemCount += 1;
    if (this.#problems.length < MAX_TOLD) this.#problems.push(problem);
  }
}

interface Entry {
  readonly at: string;
  readonly text: string;
}

/** One entry a line, or the whole text when its first line opens an object that a later one closes. */
function entriesOf(name: string, text: string): Entry[] {
  const lines = text
    .split('\n')
    .map((line, index) => ({ at: `${name}:${index + 1}`, text: line.trim() }))
    .filter((line) => line.text !== '');
  const first = lines[0];
  if (first === undefined) throw noRecord(name);
  return lines.length > 1 && !first.text.endsWith('}') ? [{ at: name, text }] : lines;
}

function checkEntry(text: string): Checked<EvaluationRecord> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problems: ['is not JSON: write a record as one JSON object, or one object a line; for plain text use --content'] };
  }
  return parseRecord(value);
}
