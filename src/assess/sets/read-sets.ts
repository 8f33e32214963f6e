/**
 * Labelled sets out of files and folders: JSON lines, each row read by the adapter that knows its form. Everything that is
 * wrong is told at once with its line, before any critic runs; no text of a row stands in a message.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { arenaChat } from './arena-chat.js';
import { openaiModeration } from './openai-moderation.js';
import { ownForm } from './own-form.js';
import { presidioPii } from './presidio-pii.js';
import { purplellamaInjection } from './purplellama-injection.js';
import type { Adapter, SetRecord } from './record.js';

const ADAPTERS: readonly Adapter[] = [openaiModeration, presidioPii, purplellamaInjection, arenaChat, ownForm];

/** More than a person reads. */
const MAX_TOLD = 20;

/** Sets that cannot be used, with all reasons at once. */
export class SetProblems extends Error {
  override readonly name = 'SetProblems';
  constructor(problems: readonly string[]) {
    const more = problems.length > MAX_TOLD ? [`and ${problems.length - MAX_TOLD} more`] : [];
    super([...problems.slice(0, MAX_TOLD), ...more, 'nothing was run'].join('\n'));
  }
}

export interface Sets {
  readonly records: readonly SetRecord[];
  /** Which files were read, by which adapters, with how many records. */
  readonly files: readonly { readonly file: string; readonly form: string; readonly records: number }[];
  /** Files of a folder that hold no records of text. */
  readonly skipped: readonly string[];
}

/**
 * @param paths files of JSON lines, or folders of them.
 * @throws SetProblems.
 */
export async function readSets(paths: readonly string[]): Promise<Sets> {
  const problems: string[] = [];
  const places = new Map<string, string>();
  const records: SetRecord[] = [];
  const files: { file: string; form: string; records: number }[] = [];
  const skipped: string[] = [];
  for (const { file, named } of await filesOf(paths, problems)) {
    const text = await readUtf8(file, problems);
    if (text === undefined) continue;
    const lines = linesOf(text);
    // A folder may hold other things; a file that was named is meant.
    if (!named && lines.length > 0 && lines.every(({ row }) => isOfNumbers(row))) {
      skipped.push(file);
      continue;
    }
    const forms = new Set<string>();
    let count = 0;
    for (const { line, row } of lines) {
      const at = `${file}:${line}`;
      const read = readRow(row, file, line);
      if ('problems' in read) problems.push(...read.problems.map((problem) => `${at}: ${problem}`));
      else if (places.has(read.record.id)) problems.push(`${at}: has the id of ${places.get(read.record.id) ?? ''}`);
      else {
        places.set(read.record.id, at);
        records.push(read.record);
        forms.add(read.form);
        count += 1;
      }
    }
    if (lines.length === 0) problems.push(`${file}: holds no row: write one JSON object a line`);
    files.push({ file, form: [...forms].join(', '), records: count });
  }
  if (problems.length > 0) throw new SetProblems(problems);
  return { records, files, skipped };
}

interface Line {
  readonly line: number;
  /** `undefined`: not JSON. */
  readonly row: unknown;
}

const linesOf = (text: string): Line[] =>
  text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line: index + 1, row: parsed(line) }]));

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Rows of measurements, such as arrival times: nothing to judge. */
const isOfNumbers = (row: unknown): boolean =>
  typeof row === 'object' &&
  row !== null &&
  Object.values(row).length > 0 &&
  Object.values(row).every((value) => typeof value === 'number');

function readRow(
  row: unknown,
  file: string,
  line: number,
): { readonly record: SetRecord; readonly form: string } | { readonly problems: readonly string[] } {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return { problems: ['is not a JSON object: write one a line'] };
  const adapter = ADAPTERS.find((one) => one.recognises(row));
  if (adapter === undefined)
    return { problems: ['is of no form that is known: write { "text": …, "labels": { "family": true } }, see docs/assess.md'] };
  const stratum = basename(file).replace(/\.[^.]+$/, '');
  const read = adapter.read(row, { id: `${basename(file)}:${line}`, stratum });
  return read.ok ? { record: read.record, form: adapter.name } : { problems: read.problems };
}

interface Named {
  readonly file: string;
  /** Not found in a folder. */
  readonly named: boolean;
}

async function filesOf(paths: readonly string[], problems: string[]): Promise<Named[]> {
  const files: Named[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) problems.push(`${path}: there is no such file or folder`);
    else if (!found.isDirectory()) files.push({ file: path, named: true });
    else {
      const inside = await readdir(path, { recursive: true });
      const sets = inside.filter((name) => name.endsWith('.jsonl')).toSorted();
      if (sets.length === 0) problems.push(`${path}: holds no file that ends in .jsonl`);
      files.push(...sets.map((name) => ({ file: join(path, name), named: false })));
    }
  }
  return files;
}

async function readUtf8(file: string, problems: string[]): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    problems.push(`${file}: ${code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8' : `cannot be read: ${code}`}`);
    return undefined;
  }
}
