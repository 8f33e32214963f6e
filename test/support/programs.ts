/** Programs beside our own command line, as real processes: examples, npm, npx. Only what was started here is ever signalled. */
import { spawn } from 'node:child_process';
import type { Ended, ProcessOptions, Running } from './processes.js';

/** Settings of this machine must not shape what is tested; only the cache of binaries is shared. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean => /^(TEMPORAL|TRIBUNAL|npm)_/.test(name) && name !== 'TRIBUNAL_CACHE';
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name))), NO_COLOR: '1' };
}

/** Leads a process group of its own: what `npx` starts hears of a signal only so. */
export function startProgram(command: string, args: readonly string[], { cwd, env }: Pick<ProcessOptions, 'cwd' | 'env'> = {}): Running {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...env },
    detached: true,
    ...(cwd !== undefined ? { cwd } : {}),
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  const ended = new Promise<Ended>((settle, fail) => {
    child.once('error', fail);
    child.once('close', (exit, signal) => settle({ exit, signal, ...written }));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  const kill = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended.
    }
  };
  return {
    pid,
    ended,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    kill,
    async destroy() {
      kill('SIGKILL');
      await ended;
    },
  };
}

export const runProgram = (...args: Parameters<typeof startProgram>): Promise<Ended> => startProgram(...args).ended;
