/**
 * What happens to a review: commands that were taken, and what comes with time. Pure; each move appends one entry to the
 * chain and returns the new state with what is to leave towards people. Nothing here asks whether it may: `guard.ts` does.
 */
import type { JsonObject } from '../request.js';
import { hashed, type EntryType, type HashedEntry } from './chain.js';
import { payloadOf, type ReadCommand } from './command.js';
import { digestOf, digestOfText } from './crypto.js';
import { actorOf, liveClaims, notCandidate, type Actor, type Moment } from './guard.js';
import type { NotificationEvent } from './notification.js';
import type { People } from './people.js';
import {
  quorumOf,
  statusOf,
  type Claim,
  type Receipt,
  type ReviewAction,
  type ReviewOutcome,
  type ReviewState,
  type SeenCommand,
  type Vote,
} from './review.js';

/** How long a triage decision can be undone. */
export const UNDO_MS = 30_000;
/** Receipts that are kept for repeated commands. With the longest names they stay under 64 KB, and all of them are carried from run to run. */
const MAX_SEEN = 50;

/** Something to tell, without id and time. */
export interface Told {
  readonly event: NotificationEvent;
  /** A channel of its own; absent: those of the groups that decide. */
  readonly channel?: string;
  readonly to?: readonly string[];
  readonly rung?: number;
}

export interface Moved {
  readonly state: ReviewState;
  readonly entry: HashedEntry;
  readonly tells: readonly Told[];
  readonly receipt?: Receipt;
}

/** The state is another one, and the chain has nothing to tell. */
export interface Unmoved {
  readonly state: ReviewState;
  readonly entry: undefined;
}

interface Change {
  readonly type: EntryType;
  readonly next: ReviewState;
  readonly by?: string;
  readonly command?: ReadCommand;
  readonly facts?: JsonObject;
  readonly tells?: readonly Told[];
}

function moved({ reviewId, input, state, nowMs }: Moment, change: Change): Moved {
  const { type, next, by, command, facts, tells = [] } = change;
  const entry = hashed({
    v: 1,
    reviewId,
    seq: state.seq + 1,
    prevHash: state.seq === 0 ? input.reportHash : state.head,
    at: new Date(nowMs).toISOString(),
    type,
    ...(by !== undefined ? { by } : {}),
    from: statusOf(state),
    // With this entry: before the first one it would still be opening.
    to: statusOf({ ...next, seq: state.seq + 1 }),
    ...(command !== undefined ? { commandId: command.commandId, payloadDigest: command.payloadDigest } : {}),
    ...(command?.assertion !== undefined ? { assertionHash: digestOfText(command.assertion) } : {}),
    ...(facts !== undefined ? { facts } : {}),
  });
  return { state: { ...next, seq: entry.entry.seq, head: entry.hash }, entry, tells };
}

/** The state of a review that nobody has looked at. */
export function openingState(nowMs: number, { tier }: Pick<ReviewState, 'tier'>): ReviewState {
  return {
    v: 1,
    openedAtMs: nowMs,
    tier,
    seq: 0,
    head: '',
    epoch: 0,
    claims: [],
    votes: [],
    excluded: [],
    freeSinceMs: nowMs,
    told: { claimOverdue: false, reminders: 0, rungs: 0 },
    seen: [],
    textBytes: 0,
  };
}

// ---- commands

/** A command that the guard has let pass. */
export function applyCommand(moment: Moment, command: ReadCommand, by: Actor): Moved & { readonly receipt: Receipt } {
  const change = COMMANDS[command.action](moment, command, by);
  const done = moved(moment, { ...change, next: withFreshLease(moment, change.next, by.id), type: command.action, by: by.id, command });
  const receipt = receiptOf(moment, done, command);
  const seen = [
    ...done.state.seen,
    { id: command.commandId, by: by.id, action: command.action, payloadDigest: command.payloadDigest, receipt },
  ];
  const textBytes = done.state.textBytes + command.textBytes;
  return { ...done, state: { ...done.state, textBytes, seen: withRoom(seen) }, receipt };
}

