/**
 * Keeps what has closed: a process with an archive looks now and then for evaluations and reviews of its deployment that
 * have closed since, and writes them down. Nothing waits for it, and several processes may do it at once.
 *
 * A1 How far it came stands in the folder: whoever sweeps next goes on there, also after all were away.
 * A2 It moves on only when everything up to there was written; what cannot be is told, and tried again.
 * A3 A record is written once; one that is there is not read from the server again.
 * A4 Where the server has forgotten what was not written yet, the gap is noted: nothing is answered over it.
 */
import { readdir } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { call, type Host } from '../client-calls.js';
import { TribunalError } from '../client-errors.js';
import { EVALUATE, isReviewId, REVIEW, reviewQueue, workflowQueue } from '../contract.js';
import { positionIn, retentionMs } from './archive-position.js';
import { isKeepable } from './archive-names.js';
import { makeArchive, type Archive } from './archive.js';
import { exportReview } from './export.js';
import { timeOf } from './payloads.js';
import { endedReport, evaluationOf } from './read-evaluation.js';
import { chainOf, readReviewRun } from './read-review.js';
import { onServer, type HistoryEvent } from './recorded.js';

/** Much shorter than any retention, and one query of the index. */
export const SWEEP_MS = 30_000;
/** The index follows the truth within seconds; clocks of server and worker may differ by more. */
const OVERLAP_MS = 600_000;

export interface Sweep {
  /** One look. @returns how many records were written. */
  once(): Promise<number>;
  /** Looks again and again, until {@link Sweep.stop}. */
  run(everyMs?: number): Promise<void>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

interface Closed {
  readonly workflowId: string;
  readonly runId: string;
}

interface Keeping {
  readonly host: Host;
  readonly archive: Archive;
  readonly tell: (message: string) => void;
}

export function makeSweep(host: Host, dir: string, log: (message: string) => void): Sweep {
  const archive = makeArchive(dir);
  const position = positionIn(dir, host.deployment);
  const stopping = new AbortController();
  let told = '';
  const tell = (message: string): void => {
    // Of what fails again and again once is enough.
    if (message !== told) log(message);
    told = message;
  };
  let isNoted = false;
  const once = async (): Promise<number> => {
    const from = await position.swept();
    const begunMs = Date.now();
    const forgottenMs = begunMs - (await retentionMs(host));
    // Of a new archive nothing was promised; records without a position come from a copy that lacks it, and it may lack more.
    const isPromised = from > 0 || !(isNoted || (await isNew(dir)));
    isNoted = true;
    if (isPromised && from < forgottenMs) {
      await position.addGap({ fromMs: from, toMs: forgottenMs });
      tell(
        `the archive may lack what closed from ${new Date(from).toISOString()} to ${new Date(forgottenMs).toISOString()}: nobody kept it in time`,
      );
    }
    let written = 0;
    let isWhole = true;
    for (const closed of await closedSince(host, from)) {
      if (stopping.signal.aborted) return written;
      try {
        written += Number(await keep({ host, archive, tell }, closed));
      } catch (error) {
        isWhole = false;
        tell(`the archive lacks ${closed.workflowId}: ${error instanceof Error ? error.message : 'it cannot be written'}`);
      }
    }
    if (isWhole) await position.moveTo(begunMs - OVERLAP_MS);
    return written;
  };
  const look = async (everyMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      await once().catch((error: unknown) =>
        tell(`the archive is behind: ${error instanceof Error ? error.message : 'the server cannot be asked'}`),
      );
      await pause(everyMs, stopping.signal);
    }
  };
  let running: Promise<void> | undefined;
  return {
    once,
    run: (everyMs = SWEEP_MS) => (running ??= look(everyMs)),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Holds nothing of anybody's. */
async function isNew(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch((error: unknown): string[] => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return names.length === 0;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(end, ms);
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    }
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Runs that another one goes on from are read with that one. */
async function closedSince(host: Host, fromMs: number): Promise<Closed[]> {
  const queues = [workflowQueue(host.deployment), reviewQueue(host.deployment)];
  const query = [
    `WorkflowType IN ('${EVALUATE}', '${REVIEW}')`,
    `TaskQueue IN (${queues.map((queue) => `'${queue}'`).join(', ')})`,
    `ExecutionStatus != 'Running'`,
    `ExecutionStatus != 'ContinuedAsNew'`,
    `CloseTime >= '${new Date(fromMs).toISOString()}'`,
  ].join(' AND ');
  const found: Closed[] = [];
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    // Below the SDK's list, which decodes what nobody looks at here.
    const page = await call(host, 'cannot list what has closed', undefined, () =>
      host.client.workflowService.listWorkflowExecutions({ namespace: host.namespace, query, nextPageToken }),
    );
    for (const { execution } of page.executions ?? [])
      if (execution?.workflowId && execution.runId) found.push({ workflowId: execution.workflowId, runId: execution.runId });
    nextPageToken = page.nextPageToken ?? new Uint8Array();
  } while (nextPageToken.length > 0);
  return found;
}

/** Whether it was written. */
async function keep({ host, archive, tell }: Keeping, { workflowId, runId }: Closed): Promise<boolean> {
  // Of an id that is none nobody will ask, and one that nobody can write must not hold up the others.
  if (!isKeepable(workflowId) || (await archive.has(workflowId, runId))) return false;
  const recorded = onServer(host);
  const events = await recorded.events(workflowId, runId);
  // Its retention has ended since it was listed.
  if (events === undefined) return false;
  const closedAt = new Date(Math.max(0, ...events.slice(-1).map(timeOf))).toISOString();
  const read = async <T>(make: () => Promise<T>): Promise<T | null> =>
    await make().catch((error: unknown) => {
      if (error instanceof TribunalError && error.code !== 'UNDECODABLE') throw error;
      // Its history is kept as it is: whoever has the key can read it.
      tell(`${workflowId} is kept without being read: ${error instanceof Error ? error.message : 'it is of another form'}`);
      return null;
    });
  if (!isReviewId(workflowId)) {
    const report = await read(async () => {
      const { report: returned } = await evaluationOf(host, workflowId, runId, events);
      return returned ?? (await endedReport(host, workflowId, events)) ?? null;
    });
    return await archive.putEvaluation({ evaluationId: workflowId, runId, closedAt, report, history: asJson(events) });
  }
  const runs = await chainOf(workflowId, runId, recorded);
  const histories = runs.runs.map((run) => ({ runId: run.runId, history: asJson(run.events) }));
  const exported = await read(async () => exportReview(await readReviewRun(host, workflowId, runId)));
  return await archive.putReview({ reviewId: workflowId, runId, closedAt, export: exported, histories });
}

const asJson = (events: readonly HistoryEvent[]): unknown => JSON.parse(historyToJSON({ events: [...events] }));
