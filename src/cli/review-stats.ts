/** `tribunal review stats`: how much waits, for how long, and how people have decided. */
import { Option, type Command } from 'commander';
import type { ReviewStats, ReviewStatsFilter } from '../client.js';
import { REVIEW_TIERS } from '../domain/review/policy.js';
import { number, percent, words } from '../report/format.js';
import { pairs } from '../report/table.js';
import { spanText } from '../report/time-left.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import { withReviews } from './review-desk.js';

interface ReviewStatsOptions extends Omit<ReviewStatsFilter, 'results'> {
  readonly results: string;
}

export function addReviewStats(parent: Command, cli: Cli): void {
  const command = parent
    .command('stats')
    .description('how much waits and for how long, and how people have decided')
    .addOption(new Option('--tier <tier>', 'only these').choices(REVIEW_TIERS))
    .option('--queue <name>')
    .option('--tenant <name>')
    .option('--results <n>', 'read so many closed reviews, the newest, for agreement and pace', '200');
  onRun<ReviewStatsOptions>(command, cli, runReviewStats);
}

async function runReviewStats(given: Call<ReviewStatsOptions>): Promise<number> {
  const { options, output } = given;
  const { tier, queue, tenant } = options;
  const results = Number(options.results);
  if (!Number.isInteger(results) || results < 0) throw usageError('--results must be a whole number, at least 0');
  return await withReviews(given, async (reviews) => {
    const stats = await reviews.stats({
      results,
      ...(tier !== undefined ? { tier } : {}),
      ...(queue !== undefined ? { queue } : {}),
      ...(tenant !== undefined ? { tenant } : {}),
    });
    if (output.json) output.object(stats);
    else output.line(statsText(stats));
    return EXIT.ok;
  });
}

export function statsText({
  open,
  byState,
  byTier,
  overdue,
  age,
  decided,
  closed,
  readDecided,
  readHalted,
  agreement,
  casesPerPersonHour,
}: ReviewStats): string {
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${words(name.toLowerCase())} ${number(count)}`)
      .join(', ');
  return pairs([
    ['open', `${number(open)}${open === 0 ? '' : ` (${counts(byState)}; ${counts(byTier)})`}`],
    ['overdue', number(overdue)],
    ...(age !== undefined ? ([['age', `p50 ${spanText(age.p50)}, p95 ${spanText(age.p95)}`]] as const) : []),
    ['over', `${counts(closed) || 'none'}`],
    ['decided', number(decided)],
    ...(agreement !== undefined
      ? ([
          ['agreement', `${percent(agreement)}: ${number(readHalted)} of ${number(readDecided)} decided were halted, as critics had it`],
        ] as const)
      : []),
    ...(casesPerPersonHour !== undefined ? ([['pace', `${number(casesPerPersonHour)} cases a person-hour`]] as const) : []),
  ]).join('\n');
}
