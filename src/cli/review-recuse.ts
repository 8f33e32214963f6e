/** `tribunal review recuse`: steps back from a review for good. */
import { Option, type Command } from 'commander';
import { RECUSALS } from '../domain/review/command.js';
import { onRun, type Cli } from './command.js';
import { addActing, runAct, type ActingOptions } from './review-desk.js';

interface RecuseOptions extends ActingOptions {
  readonly code: (typeof RECUSALS)[number];
}

export function addReviewRecuse(parent: Command, cli: Cli): void {
  const command = addActing(
    parent.command('recuse').description('step back from a review: you do not decide it any more').argument('<id>'),
  );
  command.addOption(new Option('--code <code>', 'why').choices(RECUSALS).makeOptionMandatory());
  onRun<RecuseOptions>(command, cli, (given) => runAct(given, 'recuse', () => ({ code: given.options.code })));
}
