/** `tribunal review assign`: a lead gives a review to somebody. */
import type { Command } from 'commander';
import { PERSON_ID_FORM } from '../domain/review/people.js';
import { onRun, type Cli } from './command.js';
import { addActing, checkedPayload, runAct, type ActingOptions } from './review-desk.js';

interface AssignOptions extends ActingOptions {
  readonly to: string;
}

export function addReviewAssign(parent: Command, cli: Cli): void {
  const command = addActing(
    parent.command('assign').description('give a review to somebody, also one that another person holds; only leads do').argument('<id>'),
  ).requiredOption('--to <id>', 'who is to decide it');
  onRun<AssignOptions>(command, cli, (given) => {
    const payload = checkedPayload('assign', { to: given.options.to }, `--to must be the id of a person (${PERSON_ID_FORM.source})`);
    return runAct(given, 'assign', () => payload);
  });
}
