/**
 * Threads for critics that compute: each attempt has one to itself, which is killed when it does not stop in time. A loop
 * that never ends costs its own attempt, and neither the worker's event loop nor its heartbeats.
 *
 * T1 An attempt takes a thread before its time begins: threads are made, loaded and warmed on nobody's time.
 * T2 A thread that does not stop, ends, or has something left running serves nobody again; the pool makes a new one.
 * T3 What a thread says is data of a stranger: it can say what a critic can return, throw, log and ask, and no more.
 *
 * Threads are no fence against malice: they share process, files and environment with the worker.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Tinypool } from 'tinypool';
import { isErrorName } from '../../domain/error-name.js';
import { MAX_MESSAGE_CHARS } from '../../domain/finding.js';
import type { CriticUse } from '../../domain/plan.js';
import { deferred } from '../../deferred.js';
import { Places } from '../../places.js';
import type { Called, CallCritic, FailedAttempt } from '../attempt.js';
import type { CriticTools } from '../critic.js';
import { isBuiltIn, isForThreads, notForThreads, type CriticRegistry } from '../registry.js';
import type { FromThread, Line, ThreadSetup, ThreadUse, ToThread } from './messages.js';

/** At least: one busy loop must not hold up everybody. */
const MIN_THREADS = 2;
/** At most: each has its own copy of all critics in memory, and a larger machine runs more workers. */
const MAX_THREADS = 8;
/** The heap of one thread: several times what the largest built-in critic needs. Buffers do not count. */
const THREAD_MEMORY_MB = 512;
/** From the signal to the kill, and from an answer to the end of what goes on behind it: a critic that listens needs milliseconds. */
const STOP_MS = 500;
/** What earlier attempts left in a thread may be to blame for its loss, once. */
const LOST_ATTEMPTS = 2;

/** One core is left to the event loop. */
const threadCount = (): number => Math.min(MAX_THREADS, Math.max(MIN_THREADS, availableParallelism() - 1));

export interface ThreadsOptions {
  readonly registry: CriticRegistry;
  /** Private hosts that critics may ask. */
  readonly hosts: readonly string[];
  /** What is loaded and warmed in each thread before it takes an attempt; everything else is on first use. */
  readonly warm: readonly CriticUse[];
  /** Told of what critics leave behind, by its kind alone. */
  onStray?(kind: string): void;
}

export class CriticThreads {
  #pool: Promise<Tinypool> | undefined;
  /** The pool's own queue knows no priority. */
  readonly #turns = new Places(threadCount());
  readonly #watched = new WeakSet<object>();

  constructor(readonly options: ThreadsOptions) {}

  /** Makes all threads and waits for the first. @throws Error in one sentence when it cannot be made ready. */
  async start(): Promise<void> {
    const thread = await this.take(0, new AbortController().signal);
    thread?.release();
    if (thread?.problem !== undefined) throw new Error(`a critic cannot be made ready in a thread: ${thread.problem}`);
  }

  /** A thread that is ready, for one attempt, lower numbers first. `undefined` when the signal fired before one was free. */
  async take(priority: number, signal: AbortSignal): Promise<CriticThread | undefined> {
    const pool = await (this.#pool ??= this.#make());
    const pass = await this.#turns.take(priority, signal);
    if (pass === undefined) return undefined;
    this.#watch(pool);
    const thread = new CriticThread(pool, this.options, pass);
    const giveUp = (): void => thread.kill();
    signal.addEventListener('abort', giveUp, { once: true });
    // It may have fired since the turn came; nobody else would give the thread back.
    if (signal.aborted) giveUp();
    await thread.ready;
    signal.removeEventListener('abort', giveUp);
    this.#watch(pool);
    if (!signal.aborted) return thread;
    pass();
    return undefined;
  }

  async close(): Promise<void> {
    await (await this.#pool)?.destroy();
  }

  async #make(): Promise<Tinypool> {
    const { registry, hosts, warm } = this.options;
    const setup: ThreadSetup = { hosts, warm: await Promise.all(warm.map(async (use) => await threadUse(registry, use))) };
    const isSource = import.meta.url.endsWith('.ts');
    const pool = new Tinypool({
      filename: fileURLToPath(new URL(isSource ? './thread-from-source.mjs' : './thread.js', import.meta.url)),
      name: 'serve',
      runtime: 'worker_threads',
      // The pool replaces what was killed only up to its least number.
      minThreads: threadCount(),
      maxThreads: threadCount(),
      concurrentTasksPerWorker: 1,
      // A thread that sleeps between attempts would not notice that its connections were closed.
      useAtomics: false,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY_MB },
      workerData: setup,
    });
    // A thread that was lost without an attempt; the next one comes by itself.
    pool.on('error', () => undefined);
    return pool;
  }

