/** `tribunal review list`: what waits for people, what is due first first, out of the server's index. */
import { Option, type Command } from 'commander';
import type { ReviewFilter, ReviewSummary } from '../client.js';
import { REVIEW_STATUSES } from '../client-review-list.js';
import { REVIEW_TIERS, type ReviewTier } from '../domain/review/policy.js';
import type { ReviewStatus } from '../domain/review/review.js';
import { words } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { table } from '../report/table.js';
import { whenText } from '../report/time-left.js';
import { parseDuration } from '../schemas/duration.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import { withReviews } from './review-desk.js';

interface ReviewListOptions {
  readonly state?: readonly string[];
  readonly tier?: ReviewTier;
  readonly queue?: string;
  readonly tenant?: string;
  readonly assignee?: string;
  readonly mine?: boolean;
  readonly overdue?: boolean;
  readonly evaluation?: string;
  readonly olderThan?: string;
  readonly limit: string;
}

const LONGEST_AGE = '365d';

export function addReviewList(parent: Command, cli: Cli): void {
  const command = parent
    .command('list')
    .description('list open reviews, what is due first first')
    .option('--state <state>', `in this state, repeatable (${REVIEW_STATUSES.join(', ').toLowerCase()}; default: the open ones)`, collect)
    .addOption(new Option('--tier <tier>', 'only these').choices(REVIEW_TIERS))
    .option('--queue <name>')
    .option('--tenant <name>')
    .option('--assignee <id>', 'held by this person')
    .option('--mine', 'held by you')
    .option('--overdue', 'whose next time is past')
    .option('--evaluation <tenant/key>', 'of this evaluation')
    .option('--older-than <duration>', 'opened so long ago, such as 4h')
    .option('--limit <n>', 'at most so many', '50');
  onRun<ReviewListOptions>(command, cli, runReviewList);
}

async function runReviewList(given: Call<ReviewListOptions>): Promise<number> {
  const { output } = given;
  const filter = await filterOf(given);
  return await withReviews(given, async (reviews) => {
    const found = await reviews.list(filter);
    if (output.json) for (const summary of found) output.object(summary);
    else {
      const nowMs = Date.now();
      output.line(
        found.length === 0
          ? 'no reviews'
          : table(
              COLUMNS,
              found.map((one) => rowOf(one, nowMs)),
              output.width,
            ).join('\n'),
      );
    }
    return EXIT.ok;
  });
}

async function filterOf({ options, io }: Call<ReviewListOptions>): Promise<ReviewFilter> {
  const { state, tier, queue, tenant, overdue, evaluation } = options;
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw usageError('--limit must be a whole number, at least 1');
  const age = options.olderThan === undefined ? undefined : parseDuration(options.olderThan, LONGEST_AGE);
  if (age?.ok === false) throw usageError(`--older-than ${age.message}`);
  const assignee = options.mine === true ? await ownId(io.env) : options.assignee;
  return {
    limit,
    ...(state !== undefined ? { states: state.map(stateOf) } : {}),
    ...(tier !== undefined ? { tier } : {}),
    ...(queue !== undefined ? { queue } : {}),
    ...(tenant !== undefined ? { tenant } : {}),
    ...(assignee !== undefined ? { assignee } : {}),
    ...(overdue === true ? { overdue } : {}),
    ...(evaluation !== undefined ? { evaluationId: evaluation } : {}),
    ...(age !== undefined ? { olderThanMs: age.ms } : {}),
  };
}

function stateOf(text: string): ReviewStatus {
  const state = REVIEW_STATUSES.find((known) => known === text.toUpperCase().replaceAll('-', '_'));
  if (state !== undefined) return state;
  throw usageError(`--state must be one of ${REVIEW_STATUSES.join(', ').toLowerCase()}`);
}

async function ownId(env: NodeJS.ProcessEnv): Promise<string> {
  const { loadSigner } = await import('../review/keys.js');
  const { asKeyError } = await import('./reviewer-error.js');
  return (await loadSigner(env).catch(asKeyError)).id;
}

const COLUMNS = [
  { name: 'due' },
  { name: 'state' },
  { name: 'tier' },
  { name: 'queue' },
  { name: 'opened' },
  { name: 'held by' },
  { name: 'review' },
];

function rowOf({ reviewId, status, tier, queue, assignees, openedAt, dueAt }: ReviewSummary, nowMs: number): string[] {
  return [
    dueAt === undefined ? '-' : whenText(dueAt.getTime(), nowMs),
    words(status.toLowerCase()),
    tier ?? '-',
    safeText(queue ?? '-'),
    whenText(openedAt.getTime(), nowMs),
    safeText(assignees.join(', ') || '-'),
    safeText(reviewId),
  ];
}
