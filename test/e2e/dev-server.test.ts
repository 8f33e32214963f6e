/** The embedded server with the real binary: start, settings, death and return, and what it says when it cannot start. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/contract.js';
import { type DevServer, type DevServerOptions, startDevServer } from '../../temporal/dev-server.js';
import { answers, findRunningServer, recordRunningServer } from '../../temporal/running.js';
import { missingSearchAttributes, setupNamespace } from '../../temporal/setup.js';

const DAY_S = 86_400;

let dir: string;
let started: { stop(): Promise<unknown> }[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tribunal-dev-server-'));
  started = [];
});

afterEach(async () => {
  for (const one of started.reverse()) await one.stop();
  rmSync(dir, { recursive: true });
});

async function start(options: DevServerOptions): Promise<DevServer> {
  const server = await startDevServer(options);
  started.push(server);
  return server;
}

async function connectTo(server: DevServer): Promise<Connection> {
  const connection = await Connection.connect({ address: server.address });
  started.push({ stop: () => connection.close() });
  return connection;
}

async function retentionDays(connection: Connection): Promise<number> {
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  return Number(config?.workflowExecutionRetentionTtl?.seconds) / DAY_S;
}

test('a started server is healthy, knows the search attributes, keeps evaluations for 30 days, shows its UI and is found', async () => {
  const server = await start({ dbFile: join(dir, 'new', 'temporal.db') });
  const connection = await connectTo(server);
  expect(await missingSearchAttributes(connection, 'default')).toEqual([]);
  expect(await retentionDays(connection)).toBe(30);
  expect((await fetch(server.uiUrl ?? '')).status).toBe(200);
  recordRunningServer(dir, server);
  expect(await findRunningServer(join(dir, 'new'))).toMatchObject({ address: server.address, uiUrl: server.uiUrl, pid: server.pid });
  await server.stop();
  await server.exited;
  expect(await answers(server.address)).toBe(false);
  expect(await findRunningServer(dir)).toBeUndefined();
});

test('a server that was killed comes back on the same file with everything it had accepted', async () => {
  const dbFile = join(dir, 'temporal.db');
  const first = await start({ dbFile, uiPort: false, retentionDays: 7 });
  expect(first.uiUrl).toBeUndefined();
  const client = new Client({ connection: await connectTo(first) });
  const { firstExecutionRunId } = await client.workflow.start('waits', { workflowId: 'kept', taskQueue: 'nobody' });
  process.kill(first.pid, 'SIGKILL');
  await first.exited;

  const second = await start({ dbFile, uiPort: false });
  const connection = await connectTo(second);
  const kept = await new Client({ connection }).workflow.getHandle('kept').describe();
  expect(kept).toMatchObject({ runId: firstExecutionRunId, status: { name: 'RUNNING' } });
  expect(await missingSearchAttributes(connection, 'default')).toEqual([]);
  expect(await retentionDays(connection)).toBe(30);
});

test('a server that is killed during its very first start leaves a file on which the next one starts', async () => {
  // Made before, so that the process that is seen below is the one that works on this file.
  await (await startDevServer({ dbFile: join(dir, 'other.db'), uiPort: false })).stop();
  const dbFile = join(dir, 'temporal.db');
  const starting = startDevServer({ dbFile, uiPort: false }).catch((thrown: unknown) => thrown);
  await vi.waitFor(() => expect(existsSync(dbFile)).toBe(true), { interval: 1, timeout: 30_000 });
  // Whole from its first moment: no moment of a kill can find half of it.
  expect(readFileSync(dbFile, 'latin1')).toContain('CREATE TABLE cluster_metadata_info');
  const pid = await vi.waitFor(() => pidOf(dbFile), { interval: 1, timeout: 30_000 });
  process.kill(pid, 'SIGKILL');
  const error = await starting;
  expect(error).toHaveProperty(
    'message',
    expect.stringMatching(/^Could not start the Temporal development server: it ended at once \(SIGKILL\)/),
  );
  const server = await start({ dbFile, uiPort: false });
  expect(await retentionDays(await connectTo(server))).toBe(30);
});

test('a server ends when the process that started it is killed', async () => {
  const url = new URL('../../temporal/dev-server.ts', import.meta.url).href;
  const script = `import { startDevServer } from ${JSON.stringify(url)}; console.log((await startDevServer({ uiPort: false, log: ${JSON.stringify(join(dir, 'log'))} })).address);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  const address = String(line).trim();
  expect(await answers(address)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(async () => expect(await answers(address)).toBe(false), { interval: 50, timeout: 30_000 });
});

function pidOf(argument: string): number {
  const line = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .find((one) => one.includes(` ${argument} `));
  if (line === undefined) throw new Error('not there yet');
  return Number.parseInt(line, 10);
}

test('a port that is taken gives one sentence that names it, before anything is started', async () => {
  const holder = createServer();
  await new Promise<void>((settle) => holder.listen(0, '127.0.0.1', settle));
  started.push({ stop: () => new Promise((settle) => holder.close(settle)) });
  const bound = holder.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  await expect(startDevServer({ port })).rejects.toThrow(
    new RegExp(
      `^Could not start the Temporal development server: the server was to listen on 127\\.0\\.0\\.1:${port} and the port is not free .*; stop what listens there or choose another port\\.$`,
    ),
  );
  await expect(startDevServer({ uiPort: port })).rejects.toThrow(new RegExp(`its UI was to listen on 127\\.0\\.0\\.1:${port}`));
});

test('a file that is no database gives an error with the end of the log', async () => {
  const dbFile = join(dir, 'temporal.db');
  writeFileSync(dbFile, 'this is not a database, and longer than the header of one would be, so that nobody takes it for an empty file\n');
  await expect(startDevServer({ dbFile, uiPort: false })).rejects.toThrow(
    /^Could not start .*: it ended at once \(exit code 1\).*temporal\.db\.log:\n(.*\n)*.*not a database/,
  );
  expect(readFileSync(`${dbFile}.log`, 'utf8')).toMatch(/not a database/);
});

test('the settings of the caller for another server do not reach the embedded one', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.invalid:7233');
  vi.stubEnv('TEMPORAL_PROFILE', 'production');
  try {
    const server = await start({ uiPort: false });
    expect(await missingSearchAttributes(await connectTo(server), 'default')).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('setup makes a namespace with its retention, registers what is missing, and does nothing the second time', async () => {
  const connection = await connectTo(await start({ uiPort: false }));
  const first = await setupNamespace(connection, 'team-a', { create: true, retentionDays: 3 });
  expect(first.created).toBe(true);
  expect([...first.registered].sort()).toEqual(
    Object.values(SEARCH_ATTRIBUTES)
      .map((key) => key.name)
      .sort(),
  );
  expect(await setupNamespace(connection, 'team-a', { create: true })).toEqual({ created: false, registered: [] });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'team-a' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(3 * DAY_S);
});

test('a search attribute of another type is refused with both types and what to do', async () => {
  const connection = await connectTo(await start({ uiPort: false }));
  const INT = 3;
  await setupNamespace(connection, 'team-b', { create: true });
  await connection.operatorService.removeSearchAttributes({ namespace: 'team-b', searchAttributes: ['TribunalDegraded'] });
  await connection.operatorService.addSearchAttributes({ namespace: 'team-b', searchAttributes: { TribunalDegraded: INT } });
  await expect(setupNamespace(connection, 'team-b')).rejects.toThrow(
    /^Could not use namespace team-b: its search attribute TribunalDegraded has the type Int and must have Bool; remove it .*\.$/,
  );
});
