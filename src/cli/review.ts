/** `tribunal review …`: what people decide. */
import type { Command } from 'commander';
import type { Cli } from './command.js';
import { addReviewExport } from './review-export.js';
import { addReviewVerify } from './review-verify.js';

export function addReview(program: Command, cli: Cli): void {
  const review = program.command('review').description('reviews of what was escalated');
  addReviewExport(review, cli);
  addReviewVerify(review, cli);
}
