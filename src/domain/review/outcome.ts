/** What a review shows while it is open, and what it leaves when it is over. Pure. */
import type { ReviewView } from '../../contract.js';
import { promisedMs } from './clock.js';
import { actorOf, expiresAtMs, liveClaims, notCandidate, type Moment } from './guard.js';
import { statusOf, type Permit, type ReviewResult, type ReviewState } from './review.js';

/** A permit bounds how long a decision can be acted on; a week outlasts a weekend and a consumer that was away. */
export const PERMIT_MS = 7 * 86_400_000;

const iso = (ms: number): string => new Date(ms).toISOString();

/** Whose votes count for the pending decision and who may not decide any more, or has another key than the vote was signed with. */
export function notDeciding({ input, state }: Moment): readonly string[] {
  return deciding(state)
    .filter(({ by, key }) => {
      const actor = actorOf(state, by);
      return notCandidate({ input, state }, actor) !== undefined || (key !== undefined && actor.person?.key !== key);
    })
    .map(({ by }) => by);
}

/** The votes that make a decision: those for proceeding, or the one that halts. */
function deciding(state: ReviewState): ReviewState['votes'] {
  const disposition = state.pending?.disposition ?? (state.outcome?.is === 'PROCEEDED' ? 'PROCEED' : 'HALT');
  return state.votes.filter((vote) => vote.disposition === disposition);
}

export function viewOf(moment: Moment): ReviewView {
  const { reviewId, input, state } = moment;
  const { claimByMs, decideByMs } = input.rules.times;
  const isFree = state.outcome === undefined && state.claims.length === 0 && state.pending === undefined;
  return {
    reviewId,
    evaluationId: input.evaluationId,
    tenant: input.tenant,
    status: statusOf(state),
    tier: state.tier,
    queue: input.queue,
    packetDigest: input.packetDigest,
    seq: state.seq,
    head: state.head,
    claims: liveClaims(moment).map(({ by, epoch, untilMs }) => ({ by, epoch, until: iso(untilMs) })),
    votes: state.votes.length,
    openedAt: iso(state.openedAtMs),
    ...(isFree ? { claimBy: iso(Math.min(promisedMs(moment), state.freeSinceMs + claimByMs)) } : {}),
    decideBy: iso(state.openedAtMs + decideByMs),
    expires: iso(expiresAtMs(moment)),
    ...(state.pending !== undefined ? { effectiveAt: iso(state.pending.effectiveAtMs) } : {}),
    ...(state.outcome !== undefined ? { endedAt: iso(state.outcome.atMs) } : {}),
    rung: state.told.rungs,
    ...(state.insecure === true ? { insecure: true } : {}),
  };
}

/** Only of a review that is over. */
export function resultOf({ reviewId, input, state, nowMs }: Moment): ReviewResult {
  const { is, atMs, why } = state.outcome ?? { is: 'CANCELLED' as const, atMs: nowMs, why: 'it was not over' };
  const { evaluationId, tenant, queue } = input;
  const isDecided = is === 'PROCEEDED' || is === 'HALTED';
  const votes = isDecided ? deciding(state) : [];
  const base = { reviewId, evaluationId, tenant };
  return {
    v: 1,
    ...base,
    outcome: is,
    ...(why !== undefined ? { why } : {}),
    tier: state.tier,
    queue,
    openedAt: iso(state.openedAtMs),
    endedAt: iso(atMs),
    deciders: votes.map(({ by, disposition, code }) => ({ by, disposition, ...(code !== undefined ? { code } : {}) })),
    ...(is === 'PROCEEDED' ? { permit: permitOf(base, input, state, atMs) } : {}),
    seq: state.seq,
    head: state.head,
  };
}

function permitOf(
  base: Pick<Permit, 'reviewId' | 'evaluationId' | 'tenant'>,
  { packet, reportHash, packetDigest }: Moment['input'],
  state: ReviewState,
  atMs: number,
): Permit {
  const isUnsigned = state.wasInsecure === true || state.votes.some(({ unsigned }) => unsigned === true);
  return {
    v: 1,
    ...base,
    contentHash: packet.report.contentHash,
    planHash: packet.report.planHash,
    reportHash,
    packetDigest,
    issuedAt: iso(atMs),
    notAfter: iso(atMs + PERMIT_MS),
    head: state.head,
    ...(isUnsigned ? { nonProduction: true } : {}),
  };
}
