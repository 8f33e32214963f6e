/** One review as a file: everything by which somebody else can tell that it is sound, without the server. Pure. */
import { digestOf } from '../domain/review/crypto.js';
import type { ReviewRecord } from './review-record.js';
import { verifyReview, type Verified } from './verify.js';

/** Holds the content, in clear. */
export interface ReviewExport extends ReviewRecord {
  readonly v: 1;
  /** SHA-256 over RFC 8785 of everything else: tells an accident, not a lie. What is signed tells a lie. */
  readonly digest: string;
}

export function exportReview(record: ReviewRecord): ReviewExport {
  const exported = { v: 1 as const, ...record };
  return { ...exported, digest: digestOf(exported) };
}

/** The first record that is wrong, however little of an export it is. */
export function verifyExport(given: unknown): Verified {
  const wrong = (message: string): Verified => ({ sound: false, problem: { record: 'export', message } });
  if (typeof given !== 'object' || given === null || !('v' in given) || !('entries' in given)) return wrong('it is no export of a review');
  if (given.v !== 1) return wrong('it is of another version');
  const exported = given as ReviewExport;
  const verified = verifyReview(exported);
  if (!verified.sound) return verified;
  return isWhole(exported) ? verified : wrong('it is not what its digest was made of');
}

function isWhole({ digest, ...rest }: ReviewExport): boolean {
  try {
    return digestOf(rest) === digest;
  } catch {
    // Lone surrogates have no canonical form.
    return false;
  }
}
