/**
 * Where things lie: this package's own files and the cache of downloaded binaries.
 * Imports Node alone.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package's `package.json`: the same whether this file runs as source or from `dist`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error("Could not find tribunal's own folder: no package.json above its code; install the package again.");
    folder = parent;
  }
  return folder;
}

/** `TRIBUNAL_CACHE`, else the user's cache folder. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['TRIBUNAL_CACHE']) return env['TRIBUNAL_CACHE'];
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tribunal');
}
