/** Where recorded histories lie, how large they may be, and whether one shows what its kind is about. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { End, History } from './ends.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';

/** One that is larger would be slow to read in a review, and shows nothing that a smaller one does not. */
export const MAX_HISTORY_BYTES = 150_000;
export const MAX_FOLDER_BYTES = 1_500_000;

const FOLDER = fileURLToPath(new URL('./histories/', import.meta.url));

export const historyFile = (kind: string): string => `${FOLDER}${kind}.json`;

/** Names of the kinds that have a history, sorted. */
export async function recordedKinds(): Promise<string[]> {
  const files = await readdir(FOLDER);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .toSorted();
}

/** Those that the SDK's replay can tell nothing of, since it takes a reset run for the run before, are left to a capturing bundle. */
export const replayable = (kinds: readonly string[]): string[] => kinds.filter((kind) => KINDS[kind]?.onlyAsReset !== true);

export async function readHistory(kind: string): Promise<History> {
  const json: unknown = JSON.parse(await readFile(historyFile(kind), 'utf8'));
  return historyFromJSON(json);
}

export const historyBytes = async (kind: string): Promise<number> => (await stat(historyFile(kind))).size;

/** What an end lacks of its kind; `undefined`: nothing. */
export function kindProblem(kind: Kind, { end, critics = {}, reasons = [], review }: End): string | undefined {
  if (end !== kind.end) return `it ended as ${end}, its kind ends as ${kind.end}`;
  if (kind.reason !== undefined && !reasons.some((reason) => reason.includes(` ${kind.reason}`)))
    return `its reasons are ${reasons.join(', ')}, and ${kind.reason} is missing`;
  if ((review !== undefined) !== (kind.review === true)) return `it has ${review ?? 'no review'}`;
  const planned = 'critics' in kind.plan && typeof kind.plan.critics === 'object' ? Object.keys(kind.plan.critics ?? {}) : [];
  for (const name of end === 'refused' ? [] : planned) {
    const outcome = critics[name]?.split(',')[0] ?? 'nothing';
    const expected = kind.outcomes?.[name] ?? 'succeeded';
    if (outcome !== expected) return `its critic ${name} ended as ${outcome}, that of its kind as ${expected}`;
  }
  return undefined;
}
