/**
 * The embedded server: the development server of the Temporal CLI as a child process on the loopback interface,
 * durable when given a database file, with the settings that tribunal relies on.
 * May import `src/contract.ts` (through `setup.ts`) of our own code.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { ensureTemporalCli, versionOf } from './binary.js';
import { DYNAMIC_CONFIG } from './dynamic-config.js';
import { cacheDir } from './paths.js';
import { answers } from './running.js';
import { ATTRIBUTES, DEFAULT_RETENTION_DAYS, setRetention, setupNamespace } from './setup.js';

export interface DevServerOptions {
  /** SQLite file, made when it does not exist. Omitted: everything is kept in memory and lost at the end. */
  readonly dbFile?: string;
  /** Port of the gRPC service. Omitted: a free one. */
  readonly port?: number;
  /** Port of the web UI. Omitted: a free one; `false`: no UI. */
  readonly uiPort?: number | false;
  /** File for the server's log. Omitted: beside the database, or a temporary file that is removed at the end. */
  readonly log?: string;
  /** How long closed evaluations are kept. Default 30. */
  readonly retentionDays?: number;
  /** Keeps a Ctrl-C in the terminal from the server, so that a worker can finish first; the caller must then call `stop`. */
  readonly ownProcessGroup?: boolean;
  readonly progress?: (line: string) => void;
  /** Settings of the server beside those that tribunal relies on, by the names of its dynamic configuration. */
  readonly settings?: Readonly<Record<string, boolean | number | string>>;
}

export interface DevServer {
  readonly address: string;
  readonly uiUrl?: string;
  readonly pid: number;
  /** Settles when the server process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Ends the server; safe to call twice. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/** It is up in under a second; on a very busy machine, with a large database, it takes longer. */
const HEALTHY_TIMEOUT_MS = 60_000;
/** It ends at once; one that does not is killed, which its write-ahead log survives. */
const STOP_TIMEOUT_MS = 5_000;
/** Small beside the start that is waited for. */
const POLL_MS = 20;
/** Losing the race for a free port twice is already unlikely. */
const PORT_ATTEMPTS = 3;

export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  if (options.port !== undefined) await refuseBusyPort(options.port, 'the server');
  if (typeof options.uiPort === 'number') await refuseBusyPort(options.uiPort, 'its UI');
  const binary = await ensureTemporalCli(options.progress);
  for (const file of [options.dbFile, options.log]) if (file !== undefined) ensureFolder(file);
  if (options.dbFile !== undefined) await ensureDatabase(binary, options.dbFile);
  const { log, temporary } = logFile(options);
  const server = await launchOnFreePort(binary, options, log);
  try {
    await withConnection(server.address, async (connection) => {
      await setupNamespace(connection, 'default');
      await setRetention(connection, 'default', options.retentionDays ?? DEFAULT_RETENTION_DAYS);
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
  if (!temporary) return server;
  return { ...server, stop: () => server.stop().then(() => rmSync(dirname(log), { recursive: true, force: true })) };
}

function logFile(options: DevServerOptions): { readonly log: string; readonly temporary: boolean } {
  const log = options.log ?? (options.dbFile === undefined ? undefined : `${options.dbFile}.log`);
  if (log === undefined) return { log: join(mkdtempSync(join(tmpdir(), 'tribunal-server-')), 'server.log'), temporary: true };
  return { log, temporary: false };
}

function ensureFolder(file: string): void {
  const folder = dirname(resolve(file));
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Error(
      `Could not start the Temporal development server: its files belong into ${folder}, which cannot be written (${messageOf(error)}); make it writable or start in another folder.`,
      { cause: error },
    );
  }
}

/** A free port can be taken by somebody else before the server binds it; then another one is tried. */
/** Somebody took a port between our look and the server's. */
class PortTaken extends Error {}

async function launchOnFreePort(binary: string, options: DevServerOptions, log: string): Promise<DevServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const uiPort = options.uiPort ?? (await freePort());
    try {
      return await launch(binary, { ...options, port, uiPort, log });
    } catch (error) {
      const mayRetry = options.port === undefined && attempt < PORT_ATTEMPTS;
      if (!mayRetry || !(error instanceof PortTaken)) throw error;
    }
  }
}

interface Launch {
  readonly port: number;
  readonly uiPort: number | false;
  readonly log: string;
  readonly dbFile?: string;
  /** Default `wal`. */
  readonly journalMode?: 'wal' | 'delete';
  readonly ownProcessGroup?: boolean;
  readonly settings?: DevServerOptions['settings'];
}

async function launch(binary: string, options: Launch): Promise<DevServer> {
  const output = openSync(options.log, 'a');
  const logged = fstatSync(output).size;
  const child = spawn(binary, flags(options), {
    stdio: ['ignore', output, output],
    env: environment(),
    detached: options.ownProcessGroup === true,
  });
  closeSync(output);
  const exited = new Promise<void>((settle) => {
    child.once('exit', () => settle());
    child.once('error', () => settle());
  });
  if (child.pid !== undefined) tieToThisProcess(child.pid, exited);
  const address = `${HOST}:${options.port}`;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= terminate(child, exited));
  try {
    await untilHealthy(child, address);
  } catch (error) {
    await stop();
    // A server that finds its port taken says so and then panics: the end of its log is a stack.
    const isTaken = readFileSync(options.log).subarray(logged).includes('address already in use');
    const message = `Could not start the Temporal development server: ${messageOf(error)}. The end of ${options.log}:\n${tail(options.log)}`;
    throw isTaken ? new PortTaken(message, { cause: error }) : new Error(message, { cause: error });
  }
  return {
    address,
    ...(options.uiPort === false ? {} : { uiUrl: `http://${HOST}:${options.uiPort}` }),
    pid: child.pid ?? 0,
    exited,
    stop,
  };
}

