/** `tribunal review escalate`: raises a review to a higher tier, where others decide it. */
import { Option, type Command } from 'commander';
import { MAX_TEXT_BYTES } from '../domain/review/command.js';
import { REVIEW_TIERS, type ReviewTier } from '../domain/review/policy.js';
import { onRun, type Cli } from './command.js';
import { addActing, checkedPayload, runAct, type ActingOptions } from './review-desk.js';

interface EscalateOptions extends ActingOptions {
  readonly to: ReviewTier;
  readonly reason: string;
}

export function addReviewEscalate(parent: Command, cli: Cli): void {
  const command = addActing(parent.command('escalate').description('raise a review to a higher tier').argument('<id>'))
    .addOption(new Option('--to <tier>').choices(REVIEW_TIERS.slice(1)).makeOptionMandatory())
    .requiredOption('--reason <text>', 'for those who decide there');
  onRun<EscalateOptions>(command, cli, (given) => {
    const { to, reason } = given.options;
    const payload = checkedPayload('escalate', { to, reason }, `--reason must have between 1 and ${MAX_TEXT_BYTES} bytes`);
    return runAct(given, 'escalate', () => payload);
  });
}
