/** The server is killed in the middle of evaluations and comes back on the same file and port: nothing is lost, nobody has to ask again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { TribunalClient } from '../../src/client.js';
import { DEFAULT_DEPLOYMENT } from '../../src/contract.js';
import { type DevServer, startDevServer } from '../../temporal/dev-server.js';
import { callsIn } from '../support/harness.js';
import { build, callsOf, says, start, startWorker, writePlan, type Running } from '../support/processes.js';

beforeAll(build);

interface Outage {
  readonly address: string;
  readonly client: TribunalClient;
  readonly worker: Running;
  file(name: string): string;
  release(name: string): void;
  /** Kills the server's process and waits for its end. */
  kill(): Promise<void>;
  /** The same file, the same port. */
  restart(): Promise<void>;
}

/** A server of the test's own with one worker. Of its two critics one has ended when `gated` waits for the file `gate`. */
async function makeOutage({ onTestFinished }: TestContext): Promise<Outage> {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-outage-'));
  const file = (name: string): string => join(dir, name);
  const dbFile = file('temporal.db');
  let server: DevServer = await startDevServer({ dbFile, uiPort: false });
  const { address } = server;
  const port = Number(address.split(':')[1]);
  const plan = writePlan(dir, {
    plan: 'outage',
    version: 1,
    timeouts: { global: '60s' },
    critics: {
      quick: { uses: 'scripted', with: { record: file('quick') }, stage: 'fast_critics' },
      gated: {
        uses: 'scripted',
        with: { record: file('gated'), waitFor: file('gate'), finding: { severity: 1 } },
        stage: 'core_analysis',
        attemptTimeout: '50s',
        retryBackoffBase: 1,
      },
    },
    verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' }], otherwise: 'allow' },
  });
  const connection = await Connection.connect({ address });
  const worker = await startWorker(connection, DEFAULT_DEPLOYMENT, ['--plan', plan, '--address', address], { cwd: dir });
  onTestFinished(async () => {
    await worker.destroy();
    await connection.close();
    await server.stop();
    rmSync(dir, { recursive: true });
  });
  const client = await TribunalClient.connect({ connection });
  return {
    address,
    client,
    worker,
    file,
    release: (name) => writeFileSync(file(name), ''),
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    async restart() {
      server = await startDevServer({ dbFile, port, uiPort: false });
    },
  };
}

describe.concurrent('a server that is killed in the middle of an evaluation and comes back', () => {
  test('while a critic runs: the client that waits, and a command line that waits, get the verdict', async (context) => {
    const outage = await makeOutage(context);
    const handle = await outage.client.start({ plan: 'outage', content: 'x', key: 'sdk' });
    const waiting = handle.result();
    const command = start(['evaluate', '--plan', 'outage', '--content', 'x', '--key', 'cli', '--json', '--address', outage.address]);
    context.onTestFinished(() => command.destroy());
    await callsOf(outage.file('gated'), 'start', 2);
    await outage.kill();
    await outage.restart();
    outage.release('gate');
    expect(await waiting).toMatchObject({ evaluationId: 'default/sdk', decision: 'deny', coverage: { planned: 2, succeeded: 2 } });
    expect(await command.ended).toMatchObject({ exit: 10, stdout: expect.stringContaining('default/cli'), stderr: '' });
    expect(outage.worker.stdout().trimEnd().split('\n')).toHaveLength(1);
  });

  test('only after the worker has given up to tell a result: the critic is asked again with the same key, what had ended is not', async (context) => {
    const outage = await makeOutage(context);
    const handle = await outage.client.start({ plan: 'outage', content: 'x' });
    await callsOf(outage.file('gated'), 'start', 1);
    await outage.kill();
    outage.release('gate');
    await says(outage.worker, /the server does not answer/);
    await says(outage.worker, /Network error while completing activity/);
    await outage.restart();
    const report = await handle.result();
    expect(report).toMatchObject({ decision: 'deny', coverage: { planned: 2, succeeded: 2 }, metrics: { retried: 1 } });
    const starts = await callsOf(outage.file('gated'), 'start', 2);
    expect(starts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
    expect((await callsIn(outage.file('quick'))).map(({ event }) => event)).toEqual(['start', 'end']);
    expect(outage.worker.stdout().trimEnd().split('\n')).toHaveLength(1);
  });
});