function flags(options: Launch): string[] {
  // With a write-ahead log a durable server is as fast as one in memory; SQLite's default journal halves its throughput.
  const pragmas = [`journal_mode=${options.journalMode ?? 'wal'}`, 'synchronous=normal'].flatMap((pragma) => ['--sqlite-pragma', pragma]);
  const basic = ['server', 'start-dev', '--ip', HOST, '--port', String(options.port), '--log-level', 'warn'];
  return [
    ...basic,
    ...(options.uiPort === false ? ['--headless'] : ['--ui-port', String(options.uiPort), '--ui-disable-news-fetch']),
    ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile, ...pragmas]),
    ...Object.entries({ ...DYNAMIC_CONFIG, ...options.settings }).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
    ...ATTRIBUTES.flatMap(({ name, type }) => ['--search-attribute', `${name}=${type}`]),
  ];
}

/** Without the caller's TEMPORAL_* variables: the embedded server must not be shaped by settings meant for another one. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

/** The TCP port first: a gRPC client that comes too early waits out its own reconnect back-off. */
async function untilHealthy(child: ChildProcess, address: string): Promise<void> {
  const deadline = Date.now() + HEALTHY_TIMEOUT_MS;
  let spawnError: Error | undefined;
  child.once('error', (error) => (spawnError = error));
  const check = (): void => {
    if (spawnError) throw spawnError;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`it ended at once (${child.signalCode ?? `exit code ${child.exitCode}`})`);
    if (Date.now() > deadline) throw new Error(`it was not healthy after ${HEALTHY_TIMEOUT_MS / 1_000} s`);
  };
  while (!(await answers(address))) {
    check();
    await pause(POLL_MS);
  }
  // A new connection each time: one that was opened too early may wait longer for its turn than the server needs.
  for (;;) {
    check();
    try {
      await withConnection(
        address,
        async ({ workflowService }) => void (await workflowService.describeNamespace({ namespace: 'default' })),
      );
      return;
    } catch {
      await pause(POLL_MS);
    }
  }
}

async function withConnection(address: string, work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await work(connection);
  } finally {
    await connection.close();
  }
}

/**
 * Ends the server when this process is gone, however it went: a shell waits for the end of a pipe that only this process
 * holds open. It ends with the server, so that it never signals a process that came later.
 */
function tieToThisProcess(pid: number, exited: Promise<void>): void {
  const tie = spawn('sh', ['-c', 'read -r _; kill "$1"', 'sh', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Without a shell the server outlives a killed parent, and the next start finds it running.
  tie.once('error', () => undefined);
  void exited.then(() => tie.kill('SIGKILL'));
}

async function terminate(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/**
 * A server that is killed while it makes its first database leaves a file with which no server starts again.
 * So a new database is a copy, put in place by a rename, of an empty one made once per version of the CLI.
 */
async function ensureDatabase(binary: string, dbFile: string): Promise<void> {
  if (existsSync(dbFile)) return;
  const template = await emptyDatabase(binary);
  // What an earlier database of this name left would be taken for a part of the new one.
  for (const suffix of ['-wal', '-shm']) rmSync(dbFile + suffix, { force: true });
  const copy = `${dbFile}.${process.pid}.new`;
  copyFileSync(template, copy);
  renameSync(copy, dbFile);
}

async function emptyDatabase(binary: string): Promise<string> {
  const version = ((await versionOf(binary)) ?? 'unknown').replace(/[^0-9A-Za-z.]+/g, '-');
  const template = join(cacheDir(), `empty-database-${version}.db`);
  if (existsSync(template)) return template;
  mkdirSync(cacheDir(), { recursive: true });
  const work = mkdtempSync(join(cacheDir(), 'empty-database-'));
  try {
    const dbFile = join(work, 'new.db');
    // Without a write-ahead log the one file is the whole database.
    const server = await launch(binary, { port: await freePort(), uiPort: false, dbFile, journalMode: 'delete', log: join(work, 'log') });
    await server.stop();
    renameSync(dbFile, template);
    return template;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return listenOn(0);
}

async function refuseBusyPort(port: number, who: string): Promise<void> {
  try {
    await listenOn(port);
  } catch (error) {
    throw new Error(
      `Could not start the Temporal development server: ${who} was to listen on ${HOST}:${port} and the port is not free (${messageOf(error)}); stop what listens there or choose another port.`,
      { cause: error },
    );
  }
}

function listenOn(port: number): Promise<number> {
  return new Promise((settle, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(port, HOST, () => {
      const bound = probe.address();
      probe.close(() => settle(typeof bound === 'object' && bound !== null ? bound.port : port));
    });
  });
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function pause(ms: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, ms));
}
