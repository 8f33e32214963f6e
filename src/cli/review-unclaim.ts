/** `tribunal review unclaim`: gives a review back. */
import type { Command } from 'commander';
import { onRun, type Cli } from './command.js';
import { addActing, ownEpoch, runAct, type ActingOptions } from './review-desk.js';

interface UnclaimOptions extends ActingOptions {
  readonly epoch?: string;
}

export function addReviewUnclaim(parent: Command, cli: Cli): void {
  const command = addActing(parent.command('unclaim').description('give a review back, undecided').argument('<id>')).option(
    '--epoch <n>',
    'of your claim (default: the one that you have)',
  );
  onRun<UnclaimOptions>(command, cli, (given) =>
    runAct(given, 'unclaim', (view, desk) => ({ epoch: ownEpoch(view, desk, given.options.epoch) })),
  );
}
