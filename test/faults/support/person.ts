/** A person at a queue, with a key and a client of their own, who goes on whatever is killed. Knows no test runner. */
import { randomUUID } from 'node:crypto';
import { NotRecorded, NoWorker, ServerUnreachable, TribunalClient } from '../../../src/client.js';
import { ReviewRefused } from '../../../src/client-errors.js';
import { ReviewCases, type HeldCase } from '../../../src/cli/review-cases.js';
import type { Desk } from '../../../src/cli/review-desk.js';
import type { Receipt } from '../../../src/domain/review/review.js';
import { localCommandSigner } from '../../../src/review/sign.js';
import { eventually } from '../../support/processes.js';
import type { TestPerson } from '../../support/reviews.js';
import type { Fleet } from './fleet.js';
import { PATIENT_MS } from './reviews.js';

export interface Work {
  readonly queue: string;
  /** Whether everybody may go home. */
  isOver(): boolean;
  onDecided(decision: Decision): void;
}

export interface Decision {
  readonly by: string;
  readonly commandId: string;
  readonly receipt: Receipt;
}

/** Takes case after case, as `tribunal review next` does, until the work is over. */
export async function workOff({ connection, deployment }: Fleet, who: TestPerson, work: Work): Promise<void> {
  const client = await TribunalClient.connect({ connection, deployment });
  const desk: Desk = { reviews: client.reviews, me: who.id, who: { signer: localCommandSigner(who) } };
  let cases = new ReviewCases(desk, { queue: work.queue });
  await eventually(
    `${who.id} goes home`,
    async () => {
      try {
        for (let held = await cases.next(); held !== undefined; held = await cases.next()) {
          cases.prefetch();
          const receipt = await decide(desk, held);
          if (receipt !== undefined) work.onDecided({ by: who.id, ...receipt });
        }
      } catch (error) {
        // Where a session at a terminal would end, and be begun anew.
        if (!(error instanceof NotRecorded || error instanceof NoWorker || error instanceof ServerUnreachable)) throw error;
      }
      if (work.isOver()) return true;
      // What was left of the session before is one's own still.
      cases = new ReviewCases(desk, { queue: work.queue });
      return undefined;
    },
    WORKDAY_MS,
  );
  await cases.giveAllBack();
}

/** Of a large campaign by hand. */
const WORKDAY_MS = 3_600_000;

/** `undefined`: the case was lost before it was decided. */
async function decide({ reviews, who }: Desk, { view, epoch }: HeldCase): Promise<Omit<Decision, 'by'> | undefined> {
  const commandId = randomUUID();
  const options = { ...who, packetDigest: view.packetDigest, commandId, timeoutMs: PATIENT_MS };
  try {
    const payload = { disposition: 'HALT', epoch, code: 'policy_violation' } as const;
    return { commandId, receipt: await reviews.act('decide', view.reviewId, payload, options) };
  } catch (error) {
    if (error instanceof ReviewRefused && error.reason === 'CLAIM_STALE') return undefined;
    throw error;
  }
}
