/** New files out of the package's templates: all of them or none, and never in the place of one that is there. */
import { lstat, mkdir, open, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../temporal/paths.js';
import { CliError, EXIT, usageError } from './exit.js';

/** Path to text. */
export type NewFiles = ReadonlyMap<string, string>;

/** The files of a template, by their paths inside it. `_` in front of a name stands for a dot: npm leaves some such files out of packages. */
export async function readTemplate(name: string): Promise<Map<string, string>> {
  const root = join(packageRoot(), 'templates', name);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.toSorted().map(async (file) => {
    const path = file.slice(root.length + 1).replace(/(^|\/|\\)_(?=[^/\\]+$)/, '$1.');
    return [path, await readFile(file, 'utf8')] as const;
  });
  return new Map(await Promise.all(read));
}

export const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );

/** @throws CliError naming every file that is there already; nothing was written then. */
export async function refuseExisting(paths: Iterable<string>): Promise<void> {
  const there: string[] = [];
  for (const path of paths) if (await exists(path)) there.push(path);
  if (there.length > 0)
    throw usageError(
      `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already: nothing was written; move what you want to keep`,
    );
}

/**
 * Writes all of them, or takes back what was written.
 * @param last is done when all are there; when it fails, they go again.
 * @param lastPlace what `last` writes, for its failure.
 * @throws CliError in one sentence.
 */
export async function writeNew(files: NewFiles, last: () => Promise<void> = async () => undefined, lastPlace = ''): Promise<void> {
  await refuseExisting(files.keys());
  const undo: (() => Promise<void>)[] = [];
  let at = '';
  try {
    for (const [path, text] of files) {
      at = path;
      // The first folder that had to be made, as far as anything was.
      const made = await mkdir(dirname(path), { recursive: true });
      if (made !== undefined) undo.push(() => removeEmpty(dirname(path), made));
      // `wx`: somebody else may have made it meanwhile.
      await (await open(path, 'wx')).close();
      undo.push(() => rm(path));
      await writeFile(path, text);
    }
    at = lastPlace;
    await last();
  } catch (error) {
    for (const step of undo.toReversed()) await step().catch(() => undefined);
    if (error instanceof CliError) throw error;
    throw new CliError(
      EXIT.error,
      'NOT_WRITTEN',
      `${at}: cannot be written (${codeOf(error)}); nothing was kept of what was written before`,
    );
  }
}

/** From the innermost folder up to the first one that was made. */
async function removeEmpty(folder: string, upTo: string): Promise<void> {
  for (let next = folder; ; next = dirname(next)) {
    await rmdir(next);
    if (next === upTo || next === dirname(next)) return;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}

/** How this command line is called here. */
export const commandName = (env: NodeJS.ProcessEnv): string => (env['npm_command'] === 'exec' ? 'npx tribunal' : 'tribunal');
