/** Loads critics modules: `export default [defineCritic({...})]`, `.mjs`, `.js`, `.mts` or `.ts`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AnyCritic } from './critic.js';

/** Names of critics in plans and in registries. */
export const CRITIC_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** Several times what the largest libraries take to load on a busy machine; a module that is slower waits for something that never comes. */
export const LOAD_MS = 30_000;
/** Of the line at which a parser stopped: enough to find it, and a minified file has no other line. */
const MAX_SOURCE_CHARS = 120;

/**
 * @param path of the module, relative to the working directory or absolute.
 * @throws Error with one sentence that names the file and everything that is wrong with it.
 */
export async function loadCriticsModule(
  path: string,
  limitMs: number = LOAD_MS,
): Promise<{ critic: AnyCritic; from: string; module: string }[]> {
  const exported = await importDefault(path, limitMs);
  if (!Array.isArray(exported))
    throw new Error(`${path}: must have a default export that is a list of critics: export default [defineCritic({ … })]`);
  const problems = exported.flatMap((entry: unknown, index) => {
    const found = criticProblem(entry);
    return found === undefined ? [] : [`entry ${index} of the default export ${found}`];
  });
  if (problems.length > 0) throw new Error(`${path}: ${problems.join('; ')}`);
  return exported.map((entry: unknown) => ({ critic: entry as AnyCritic, from: path, module: resolve(path) }));
}

/**
 * The default export of a module, `.mjs`, `.js`, `.mts` or `.ts`.
 * @throws Error with one sentence that names the file.
 */
export async function importDefault(path: string, limitMs: number = LOAD_MS): Promise<unknown> {
  return (await importModule(path, limitMs))['default'];
}

/**
 * All exports of a module, by name.
 * @throws Error with one sentence that names the file.
 */
export async function importModule(path: string, limitMs: number = LOAD_MS): Promise<Readonly<Record<string, unknown>>> {
  const file = await fileOf(path);
  if (/\.[mc]?ts$/.test(file)) await registerTypeScript(path);
  try {
    return await within(limitMs, exportsOf(file));
  } catch (error) {
    throw new Error(`${path}: cannot be loaded: ${reasonOf(error, file)}`, { cause: error });
  }
}

/** By its real path, which is the one that stacks name. @throws Error with one sentence that names the file. */
async function fileOf(path: string): Promise<string> {
  try {
    const file = await realpath(resolve(path));
    if (!(await stat(file)).isDirectory()) return file;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new Error(`${path}: cannot be loaded: ${code === 'ENOENT' ? 'there is no such file' : code}`, { cause: error });
  }
  throw new Error(`${path}: cannot be loaded: a folder is no module: name a file in it`);
}

async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  const exported = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  return isCommonJs(exported['default']) ? exported['default'] : exported;
}

