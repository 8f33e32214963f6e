/**
 * Whether a command may act on a review as it stands. Pure and total: runs in the validator of every update, where a
 * refusal leaves no trace in the history. Order matters: who it is comes first, then whether it was taken before, so that
 * an honest retry gets its receipt even when the review has moved on; then everything else.
 */
import { rationaleProblem, reasonProblem } from './answers.js';
import { payloadOf, readCommand, type ReadCommand } from './command.js';
import { REVIEW_TIERS } from './policy.js';
import { foldedName, type Person } from './people.js';
import { readAssertion, verifyAssertion } from './assertion.js';
import type { ReviewCode } from './codes.js';
import { quorumOf, signalsOf, statusOf, type ReviewAction, type ReviewInput, type ReviewState, type SeenCommand } from './review.js';

/** Texts of all commands of one review, UTF-8; of comments alone, so that talk leaves room for what else is to be said. */
const MAX_TEXT_BYTES_IN_ALL = 65_536;
const MAX_TEXT_BYTES_WITH_COMMENTS = 32_768;

/** Who a command is from, once that is known. */
export interface Actor {
  readonly id: string;
  /** Absent: nobody of this name is in the file, and unsigned commands are taken from anybody. */
  readonly person?: Person;
}

export type Judged =
  | { readonly ok: true; readonly command: ReadCommand; readonly by: Actor; readonly seen?: SeenCommand }
  | { readonly ok: false; readonly code: ReviewCode };

const refused = (code: ReviewCode): Judged => ({ ok: false, code });

export interface Moment {
  readonly reviewId: string;
  readonly input: ReviewInput;
  readonly state: ReviewState;
  readonly nowMs: number;
}

/**
 * Everything that a validator asks.
 * @param isNew false in the handler and so in every replay: whose it is was verified when it came.
 */
export function judgeCommand(moment: Moment, action: ReviewAction, given: unknown, isNew: boolean): Judged {
  const command = readCommand(action, given);
  if (command === undefined) return refused('BAD_REQUEST');
  const { state } = moment;
  if (state.people === undefined) return refused('NOT_READY');
  const who = identify(moment, command, isNew);
  if ('code' in who) return refused(who.code);
  const seen = state.seen.find(({ id }) => id === command.commandId);
  if (seen !== undefined) {
    const isSame = seen.by === who.id && seen.action === action && seen.payloadDigest === command.payloadDigest;
    return isSame ? { ok: true, command, by: who, seen } : refused('IDEMPOTENCY_CONFLICT');
  }
  if (who.packet !== undefined && who.packet !== moment.input.packetDigest) return refused('PACKET_CHANGED');
  const code = refusal(moment, command, who);
  return code === undefined ? { ok: true, command, by: who } : refused(code);
}

type Identified = (Actor & { readonly packet?: string }) | { readonly code: ReviewCode };

function identify({ reviewId, input, state, nowMs }: Moment, command: ReadCommand, isNew: boolean): Identified {
  const { action, commandId, payloadDigest, assertion, as } = command;
  if (state.people === undefined) return { code: 'NOT_READY' };
  if (assertion === undefined) {
    if (state.insecure !== true || as === undefined) return { code: 'UNSIGNED' };
    return actorOf(state, as);
  }
  if (!isNew) return known(state, assertion);
  const expected = { tenant: input.tenant, reviewId, action, commandId, payloadDigest };
  const verified = verifyAssertion(assertion, state.people, expected, nowMs);
  if (!verified.ok) return { code: verified.code };
  return { id: verified.person.id, person: verified.person, packet: verified.claims.pkt };
}

/** Whose an assertion is that was verified when it came. */
function known({ people }: ReviewState, assertion: string): Identified {
  const claims = readAssertion(assertion);
  const person = people?.persons.find(({ id }) => id === claims?.sub);
  return claims === undefined || person === undefined ? { code: 'KEY_UNKNOWN' } : { id: person.id, person, packet: claims.pkt };
}

