/** The options by which `dev` and `worker` say how reviews are decided. */
import type { Command } from 'commander';

export interface ReviewOptions {
  readonly insecureDev?: boolean;
}

export const addReviewOptions = (command: Command): Command =>
  command.option('--insecure-dev', 'take commands on reviews without a signature; release refuses what they let pass');
