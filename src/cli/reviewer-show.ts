/** `tribunal reviewer show`: who signs here, and by which key. */
import type { Command } from 'commander';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT } from './exit.js';
import { asKeyError } from './reviewer-error.js';

export function addReviewerShow(parent: Command, cli: Cli): void {
  const command = parent.command('show').description('your id and your public key');
  onRun(command, cli, runReviewerShow);
}

async function runReviewerShow({ io, output }: Call<unknown>): Promise<number> {
  const { keyFileOf, loadSigner } = await import('../review/keys.js');
  const file = keyFileOf(io.env);
  const { id, publicKey } = await loadSigner(io.env, file).catch(asKeyError);
  if (output.json) output.object({ id, key: publicKey, file });
  else output.line([`id    ${id}`, `key   ${publicKey}`, `file  ${file}`].join('\n'));
  return EXIT.ok;
}
