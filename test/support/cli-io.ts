/** A process for the command line that a test can read: everything written is kept, nothing is a terminal unless asked. */
import { Writable } from 'node:stream';
import { run } from '../../src/cli/program.js';
import type { Io } from '../../src/cli/output.js';

export interface CliRun {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FakeIo extends Io {
  readonly written: { stdout: string; stderr: string };
}

export function fakeIo(options: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv; readonly tty?: boolean } = {}): FakeIo {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    Object.assign(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          written[name] += chunk.toString();
          done();
        },
      }),
      { isTTY: options.tty === true, columns: 100 },
    );
  const stdin = (async function* () {
    if (options.stdin !== undefined) yield options.stdin;
  })();
  return { stdout: sink('stdout'), stderr: sink('stderr'), stdin, env: options.env ?? {}, written };
}

export async function runCli(args: readonly string[], options: Parameters<typeof fakeIo>[0] = {}): Promise<CliRun> {
  const io = fakeIo(options);
  const exit = await run(args, io);
  return { exit, ...io.written };
}
