/**
 * The account of a review made once more, from its input, its people and its commands: every entry must be what the rules
 * make of what came before it. A chain that somebody else has written down is whole and says what they like; this one
 * cannot say that one person was enough where two are needed. Pure.
 *
 * By the rules of this version: entries of another one have another `v`.
 */
import type { ChainEntry, EntryType, HashedEntry } from './chain.js';
import { climb, fireDue } from './clock.js';
import { judgeCommand, type Moment } from './guard.js';
import { applyCommand, changePeople, commit, endBy, open, openingState, voidVotes, type Moved } from './moves.js';
import { notDeciding, resultOf } from './outcome.js';
import type { People } from './people.js';
import { REVIEW_ACTIONS, type ReviewInput, type ReviewResult, type ReviewState } from './review.js';

export interface Account {
  readonly reviewId: string;
  readonly input: ReviewInput;
  readonly openedAtMs: number;
  readonly entries: readonly HashedEntry[];
  /** The command that an entry is about. */
  commandOf(entry: ChainEntry): unknown;
  /** By their digest. */
  peopleOf(digest: unknown): People | undefined;
}

export type Retraced =
  | {
      readonly ok: true;
      /** Of a review that is over. */
      readonly result?: ReviewResult;
    }
  /** The first entry that the rules do not make. */
  | { readonly ok: false; readonly seq: number };

export function retrace(account: Account): Retraced {
  const { reviewId, input, entries } = account;
  let state: ReviewState = openingState(account.openedAtMs, input);
  let nowMs = account.openedAtMs;
  for (const [index, { entry, hash }] of entries.entries()) {
    nowMs = Date.parse(entry.at);
    const found = movesTo(entry, { reviewId, input, state, nowMs }, account).find((moved) => moved.entry.hash === hash);
    if (found === undefined) return { ok: false, seq: index + 1 };
    state = found.state;
  }
  return { ok: true, ...(state.outcome !== undefined ? { result: resultOf({ reviewId, input, state, nowMs }) } : {}) };
}

/** What may have made this entry: several where two things could come at one instant. */
function movesTo(entry: ChainEntry, moment: Moment, account: Account): readonly Moved[] {
  const action = REVIEW_ACTIONS.find((one) => one === entry.type);
  if (action !== undefined) {
    const command = account.commandOf(entry);
    // Whose it is was verified apart, signature and all.
    const judged = judgeCommand(moment, action, command, false);
    return judged.ok && judged.seen === undefined ? [applyCommand(moment, judged.command, judged.by)] : [];
  }
  const own = OWN[entry.type];
  if (own !== undefined) return moment.state.outcome === undefined || entry.type === 'quarantined' ? own(moment, entry, account) : [];
  return [fireDue(moment), climb(moment)].filter((moved) => moved !== undefined);
}

type Own = (moment: Moment, entry: ChainEntry, account: Account) => readonly Moved[];

/** What the workflow does by itself, beside its clocks. */
const OWN: Readonly<Partial<Record<EntryType, Own>>> = {
  opened: (moment, entry, account) =>
    moment.state.seq === 0 ? withPeople(entry, account, (people, insecure) => open(moment, people, insecure)) : [],
  people_changed: (moment, entry, account) =>
    withPeople(entry, account, (people, insecure) => {
      const changed = changePeople(moment, people, insecure);
      return changed.entry === undefined ? undefined : changed;
    }),
  decided: (moment) => (isDue(moment) && notDeciding(moment).length === 0 ? [commit(moment)] : []),
  vote_void: (moment) => (isDue(moment) && notDeciding(moment).length > 0 ? [voidVotes(moment, notDeciding(moment))] : []),
  withdrawn: (moment) => [endBy(moment, 'WITHDRAWN', 'superseded')],
  cancelled: (moment) => [endBy(moment, 'CANCELLED')],
  quarantined: (moment) => [endBy(moment, 'QUARANTINED', 'reset')],
};

const isDue = ({ state, nowMs }: Moment): boolean => state.pending !== undefined && nowMs >= state.pending.effectiveAtMs;

function withPeople(
  { facts }: ChainEntry,
  account: Account,
  move: (people: People, insecure: boolean) => Moved | undefined,
): readonly Moved[] {
  const people = account.peopleOf(facts?.['peopleDigest']);
  const moved = people === undefined ? undefined : move(people, facts?.['insecure'] === true);
  return moved === undefined ? [] : [moved];
}
