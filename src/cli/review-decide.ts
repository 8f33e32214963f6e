/** `tribunal review decide`: lets a held review pass, or halts it, for reasons. */
import { Option, type Command } from 'commander';
import type { ReviewView } from '../contract.js';
import type { ReviewInput } from '../domain/review/review.js';
import { Answers } from './answers.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { CliError, EXIT, usageError } from './exit.js';
import { act, addActing, checkedPayload, ownEpoch, reviewIdOf, showReceipt, withDesk, type ActingOptions } from './review-desk.js';
import { answerOf, checkedWords, completed, draftIn, missingOf, type Draft } from './review-draft.js';

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
    showReceipt(await act(desk, 'decide', view, payload, options), output);
    return EXIT.ok;
  });
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