/** The timer also keeps the process: without anything else to do, Node would end it in the middle of the await. */
async function within<T>(limitMs: number, loading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    const message = `it was not loaded after ${limitMs / 1000} s: look for an await at its top level that never ends`;
    timer = setTimeout(() => fail(new Error(message)), limitMs);
  });
  try {
    return await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Node 20 does not run TypeScript by itself; tsx registers its loaders only when such a file is named. */
async function registerTypeScript(path: string): Promise<void> {
  try {
    const loaders = [await import('tsx/cjs/api'), await import('tsx/esm/api')];
    for (const loader of loaders) loader.register();
  } catch (error) {
    throw new Error(`${path}: a module in TypeScript needs the package tsx: npm install tsx, or compile it to .mjs`, { cause: error });
  }
}

/** A file without `"type": "module"` in its package becomes CommonJS, whose exports stand inside the default one. */
const isCommonJs = (exported: unknown): exported is Readonly<Record<string, unknown>> =>
  typeof exported === 'object' && exported !== null && '__esModule' in exported;

/** What a module threw may be anything, down to an object whose every property throws. */
function reasonOf(error: unknown, file: string): string {
  try {
    if (!(error instanceof Error)) return 'it threw something that is not an Error';
    const transformed = /^(.+):(\d+):\d+: ERROR: (.+)$/m.exec(error.message);
    const place = transformed === null ? placeOf(error, file) : { file: transformed[1] ?? '', line: transformed[2] ?? '', source: '' };
    const unplaced = error instanceof SyntaxError ? ' (in a module that it imports)' : '';
    return `${transformed?.[3] ?? error.message}${place === undefined ? unplaced : showPlace(place, file)}${hintFor(error, file)}`;
  } catch {
    return 'it threw something that cannot be read';
  }
}

interface Place {
  readonly file: string;
  readonly line: string;
  /** The line itself; empty where it is not known. */
  readonly source: string;
}

/** Where the parser stopped, or the line of the module that was being run. */
function placeOf(error: Error, file: string): Place | undefined {
  const stack = String(error.stack);
  const parsed = parsedPlace(stack);
  if (parsed !== undefined) return parsed;
  const frame = stack.split('\n').find((line) => line.includes(`${pathToFileURL(file).href}:`) || line.includes(`${file}:`));
  const line = frame === undefined ? undefined : /:(\d+):\d+\)?$/.exec(frame)?.[1];
  if (line !== undefined) return { file, line, source: '' };
  // Of an ES module Node tells the place only when it ends the process; `--check` parses and runs nothing.
  if (!(error instanceof SyntaxError) || !/\.[mc]?js$/.test(file)) return undefined;
  return parsedPlace(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: LOAD_MS }).stderr);
}

/** Node writes the place above the stack: file and line, then the line itself. */
function parsedPlace(text: string): Place | undefined {
  const [, place, line, source = ''] = /^((?:file:\/\/)?(?:\/|[A-Za-z]:\\)[^\n]*):(\d+)\n([^\n]*)\n/.exec(text) ?? [];
  if (place === undefined || line === undefined) return undefined;
  return { file: place.startsWith('file:') ? fileURLToPath(place) : place, line, source: source.trim() };
}

function showPlace(place: Place, file: string): string {
  const where = place.file === file ? `line ${place.line}` : `${place.file}:${place.line}`;
  return ` (${where}${place.source === '' ? '' : `: ${place.source.slice(0, MAX_SOURCE_CHARS)}`})`;
}

/** What fails in CommonJS alone: packages that can only be imported, and an await at the top level. */
const COMMONJS_CODES: ReadonlySet<unknown> = new Set(['ERR_PACKAGE_PATH_NOT_EXPORTED', 'ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE']);

function hintFor(error: Error, file: string): string {
  if (!file.endsWith('.ts') || !('code' in error) || !COMMONJS_CODES.has(error.code) || isModuleScope(dirname(file))) return '';
  return `; it was read as CommonJS: name it ${basename(file, '.ts')}.mts, or set "type": "module" in its package.json`;
}

/** By the nearest package.json, as Node has it. */
function isModuleScope(folder: string): boolean {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown } | null)?.type === 'module';
  return dirname(folder) !== folder && isModuleScope(dirname(folder));
}

/** All that keeps a value from being a critic, or `undefined`. */
function criticProblem(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return 'is not a critic';
  const critic = entry as Partial<Record<keyof AnyCritic, unknown>>;
  const isNamed = typeof critic.name === 'string' && CRITIC_NAME.test(critic.name);
  const problems = isNamed ? [] : ['has no name of the form [a-z][a-z0-9_]{0,63}'];
  if (typeof critic.version !== 'string' || !/^\d+\.\d+\.\d+$/.test(critic.version)) problems.push('has no version of the form 1.0.0');
  if (typeof critic.evaluate !== 'function') problems.push('has no function evaluate');
  for (const schema of ['options', 'output'] as const) {
    const value = critic[schema] as { safeParse?: unknown } | undefined;
    if (value !== undefined && typeof value?.safeParse !== 'function') problems.push(`has ${schema} that are not a zod schema`);
  }
  return problems.length === 0 ? undefined : `${isNamed ? `(${String(critic.name)}) ` : ''}${problems.join(', ')}`;
}
