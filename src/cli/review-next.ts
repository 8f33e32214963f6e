/** `tribunal review next`: one case of a queue after the other, a key each. */
import { Option, type Command } from 'commander';
import { REVIEW_TIERS, type ReviewTier } from '../domain/review/policy.js';
import { Answers } from './answers.js';
import { onRun, type Call, type Cli } from './command.js';
import { addWho, withDesk, type WhoOptions } from './review-desk.js';
import { ReviewSession } from './review-session.js';
import { listenForStop } from './signals.js';

interface NextOptions extends WhoOptions {
  readonly queue?: string;
  readonly tier?: ReviewTier;
  readonly tenant?: string;
}

export function addReviewNext(parent: Command, cli: Cli): void {
  const command = addWho(
    parent.command('next').description('decide one case after the other: p proceed, h halt, e escalate, s skip, u undo, q quit'),
  )
    .option('--queue <name>', 'of this queue')
    .addOption(new Option('--tier <tier>', 'of this tier').choices(REVIEW_TIERS))
    .option('--tenant <name>', 'of this tenant');
  onRun<NextOptions>(command, cli, runNext);
}

async function runNext(given: Call<NextOptions>): Promise<number> {
  const { options, io, output } = given;
  const { queue, tier, tenant } = options;
  const stop = listenForStop();
  const answers = new Answers(io, stop.stopped);
  try {
    return await withDesk(given, async (desk) => {
      const filter = {
        ...(queue !== undefined ? { queue } : {}),
        ...(tier !== undefined ? { tier } : {}),
        ...(tenant !== undefined ? { tenant } : {}),
      };
      return await new ReviewSession(desk, answers, output, filter).run();
    });
  } finally {
    answers.close();
    stop.release();
  }
}
