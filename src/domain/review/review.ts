/** What a review is: what it was opened with, what it has come to, what it answers. Types and small readers; pure. */
import type { Json } from '../finding.js';
import type { EvaluationReport } from '../report.js';
import type { JsonObject } from '../request.js';
import { isAboutFindings } from '../about-findings.js';
import type { People } from './people.js';
import type { ReviewRules, ReviewTier } from './policy.js';

/** What people do, each a signed update of this name. */
export const REVIEW_ACTIONS = ['claim', 'unclaim', 'decide', 'undo', 'comment', 'escalate', 'recuse', 'assign', 'withdraw'] as const;
export type ReviewAction = (typeof REVIEW_ACTIONS)[number];

export const DISPOSITIONS = ['PROCEED', 'HALT'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];

/**
 * How a review ended. Only `PROCEEDED` opens the gate, and only with its permit. `EXPIRED` is silence and never a person's
 * word; `QUARANTINED`: its run was reset, so what it says may not be what people decided.
 */
export const REVIEW_OUTCOMES = ['PROCEEDED', 'HALTED', 'EXPIRED', 'WITHDRAWN', 'CANCELLED', 'QUARANTINED'] as const;
export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number];

/** `COMMITTING`: the deciding vote is in, and can be undone or is being checked once more. */
export const OPEN_STATUSES = ['OPENING', 'OPEN', 'CLAIMED', 'AWAITING_SECOND', 'COMMITTING'] as const;
export type ReviewStatus = (typeof OPEN_STATUSES)[number] | ReviewOutcome;

export const isOpenStatus = (status: ReviewStatus): boolean => OPEN_STATUSES.some((open) => open === status);

/** What is to be answered in a decision: one verdict rule that held, or all failures together. */
export interface ReviewSignal {
  /** `r1`, `r2`… in the order of the report's reasons; `failures`. */
  readonly id: string;
  readonly code: string;
  readonly rule?: string;
  readonly message: string;
}

/** What reviewers look at. Untrusted: the content may address them. */
export interface ReviewPacket {
  readonly content: Json;
  readonly context: JsonObject;
  /** Without the part that names the review. */
  readonly report: EvaluationReport;
}

export interface ReviewInput {
  readonly v: 1;
  readonly deployment: string;
  readonly tenant: string;
  readonly evaluationId: string;
  /** The run of the evaluation that asked. */
  readonly evaluationRunId: string;
  readonly requester?: string;
  readonly author?: string;
  readonly tier: ReviewTier;
  readonly queue: string;
  /** Frozen: a plan edited later changes nothing here. */
  readonly rules: ReviewRules;
  readonly packet: ReviewPacket;
  /** SHA-256 of the packet's report: where the chain begins. */
  readonly reportHash: string;
  /** SHA-256 of the packet: what every command is bound to. */
  readonly packetDigest: string;
}

/** A lease on a review. */
export interface Claim {
  readonly by: string;
  /** What a vote quotes, so that a page left open decides nothing. */
  readonly epoch: number;
  readonly untilMs: number;
}

export interface Vote {
  readonly by: string;
  readonly disposition: Disposition;
  readonly seq: number;
  /** Reason code of triage. */
  readonly code?: string;
  /** The command was not signed. */
  readonly unsigned?: true;
  /** Public key with which it was signed. Another one in the file later: what was signed with this one may not be theirs. */
  readonly key?: string;
}

/** A command that was taken: a second one with its id gets the same receipt. */
export interface SeenCommand {
  readonly id: string;
  readonly by: string;
  readonly action: ReviewAction;
  readonly payloadDigest: string;
  readonly receipt: Receipt;
}

export interface Receipt {
  readonly reviewId: string;
  readonly action: ReviewAction;
  /** Of the chain's entry. */
  readonly seq: number;
  readonly hash: string;
  readonly prevHash: string;
  readonly status: ReviewStatus;
  /** ISO 8601, of workflow time. */
  readonly at: string;
  readonly payloadDigest: string;
  /** Of `claim` and `assign`. */
  readonly epoch?: number;
  readonly leaseUntil?: string;
  /** Of a deciding vote: from when it can no longer be undone. */
  readonly effectiveAt?: string;
  readonly duplicate?: true;
}

