/**
 * The command line as real processes, for tests that kill them. Only what was spawned here is ever signalled, by its pid.
 * Waits look at a condition until a deadline; nothing sleeps for a time that was guessed.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection } from '@temporalio/client';
import { callsIn, type Call } from './harness.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist', 'src', 'cli.js');
const POLL_MS = 20;
/** No condition here takes a tenth of it on an idle machine. */
export const PATIENCE_MS = 60_000;
/** On the wire: the workflow kind of task queue. */
const WORKFLOW = 1;

/** Builds `dist`, when the sources are newer than it. */
export function build(): void {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
}

export interface Ended {
  /** `null` when a signal ended it. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Gone, however it went; safe to call at any time. */
  destroy(): Promise<void>;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Leads a process group of its own, as a command in a terminal does; signals go to the whole group. */
  readonly group?: boolean;
}

/** `tribunal ARGS…` */
export function start(args: readonly string[], options: ProcessOptions = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...ownEnvironment(), ...options.env },
    detached: options.group === true,
    ...(options.cwd !== undefined ? { cwd: options.cwd } : {}),
  });
  child.stdin?.end(options.stdin);
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  const ended = new Promise<Ended>((settle, fail) => {
    child.once('error', fail);
    child.once('close', (exit, signal) => settle({ exit, signal, ...written }));
  });
  return {
    pid: pidOf(child),
    ended,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    kill(signal) {
      if (options.group === true) process.kill(-pidOf(child), signal);
      else child.kill(signal);
    },
    async destroy() {
      // A stopped process takes no other signal; this one it takes.
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

export const run = (args: readonly string[], options: ProcessOptions = {}): Promise<Ended> => start(args, options).ended;

/** Settings of this machine must not shape what is tested; only the cache of binaries is shared. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean => /^(TEMPORAL|TRIBUNAL)_/.test(name) && name !== 'TRIBUNAL_CACHE';
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name))), NO_COLOR: '1' };
}

/** Looks again until it is there. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined> | T | undefined, timeoutMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1_000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The first match in what the process writes; fails at once when it ends without. */
export async function says(running: Running, pattern: RegExp): Promise<RegExpExecArray> {
  let ended = false;
  void running.ended.then(() => (ended = true));
  return await eventually(`a process says ${String(pattern)}`, () => {
    const found = pattern.exec(running.stdout()) ?? pattern.exec(running.stderr()) ?? undefined;
    // All that it wrote is there once it has ended.
    if (found === undefined && ended)
      throw new Error(`the process ended without saying ${String(pattern)}:\n${running.stdout()}${running.stderr()}`);
    return found;
  });
}

/** Calls of a critic, once there are as many of this kind. */
export async function callsOf(file: string, event: Call['event'], count: number): Promise<Call[]> {
  return await eventually(`${count} recorded calls (${event})`, async () => {
    const calls = (await callsIn(file)).filter((call) => call.event === event);
    return calls.length >= count ? calls : undefined;
  });
}

export function writePlan(dir: string, plan: { readonly plan: string; readonly [field: string]: unknown }): string {
  const file = join(dir, `${plan.plan}.yaml`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(plan));
  return file;
}

/** Starts a worker process and waits until the server has seen it poll; a client refuses to start before somebody does. */
export async function startWorker(
  connection: Connection,
  deployment: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Running> {
  const worker = start(['worker', '--deployment', deployment, ...args], options);
  await says(worker, /^(?:\{.*"msg":")?worker of /m);
  await eventually(`worker ${worker.pid} polls`, async () => {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: deployment },
      taskQueueType: WORKFLOW,
    });
    return (pollers ?? []).some(({ identity }) => identity?.includes(` ${worker.pid}@`)) ? true : undefined;
  });
  return worker;
}
