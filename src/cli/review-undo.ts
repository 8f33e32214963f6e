/** `tribunal review undo`: takes a decision back that has not taken effect. */
import type { Command } from 'commander';
import { onRun, type Cli } from './command.js';
import { addActing, runAct, type ActingOptions } from './review-desk.js';

export function addReviewUndo(parent: Command, cli: Cli): void {
  const command = addActing(
    parent
      .command('undo')
      .description('take your decision back, as long as it has not taken effect; you hold the review again')
      .argument('<id>'),
  );
  onRun<ActingOptions>(command, cli, (given) => runAct(given, 'undo', () => ({})));
}
