/** `tribunal review decide`: lets a held review pass, or halts it, for reasons. */
import { Option, type Command } from 'commander';
import type { ReviewView } from '../contract.js';
import { isOpenStatus, type Receipt, type ReviewInput, type ReviewStatus } from '../domain/review/review.js';
import { safeText } from '../report/safe.js';
import { Answers } from './answers.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { CliError, EXIT, usageError } from './exit.js';
import type { Output } from './output.js';
import {
  act,
  addActing,
  canBeUndone,
  checkedPayload,
  ownEpoch,
  reviewIdOf,
  showReceipt,
  withDesk,
  type ActingOptions,
  type Desk,
} from './review-desk.js';
import { answerOf, checkedWords, completed, draftIn, missingOf, type Draft } from './review-draft.js';

/** A decision that cannot be undone takes effect as soon as the file of people is read. */
const END_WAIT_MS = 3_000;
const END_POLL_MS = 200;

interface DecideOptions extends ActingOptions {
  readonly proceed?: boolean;
  readonly halt?: boolean;
  readonly code?: string;
  readonly reason?: readonly string[];
  readonly rationale?: string;
  readonly file?: string;
  readonly epoch?: string;
}

export function addReviewDecide(parent: Command, cli: Cli): void {
  const command = addActing(
    parent.command('decide').description('decide a review that you hold; on a terminal it asks for what is missing').argument('<id>'),
  )
    .addOption(new Option('--proceed', 'it may go out').conflicts(['halt', 'file']))
    .addOption(new Option('--halt', 'it may not').conflicts('file'))
    .addOption(new Option('--code <code>', 'triage: a reason code of the plan').conflicts('file'))
    .addOption(
      new Option('--reason <signal=text>', 'acknowledgement and determination: for each signal, repeatable')
        .argParser(collect)
        .conflicts('file'),
    )
    .addOption(new Option('--rationale <text>', 'determination: in all').conflicts('file'))
    .option('--file <json>', 'the decision as a file: disposition, code, signals, rationale')
    .option('--epoch <n>', 'of your claim (default: the one that you have)');
  onRun<DecideOptions>(command, cli, runDecide);
}

async function runDecide(given: Call<DecideOptions>): Promise<number> {
  const { options, args, output } = given;
  const id = reviewIdOf(args[0]);
  const draft = options.file === undefined ? draftOf(options) : await draftIn(options.file);
  return await withDesk(given, async (desk) => {
    const [view, input] = await Promise.all([desk.reviews.view(id), desk.reviews.input(id)]);
    const epoch = ownEpoch(view, desk, options.epoch);
    const whole = await wholeDraft(given, draft, view, input);
    const payload = { ...whole, epoch };
    await tellDecided(desk, await act(desk, 'decide', view, payload, options), output);
    return EXIT.ok;
  });
}

/** Until when it can be undone; where it cannot, how the review ended, if it does at once. */
async function tellDecided(desk: Desk, receipt: Receipt, output: Output): Promise<void> {
  // Of a program there is one object to read.
  if (!output.json) showReceipt(receipt, output);
  const status = canBeUndone(receipt) ? undefined : await endOf(desk, receipt);
  if (output.json) output.object({ ...receipt, ...(status !== undefined ? { endStatus: status } : {}) });
  else if (canBeUndone(receipt)) output.note(safeText(`until then: tribunal review undo ${receipt.reviewId}`));
  else if (status !== undefined) output.line(safeText(endText(receipt, status)));
}

const endText = ({ reviewId }: Receipt, status: ReviewStatus): string =>
  isOpenStatus(status) ? `${reviewId} is ${status} again: who decided may not decide any more` : `${reviewId} has ended: ${status}`;

/** Where a review stands that was being decided; `undefined`: it still is, or nobody says. */
async function endOf({ reviews }: Desk, { reviewId, status }: Receipt): Promise<ReviewStatus | undefined> {
  if (status !== 'COMMITTING') return undefined;
  const until = Date.now() + END_WAIT_MS;
  while (Date.now() < until) {
    // The decision is recorded: that nobody answers now is no error.
    const now = await reviews.view(reviewId).catch(() => undefined);
    if (now === undefined) return undefined;
    if (now.status !== 'COMMITTING') return now.status;
    await new Promise((settle) => setTimeout(settle, END_POLL_MS));
  }
  return undefined;
}

function draftOf({ proceed, halt, code, reason, rationale }: DecideOptions): Draft {
  return {
    ...(proceed === true ? { disposition: 'PROCEED' as const } : {}),
    ...(halt === true ? { disposition: 'HALT' as const } : {}),
    ...(code !== undefined ? { code } : {}),
    ...(reason !== undefined ? { signals: reason.map(answerOf) } : {}),
    ...(rationale !== undefined ? { rationale } : {}),
  };
}

type Whole = ReturnType<typeof wholeOf>;

async function wholeDraft({ io, output }: Call<DecideOptions>, draft: Draft, { tier }: ReviewView, input: ReviewInput): Promise<Whole> {
  const asked = { tier, input };
  checkedWords(draft, asked);
  const missing = missingOf(draft, asked);
  if (missing.length === 0) return wholeOf(draft);
  if (io.stdin.isTTY !== true || output.json) throw usageError(`a decision in ${tier} needs ${missing.join(', ')}`);
  const answers = new Answers(io);
  try {
    const whole = await completed(draft, asked, answers, output);
    if (whole === undefined) throw new CliError(EXIT.error, 'NOT_DECIDED', 'nothing was decided');
    return wholeOf(whole);
  } finally {
    answers.close();
  }
}

function wholeOf(draft: Draft) {
  const { disposition } = draft;
  if (disposition === undefined) throw usageError('a decision needs --proceed or --halt');
  const { epoch: _epoch, ...whole } = checkedPayload(
    'decide',
    { ...draft, disposition, epoch: 1 },
    'a code, a reason or the rationale has not its form',
  );
  return whole;
}
