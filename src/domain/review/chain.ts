/**
 * The account of one review: a hash chain (RFC 8785, SHA-256) that begins at the hash of the evaluation's report. Each entry
 * stands in the history as the workflow wrote it; `verify` computes the hashes anew. Pure, runs in the sandbox.
 */
import type { JsonObject } from '../request.js';
import { digestOf } from './crypto.js';
import type { ReviewAction, ReviewStatus } from './review.js';

/** What people do, and what happens without anybody's doing. Recorded in histories: never renamed. */
export type EntryType =
  | ReviewAction
  | 'opened'
  | 'people_changed'
  | 'decided'
  | 'vote_void'
  | 'lease_over'
  | 'claim_overdue'
  | 'reminder'
  | 'decide_overdue'
  | 'ladder'
  | 'expired'
  | 'withdrawn'
  | 'cancelled'
  | 'quarantined';

export interface ChainEntry {
  readonly v: 1;
  readonly reviewId: string;
  /** From 1, without gaps. */
  readonly seq: number;
  /** Hash of the entry before; of the first one, the hash of the evaluation's report. */
  readonly prevHash: string;
  /** ISO 8601, of workflow time. */
  readonly at: string;
  readonly type: EntryType;
  readonly by?: string;
  readonly from: ReviewStatus;
  readonly to: ReviewStatus;
  readonly commandId?: string;
  readonly payloadDigest?: string;
  /** SHA-256 of the signed assertion; absent for a command without signature. */
  readonly assertionHash?: string;
  /** What else is said, such as tier, epoch and disposition. Codes and numbers, no text of people. */
  readonly facts?: JsonObject;
}

export interface HashedEntry {
  readonly entry: ChainEntry;
  readonly hash: string;
}

export const hashed = (entry: ChainEntry): HashedEntry => ({ entry, hash: digestOf(entry) });

/** What is wrong with a chain, at the first entry that is wrong; `undefined` when nothing is. */
export function chainProblem(
  entries: readonly HashedEntry[],
  { reviewId, reportHash }: { readonly reviewId: string; readonly reportHash: string },
): { readonly seq: number; readonly message: string } | undefined {
  let prevHash = reportHash;
  for (const [index, { entry, hash }] of entries.entries()) {
    const seq = index + 1;
    if (entry.seq !== seq) return { seq, message: `entry ${seq} is missing: entry ${entry.seq} stands in its place` };
    if (entry.reviewId !== reviewId) return { seq, message: `entry ${seq} belongs to ${entry.reviewId}` };
    if (entry.prevHash !== prevHash)
      return {
        seq,
        message: seq === 1 ? "entry 1 does not begin at the evaluation's report" : `entry ${seq} does not follow the entry before it`,
      };
    if (digestOf(entry) !== hash) return { seq, message: `entry ${seq} is not what its hash was made of` };
    prevHash = hash;
  }
  return undefined;
}
