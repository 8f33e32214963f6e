/** `tribunal review …`: what people do about escalated evaluations. */
import type { Command } from 'commander';
import type { Cli } from './command.js';
import { addReviewAssign } from './review-assign.js';
import { addReviewClaim } from './review-claim.js';
import { addReviewComment } from './review-comment.js';
import { addReviewDecide } from './review-decide.js';
import { addReviewEscalate } from './review-escalate.js';
import { addReviewExport } from './review-export.js';
import { addReviewList } from './review-list.js';
import { addReviewNext } from './review-next.js';
import { addReviewRecuse } from './review-recuse.js';
import { addReviewShow } from './review-show.js';
import { addReviewStats } from './review-stats.js';
import { addReviewUnclaim } from './review-unclaim.js';
import { addReviewUndo } from './review-undo.js';
import { addReviewVerify } from './review-verify.js';
import { addReviewWithdraw } from './review-withdraw.js';

export function addReview(program: Command, cli: Cli): void {
  const review = program.command('review').description('decide what critics have escalated; each command is signed with your key');
  for (const add of [
    addReviewList,
    addReviewShow,
    addReviewNext,
    addReviewClaim,
    addReviewUnclaim,
    addReviewDecide,
    addReviewUndo,
    addReviewComment,
    addReviewEscalate,
    addReviewRecuse,
    addReviewAssign,
    addReviewWithdraw,
    addReviewStats,
    addReviewExport,
    addReviewVerify,
  ])
    add(review, cli);
}