/** Why the review as it stands does not take a command of a person that is known; `undefined`: it does. Also asked by the handler. */
export function refusal(moment: Moment, command: ReadCommand, by: Actor): ReviewCode | undefined {
  const { state, nowMs } = moment;
  const status = statusOf(state);
  if (state.outcome !== undefined) return state.outcome.is === 'EXPIRED' ? 'EXPIRED' : 'NOT_OPEN';
  // By the clock, never by whether the timer has fired: updates come before timers in one workflow task.
  if (status !== 'COMMITTING' && nowMs >= expiresAtMs(moment)) return 'EXPIRED';
  if (state.textBytes + command.textBytes > textLimit(moment, command)) return 'LIMIT';
  if (status === 'COMMITTING' && command.action !== 'undo' && command.action !== 'comment') return 'NOT_OPEN';
  return RULES[command.action](moment, command, by);
}

/** Where reasons are asked for nobody votes twice, and what others have written must not keep anybody from deciding. */
function textLimit({ state }: Moment, { action }: ReadCommand): number {
  if (action === 'decide' && state.tier !== 'triage') return Infinity;
  return action === 'comment' ? MAX_TEXT_BYTES_WITH_COMMENTS : MAX_TEXT_BYTES_IN_ALL;
}

export const expiresAtMs = ({ input, state }: Pick<Moment, 'input' | 'state'>): number => state.openedAtMs + input.rules.times.expiresMs;

type Rule = (moment: Moment, command: ReadCommand, by: Actor) => ReviewCode | undefined;

const RULES: Readonly<Record<ReviewAction, Rule>> = {
  claim: (moment, _command, by) => {
    const code = notCandidate(moment, by);
    if (code !== undefined) return code;
    const live = liveClaims(moment);
    if (moment.state.votes.some((vote) => vote.by === by.id)) return 'FOUR_EYES';
    // Whoever holds it already gets a fresh lease.
    if (live.some((claim) => claim.by === by.id)) return undefined;
    return live.length >= quorumOf(moment.state.tier) - moment.state.votes.length ? 'CLAIM_TAKEN' : undefined;
  },
  unclaim: (moment, command, by) => staleClaim(moment, by, payloadOf(command, 'unclaim').epoch),
  decide: decideRefusal,
  undo: ({ state, nowMs }, _command, by) => {
    if (state.pending === undefined || nowMs >= state.pending.effectiveAtMs) return 'NOT_OPEN';
    return state.votes.at(-1)?.by === by.id ? undefined : 'NOT_YOURS';
  },
  comment: (moment, _command, by) => (isKnown(moment, by) ? undefined : 'NOT_CANDIDATE'),
  escalate: (moment, command, by) => {
    const { to } = payloadOf(command, 'escalate');
    if (REVIEW_TIERS.indexOf(to) <= REVIEW_TIERS.indexOf(moment.state.tier)) return 'TIER';
    return isLead(moment, by) ? undefined : notCandidate(moment, by);
  },
  recuse: (moment, _command, by) => notCandidate(moment, by),
  assign: (moment, command, by) => {
    if (!isLead(moment, by)) return 'NOT_LEAD';
    const { to } = payloadOf(command, 'assign');
    if (moment.state.votes.some((vote) => vote.by === to)) return 'FOUR_EYES';
    return notCandidate(moment, actorOf(moment.state, to));
  },
  withdraw: (moment, _command, by) => (isLead(moment, by) || isRequester(moment, by) ? undefined : 'NOT_LEAD'),
};

function decideRefusal(moment: Moment, command: ReadCommand, by: Actor): ReviewCode | undefined {
  const payload = payloadOf(command, 'decide');
  const { state, input } = moment;
  const code = notCandidate(moment, by) ?? (state.votes.some((vote) => vote.by === by.id) ? 'FOUR_EYES' : undefined);
  if (code !== undefined) return code;
  const stale = staleClaim(moment, by, payload.epoch);
  if (stale !== undefined) return stale;
  if (state.tier === 'triage')
    return payload.code !== undefined && input.rules.reasons.includes(payload.code) ? undefined : 'REASON_UNKNOWN';
  return answersRefusal(moment, command);
}

