/**
 * A review without a server: people, a packet, and the pure parts put together as the workflow puts them together. Signatures
 * are left out, since `review-assertion.test.ts` has them: commands carry claims as they stand after they were verified.
 */
import { hashJson } from '../../src/digest.js';
import { AUDIENCE, ISSUER } from '../../src/domain/review/assertion.js';
import { chainProblem, type HashedEntry } from '../../src/domain/review/chain.js';
import { fireDue } from '../../src/domain/review/clock.js';
import type { ReviewCode } from '../../src/domain/review/codes.js';
import { judgeCommand, refusal, type Moment } from '../../src/domain/review/guard.js';
import {
  applyCommand,
  changePeople,
  commit,
  endBy,
  open,
  openingState,
  voidVotes,
  type Moved,
  type Told,
} from '../../src/domain/review/moves.js';
import { notDeciding, resultOf } from '../../src/domain/review/outcome.js';
import type { People, Person } from '../../src/domain/review/people.js';
import type { ReviewTier } from '../../src/domain/review/policy.js';
import type { Receipt, ReviewAction, ReviewInput, ReviewResult, ReviewState } from '../../src/domain/review/review.js';
import { makeReport } from '../support/report.js';
import { base64url, peopleOf } from './review-fixture.js';

export const T0 = Date.UTC(2030, 0, 1);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const person = (id: string, groups: readonly string[], more: Partial<Person> = {}): Person => ({
  id,
  groups,
  key: id,
  kind: 'human',
  aliases: [],
  ...more,
});

/** Everybody has all tiers but where the name says otherwise. */
const ALL = ['moderators', 'leads', 'board'];
export const PERSONS: readonly Person[] = [
  person('ann', ALL),
  person('bob', ALL),
  person('cem', ALL),
  person('dee', ALL, { aliases: ['Dee@Example.org'] }),
  person('robot', ALL, { kind: 'service' }),
  person('other-tenant', ALL, { tenants: ['other'] }),
  person('only-moderator', ['moderators']),
  person('chief', ['chiefs']),
];

export const REASON = 'the quote is taken from a public speech';
const LONGER = `${REASON}, and nobody is named in it`;

export function inputOf(tier: ReviewTier, changes: Partial<ReviewInput> = {}): ReviewInput {
  const report = makeReport({
    decision: 'escalate',
    reasons: [{ code: 'RULE', rule: 'escalate 1', message: 'looks bad', effect: 'escalate' }],
  });
  const packet = { content: 'text', context: {}, report };
  return {
    v: 1,
    deployment: 'd',
    tenant: 'default',
    evaluationId: 'default/k',
    evaluationRunId: 'run',
    tier,
    queue: 'reviews',
    rules: {
      reviewers: { triage: ['moderators'], acknowledgement: ['leads'], determination: ['board'] },
      leads: ['chiefs'],
      reasons: ['false_positive'],
      times: { claimByMs: 4 * HOUR, leaseMs: 30 * MINUTE, decideByMs: DAY, expiresMs: 7 * DAY },
      ladder: [
        { afterMs: 5 * HOUR, notify: 'lead' },
        { afterMs: 30 * HOUR, notify: 'board' },
      ],
    },
    packet,
    reportHash: hashJson(report),
    packetDigest: hashJson(packet),
    ...changes,
  };
}

export interface SendOptions {
  readonly commandId?: string;
  readonly packetDigest?: string;
}

/** One review. Its methods do what the workflow does, in the same order. */
export class Scene {
  readonly reviewId = 'review/default/k/0123456789ab';
  readonly entries: HashedEntry[] = [];
  readonly told: (Told & { readonly atMs: number })[] = [];
  state: ReviewState;
  nowMs = T0;
  #commands = 0;

  constructor(
    readonly input: ReviewInput = inputOf('acknowledgement'),
    readonly people: People = peopleOf(...PERSONS),
  ) {
    this.state = openingState(T0, input);
    this.take(open(this.moment(), people, false));
  }

