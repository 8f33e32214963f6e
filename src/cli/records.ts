/**
 * Records out of files and pipes: one JSON object, or JSON lines. Everything that is wrong is told at once with its line,
 * before anything is started. No text of a record stands in a message.
 */
import { DEFAULT_TENANT, evaluationId } from '../contract.js';
import { readFile } from 'node:fs/promises';
import { parseRecord, type Checked, type EvaluationRecord } from '../schemas/request.js';
import { usageError } from './exit.js';

export interface RecordAt {
  /** `records.jsonl:3`, or the file's name when it holds one record. */
  readonly at: string;
  readonly record: EvaluationRecord;
}

/** More than a person reads. */
const MAX_TOLD = 20;

/** The text of a file, or of stdin for `-`. */
export async function readSource(source: string, stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  if (source !== '-') {
    return decode(
      source,
      await readFile(source).catch((error: NodeJS.ErrnoException) => {
        throw usageError(
          error.code === 'ENOENT' ? `${source}: there is no such file` : `${source}: cannot be read: ${error.code ?? error.message}`,
        );
      }),
    );
  }
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return decode('stdin', Buffer.concat(chunks));
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
 * @param name for messages.
 * @throws CliError naming every line that is not a record.
 */
export function parseRecords(name: string, text: string): RecordAt[] {
  const entries = entriesOf(name, text);
  const problems: string[] = [];
  const records: RecordAt[] = [];
  const places = new Map<string, string>();
  for (const entry of entries) {
    const checked = checkEntry(entry.text);
    if (checked.ok) {
      const { key, tenant = DEFAULT_TENANT } = checked.value;
      const id = key === undefined ? undefined : evaluationId(tenant, key);
      const earlier = id === undefined ? undefined : places.get(id);
      // Which of the two would be judged is a race.
      if (earlier !== undefined) problems.push(`${entry.at}: has the key of ${earlier}`);
      if (id !== undefined) places.set(id, entry.at);
      records.push({ at: entry.at, record: checked.value });
    } else problems.push(...checked.problems.map((problem) => `${entry.at}: ${problem}`));
  }
  if (problems.length === 0) return records;
  const more = problems.length > MAX_TOLD ? [`and ${problems.length - MAX_TOLD} more`] : [];
  throw usageError([...problems.slice(0, MAX_TOLD), ...more, 'nothing was started'].join('\n'));
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
  if (first === undefined) throw usageError(`${name}: holds no record: write a JSON object, or one a line`);
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
