/** Where recorded histories of reviews lie, and what they say: read as the account of a review is read, from files. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Host } from '../../src/client-calls.js';
import { REVIEW, SEARCH_ATTRIBUTES } from '../../src/contract.js';
import { readReview } from '../../src/review/read-review.js';
import type { Recorded } from '../../src/review/recorded.js';
import type { ReviewRecord } from '../../src/review/review-record.js';
import type { History } from './ends.js';
import { recordedAccount } from './review-accounts.js';
import type { ReviewKind } from './review-kind.js';
import { runIdOf, workflowIdOf, workflowTypeOf } from './runs.js';

/** All of them together. */
export const MAX_REVIEWS_BYTES = 750_000;

const FOLDER = fileURLToPath(new URL('./histories/reviews/', import.meta.url));
const NAME = /^([a-z-]+)(?:\.(\d+))?\.json$/;

/** @param run number of a run in its chain, from 0. */
export const reviewFile = (kind: string, run: number): string => `${FOLDER}${kind}${run === 0 ? '' : `.${run}`}.json`;

export interface RecordedKind {
  readonly kind: string;
  /** Oldest first. */
  readonly runs: readonly History[];
}

export async function recordedReviews(): Promise<RecordedKind[]> {
  const names = (await readdir(FOLDER)).flatMap((file) => NAME.exec(file)?.[1] ?? []);
  const kinds = [...new Set(names)].toSorted();
  return await Promise.all(
    kinds.map(async (kind) => {
      const count = names.filter((name) => name === kind).length;
      const runs = await Promise.all(Array.from({ length: count }, (_, run) => readFile(reviewFile(kind, run), 'utf8')));
      return { kind, runs: runs.map((text) => historyFromJSON(JSON.parse(text))) };
    }),
  );
}

export async function reviewBytes(): Promise<number[]> {
  const files = await readdir(FOLDER);
  return await Promise.all(files.map(async (file) => (await stat(`${FOLDER}${file}`)).size));
}

/** Its account, read from the histories as from a server. */
export async function readRecorded(runs: readonly History[]): Promise<ReviewRecord> {
  const byRun = new Map(runs.map((run) => [runIdOf(run), run.events ?? []] as const));
  const recorded: Recorded = {
    newestRun: async () => [...byRun.keys()].at(-1),
    events: async (_workflowId, runId) => byRun.get(runId),
  };
  // Nothing is asked of the server: the client is there for its data converter.
  const client = new Client({ connection: { workflowService: undefined, plugins: [] } as unknown as Connection });
  const host: Host = { client, index: client, namespace: 'default', deployment: '' };
  return await readReview(host, workflowIdOf(runs[0] ?? {}), recorded);
}

/** What a recording lacks of its kind; `undefined`: nothing. */
export async function reviewKindProblem(kind: ReviewKind, runs: readonly History[]): Promise<string | undefined> {
  const [last] = runs.slice(-1);
  if (last === undefined || runs.length !== (kind.runs ?? 1)) return `it has ${runs.length} runs, its kind has ${kind.runs ?? 1}`;
  const account = recordedAccount(last);
  if (workflowTypeOf(last) !== REVIEW) return account.close?.is === kind.is ? undefined : `it is ${account.close?.is}, not ${kind.is}`;
  const { entries, result } = await readRecorded(runs);
  const types = entries.map(({ entry }) => entry.type).join(', ');
  if (types !== kind.entries.join(', ')) return `its entries are ${types}, those of its kind are ${kind.entries.join(', ')}`;
  const shown = account.shown[SEARCH_ATTRIBUTES.reviewState.name] ?? 'OPENING';
  const is = result?.outcome ?? entries.at(-1)?.entry.to ?? 'OPENING';
  return is === kind.is && shown === kind.is ? undefined : `it is ${is} and shows ${JSON.stringify(shown)}, that of its kind is ${kind.is}`;
}