/** Makes room at the cost of whoever has sent most, so that nobody pushes out the receipts of others, who may still ask for them. */
function withRoom(seen: readonly SeenCommand[]): readonly SeenCommand[] {
  if (seen.length <= MAX_SEEN) return seen;
  const counts = new Map<string, number>();
  for (const { by } of seen) counts.set(by, (counts.get(by) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const first = seen.findIndex(({ by }) => counts.get(by) === most);
  return seen.toSpliced(first, 1);
}

function receiptOf({ reviewId, state: before }: Moment, { state, entry }: Moved, command: ReadCommand): Receipt {
  const claim = state.epoch > before.epoch ? state.claims.find(({ epoch }) => epoch === state.epoch) : undefined;
  const isDeciding = before.pending === undefined && state.pending !== undefined;
  return {
    reviewId,
    action: command.action,
    seq: entry.entry.seq,
    hash: entry.hash,
    prevHash: entry.entry.prevHash,
    status: statusOf(state),
    at: entry.entry.at,
    payloadDigest: command.payloadDigest,
    ...(claim !== undefined ? { epoch: claim.epoch, leaseUntil: new Date(claim.untilMs).toISOString() } : {}),
    ...(isDeciding && state.pending !== undefined ? { effectiveAt: new Date(state.pending.effectiveAtMs).toISOString() } : {}),
  };
}

/** Whoever does something still has it before them. */
function withFreshLease({ input, nowMs }: Moment, state: ReviewState, by: string): ReviewState {
  if (!state.claims.some((claim) => claim.by === by && nowMs < claim.untilMs)) return state;
  const untilMs = nowMs + input.rules.times.leaseMs;
  return { ...state, claims: state.claims.map((claim) => (claim.by === by ? { ...claim, untilMs } : claim)) };
}

type Apply = (moment: Moment, command: ReadCommand, by: Actor) => Omit<Change, 'type'>;

const COMMANDS: Readonly<Record<ReviewAction, Apply>> = {
  claim: (moment, _command, by) => claimFor(moment, by.id, []),
  unclaim: (moment, _command, by) => ({ next: withoutClaim(moment, by.id) }),
  decide: vote,
  undo: (moment, _command, by) => {
    const state = { ...withoutPending(moment.state), votes: moment.state.votes.slice(0, -1), freeSinceMs: moment.nowMs };
    return claimFor({ ...moment, state }, by.id, []);
  },
  comment: ({ state }) => ({ next: state }),
  escalate: (moment, command) => {
    const { to } = payloadOf(command, 'escalate');
    const next = { ...moment.state, tier: to, claims: [], votes: [], epoch: moment.state.epoch + 1, freeSinceMs: moment.nowMs };
    return { next: unwarned(next), facts: { tier: to }, tells: [{ event: 'review_opened' }] };
  },
  recuse: (moment, command, by) => ({
    next: withoutVote({ ...withoutClaim(moment, by.id), excluded: [...moment.state.excluded, by.id] }, by.id),
    facts: { code: payloadOf(command, 'recuse').code },
  }),
  assign: (moment, command) => {
    const { to } = payloadOf(command, 'assign');
    return claimFor(moment, to, [{ event: 'review_assigned', to: [to] }]);
  },
  withdraw: (moment, _command, by) => ({ next: ended(moment, 'WITHDRAWN', by.id) }),
};

/** Takes a slot: the own one again, else a free one, else (an assignment) that of whoever holds it. */
function claimFor(moment: Moment, to: string, tells: readonly Told[]): Omit<Change, 'type'> {
  const { state, input, nowMs } = moment;
  const epoch = state.epoch + 1;
  const others = liveClaims(moment).filter(({ by }) => by !== to);
  const slots = quorumOf(state.tier) - state.votes.length;
  const kept = others.slice(Math.max(0, others.length - (slots - 1)));
  const claim: Claim = { by: to, epoch, untilMs: nowMs + input.rules.times.leaseMs };
  return { next: { ...state, epoch, claims: [...kept, claim] }, facts: { epoch, holder: to }, tells };
}

function vote(moment: Moment, command: ReadCommand, by: Actor): Omit<Change, 'type'> {
  const { state, nowMs } = moment;
  const { disposition, code } = payloadOf(command, 'decide');
  const mine: Vote = {
    by: by.id,
    disposition,
    seq: state.seq + 1,
    ...(code !== undefined ? { code } : {}),
    ...(command.assertion === undefined ? { unsigned: true } : {}),
    ...(command.assertion !== undefined && by.person !== undefined ? { key: by.person.key } : {}),
  };
  const votes = [...state.votes, mine];
  const isDecided = disposition === 'HALT' || votes.length >= quorumOf(state.tier);
  const effectiveAtMs = nowMs + (state.tier === 'triage' ? UNDO_MS : 0);
  const claims = isDecided ? [] : state.claims.filter((claim) => claim.by !== by.id);
  const next = { ...state, votes, claims, freeSinceMs: nowMs, ...(isDecided ? { pending: { disposition, effectiveAtMs } } : {}) };
  const facts = { disposition, tier: state.tier, ...(code !== undefined ? { code } : {}) };
  return isDecided ? { next, facts } : { next: unwarned(next), facts, tells: [{ event: 'review_second_wanted' }] };
}

function withoutClaim({ state, nowMs }: Moment, by: string): ReviewState {
  const claims = state.claims.filter((claim) => claim.by !== by);
  if (claims.length === state.claims.length) return state;
  return unwarned({ ...state, claims, epoch: state.epoch + 1, freeSinceMs: nowMs });
}

const withoutVote = (state: ReviewState, by: string): ReviewState => ({ ...state, votes: state.votes.filter((one) => one.by !== by) });

/** Nobody holds it again: its claim-by clock starts anew. */
const unwarned = (state: ReviewState): ReviewState => ({ ...state, told: { ...state.told, claimOverdue: false } });

function withoutPending({ pending: _pending, ...rest }: ReviewState): ReviewState {
  return rest;
}

const ended = ({ state, nowMs }: Moment, is: ReviewOutcome, why?: string): ReviewState => ({
  ...withoutPending(state),
  claims: [],
  outcome: { is, atMs: nowMs, ...(why !== undefined ? { why } : {}) },
});

// ---- what comes without a command

/** Who decides, within which time, and who may not: without it an account could be told under other rules. The packet has its own. */
function inputDigest({ packet: _packet, ...rest }: Moment['input']): string {
  return digestOf(rest);
}

/** The first entry: people are known, and everything that the review holds to stands in it. */
export function open(moment: Moment, people: People, insecure: boolean): Moved {
  const { input, state } = moment;
  const next = { ...withPeople(state, people, insecure), openedAtMs: state.openedAtMs };
  return moved(moment, {
    type: 'opened',
    next,
    facts: {
      tier: input.tier,
      queue: input.queue,
      inputDigest: inputDigest(input),
      packetDigest: input.packetDigest,
      planHash: input.packet.report.planHash,
      contentHash: input.packet.report.contentHash,
      peopleDigest: people.digest,
      ...(insecure ? { insecure: true } : {}),
    },
    tells: [{ event: 'review_opened' }],
  });
}

/** The file of people was read again. Without an entry when it says what it said. */
export function changePeople(moment: Moment, people: People, insecure: boolean): Moved | Unmoved {
  const { state } = moment;
  const next = withPeople(state, people, insecure);
  if (state.peopleDigest === people.digest && (state.insecure === true) === insecure) return { state: next, entry: undefined };
  const facts = { peopleDigest: people.digest, ...(insecure ? { insecure: true } : {}) };
  return moved(moment, { type: 'people_changed', next, facts });
}

function withPeople({ insecure: _insecure, ...state }: ReviewState, people: People, insecure: boolean): ReviewState {
  return { ...state, people, peopleDigest: people.digest, ...(insecure ? { insecure: true, wasInsecure: true } : {}) };
}

/** The deciding vote takes effect. */
export function commit(moment: Moment): Moved {
  const is = moment.state.pending?.disposition === 'PROCEED' ? 'PROCEEDED' : 'HALTED';
  const next = { ...ended(moment, is), votes: moment.state.votes };
  return moved(moment, { type: 'decided', next, facts: { outcome: is }, tells: [{ event: 'review_decided' }] });
}

/** Some whose votes were to count may not decide any more: theirs are void, and the review is open again. */
export function voidVotes(moment: Moment, whose: readonly string[]): Moved {
  const { state, nowMs } = moment;
  const next = {
    ...withoutPending(state),
    votes: state.votes.filter(({ by }) => !whose.includes(by)),
    // Whose key alone is another one may vote with that.
    excluded: [...new Set([...state.excluded, ...whose.filter((by) => notCandidate(moment, actorOf(state, by)) !== undefined)])],
    freeSinceMs: nowMs,
  };
  return moved(moment, { type: 'vote_void', next: unwarned(next), facts: { whose: [...whose] }, tells: [{ event: 'review_opened' }] });
}

/** How a review ends without a decision, and what is then written. */
const ENDS = { EXPIRED: 'expired', WITHDRAWN: 'withdrawn', CANCELLED: 'cancelled', QUARANTINED: 'quarantined' } as const satisfies Readonly<
  Record<Exclude<ReviewOutcome, 'PROCEEDED' | 'HALTED'>, EntryType>
>;

export function endBy(moment: Moment, is: keyof typeof ENDS, why?: string): Moved {
  const event = is === 'QUARANTINED' ? 'review_quarantined' : 'review_decided';
  const facts = { outcome: is, ...(why !== undefined ? { why } : {}) };
  return moved(moment, { type: ENDS[is], next: ended(moment, is, why), facts, tells: [{ event }] });
}

export function endLeases(moment: Moment): Moved {
  const { state, nowMs } = moment;
  const over = state.claims.filter(({ untilMs }) => nowMs >= untilMs).map(({ by }) => by);
  const claims = state.claims.filter(({ untilMs }) => nowMs < untilMs);
  const next = unwarned({ ...state, claims, epoch: state.epoch + 1, freeSinceMs: nowMs });
  return moved(moment, { type: 'lease_over', next, facts: { whose: over } });
}

/** Something was told that is told once. */
export function tell(moment: Moment, type: EntryType, told: ReviewState['told'], tells: readonly Told[], facts?: JsonObject): Moved {
  return moved(moment, { type, next: { ...moment.state, told }, tells, ...(facts !== undefined ? { facts } : {}) });
}
