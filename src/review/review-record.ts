/** All that is recorded of one review, decoded: what is verified, exported and archived. JSON. Pure. */
import type { HashedEntry } from '../domain/review/chain.js';
import type { People } from '../domain/review/people.js';
import type { ReviewAction, ReviewInput, ReviewResult } from '../domain/review/review.js';
import type { RunStatus } from './payloads.js';

export interface RecordedRun {
  readonly runId: string;
  /** Another one than `runId` when the run came of a reset. */
  readonly originalRunId: string;
}

export const isReset = ({ runId, originalRunId }: RecordedRun): boolean => runId !== originalRunId;

/** An update that the review's validator let pass. */
export interface AcceptedCommand {
  readonly action: ReviewAction;
  /** As it came. */
  readonly command: unknown;
  readonly updateId: string;
  /** The handler refused it after all: two came at once, and the first left it no room. */
  readonly refused?: true;
}

export interface ReviewRecord {
  readonly reviewId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  /** The packet's digest that stands beside the input. */
  readonly memoDigest: unknown;
  readonly status: RunStatus;
  /** Older runs of the chain are gone, so that nothing can be said of what they hold: false. */
  readonly isWhole: boolean;
  /** A run of the chain came of a reset: nothing in it counts. */
  readonly isReset: boolean;
  /** Oldest first. */
  readonly runs: readonly RecordedRun[];
  readonly input: ReviewInput;
  /** ISO 8601, of workflow time: where the clocks of the review begin. */
  readonly openedAt: string;
  readonly entries: readonly HashedEntry[];
  readonly commands: readonly AcceptedCommand[];
  /** Each version of the people who might act, in the order in which the review learned of it. */
  readonly people: readonly People[];
  readonly result?: ReviewResult;
}
