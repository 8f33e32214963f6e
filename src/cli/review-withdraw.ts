/** `tribunal review withdraw`: ends a review undecided, or all that are open in a queue; what it was about does not go out. */
import type { Command } from 'commander';
import type { ReviewSummary } from '../client.js';
import { ReviewRefused, TribunalError } from '../client-errors.js';
import { safeText } from '../report/safe.js';
import { Answers } from './answers.js';
import { onRun, type Call, type Cli } from './command.js';
import { describeError, EXIT, exitOfError, usageError } from './exit.js';
import {
  act,
  addActing,
  checkedPayload,
  receiptText,
  reviewIdOf,
  showReceipt,
  withDesk,
  type ActingOptions,
  type Desk,
} from './review-desk.js';
import { askText } from './review-draft.js';

interface WithdrawOptions extends ActingOptions {
  readonly queue?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

/** Of one queue at once; the command may be given again. */
const MAX_WITHDRAWN = 10_000;

export function addReviewWithdraw(parent: Command, cli: Cli): void {
  const command = addActing(
    parent
      .command('withdraw')
      .description('end a review undecided, as its requester or a lead; or all that are open in a queue')
      .argument('[id]'),
  )
    .option('--queue <name>', 'all that are open in this queue, each by a command of its own')
    .option('--reason <text>', 'kept with each')
    .option('--yes', 'with --queue: without being asked');
  onRun<WithdrawOptions>(command, cli, runWithdraw);
}

async function runWithdraw(given: Call<WithdrawOptions>): Promise<number> {
  const { options, args, io, output } = given;
  if ((args[0] === undefined) === (options.queue === undefined)) throw usageError('name one review, or a queue by --queue');
  if (options.queue !== undefined && options.commandId !== undefined) throw usageError('--command-id is of one command: name one review');
  const isAsked = io.stdin.isTTY === true && !output.json;
  if (options.queue !== undefined && options.yes !== true && !isAsked) throw usageError('withdrawing a whole queue needs --yes');
  const answers = new Answers(io);
  try {
    const reason = options.reason ?? (isAsked ? await askText('withdraw', answers, output) : undefined);
    const payload = checkedPayload('withdraw', { reason: reason ?? '' }, '--reason is needed: it is kept with the review');
    return await withDesk(given, async (desk) => {
      if (options.queue !== undefined) return await withdrawQueue(given, desk, options.queue, payload.reason, answers);
      const view = await desk.reviews.view(reviewIdOf(args[0]));
      showReceipt(await act(desk, 'withdraw', view, payload, options), output);
      return EXIT.ok;
    });
  } finally {
    answers.close();
  }
}

async function withdrawQueue(given: Call<WithdrawOptions>, desk: Desk, queue: string, reason: string, answers: Answers): Promise<number> {
  const { options, output } = given;
  const found = await desk.reviews.list({ queue, limit: MAX_WITHDRAWN });
  if (found.length > 0 && options.yes !== true) {
    output.ask(`withdraw all ${found.length} open reviews of ${safeText(queue)}? None of what they are about goes out. y/n: `);
    const key = await answers.key();
    output.ask('\n');
    if (key !== 'y') {
      output.note('nothing was withdrawn');
      return EXIT.ok;
    }
  }
  let exit: number = EXIT.ok;
  let withdrawn = 0;
  for (const one of found) {
    const failed = await withdrawOne(given, desk, one, reason);
    if (failed === undefined) withdrawn += 1;
    else exit = Math.max(exit, failed);
  }
  output.note(`${withdrawn} of ${found.length} reviews of ${safeText(queue)} were withdrawn`);
  return exit;
}

/** @returns the exit code of one that was not. */
async function withdrawOne(
  { output }: Call<WithdrawOptions>,
  desk: Desk,
  { reviewId }: ReviewSummary,
  reason: string,
): Promise<number | undefined> {
  try {
    const receipt = await act(desk, 'withdraw', await desk.reviews.view(reviewId), { reason });
    if (output.json) output.object(receipt);
    else output.line(receiptText(receipt));
    return undefined;
  } catch (error) {
    // One that somebody has just decided must not keep the others open.
    if (!(error instanceof TribunalError)) throw error;
    if (output.json) output.object({ reviewId, error: describeError(error) });
    else output.line(safeText(error instanceof ReviewRefused ? error.message : `${reviewId}: ${error.message}`));
    return exitOfError(error);
  }
}