  /** The pool hears of errors, but not of a `process.exit`: such a thread would be handed attempts for ever. */
  #watch(pool: Tinypool): void {
    for (const thread of pool.threads) {
      if (this.#watched.has(thread)) continue;
      this.#watched.add(thread);
      thread.once('exit', () => {
        if (pool.threads.includes(thread)) thread.emit('error', new Error('the thread ended'));
      });
    }
  }
}

async function threadUse(registry: CriticRegistry, use: CriticUse): Promise<ThreadUse> {
  const module = registry.modules?.get(use.uses);
  const version = (await registry.find(use.uses))?.version ?? '';
  return { use, version, ...(module !== undefined && !isBuiltIn(use.uses) ? { module } : {}) };
}

/** A thread for the time of one attempt. */
export class CriticThread {
  /** When it can be called, or never will be. */
  readonly ready: Promise<void>;
  /** Why nothing can be run in it. */
  problem: string | undefined;
  readonly #options: ThreadsOptions;
  readonly #pass: () => void;
  readonly #line = new MessageChannel();
  readonly #secrets = new MessageChannel();
  readonly #rung = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #end = new AbortController();
  readonly #prepared = deferred<void>();
  readonly #called = deferred<Called>();
  #tools: CriticTools<never> | undefined;
  #isCalled = false;
  #patience: NodeJS.Timeout | undefined;

