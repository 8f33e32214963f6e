/** `tribunal review comment`: a word for those who decide, kept with the review. */
import type { Command } from 'commander';
import { MAX_TEXT_BYTES } from '../domain/review/command.js';
import { onRun, type Cli } from './command.js';
import { addActing, checkedPayload, runAct, type ActingOptions } from './review-desk.js';

export function addReviewComment(parent: Command, cli: Cli): void {
  const command = addActing(
    parent.command('comment').description('say something about a review, which is kept with it').argument('<id>').argument('<text>'),
  );
  onRun<ActingOptions>(command, cli, (given) => {
    const text = given.args[1] ?? '';
    const payload = checkedPayload('comment', { text }, `a comment must have between 1 and ${MAX_TEXT_BYTES} bytes`);
    return runAct(given, 'comment', () => payload);
  });
}
