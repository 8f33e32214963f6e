/** What an owner of lanes does when it cannot serve them, under the SDK's mock environment. */
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deferred } from '../../src/deferred.js';
import { makeLeaseActivities, type HoldDeps } from '../../src/lanes/hold-lanes.js';
import type { Lane } from '../../src/lanes/lanes.js';
import type { OneWorker } from '../../src/run-workers.js';

const lane = (queue: string): Lane => ({ queue, plans: ['p'], uses: [], limits: [{ name: 'p', maxConcurrent: 1 }] });

/** A Worker that runs until it is shut down, or fails at once. */
function worker(fails = false): OneWorker & { readonly hasRun: () => boolean } {
  const ended = deferred<void>();
  let hasRun = false;
  return {
    hasRun: () => hasRun,
    getState: () => 'RUNNING',
    shutdown: () => ended.resolve(),
    run: async () => {
      hasRun = true;
      if (fails) throw new Error('polled in vain');
      await ended.promise;
    },
  };
}

interface Ended {
  readonly fatal: unknown[];
  readonly log: string[];
  readonly end: unknown;
}

/** @param before each of several calls. */
async function held(makeWorker: HoldDeps['makeWorker'], before: readonly (() => void)[] = [() => undefined]): Promise<Ended> {
  const fatal: unknown[] = [];
  const log: string[] = [];
  const { holdLanes } = makeLeaseActivities({
    lanes: new Map(),
    implementations: new Set(),
    makeWorker,
    busy: () => 0,
    backlog: async () => 0,
    drained: async () => undefined,
    status: () => undefined,
    fatal: (error) => void fatal.push(error),
    log: (line) => void log.push(line),
  });
  const within = (_: unknown, run: () => unknown): unknown => run();
  // Of the client no more is used.
  const answersBeats = { withAbortSignal: within, withDeadline: within, activity: { heartbeat: async () => undefined } };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR'), client: answersBeats as unknown as Client });
  let end: unknown;
  for (const prepare of before) {
    prepare();
    end = await environment.run(holdLanes, { lanes: [lane('a'), lane('b')] }).catch((error: unknown) => error);
  }
  return { fatal, log, end };
}

it('lanes whose Workers cannot be made, since the server is away, are tried again, and the process goes on', async () => {
  const first = worker();
  const { fatal, log, end } = await held(async ({ queue }) => {
    if (queue === 'a') return first;
    throw new Error('connection refused');
  });
  expect(end).toMatchObject({ type: 'LanesFailed', nonRetryable: false, nextRetryDelay: 1_000 });
  expect(fatal).toEqual([]);
  expect(log).toEqual(['lanes could not be polled yet, which is tried again: connection refused']);
  // One that never ran would hold the connection open.
  expect(first.hasRun()).toBe(true);
});

it('lanes that can be polled no more end the process', async () => {
  const { fatal, end } = await held(async ({ queue }) => worker(queue === 'b'));
  expect(end).toMatchObject({ type: 'LanesFailed', nonRetryable: false });
  expect(fatal).toEqual([new Error('polled in vain')]);
});

describe('lanes that could not be polled', () => {
  afterEach(() => void vi.restoreAllMocks());
  const away = async (): Promise<never> => {
    throw new Error('connection refused');
  };
  const later =
    (ms: number): (() => void) =>
    () => {
      const now = performance.now() + ms;
      vi.spyOn(performance, 'now').mockImplementation(() => now);
    };

  it('end the process when that lasts, while the server hands them out', async () => {
    const tries = Array.from({ length: 4 }, () => later(25_000));
    expect((await held(away, tries)).fatal).toHaveLength(1);
  });

  it('once, and once more an hour later, end nothing', async () => {
    expect((await held(away, [later(0), later(3_600_000)])).fatal).toEqual([]);
  });
});
