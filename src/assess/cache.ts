/**
 * Findings of earlier runs, so that a run that was killed goes on and a paid answer is paid for once. One file for each
 * critic, version and options; one JSON line for each answer, appended when it arrives.
 *
 * C1 Nothing of the content is in it: hashes, findings without their texts, times and cost.
 * C2 Only what succeeded is kept; what failed is tried again by the next run.
 * C3 A line that cannot be read, above all a torn last one, counts as not there.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hashJson } from '../digest.js';
import type { Finding } from '../domain/finding.js';
import { findingProblem } from '../domain/finding-problem.js';
import type { PlanCritic } from '../domain/plan.js';
import { bareFinding } from './bare-finding.js';

/** One answer. */
export interface Kept {
  readonly finding: Finding;
  /** When the critic really ran. */
  readonly ranMs: number;
}

export interface CriticCache {
  get(key: string): Kept | undefined;
  put(key: string, kept: Kept): void;
  close(): void;
}

export const NO_CACHE: CriticCache = { get: () => undefined, put: () => undefined, close: () => undefined };

/** Enough of a hash to tell options apart. */
const HASH_CHARS = 16;

/** What an answer depends on beside content, context and findings. */
export const cacheFileOf = ({ uses, version, with: options, requiredOutputFields, validateOutput }: PlanCritic): string =>
  `${uses}-${version}-${hashJson({ options, requiredOutputFields, validateOutput: validateOutput ?? null }).slice(0, HASH_CHARS)}.jsonl`;

/** @throws Error with one sentence, when the folder cannot be written. */
export function openCache(folder: string, critic: PlanCritic): CriticCache {
  const file = join(folder, cacheFileOf(critic));
  try {
    mkdirSync(folder, { recursive: true });
    const descriptor = openSync(file, 'a+');
    const text = readFileSync(file, 'utf8');
    // Else the first new line would be part of the torn one.
    if (text !== '' && !text.endsWith('\n')) writeSync(descriptor, '\n');
    const known = new Map(text.split('\n').flatMap(entryOf));
    return {
      get: (key) => known.get(key),
      put(key, { finding, ranMs }) {
        known.set(key, { finding, ranMs });
        writeSync(descriptor, `${JSON.stringify({ key, ranMs, finding: bareFinding(finding) })}\n`);
      },
      close: () => closeSync(descriptor),
    };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new Error(`${file}: cannot be written: ${code}; name another folder with --cache, or leave it out with --no-cache`, { cause });
  }
}

function entryOf(line: string): [string, Kept][] {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null || !('key' in entry) || !('finding' in entry) || !('ranMs' in entry)) return [];
    const { key, finding, ranMs } = entry;
    if (typeof key !== 'string' || typeof ranMs !== 'number' || !(ranMs >= 0) || findingProblem(finding) !== undefined) return [];
    // Everything that rules read was checked above.
    return [[key, { finding: finding as Finding, ranMs }]];
  } catch {
    return [];
  }
}