  /** @param pass lets the next attempt have its turn. */
  constructor(pool: Tinypool, options: ThreadsOptions, pass: () => void) {
    this.#options = options;
    this.#pass = pass;
    this.ready = this.#prepared.promise;
    this.#line.port1.on('message', (message) => this.#hear(message));
    const line: Line = { port: this.#line.port2, secrets: this.#secrets.port2, rung: this.#rung };
    const transferList = [line.port, line.secrets];
    pool.run(line, { transferList, signal: this.#end.signal }).then(
      () => this.#ended('it ended its part of the line'),
      (error: unknown) =>
        this.#ended(isOutOfMemory(error) ? `it ran out of the ${THREAD_MEMORY_MB} MB of its thread` : 'it ended its thread'),
    );
  }

  /** Of {@link AttemptHost}; once. */
  readonly call: CallCritic = async (critic, use, input, tools) => {
    if (this.problem !== undefined) return { failed: lost(this.problem) };
    if (!isForThreads(use.uses, this.#options.registry))
      return { failed: { ok: false, class: 'unavailable', code: 'UNKNOWN_CRITIC', message: notForThreads(use.uses) } };
    this.#isCalled = true;
    this.#tools = tools;
    const { signal, idempotencyKey, attempt } = tools;
    signal.addEventListener('abort', () => this.#stop(signal.reason), { once: true });
    this.#say({ type: 'call', ...(await threadUse(this.#options.registry, use)), input, tools: { idempotencyKey, attempt } });
    if (signal.aborted) this.#stop(signal.reason);
    return await this.#called.promise;
  };

  /** Gives it back: to the pool when the attempt has left nothing behind, else to its end. */
  release(): void {
    this.#pass();
    if (this.problem !== undefined) this.kill();
    else if (this.#isCalled) this.#giveUpSoon();
    else this.#say({ type: 'hang_up' });
  }

  kill(): void {
    this.#end.abort();
  }

  #say(message: ToThread): void {
    this.#line.port1.postMessage(message);
  }

  #stop(reason: unknown): void {
    this.#say({ type: 'stop', reason: reason instanceof DOMException && reason.name === 'TimeoutError' ? 'TimeoutError' : 'AbortError' });
    this.#giveUpSoon();
  }

  #giveUpSoon(): void {
    this.#patience ??= setTimeout(() => this.kill(), STOP_MS);
  }

  #hear(message: unknown): void {
    const said = partsOf(message);
    // The names are those of `FromThread`; what stands behind them may be anything.
    switch (said['type'] as FromThread['type']) {
      case 'ready':
        if (typeof said['problem'] === 'string') this.problem = said['problem'].slice(0, MAX_MESSAGE_CHARS);
        return this.#prepared.resolve();
      case 'heartbeat':
        return this.#tools?.heartbeat();
      case 'log':
        return typeof said['message'] === 'string' ? this.#tools?.log(said['message'], plainFields(said['fields'])) : undefined;
      case 'secret':
        return this.#answer(said['name']);
      case 'stray':
        return this.#options.onStray?.(kindIn(said['kind']));
      case 'answer':
        this.#tools = undefined;
        this.#called.resolve(calledBy(said['end']));
        return this.#giveUpSoon();
      case 'over':
        return said['isClean'] === true && !this.#end.signal.aborted ? this.#say({ type: 'hang_up' }) : this.kill();
    }
  }

  /** Only what is asked for by name crosses, and only while the attempt runs. */
  #answer(name: unknown): void {
    this.#secrets.port1.postMessage(typeof name === 'string' ? secretOf(this.#tools, name) : undefined);
    Atomics.add(this.#rung, 0, 1);
    Atomics.notify(this.#rung, 0);
  }

  /** The thread is free, or gone. */
  #ended(why: string): void {
    clearTimeout(this.#patience);
    this.#tools = undefined;
    this.problem ??= why;
    this.#prepared.resolve();
    this.#called.resolve({ failed: lost(why) });
    this.#line.port1.close();
    this.#secrets.port1.close();
  }
}

const isOutOfMemory = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

const lost = (message: string): FailedAttempt => ({
  ok: false,
  class: 'transient',
  code: 'THREAD_LOST',
  message,
  maxAttempts: LOST_ATTEMPTS,
});

/** Data from a thread has no getters and no proxies: it was copied. */
const partsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

function plainFields(fields: unknown): Record<string, string | number | boolean> {
  const isPlain = (entry: [string, unknown]): entry is [string, string | number | boolean] =>
    ['string', 'number', 'boolean'].includes(typeof entry[1]);
  return Object.fromEntries(Object.entries(partsOf(fields)).filter(isPlain));
}

const kindIn = (kind: unknown): string => (isErrorName(kind) ? kind : 'an Error of its own');

/** The host's look-up may throw, and the thread must not wait for ever. */
function secretOf(tools: CriticTools<never> | undefined, name: string): string | undefined {
  try {
    return tools?.secret(name);
  } catch {
    return undefined;
  }
}

/**
 * What a thread says of its call becomes what the critic returned or threw, to be judged by the adapter as that. Of the
 * adapter's own words it may say two, both of which a critic can bring about: no finding, and nothing that can be read.
 */
function calledBy(end: unknown): Called {
  const { ok, finding, class: kind, code, message, ...extra } = partsOf(end);
  if (ok === true) return { returned: finding };
  const sentence = typeof message === 'string' ? message.slice(0, MAX_MESSAGE_CHARS) : '';
  if (kind === 'invalid_output' && (code === 'NOT_A_FINDING' || code === 'FINDING_TOO_LARGE'))
    return { failed: { ok: false, class: kind, code, message: sentence } };
  if (kind === 'permanent' && code === 'CRITIC_HOSTILE') return { failed: { ok: false, class: kind, code, message: sentence } };
  return { thrown: { kind, code, message, extra } };
}
