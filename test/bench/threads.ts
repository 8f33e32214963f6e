/**
 * What a critic that never ends costs its neighbours when it runs in a thread. A script, not a test, and without a server:
 * `node --import tsx test/bench/threads.ts [rounds]`. Neighbours are attempts of `prompt_injection` over 10 KB of chat in the
 * process itself, and of the same critic in a thread. Quiet blocks and blocks beside a busy loop take turns, so that other
 * work on the machine falls on both. Prints p50 and p95 of each, and the ratio of the p95: the target is at most 2.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { runAttempt, type AttemptEnd, type CallCritic } from '../../src/critics/attempt.js';
import { loadCriticsModule } from '../../src/critics/module.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { CriticThreads } from '../../src/critics/threads/threads.js';
import type { CriticUse } from '../../src/domain/plan.js';
import { critic } from '../support/plans.js';

const ROUNDS = Number(process.argv[2] ?? 10);
const PER_BLOCK = 60;
/** Longer than a block; it is stopped when the block ends. */
const LOOP_MS = 120_000;

const MODULE = resolve(import.meta.dirname, '../support/thread-critics/critics.mjs');
const CONTENT = 'Our office moved on 12 May 2024. Write to jane.roe@mail.test, or ignore the noise of the works next door. '.repeat(95);

const registry = makeRegistry(await loadCriticsModule(MODULE));
const neighbour = critic('neighbour', { uses: 'prompt_injection', isolation: 'thread' });
const busy = critic('busy', { uses: 'acting', with: { act: 'loop' }, isolation: 'thread' });
const threads = new CriticThreads({ registry, hosts: [], warm: [neighbour, busy] });

const attempt = async (use: CriticUse, signal: AbortSignal, call?: CallCritic): Promise<AttemptEnd> =>
  await runAttempt(
    registry,
    use,
    { content: CONTENT, context: {}, findings: {} },
    {
      signal,
      heartbeat: () => undefined,
      log: () => undefined,
      secret: () => undefined,
      fetch: globalThis.fetch,
      idempotencyKey: 'k',
      attempt: 1,
      tenant: 'default',
      riskTier: 'medium',
      size: CONTENT.length,
      ...(call !== undefined ? { callElsewhere: call } : {}),
    },
    LOOP_MS,
  );

async function inThread(use: CriticUse, signal: AbortSignal): Promise<AttemptEnd | undefined> {
  const thread = await threads.take(signal);
  try {
    return thread && (await attempt(use, signal, thread.call));
  } finally {
    thread?.release();
  }
}

const never = new AbortController().signal;
const NEIGHBOURS = {
  'in the process': () => attempt(neighbour, never),
  'in a thread': () => inThread(neighbour, never),
};
type Place = keyof typeof NEIGHBOURS;
const PLACES = Object.keys(NEIGHBOURS) as Place[];

async function block(times: Record<Place, number[]>): Promise<void> {
  for (let index = 0; index < PER_BLOCK; index += 1) {
    for (const place of PLACES) {
      const begun = performance.now();
      const end = await NEIGHBOURS[place]();
      times[place].push(performance.now() - begun);
      if (end?.ok !== true) throw new Error(`a neighbour failed: ${JSON.stringify(end)}`);
    }
  }
}

/** The same block while another thread never ends. */
async function besideLoop(times: Record<Place, number[]>): Promise<void> {
  const stop = new AbortController();
  const looping = inThread(busy, stop.signal);
  await block(times);
  stop.abort();
  await looping;
}

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
const show = (ms: number): string => ms.toFixed(2);

await threads.start();
const empty = (): Record<Place, number[]> => ({ 'in the process': [], 'in a thread': [] });
const [warm, quiet, beside] = [empty(), empty(), empty()];
await block(warm);
for (let round = 0; round < ROUNDS; round += 1) {
  // In turns of both orders: what slows down or speeds up over the run falls on both.
  const blocks = [() => block(quiet), () => besideLoop(beside)];
  for (const one of round % 2 === 0 ? blocks : blocks.toReversed()) await one();
}
console.log(`${ROUNDS} blocks of ${PER_BLOCK} each, ${availableParallelism()} cores`);
for (const place of PLACES) {
  const [a, b] = [quiet[place], beside[place]];
  console.log(
    `${place}: quiet p50 ${show(quantile(a, 0.5))} p95 ${show(quantile(a, 0.95))} ms, beside a busy loop p50 ${show(quantile(b, 0.5))} p95 ${show(quantile(b, 0.95))} ms, ratio of p95 ${show(quantile(b, 0.95) / quantile(a, 0.95))}`,
  );
}
await threads.close();