/** All that a review has come to. JSON; carried from run to run, so it must stay small. */
export interface ReviewState {
  readonly v: 1;
  readonly openedAtMs: number;
  readonly tier: ReviewTier;
  /** Of the chain's newest entry; 0 before the first. */
  readonly seq: number;
  readonly head: string;
  readonly epoch: number;
  readonly claims: readonly Claim[];
  readonly votes: readonly Vote[];
  /** The deciding vote is in. */
  readonly pending?: { readonly disposition: Disposition; readonly effectiveAtMs: number };
  readonly outcome?: { readonly is: ReviewOutcome; readonly atMs: number; readonly why?: string };
  /** Recused, or refused at the last check. */
  readonly excluded: readonly string[];
  /** Since when nobody holds it; the claim-by clock runs from there. */
  readonly freeSinceMs: number;
  /** What has been told, so that each is told once. */
  readonly told: { readonly claimOverdue: boolean; readonly reminders: number; readonly rungs: number };
  readonly seen: readonly SeenCommand[];
  /** Bytes of text that commands have brought. */
  readonly textBytes: number;
  /** Not carried from run to run. Absent until it was loaded: nobody can act before. */
  readonly people?: People;
  /** Of the people that the chain has last told of. */
  readonly peopleDigest?: string;
  /** Unsigned commands are accepted. */
  readonly insecure?: true;
  /** Unsigned commands were accepted at some time: the permit is not for production. */
  readonly wasInsecure?: true;
}

export function statusOf(state: ReviewState): ReviewStatus {
  if (state.outcome !== undefined) return state.outcome.is;
  if (state.seq === 0) return 'OPENING';
  if (state.pending !== undefined) return 'COMMITTING';
  if (state.votes.length > 0) return 'AWAITING_SECOND';
  return state.claims.length > 0 ? 'CLAIMED' : 'OPEN';
}

/** How many people must say PROCEED; one HALT is enough in every tier. */
export const quorumOf = (tier: ReviewTier): 1 | 2 => (tier === 'determination' ? 2 : 1);

/** What a decision has to answer. */
export function signalsOf(report: EvaluationReport): readonly ReviewSignal[] {
  const escalating = report.reasons.filter(({ effect }) => effect === 'escalate');
  const findings = escalating.filter(isAboutFindings).map(({ code, rule, message }, index): ReviewSignal => ({
    id: `r${index + 1}`,
    code,
    ...(rule !== undefined ? { rule } : {}),
    message,
  }));
  const failures = escalating.filter((reason) => !isAboutFindings(reason));
  const [first] = failures;
  if (first === undefined) return findings;
  const message = failures.length === 1 ? first.message : `${first.message}; and ${failures.length - 1} more`;
  return [...findings, { id: 'failures', code: first.code, message }];
}

/** Positive evidence that people let something pass. Without it the answer is no. */
export interface Permit {
  readonly v: 1;
  readonly reviewId: string;
  readonly evaluationId: string;
  readonly tenant: string;
  readonly contentHash: string;
  readonly planHash: string;
  readonly reportHash: string;
  readonly packetDigest: string;
  /** ISO 8601. */
  readonly issuedAt: string;
  readonly notAfter: string;
  /** The chain's head when it was issued. */
  readonly head: string;
  /** Unsigned commands were accepted: `release` refuses it. */
  readonly nonProduction?: true;
}

/** What the workflow returns. */
export interface ReviewResult {
  readonly v: 1;
  readonly reviewId: string;
  readonly evaluationId: string;
  readonly tenant: string;
  readonly outcome: ReviewOutcome;
  readonly why?: string;
  readonly tier: ReviewTier;
  readonly queue: string;
  /** ISO 8601. */
  readonly openedAt: string;
  readonly endedAt: string;
  /** Whose votes count, in the order in which they came. */
  readonly deciders: readonly { readonly by: string; readonly disposition: Disposition; readonly code?: string }[];
  readonly permit?: Permit;
  readonly seq: number;
  readonly head: string;
}
