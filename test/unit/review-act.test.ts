/** A command on its way to a review: what the server may answer before there is a receipt. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { ReviewCommandSender } from '../../src/client-review-act.js';
import type { Host } from '../../src/client-calls.js';
import { hashJson } from '../../src/digest.js';
import type { Receipt } from '../../src/domain/review/review.js';

const REVIEW = 'review/default/one/0123456789ab';
const COMMAND = 'command-1';

const RECEIPT: Receipt = {
  reviewId: REVIEW,
  action: 'claim',
  seq: 2,
  hash: 'b'.repeat(64),
  prevHash: 'a'.repeat(64),
  status: 'CLAIMED',
  at: '2027-01-15T08:00:00.000Z',
  payloadDigest: hashJson({}),
};

/** A server that gives these answers, one an attempt. */
function answering(...answers: readonly (Receipt | Error)[]): { readonly host: Host; readonly asked: string[] } {
  const asked: string[] = [];
  const executeUpdate = async (_action: string, { updateId }: { readonly updateId: string }): Promise<Receipt> => {
    const answer = answers[asked.push(updateId) - 1];
    if (answer === undefined) throw new Error('asked too often');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const client = {
    workflow: { getHandle: () => ({ executeUpdate }) },
    withDeadline: (_deadline: number, run: () => Promise<unknown>) => run(),
  };
  // Nothing else of it is asked.
  return { host: { client } as unknown as Host, asked };
}

const failed = (type: string): Error =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.create({ type, message: 'as the server says it' }));

describe('a command that the server gives back', () => {
  it('because a worker has completed a task without looking at it is sent again, under the same id', async () => {
    const { host, asked } = answering(failed('UnprocessedUpdate'), failed('UnprocessedUpdate'), RECEIPT);
    const sender = new ReviewCommandSender(host, 'claim', REVIEW, {}, { packetDigest: 'c'.repeat(64), commandId: COMMAND });
    expect(await sender.send()).toEqual(RECEIPT);
    expect(asked).toEqual(Array(3).fill(`claim:${COMMAND}`));
  });

  it('because the review refuses it is not', async () => {
    const { host, asked } = answering(failed('CLAIM_TAKEN'));
    const sender = new ReviewCommandSender(host, 'claim', REVIEW, {}, { packetDigest: 'c'.repeat(64), commandId: COMMAND });
    await expect(sender.send()).rejects.toMatchObject({ code: 'REVIEW_REFUSED', reason: 'CLAIM_TAKEN' });
    expect(asked).toHaveLength(1);
  });
});
