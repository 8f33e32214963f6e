import { MIN_RATIONALE_CHARS, MIN_REASON_CHARS } from './answers.js';

/** Why a command on a review is refused, and what whoever sent it can do. Types of `ApplicationFailure`: never renamed. */
export const REVIEW_CODES = {
  BAD_REQUEST: 'the command is malformed: send it with the client or with `tribunal review`',
  UNSIGNED:
    'the command is not signed: act with `tribunal review`, not from the Temporal UI; these workers take signed commands only: leave out --as',
  KEY_UNKNOWN: 'the key is not one of the reviewers of this review: ask for an entry in reviewers.yaml, then try again',
  BAD_SIGNATURE: 'the signature is not right: sign the command with the key that reviewers.yaml names',
  ASSERTION_EXPIRED: 'the signature is older than its time, or ahead of it: check the clock and sign again',
  ASSERTION_MISMATCH: 'the signature is for another review, action or text: sign this command',
  IDEMPOTENCY_CONFLICT: 'the command id stands for another command: use a new id',
  PACKET_CHANGED: 'the command speaks of another packet than the one under review: look at the review again',
  NOT_READY: "the review waits for reviewers.yaml, which its workers have not read yet: look at the worker's log",
  NOT_OPEN: 'the review is over or being decided, or there is nothing to undo: look at where it stands',
  EXPIRED: 'the time of the review is over: nothing can be decided any more',
  NOT_CANDIDATE: 'whoever is to decide is in no group that decides in this tier',
  NOT_LEAD: 'only a lead may do this',
  SEPARATION_OF_DUTIES: 'whoever asked for or wrote it, has recused or is a service account does not decide it',
  FOUR_EYES: 'you have voted already: a second person has to',
  CLAIM_TAKEN: 'somebody else holds the review: wait until it is free, or take the next',
  CLAIM_STALE: 'your claim is over or another one: claim it again and look at it again',
  NOT_YOURS: 'only whoever did it can undo it, and only until it takes effect',
  SIGNALS_UNANSWERED: `every signal needs an answer with a reason of its own, of at least ${MIN_REASON_CHARS.acknowledgement} characters in an acknowledgement and ${MIN_REASON_CHARS.determination} in a determination, which also needs a rationale of at least ${MIN_RATIONALE_CHARS}`,
  REASON_UNKNOWN: 'the plan knows no such reason: use one of its `reasons`',
  TIER: 'a review can only rise to a higher tier',
  LIMIT: 'the review has taken as much text or as many commands as it can',
  QUARANTINED: 'the run of this review was reset: nothing in it counts any more',
} as const;

export type ReviewCode = keyof typeof REVIEW_CODES;