/** Every signal once, each with words of its own: not the signal's, and not another answer's. */
function answersRefusal({ state, input }: Moment, command: ReadCommand): ReviewCode | undefined {
  const { signals = [], rationale } = payloadOf(command, 'decide');
  const wanted = signalsOf(input.packet.report);
  const asked = new Map(wanted.map((signal) => [signal.id, signal]));
  const areGood =
    signals.length === wanted.length &&
    new Set(signals.map(({ id }) => id)).size === wanted.length &&
    signals.every((answer, index) => {
      const signal = asked.get(answer.id);
      return signal !== undefined && reasonProblem(state.tier, answer, signal.message, signals.slice(0, index)) === undefined;
    });
  return areGood && rationaleProblem(state.tier, rationale ?? '') === undefined ? undefined : 'SIGNALS_UNANSWERED';
}

/** Claims that still hold: a lease that is over holds nothing, whether or not its timer has fired. */
export const liveClaims = ({ state, nowMs }: Pick<Moment, 'state' | 'nowMs'>) => state.claims.filter(({ untilMs }) => nowMs < untilMs);

function staleClaim(moment: Moment, by: Actor, epoch: number): ReviewCode | undefined {
  return liveClaims(moment).some((claim) => claim.by === by.id && claim.epoch === epoch) ? undefined : 'CLAIM_STALE';
}

/** Somebody as the file of people has them now. */
export function actorOf({ people }: ReviewState, id: string): Actor {
  const person = people?.persons.find((one) => one.id === id);
  return { id, ...(person !== undefined ? { person } : {}) };
}

/** Why somebody may not decide in this tier. */
export function notCandidate({ input, state }: Pick<Moment, 'input' | 'state'>, by: Actor): ReviewCode | undefined {
  if (isExcluded({ input, state }, by)) return 'SEPARATION_OF_DUTIES';
  // Nobody of this name is in the file; unsigned commands are taken from anybody.
  if (by.person === undefined) return state.insecure === true ? undefined : 'NOT_CANDIDATE';
  return isIn(by.person, input.rules.reviewers[state.tier]) && isOfTenant(by.person, input.tenant) ? undefined : 'NOT_CANDIDATE';
}

function isExcluded({ input, state }: Pick<Moment, 'input' | 'state'>, { id, person }: Actor): boolean {
  const names = namesOf({ id, ...(person !== undefined ? { person } : {}) });
  const isParty = [input.requester, input.author].some((party) => party !== undefined && names.has(foldedName(party)));
  return isParty || person?.kind === 'service' || state.excluded.includes(id);
}

/** Everything that records may call a person. */
const namesOf = ({ id, person }: Actor): ReadonlySet<string> => new Set([id, ...(person?.aliases ?? [])].map(foldedName));

const isRequester = ({ input }: Moment, by: Actor): boolean =>
  input.requester !== undefined && namesOf(by).has(foldedName(input.requester));

function isLead({ input, state }: Moment, { person }: Actor): boolean {
  if (person === undefined) return state.insecure === true;
  return person.kind === 'human' && isIn(person, input.rules.leads) && isOfTenant(person, input.tenant);
}

/** Anybody of the file who has to do with this review's tenant; without signatures anybody. */
function isKnown({ input, state }: Moment, { person }: Actor): boolean {
  return person === undefined ? state.insecure === true : isOfTenant(person, input.tenant);
}

const isIn = (person: Person, groups: readonly string[]): boolean => person.groups.some((group) => groups.includes(group));
const isOfTenant = (person: Person, tenant: string): boolean => person.tenants?.includes(tenant) ?? true;
