/** `--archive`: a folder that is mistyped would look like one in which nothing was kept. */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { usageError } from './exit.js';

/** These write it, and make it where it is not there. */
const WRITERS: ReadonlySet<string> = new Set(['dev', 'worker']);

/** @throws CliError when the archive that a command names cannot be one. */
export function checkArchive(command: Command): void {
  const { archive } = command.opts<{ readonly archive?: string }>();
  if (archive === undefined) return;
  const found = statSync(archive, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  if (found !== undefined) throw usageError(`--archive ${archive}: is a file; name the folder that workers write with --archive`);
  if (!WRITERS.has(command.name()))
    throw usageError(`--archive ${archive}: there is no such folder; name the one that workers write with --archive`);
}
