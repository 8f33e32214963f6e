/** `tribunal review show`: all that whoever decides has to know of one review. */
import type { Command } from 'commander';
import { signalsOf, type ReviewInput } from '../domain/review/review.js';
import { reviewText } from '../report/review-text.js';
import { shownTimeline } from '../report/review-timeline.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT } from './exit.js';
import { reviewIdOf, withReviews } from './review-desk.js';

interface ReviewShowOptions {
  readonly content?: boolean;
}

export function addReviewShow(parent: Command, cli: Cli): void {
  const command = parent
    .command('show')
    .description('show one: what is asked, what was signalled, the content, and what has happened')
    .argument('<id>', 'review/<tenant>/<key>/<run>')
    .option('--content', 'all of the content');
  onRun<ReviewShowOptions>(command, cli, runReviewShow);
}

async function runReviewShow(given: Call<ReviewShowOptions>): Promise<number> {
  const { options, args, output } = given;
  const id = reviewIdOf(args[0]);
  return await withReviews(given, async (reviews) => {
    const [view, input, happened] = await Promise.all([reviews.view(id), reviews.input(id), reviews.timeline(id)]);
    const timeline = shownTimeline(happened, view);
    if (output.json) output.object({ ...view, ...askedOf(input), timeline });
    else
      output.line(
        reviewText(
          { view, input, timeline },
          {
            nowMs: Date.now(),
            color: output.color,
            ...(output.width !== undefined ? { width: output.width } : {}),
            ...(options.content === true ? { content: true } : {}),
          },
        ),
      );
    return EXIT.ok;
  });
}

/** What a program needs to decide it. */
export const askedOf = ({ requester, author, rules, packet }: ReviewInput): Readonly<Record<string, unknown>> => ({
  ...(requester !== undefined ? { requester } : {}),
  ...(author !== undefined ? { author } : {}),
  signals: signalsOf(packet.report),
  reasons: rules.reasons,
  packet,
});
