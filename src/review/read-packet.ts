/** What a review was opened with, out of the first event of its history: no worker is asked, and a closed review says it too. */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { REVIEW, type ReviewArgs } from '../contract.js';
import type { ReviewInput } from '../domain/review/review.js';

/** @returns `undefined` where there is no such workflow, or it is no review. */
export async function readPacket(client: Client, reviewId: string): Promise<ReviewInput | undefined> {
  const { namespace } = client.options;
  const page = await client.workflowService
    .getWorkflowExecutionHistory({ namespace, execution: { workflowId: reviewId }, maximumPageSize: 1 })
    .catch(nothingThere);
  const started = page?.history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const payload = started?.input?.payloads?.[0];
  if (started?.workflowType?.name !== REVIEW || !payload) return undefined;
  return (await decoded(client, reviewId, payload)) as ReviewArgs[0];
}

// The code of https://grpc.github.io/grpc/core/md_doc_statuscodes.html; a namespace that is not there has it too.
const NOT_FOUND = 5;

function nothingThere(error: unknown): undefined {
  if (!isGrpcServiceError(error) || error.code !== NOT_FOUND || /^namespace /i.test(error.details)) throw error;
  return undefined;
}

/**
 * What the SDK decodes for nobody: a payload as a history has it.
 * @param activityId of the local activity whose result it is.
 */
export async function decoded(client: Client, reviewId: string, payload: Payload, activityId?: string): Promise<unknown> {
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  const workflow = { namespace: client.options.namespace, workflowId: reviewId } as const;
  const context =
    activityId === undefined
      ? ({ ...workflow, type: 'workflow' } as const)
      : ({ ...workflow, type: 'activity', activityId, isLocal: true } as const);
  let payloads = [payload];
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads, context);
  return payloadConverter.fromPayload(payloads[0] ?? payload, context);
}
