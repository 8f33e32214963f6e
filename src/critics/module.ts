/** Loads critics modules: `export default [defineCritic({...})]`, `.mjs`, `.js` or `.ts`. */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import type { AnyCritic } from './critic.js';

/** Names of critics in plans and in registries. */
export const CRITIC_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * @param path of the module, relative to the working directory or absolute.
 * @throws Error with one sentence that names the file and what is wrong with it.
 */
export async function loadCriticsModule(path: string): Promise<{ critic: AnyCritic; from: string }[]> {
  const exported = await importDefault(path);
  if (!Array.isArray(exported))
    throw new Error(`${path}: must have a default export that is a list of critics: export default [defineCritic({ … })]`);
  return exported.map((entry: unknown, index) => {
    const problem = criticProblem(entry);
    if (problem !== undefined) throw new Error(`${path}: entry ${index} of the default export ${problem}`);
    return { critic: entry as AnyCritic, from: path };
  });
}

/**
 * The default export of a module, `.mjs`, `.js` or `.ts`.
 * @throws Error with one sentence that names the file.
 */
export async function importDefault(path: string): Promise<unknown> {
  const file = resolve(path);
  if (/\.[mc]?ts$/.test(file)) await registerTypeScript(path);
  try {
    const { default: exported } = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return isCommonJs(exported) ? exported.default : exported;
  } catch (error) {
    throw new Error(`${path}: cannot be loaded: ${error instanceof Error ? error.message : 'it threw something that is not an Error'}`, {
      cause: error,
    });
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
const isCommonJs = (exported: unknown): exported is { readonly default: unknown } =>
  typeof exported === 'object' && exported !== null && '__esModule' in exported && 'default' in exported;

/** What keeps a value from being a critic, or `undefined`. */
function criticProblem(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return 'is not a critic';
  const critic = entry as Partial<Record<keyof AnyCritic, unknown>>;
  if (typeof critic.name !== 'string' || !CRITIC_NAME.test(critic.name)) return 'has no name of the form [a-z][a-z0-9_]{0,63}';
  if (typeof critic.version !== 'string' || !/^\d+\.\d+\.\d+$/.test(critic.version))
    return `(${critic.name}) has no version of the form 1.0.0`;
  if (typeof critic.evaluate !== 'function') return `(${critic.name}) has no function evaluate`;
  for (const schema of ['options', 'output'] as const) {
    const value = critic[schema] as { safeParse?: unknown } | undefined;
    if (value !== undefined && typeof value?.safeParse !== 'function') return `(${critic.name}) has ${schema} that are not a zod schema`;
  }
  return undefined;
}
