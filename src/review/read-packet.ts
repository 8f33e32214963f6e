/** What a review was opened with, out of the first event of its history: no worker is asked, and a closed review says it too. */
import type { Host } from '../client-calls.js';
import { REVIEW, type ReviewArgs } from '../contract.js';
import type { ReviewInput } from '../domain/review/review.js';
import { Payloads } from './payloads.js';
import { asNotFound } from './recorded.js';

/**
 * @returns `undefined` where the workflow of this id is no review.
 * @throws WorkflowNotFoundError, Undecodable.
 */
export async function readPacket(host: Host, reviewId: string): Promise<ReviewInput | undefined> {
  const { client, namespace } = host;
  const page = await client.workflowService
    .getWorkflowExecutionHistory({ namespace, execution: { workflowId: reviewId }, maximumPageSize: 1 })
    .catch(asNotFound(reviewId));
  const started = page.history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const payload = started?.input?.payloads?.[0];
  if (started?.workflowType?.name !== REVIEW || !payload) return undefined;
  return (await new Payloads(host, reviewId).ofWorkflow(payload)) as ReviewArgs[0];
}
