/**
 * What the server keeps of a lane's task queue: who waits there, and the rate that was set by hand. Rate 0 pauses a lane: nothing
 * is handed out, nothing is lost. Server, not process, keeps it, so it outlives everybody who set it. Needs no worker.
 */
import type { Client } from '@temporalio/client';
import { freshOf, QUEUE_KIND } from '../pollers.js';

/** A rate that somebody set, or took back, beside what the file says. */
export interface QueueSetting {
  /** Starts a second; 0: paused; absent: the file's word holds. */
  readonly rate?: number;
  /** Who set it so, why and when, milliseconds since the epoch; absent when nobody ever did. */
  readonly by?: string;
  readonly reason?: string;
  readonly at?: number;
}

export interface QueueLook {
  readonly setting: QueueSetting;
  /** Tasks that wait, and since when the oldest of them does. The server counts anew every few seconds. */
  readonly backlog: number;
  readonly oldestMs: number;
  /** Identities of those who poll. */
  readonly pollers: readonly string[];
}

/** The identity under which a lane's circuit pauses it. */
export const CIRCUIT = 'tribunal circuit';

/** One look or one change. */
const CALL_TIMEOUT_MS = 5_000;

/** Nothing but what the circuit lets through is handed out: paused, or tried by its probes. */
export const isHeld = ({ rate, by }: QueueSetting): boolean => rate === 0 || (rate !== undefined && by === CIRCUIT);

export async function lookAtQueue(client: Client, queue: string, stats = true): Promise<QueueLook> {
  const told = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: queue },
      taskQueueType: QUEUE_KIND.activity,
      reportConfig: true,
      reportStats: stats,
    }),
  );
  const { rateLimit, metadata } = told.config?.queueRateLimit ?? {};
  const { seconds: oldestSeconds, nanos: oldestNanos } = told.stats?.approximateBacklogAge ?? {};
  return {
    setting: {
      // A rate of 0 has no field on the wire; that there is a rate at all is what tells.
      ...(rateLimit ? { rate: rateLimit.requestsPerSecond ?? 0 } : {}),
      ...(metadata
        ? {
            by: metadata.updateIdentity || 'somebody',
            reason: metadata.reason ?? '',
            at: Number(metadata.updateTime?.seconds ?? 0) * 1_000 + (metadata.updateTime?.nanos ?? 0) / 1e6,
          }
        : {}),
    },
    backlog: Number(told.stats?.approximateBacklogCount ?? 0),
    oldestMs: Number(oldestSeconds ?? 0) * 1_000 + (oldestNanos ?? 0) / 1e6,
    pollers: freshOf(told.pollers),
  };
}

/** @param rate absent: what was set is taken back. */
export async function setQueueRate(
  client: Client,
  queue: string,
  { rate, by, reason }: { readonly rate?: number; readonly by: string; readonly reason: string },
): Promise<void> {
  await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
    client.workflowService.updateTaskQueueConfig({
      namespace: client.options.namespace,
      identity: by,
      taskQueue: queue,
      taskQueueType: QUEUE_KIND.activity,
      updateQueueRateLimit: { ...(rate !== undefined ? { rateLimit: { requestsPerSecond: rate } } : {}), reason },
    }),
  );
}
