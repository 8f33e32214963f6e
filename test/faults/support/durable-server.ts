/** A server with a database file, which can be killed and comes back on the same file and port. Knows no test runner. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../../temporal/dev-server.js';

export interface DurableServer {
  readonly address: string;
  /** Returns when its process is gone. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startDurableServer(): Promise<DurableServer> {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-faults-server-'));
  const dbFile = join(dir, 'temporal.db');
  let server = await startDevServer({ dbFile, uiPort: false });
  const { address } = server;
  return {
    address,
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    async restart() {
      server = await startDevServer({ dbFile, port: Number(address.split(':')[1]), uiPort: false });
    },
    async close() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
