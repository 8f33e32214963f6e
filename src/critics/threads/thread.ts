/**
 * What runs in a thread: one attempt after the other, each over a line of its own. Started by `threads.ts` alone.
 * Whatever a critic does here, the worker goes on: it ends the thread, and nothing that is said here is believed more than
 * what a critic returns.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { receiveMessageOnPort } from 'node:worker_threads';
import { Tinypool } from 'tinypool';
import { callCritic, parseOptions, type AttemptEnd } from '../attempt.js';
import type { AnyCritic, CriticTools } from '../critic.js';
import { loadCriticsModule } from '../module.js';
import { makeGuardedFetch } from '../network/guarded-fetch.js';
import { makeRegistry, type CriticRegistry } from '../registry.js';
import type { FromThread, Line, ThreadSetup, ThreadUse, ToThread } from './messages.js';

/** Log lines and heartbeats of one attempt; the rest is dropped: a loop that logs must not keep the worker busy. */
const MAX_TOLD = 1_000;

type Call = Extract<ToThread, { type: 'call' }>;

const setup = Tinypool.workerData as ThreadSetup;
const guarded = makeGuardedFetch({ hosts: setup.hosts });
const registries = new Map<string | undefined, Promise<CriticRegistry>>();
const strays = { count: 0, tell: (_kind: string): void => undefined };

// The worker outlives them, and so must the attempt that is under way.
for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, onStray);

/** One attempt; returns when the thread is free for the next. */
export async function serve({ port, secrets, rung }: Line): Promise<void> {
  const stop = new AbortController();
  const say = (message: FromThread): void => port.postMessage(message);
  strays.tell = (kind) => say({ type: 'stray', kind });
  await new Promise<void>((hangUp) => {
    port.once('close', hangUp);
    port.on('message', (message: ToThread) => {
      if (message.type === 'stop') stop.abort(new DOMException('the attempt was told to stop', message.reason));
      if (message.type === 'hang_up') hangUp();
      if (message.type === 'call') void attempt(message, { say, secrets, rung, signal: stop.signal });
    });
    say({ type: 'ready', ...(problem !== undefined ? { problem } : {}) });
  });
  strays.tell = () => undefined;
  port.close();
  secrets.close();
}

interface Told extends Pick<Line, 'secrets' | 'rung'> {
  readonly signal: AbortSignal;
  say(message: FromThread): void;
}

async function attempt(call: Call, told: Told): Promise<void> {
  const before = { strays: strays.count, running: running() };
  const tools = new Tools(told);
  told.say({ type: 'answer', end: await judge(call, tools) });
  tools.isOver = true;
  // Rejections that nobody handles are told after the tasks of this turn.
  await turn();
  told.say({ type: 'over', isClean: strays.count === before.strays && running() <= before.running });
}

/** Timers, sockets and the like that keep the thread at work. */
const running = (): number => process.getActiveResourcesInfo().length;

async function judge(call: Call, tools: Tools): Promise<AttemptEnd> {
  const { use, input } = call;
  try {
    const { critic, options } = await find(call);
    return await callCritic(critic, use, input, tools.with(options, call.tools));
  } catch (error) {
    // Only of what stands here: a call never throws.
    return { ok: false, class: 'permanent', code: 'CRITIC_ERROR', message: messageOf(error) };
  }
}

/** What a critic is handed; what it does with it after its attempt does nothing. */
class Tools {
  isOver = false;
  #told = 0;
  readonly #line: Told;

  constructor(line: Told) {
    this.#line = line;
  }

  with(options: never, given: Call['tools']): CriticTools<never> {
    return {
      ...given,
      options,
      signal: this.#line.signal,
      heartbeat: () => this.#tell({ type: 'heartbeat' }),
      log: (message, fields) => this.#tell({ type: 'log', message: String(message), ...(fields !== undefined ? { fields } : {}) }),
      secret: (name) => (this.isOver ? undefined : this.#ask(name)),
      fetch: guarded,
    };
  }

  #tell(message: FromThread): void {
    if (this.isOver || this.#told >= MAX_TOLD) return;
    this.#told += 1;
    try {
      this.#line.say(message);
    } catch {
      // Fields that cannot be copied: a log line is no reason to fail.
    }
  }

  /** A look-up has no promise: the thread sleeps until the worker has answered. */
  #ask(name: string): string | undefined {
    const { rung, secrets } = this.#line;
    const before = Atomics.load(rung, 0);
    this.#line.say({ type: 'secret', name });
    Atomics.wait(rung, 0, before);
    const answer: { readonly message: string | undefined } | undefined = receiveMessageOnPort(secrets);
    return answer?.message;
  }
}

/** @throws Error in one sentence when this thread has no such implementation. */
async function find({ use, version, module }: ThreadUse): Promise<{ critic: AnyCritic; options: never }> {
  const loaded = registries.get(module) ?? registryOf(module);
  registries.set(module, loaded);
  const critic = await (await loaded).find(use.uses);
  if (critic?.version !== version)
    throw new Error(`a thread has ${use.uses} ${critic?.version ?? 'not at all'}, and its worker ${version}: restart the worker`);
  const options = parseOptions(critic, use.with);
  if (!options.ok) throw new Error(`${use.uses} refuses the options of the plan in a thread`);
  return { critic, options: options.value };
}

const registryOf = async (module: string | undefined): Promise<CriticRegistry> =>
  makeRegistry(module === undefined ? [] : await loadCriticsModule(module));

/** @returns what keeps this thread from running anything, in one sentence. */
async function prepare(uses: readonly ThreadUse[]): Promise<string | undefined> {
  try {
    for (const one of uses) {
      const { critic, options } = await find(one);
      await critic.warm?.(options);
    }
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function onStray(thrown: unknown): void {
  strays.count += 1;
  strays.tell(kindOf(thrown));
}

/** It may be an object whose every property throws. */
function kindOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.name) : typeof thrown;
  } catch {
    return '';
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : 'it threw something that is not an Error';
  } catch {
    return 'it threw something that cannot be read';
  }
}

/** Why this thread can run nothing. Last: it runs what stands above. */
const problem = await prepare(setup.warm);
