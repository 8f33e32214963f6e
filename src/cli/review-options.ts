/** The options by which `dev` and `worker` say how reviews are decided and what is kept. */
import type { Command } from 'commander';

export interface ReviewOptions {
  readonly insecureDev?: boolean;
  readonly archive?: string;
}

export const addReviewOptions = (command: Command): Command =>
  command
    .option('--insecure-dev', 'take commands on reviews without a signature; release refuses what they let pass')
    .option('--archive <folder>', 'keep evaluations and reviews that have closed there, in clear, beyond the retention of the server');
