/**
 * Runs the checks of a critics module in a process of their own. A check that blocks or ends that process has failed, and
 * the next process goes on behind it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOAD_MS } from '../critics/module.js';
import type { CheckEnd, Job, Message, Planned } from './messages.js';

/** Beyond the time that an answer may take: a blocked event loop tells nothing any more. Longer than a start on a busy machine takes. */
const SILENCE_MS = 5_000;
/** Of one critic. Each takes its whole time; what comes after the third says nothing new. */
const MAX_LOST = 3;
/** Why the rest of a critic is not run. */
export const AFTER_LOSSES = `not run, because ${MAX_LOST} of its checks before took all their time or their process; the others are likely to as well`;

export interface CheckResult extends Planned {
  readonly status: CheckEnd['status'] | 'not_run';
  readonly message?: string;
}

export interface ApartOptions {
  readonly with?: unknown;
  readonly name?: string;
  readonly timeoutMs: number;
  /** How long the module may take to load. Default 30 s. */
  readonly loadMs?: number;
  /** Told of each result as it comes. */
  readonly onResult?: (result: CheckResult) => void;
}

/** The module cannot be tested at all. */
export class ModuleUnusable extends Error {
  override readonly name = 'ModuleUnusable';
}

/**
 * @param module path of a critics module, relative to the working directory or absolute.
 * @throws ModuleUnusable in one sentence when it cannot be loaded or has no such critic.
 */
export async function runApart(module: string, options: ApartOptions): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const add = (planned: Planned, end: CheckEnd): void => {
    const result = { ...planned, status: end.status, ...('message' in end ? { message: end.message } : {}) };
    results.push(result);
    options.onResult?.(result);
  };
  const lost = new Map<string, number>();
  const isLost = ({ critic }: Planned): boolean => (lost.get(critic) ?? 0) >= MAX_LOST;
  for (;;) {
    const job: Job = {
      token: randomUUID(),
      module: resolve(module),
      with: options.with ?? {},
      timeoutMs: options.timeoutMs,
      loadMs: options.loadMs ?? LOAD_MS,
      from: results.length,
      ...(options.name !== undefined ? { name: options.name } : {}),
    };
    const planned = await runProcess(job, (check, end) => {
      if (end.status !== 'passed' && end.lost) lost.set(check.critic, (lost.get(check.critic) ?? 0) + 1);
      add(check, end);
      return !isLost(check);
    });
    // The other critics of the module go on in the next process.
    for (let next = planned[results.length]; next !== undefined && isLost(next); next = planned[results.length])
      add(next, { status: 'not_run', message: AFTER_LOSSES, lost: false });
    if (results.length >= planned.length) return results;
  }
}

/**
 * One process, until it is done, lost, or no more is wanted.
 * @param onEnd told of each check that ended; answers whether to go on.
 * @returns all checks that there are.
 */
async function runProcess(job: Job, onEnd: (planned: Planned, end: CheckEnd) => boolean): Promise<readonly Planned[]> {
  const child = startChild();
  let silence: NodeJS.Timeout | undefined;
  try {
    return await new Promise((settle, fail) => {
      let planned: readonly Planned[] = [];
      let ended = job.from;
      /** The check that was under way, or about to begin, when the process was lost. */
      const lose = (what: string): void => {
        const check = planned[ended];
        if (planned.length === 0) fail(new ModuleUnusable(`${job.module}: ${what} its process while it was loaded`));
        else if (check !== undefined)
          onEnd(check, {
            status: 'error',
            message: `it ${what} its process, which takes all other critics of the worker along`,
            lost: true,
          });
        settle(planned);
      };
      const listen = (patienceMs: number): void => {
        clearTimeout(silence);
        silence = setTimeout(() => lose('blocked'), SILENCE_MS + patienceMs);
      };
      listen(job.loadMs);
      child.once('error', fail);
      // Comes after all messages, other than the exit.
      child.once('disconnect', () => lose('ended'));
      child.on('message', (sent) => {
        const message = readMessage(sent, job.token);
        // A module that never ends to load lets its process beat on.
        if (message === undefined || (message.type === 'beat' && planned.length === 0)) return;
        listen(job.timeoutMs);
        if (message.type === 'unusable') fail(new ModuleUnusable(message.message));
        if (message.type === 'planned') planned = message.checks;
        if (message.type === 'done') settle(planned);
        const check = message.type === 'ended' ? planned[message.index] : undefined;
        if (message.type !== 'ended' || check === undefined) return;
        ended = message.index + 1;
        if (!onEnd(check, message)) settle(planned);
      });
      child.send(job);
    });
  } finally {
    clearTimeout(silence);
    child.removeAllListeners();
    child.kill('SIGKILL');
  }
}

/** What the module sends by itself is no message. */
function readMessage(sent: unknown, token: string): Message | undefined {
  return typeof sent === 'string' && sent.startsWith(token) ? (JSON.parse(sent.slice(token.length)) as Message) : undefined;
}

function startChild(): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts');
  return fork(fileURLToPath(new URL(isSource ? './child.ts' : './child.js', import.meta.url)), [], {
    execArgv: isSource ? ['--import', 'tsx'] : [],
    // What a critic prints must not stand between the results.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
}
