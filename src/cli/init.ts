/** `tribunal init`: a folder in which everything works: a plan with its cases, a critic of one's own, records to judge. */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT } from './exit.js';
import { commandName, exists, readTemplate, writeNew } from './scaffold.js';

/** They belong to the project that was there before; nothing of tribunal needs them. */
const MAY_BE_THERE = ['README.md', '.gitignore'];

export function addInit(program: Command, cli: Cli): void {
  const command = program
    .command('init')
    .description('write a plan, a critic of your own and records to judge into a folder')
    .argument('[dir]', 'folder (default: this one)');
  onRun(command, cli, runInit);
}

async function runInit({ args, io, output }: Call<unknown>): Promise<number> {
  const [folder = '.'] = args;
  const files = new Map<string, string>();
  const kept: string[] = [];
  for (const [path, text] of await readTemplate('init')) {
    const place = join(folder, path);
    if (MAY_BE_THERE.includes(path) && (await exists(place))) kept.push(place);
    else files.set(place, text);
  }
  await writeNew(files);
  if (output.json) {
    output.object({ written: [...files.keys()], kept });
    return EXIT.ok;
  }
  for (const path of files.keys()) output.line(`written  ${path}`);
  for (const path of kept) output.line(`kept     ${path}`);
  const command = commandName(io.env);
  output.line(
    [
      '',
      'Next:',
      ...(resolve(folder) === resolve('.') ? [] : [`  cd ${folder}`]),
      `  ${command} dev                              server, UI and worker; leave it running`,
      `  ${command} evaluate records/promise.json    in another terminal: your critic denies it`,
      `  ${command} critic test critics/promises.mjs whether your critic keeps what it owes`,
      'Then write what your critic looks for into critics/promises.mjs.',
    ].join('\n'),
  );
  return EXIT.ok;
}
