/** `tribunal review claim`: takes a review, for as long as its lease. */
import type { Command } from 'commander';
import { onRun, type Cli } from './command.js';
import { addActing, runAct, type ActingOptions } from './review-desk.js';

export function addReviewClaim(parent: Command, cli: Cli): void {
  const command = addActing(
    parent.command('claim').description('take a review, and keep it from others until the lease is over').argument('<id>'),
  );
  onRun<ActingOptions>(command, cli, (given) => runAct(given, 'claim', () => ({})));
}
