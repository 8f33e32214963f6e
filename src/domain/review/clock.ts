/**
 * The instants of a review: what is due next, and what happens then. Pure. Deadlines are absolute, so a worker that was away
 * finds all that has come meanwhile and does each once.
 */
import { expiresAtMs, type Moment } from './guard.js';
import { endBy, endLeases, tell, type Moved } from './moves.js';
import { statusOf } from './review.js';

/** Before decide-by people are reminded at these shares of it; after it once a day. */
const REMIND_AT = [0.5, 0.8] as const;
const DAY_MS = 86_400_000;

interface Due {
  readonly atMs: number;
  /** For people who look at the timer. */
  readonly what: string;
  readonly fire: (moment: Moment) => Moved;
}

/** What is due next, and when; `undefined` once the review is over. */
export const nextDue = (moment: Moment): Pick<Due, 'atMs' | 'what'> | undefined => earliest(moment);

/** What is due by now, the earliest alone; `undefined`: nothing is. */
export function fireDue(moment: Moment): Moved | undefined {
  const due = earliest(moment);
  return due === undefined || due.atMs > moment.nowMs ? undefined : due.fire(moment);
}

/** The next promise that people see: claim it, decide it, or it expires. */
export function promisedMs(moment: Pick<Moment, 'input' | 'state'>): number {
  const { state, input } = moment;
  const { claimByMs, decideByMs } = input.rules.times;
  const decideBy = state.openedAtMs + decideByMs;
  const isHeld = state.claims.length > 0 || state.votes.length > 0 || state.pending !== undefined;
  return isHeld ? decideBy : Math.min(state.freeSinceMs + claimByMs, decideBy);
}

function earliest(moment: Moment): Due | undefined {
  // While a decision is being checked nothing else happens: it came in time.
  if (moment.state.outcome !== undefined || moment.state.pending !== undefined || statusOf(moment.state) === 'OPENING') return undefined;
  // Of two at one instant the first stands: expiry before everything.
  return [expiry(moment), ...leases(moment), ...claimBy(moment), ...reminder(moment), ...rung(moment)].reduce((first, due) =>
    due.atMs < first.atMs ? due : first,
  );
}

const expiry = (moment: Moment): Due => ({ atMs: expiresAtMs(moment), what: 'expires', fire: (then) => endBy(then, 'EXPIRED') });

const leases = ({ state }: Moment): Due[] =>
  state.claims.length === 0 ? [] : [{ atMs: Math.min(...state.claims.map(({ untilMs }) => untilMs)), what: 'lease', fire: endLeases }];

function claimBy({ state, input }: Moment): Due[] {
  if (state.told.claimOverdue || state.claims.length > 0) return [];
  const told = { ...state.told, claimOverdue: true };
  return [
    {
      atMs: state.freeSinceMs + input.rules.times.claimByMs,
      what: 'claim by',
      fire: (then) => tell(then, 'claim_overdue', told, [{ event: 'review_claim_overdue' }]),
    },
  ];
}

function reminder({ state, input }: Moment): Due[] {
  const { reminders } = state.told;
  const { decideByMs } = input.rules.times;
  const share = REMIND_AT[reminders];
  const after = share !== undefined ? share * decideByMs : decideByMs + (reminders - REMIND_AT.length) * DAY_MS;
  const event = share !== undefined ? 'review_reminder' : 'review_decide_overdue';
  const told = { ...state.told, reminders: reminders + 1 };
  return [
    {
      atMs: state.openedAtMs + Math.round(after),
      what: share !== undefined ? 'reminder' : 'decide by',
      fire: (then) => tell(then, share !== undefined ? 'reminder' : 'decide_overdue', told, [{ event }]),
    },
  ];
}

function rung({ state, input }: Moment): Due[] {
  const number = state.told.rungs + 1;
  const next = input.rules.ladder[state.told.rungs];
  if (next === undefined) return [];
  const told = { ...state.told, rungs: number };
  return [
    {
      atMs: state.openedAtMs + next.afterMs,
      what: `ladder, rung ${number}`,
      fire: (then) => tell(then, 'ladder', told, [{ event: 'review_ladder', channel: next.notify, rung: number }], { rung: number }),
    },
  ];
}

/** The next rung at once: what should have told people could not be delivered. */
export function climb(moment: Moment): Moved | undefined {
  const [next] = moment.state.outcome !== undefined ? [] : rung(moment);
  return next?.fire(moment);
}
