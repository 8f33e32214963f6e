/** `tribunal reviewer init|show`: the key pair with which a person signs what they decide. */
import type { Command } from 'commander';
import type { Cli } from './command.js';
import { addReviewerInit } from './reviewer-init.js';
import { addReviewerShow } from './reviewer-show.js';

export function addReviewer(program: Command, cli: Cli): void {
  const reviewer = program.command('reviewer').description('your key pair: what you decide in reviews is signed with it');
  addReviewerInit(reviewer, cli);
  addReviewerShow(reviewer, cli);
}
