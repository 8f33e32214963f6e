/**
 * Every code that a report or the failure of an evaluation can carry, in one place. Why a review refuses a command: `review/codes.ts`.
 * Pure data: no imports. `docs/guarantees.md` names the tests behind the ones that matter.
 */

/** `ApplicationFailure.type` of a closed evaluation. Recorded in histories: never rename. */
export const FAILURE_TYPES = {
  /** The evaluation ran and could not judge; details[0] is the report. */
  notJudged: 'NotJudged',
  /** The request was refused before anything ran. */
  requestRefused: 'RequestRefused',
  /** One attempt of a critic ended without a finding; details[0] is an `AttemptFailure`. */
  criticFailed: 'CriticFailed',
  criticTimedOut: 'CriticTimedOut',
  criticInvalidOutput: 'CriticInvalidOutput',
  criticUnavailable: 'CriticUnavailable',
} as const;

/** Codes of reasons and critic records. */
export const CODES = {
  // verdict
  RULE: 'a verdict rule held',
  RULE_ERROR: 'a verdict rule could not be evaluated',
  ALLOW_NEEDS: 'what the plan needs before it may allow is missing',
  NOTHING_SUCCEEDED: 'no enforcing critic succeeded',
  OTHERWISE: "no rule held: the plan's `otherwise`",
  CRITIC_OUTCOME: 'a critic ended without success and the plan says what that means',
  IGNORED: 'a critic ended without success and the plan ignores it',
  COVERED: 'a critic ended without success and its fallback succeeded',
  RISK_ERROR: 'a risk rule erred, so it raised the tier',
  CONDITION_ERROR: 'a condition erred, so its critic ran',
  REVIEWS_FULL: 'as many reviews of the plan are open as it allows',
  CANCELLED: 'the evaluation was cancelled',
  // reviews
  REVIEW_NOT_OPENED: 'no review was opened for what escalated: the plan opens none, or it could not be started',
  // critics
  CRITIC_ERROR: 'the critic threw',
  CRITIC_HOSTILE: 'the critic threw or returned something that cannot be read',
  ATTEMPT_TIMEOUT: 'an attempt passed its time-out',
  CRITIC_TIMEOUT: 'all attempts together passed the time-out',
  DEADLINE: 'the deadline came first',
  WORKER_LOST: 'the worker process died or froze while the critic ran',
  THREAD_LOST: 'the thread of the critic ended, ran out of memory or could not be made ready',
  NO_WORKER: 'no worker polls the lane',
  UNKNOWN_CRITIC: 'the worker does not have this implementation',
  VERSION_MISMATCH: 'the worker has another major version of this implementation',
  BAD_OPTIONS: "the implementation refuses the plan's options",
  NOT_A_FINDING: 'what the critic returned is not a finding',
  FINDING_TOO_LARGE: 'the finding is larger than 16 KB',
  OUTPUT_RULE: 'the finding breaks the output rule of the plan',
  REQUIRED_FIELD: 'the finding lacks a field that the plan requires',
  DEPENDENCY: 'a dependency ended without success',
  BUDGET: "the plan's budget was used up",
  DECISIVE: 'a decisive rule ended the run',
  BATCH_LOST: 'the batch of local critics did not come back',
  // refused requests
  BAD_REQUEST: 'the request is malformed',
  UNKNOWN_PLAN: 'the deployment has no plan of this name',
  TOO_LARGE: 'the content is larger than the plan allows',
  DIGEST_MISMATCH: 'the request is not the one that its digest was made of',
} as const;

export type Code = keyof typeof CODES;
