/**
 * Knows which critics really run, from outside the workers: each holds a connection while it runs. A killed process's
 * connections are ended by the kernel, a frozen one's stay open.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Run } from './figures.js';

interface Begun extends Omit<Run, 'opened' | 'closed' | 'endedAt'> {}

export interface Recorder {
  readonly port: number;
  /** All calls so far, in the order in which they came. */
  runs(): readonly Run[];
  /** Those that are under way. */
  open(): readonly Run[];
  /** Where the count of comings and goings stands. */
  count(): number;
  /** Lets go the critics that are held, and all that come until `hold`. */
  release(): void;
  /** From now on critics that are to be held are held again, as at first. */
  hold(): void;
  close(): Promise<void>;
}

/** The machine's own clock, as the critics read it, in milliseconds. */
export const monotonicNow = (): number => Number(process.hrtime.bigint()) / 1e6;

export async function startRecorder(): Promise<Recorder> {
  const runs: (Begun & { readonly opened: number; closed?: number; endedAt?: number })[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  let isOpen = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    let run: (typeof runs)[number] | undefined;
    const gone = (): void => {
      if (run !== undefined && run.closed === undefined) {
        run.closed = count += 1;
        run.endedAt = monotonicNow();
      }
      sockets.delete(socket);
    };
    socket.once('end', gone).once('close', gone);
    // A killed process may reset its connections; that it is gone is told by `close`.
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (run !== undefined || !text.endsWith('\n')) return;
      run = { ...(JSON.parse(text) as Begun), opened: (count += 1) };
      runs.push(run);
      socket.write(isOpen ? 'counted\ngo\n' : 'counted\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the recorder has no port');
  return {
    port: address.port,
    runs: () => runs,
    open: () => runs.filter((run) => run.closed === undefined),
    count: () => count,
    release() {
      isOpen = true;
      for (const socket of sockets) socket.write('go\n');
    },
    hold() {
      isOpen = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
