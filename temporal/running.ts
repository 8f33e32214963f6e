/**
 * The running embedded server is written down in `.tribunal/server.json` of the project folder, so that the worker,
 * the client and the CLI find it without settings. Imports Node alone.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';

export interface RunningServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly uiUrl?: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
}

const FOLDER = '.tribunal';
const FILE = 'server.json';
/** A loopback port answers at once or not at all. */
const PROBE_TIMEOUT_MS = 2_000;

/** Writes the record by a rename: a reader sees the old one or the new one, never half of one. */
export function recordRunningServer(dir: string, server: Omit<RunningServer, 'startedAt'>): void {
  const file = join(dir, FOLDER, FILE);
  mkdirSync(dirname(file), { recursive: true });
  const { address, uiUrl, pid } = server;
  const record: RunningServer = { address, ...(uiUrl === undefined ? {} : { uiUrl }), pid, startedAt: new Date().toISOString() };
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

/** Removes the record of this server, and leaves that of another one alone. */
export function forgetRunningServer(dir: string, pid: number): void {
  const file = join(dir, FOLDER, FILE);
  if (readRecord(file)?.pid === pid) rmSync(file, { force: true });
}

/** The server of the nearest project folder at or above `dir`, if its process lives and its port answers. */
export async function findRunningServer(dir: string = process.cwd()): Promise<RunningServer | undefined> {
  const project = nearestProject(resolve(dir));
  const record = project === undefined ? undefined : readRecord(join(project, FOLDER, FILE));
  return record !== undefined && isAlive(record.pid) && (await answers(record.address)) ? record : undefined;
}

/** Whether something listens at `host:port`. */
export function answers(address: string): Promise<boolean> {
  const separator = address.lastIndexOf(':');
  return new Promise((settle) => {
    const socket = connect({ host: address.slice(0, separator), port: Number(address.slice(separator + 1)) });
    const end = (found: boolean): void => {
      socket.destroy();
      settle(found);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(false));
  });
}

function nearestProject(dir: string): string | undefined {
  if (existsSync(join(dir, FOLDER))) return dir;
  const parent = dirname(dir);
  return parent === dir ? undefined : nearestProject(parent);
}

/** A file that is missing, half a file or another program's is no record. */
function readRecord(file: string): RunningServer | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Loopback only: content must not follow a file that came with somebody's project to another machine. */
const LOOPBACK = /^127\.0\.0\.1:\d{1,5}$/;

function isRecord(value: unknown): value is RunningServer {
  if (typeof value !== 'object' || value === null) return false;
  if (!('address' in value) || typeof value.address !== 'string' || !LOOPBACK.test(value.address)) return false;
  if (!('pid' in value) || !Number.isInteger(value.pid)) return false;
  if ('uiUrl' in value && typeof value.uiUrl !== 'string') return false;
  return 'startedAt' in value && typeof value.startedAt === 'string';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process is there and is another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
