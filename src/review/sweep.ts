/**
 * Keeps what has closed: a process with an archive looks now and then for evaluations and reviews of its deployment that
 * have closed since, and writes them down. Nothing waits for it, and several processes may do it at once.
 *
 * A1 How far it came stands in the folder: whoever sweeps next goes on there, also after all were away.
 * A2 It moves on only when everything up to there was written; what cannot be is told, and tried again.
 * A3 A record is written once; one that is there is not read from the server again.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { call, type Host } from '../client-calls.js';
import { EVALUATE, isReviewId, REVIEW, reviewQueue, workflowQueue } from '../contract.js';
import { makeArchive, type Archive } from './archive.js';
import { exportReview } from './export.js';
import { timeOf } from './payloads.js';
import { endedReport, evaluationOf } from './read-evaluation.js';
import { readReviewRun } from './read-review.js';
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
  stop(): void;
}

interface Closed {
  readonly workflowId: string;
  readonly runId: string;
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
  const once = async (): Promise<number> => {
    const from = await position.read();
    const begunMs = Date.now();
    let written = 0;
    let isWhole = true;
    for (const closed of await closedSince(host, from)) {
      if (stopping.signal.aborted) return written;
      try {
        written += Number(await keep(host, archive, closed));
      } catch (error) {
        isWhole = false;
        tell(`the archive lacks ${closed.workflowId}: ${error instanceof Error ? error.message : 'it cannot be written'}`);
      }
    }
    if (isWhole) await position.write(begunMs - OVERLAP_MS);
    return written;
  };
  return {
    once,
    async run(everyMs = SWEEP_MS) {
      while (!stopping.signal.aborted) {
        await once().catch((error: unknown) => tell(`the archive is behind: ${error instanceof Error ? error.message : 'the server cannot be asked'}`));
        await pause(everyMs, stopping.signal);
      }
    },
    stop: () => stopping.abort(),
  };
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
async function keep(host: Host, archive: Archive, { workflowId, runId }: Closed): Promise<boolean> {
  if (await archive.has(workflowId, runId)) return false;
  const recorded = onServer(host);
  const events = await recorded.events(workflowId, runId);
  // Its retention has ended since it was listed.
  if (events === undefined) return false;
  const closedAt = new Date(Math.max(0, ...events.slice(-1).map(timeOf))).toISOString();
  if (!isReviewId(workflowId)) {
    const { report } = await evaluationOf(host, workflowId, runId, events);
    const kept = report ?? (await endedReport(host, workflowId, events)) ?? null;
    return await archive.putEvaluation({ evaluationId: workflowId, runId, closedAt, report: kept, history: asJson(events) });
  }
  const record = await readReviewRun(host, workflowId, runId);
  const histories = await Promise.all(
    record.runs.map(async (run) => ({ runId: run.runId, history: asJson((await recorded.events(workflowId, run.runId)) ?? []) })),
  );
  return await archive.putReview({ reviewId: workflowId, runId, closedAt, export: exportReview(record), histories });
}

const asJson = (events: readonly HistoryEvent[]): unknown => JSON.parse(historyToJSON({ events: [...events] }));

/** How far a deployment was swept, as a file of the archive. */
function positionIn(dir: string, deployment: string) {
  const file = join(resolve(dir), `.swept-${deployment}.json`);
  return {
    async read(): Promise<number> {
      const text = await readFile(file, 'utf8').catch(() => '');
      const at = /^\{"v":1,"closedBefore":"([^"]+)"\}\n$/.exec(text)?.[1];
      const ms = Date.parse(at ?? '');
      // From the beginning when nobody knows: what is there is not written twice.
      return Number.isNaN(ms) ? 0 : ms;
    },
    async write(ms: number): Promise<void> {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const beside = `${file}.${randomUUID()}.tmp`;
      try {
        await writeFile(beside, `{"v":1,"closedBefore":"${new Date(ms).toISOString()}"}\n`, { mode: 0o600, flush: true });
        await rename(beside, file);
      } finally {
        await rm(beside, { force: true });
      }
    },
  };
}
