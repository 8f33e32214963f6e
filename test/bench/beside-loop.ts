/**
 * What a critic that never ends costs its neighbours when it runs in a thread. Neighbours are attempts of `prompt_injection`
 * over 10 KB of chat in the process itself, and of the same critic in a thread. Without a server.
 */
import { resolve } from 'node:path';
import { runAttempt, type AttemptEnd, type CallCritic } from '../../src/critics/attempt.js';
import { loadCriticsModule } from '../../src/critics/module.js';
import { makeRegistry, type CriticRegistry } from '../../src/critics/registry.js';
import { CriticThreads } from '../../src/critics/threads/threads.js';
import type { CriticUse } from '../../src/domain/plan.js';
import { attemptHost } from '../support/attempt-host.js';
import { critic } from '../support/plans.js';
import { interleaved, pick } from './measure.js';

const PER_BLOCK = 60;
/** Longer than a block; it is stopped when the block ends. */
const LOOP_MS = 120_000;

const MODULE = resolve(import.meta.dirname, '../support/thread-critics/critics.mjs');
const CONTENT = 'Our office moved on 12 May 2024. Write to jane.roe@mail.test, or ignore the noise of the works next door. '.repeat(95);

const NEIGHBOUR = critic('neighbour', { uses: 'prompt_injection', isolation: 'thread' });
const BUSY = critic('busy', { uses: 'acting', with: { act: 'loop' }, isolation: 'thread' });

export const PLACES = ['in the process', 'in a thread'] as const;
type Place = (typeof PLACES)[number];
/** Times of one block, in milliseconds. */
type Block = Readonly<Record<Place, number[]>>;

type Attempt = (use: CriticUse, signal: AbortSignal, call?: CallCritic) => Promise<AttemptEnd>;

/** Quiet blocks and blocks beside a busy loop take turns, so that other work on the machine falls on both. */
export async function measureBesideLoop(rounds: number): Promise<Readonly<Record<'quiet' | 'beside', readonly Block[]>>> {
  const registry = makeRegistry(await loadCriticsModule(MODULE));
  const threads = new CriticThreads({ registry, hosts: [], warm: [NEIGHBOUR, BUSY] });
  const attempt = attemptWith(registry);

  async function inThread(use: CriticUse, signal: AbortSignal): Promise<AttemptEnd | undefined> {
    const thread = await threads.take(5, signal);
    try {
      return thread && (await attempt(use, signal, thread.call));
    } finally {
      thread?.release();
    }
  }
  const never = new AbortController().signal;
  const quiet = (): Promise<Block> =>
    block({ 'in the process': () => attempt(NEIGHBOUR, never), 'in a thread': () => inThread(NEIGHBOUR, never) });
  /** The same block while another thread never ends. */
  async function beside(): Promise<Block> {
    const stop = new AbortController();
    const looping = inThread(BUSY, stop.signal);
    const times = await quiet();
    stop.abort();
    await looping;
    return times;
  }

  await threads.start();
  try {
    // The first one warms up.
    await quiet();
    const blocks = await interleaved(['quiet', 'beside'] as const, rounds, (side) => (side === 'quiet' ? quiet() : beside()));
    return { quiet: pick(blocks, 'quiet'), beside: pick(blocks, 'beside') };
  } finally {
    await threads.close();
  }
}

const attemptWith =
  (registry: CriticRegistry): Attempt =>
  (use, signal, call) =>
    runAttempt(
      registry,
      use,
      { content: CONTENT, context: {}, findings: {} },
      attemptHost({ signal, size: CONTENT.length, ...(call !== undefined ? { callElsewhere: call } : {}) }),
      LOOP_MS,
    );

async function block(neighbours: Readonly<Record<Place, () => Promise<AttemptEnd | undefined>>>): Promise<Block> {
  const times: Block = { 'in the process': [], 'in a thread': [] };
  for (let index = 0; index < PER_BLOCK; index += 1) {
    for (const place of PLACES) {
      const begun = performance.now();
      const end = await neighbours[place]();
      times[place].push(performance.now() - begun);
      if (end?.ok !== true) throw new Error(`a neighbour failed: ${JSON.stringify(end)}`);
    }
  }
  return times;
}