  moment(): Moment {
    return { reviewId: this.reviewId, input: this.input, state: this.state, nowMs: this.nowMs };
  }

  take({ state, entry, tells }: Moved): void {
    this.state = state;
    this.entries.push(entry);
    this.told.push(...tells.map((told) => ({ ...told, atMs: this.nowMs })));
  }

  command(by: string, action: ReviewAction, payload: object, options: SendOptions = {}): Record<string, unknown> {
    this.#commands += 1;
    const { commandId = `command-${this.#commands}`, packetDigest = this.input.packetDigest } = options;
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: by, tid: this.input.tenant, rid: this.reviewId, act: action, cmd: commandId };
    const rest = { pld: hashJson(payload), pkt: packetDigest, iat: 0, exp: 1 };
    return { v: 1, commandId, payload, assertion: `e30.${base64url(JSON.stringify({ ...claims, ...rest }))}.AA` };
  }

  /** As the handler: a receipt, or the code with which it was refused. */
  deliver(action: ReviewAction, given: unknown): Receipt | ReviewCode {
    const judged = judgeCommand(this.moment(), action, given, false);
    if (!judged.ok) return judged.code;
    if (judged.seen !== undefined) return { ...judged.seen.receipt, duplicate: true };
    const code = refusal(this.moment(), judged.command, judged.by);
    if (code !== undefined) return code;
    const done = applyCommand(this.moment(), judged.command, judged.by);
    this.take(done);
    return done.receipt;
  }

  send(by: string, action: ReviewAction, payload: object = {}, options?: SendOptions): Receipt | ReviewCode {
    return this.deliver(action, this.command(by, action, payload, options));
  }

  claim(by: string): number {
    const receipt = this.send(by, 'claim');
    if (typeof receipt === 'string' || receipt.epoch === undefined) throw new Error(`${by} cannot claim: ${JSON.stringify(receipt)}`);
    return receipt.epoch;
  }

  /** A whole decision of the tier. */
  vote(by: string, disposition: 'PROCEED' | 'HALT', epoch: number): Receipt | ReviewCode {
    return this.send(by, 'decide', decision(this.state.tier, disposition, epoch));
  }

  claimAndVote(by: string, disposition: 'PROCEED' | 'HALT'): Receipt | ReviewCode {
    return this.vote(by, disposition, this.claim(by));
  }

  /** What the workflow's loop does at this instant, until there is nothing more to do. */
  settle(): void {
    for (;;) {
      const { pending } = this.state;
      if (pending !== undefined && this.nowMs >= pending.effectiveAtMs) {
        const whose = notDeciding(this.moment());
        this.take(whose.length === 0 ? commit(this.moment()) : voidVotes(this.moment(), whose));
        continue;
      }
      const due = fireDue(this.moment());
      if (due === undefined) return;
      this.take(due);
    }
  }

  /** Time goes on by so much, and what is due by then happens then, all at once. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.settle();
  }

  change(people: People): void {
    const done = changePeople(this.moment(), people, false);
    if (done.entry === undefined) this.state = done.state;
    else this.take(done);
  }

  end(is: 'WITHDRAWN' | 'CANCELLED' | 'QUARANTINED', why?: string): void {
    this.take(endBy(this.moment(), is, why));
  }

  result(): ReviewResult {
    return resultOf(this.moment());
  }

  problem(): ReturnType<typeof chainProblem> {
    return chainProblem(this.entries, { reviewId: this.reviewId, reportHash: this.input.reportHash });
  }
}

export function decision(tier: ReviewTier, disposition: 'PROCEED' | 'HALT', epoch: number): object {
  if (tier === 'triage') return { disposition, epoch, code: 'false_positive' };
  if (tier === 'acknowledgement') return { disposition, epoch, signals: [{ id: 'r1', reason: REASON }] };
  return { disposition, epoch, signals: [{ id: 'r1', reason: LONGER }], rationale: `${REASON}; see the transcript of the session` };
}
