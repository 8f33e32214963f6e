/**
 * A review that an evaluation has asked for and that the server does not have: deleted, or lost with what a server lost. It is
 * started anew from the evaluation's own history, where its start stands with everything that it was started with.
 */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import type { Host } from '../client-calls.js';
import { REVIEW } from '../contract.js';
import { hashJson } from '../digest.js';
import { isReport } from '../domain/is-report.js';
import type { EvaluationReport, ReportReview } from '../domain/report.js';
import type { KnownReview } from '../domain/review/pages.js';
import type { ReviewInput } from '../domain/review/review.js';
import { reviewStartOptions } from '../review-start-options.js';
import { Payloads } from './payloads.js';
import type { Escalated } from './watch-index.js';

export type Mended =
  /** It has not asked for one, or is not the newest run: nothing to look after, ever. */
  { readonly is: 'none' } | { readonly is: 'there' } | { readonly is: 'started' | 'unstartable'; readonly review: KnownReview };

/** @throws Error of the server. */
export async function mendReview(client: Client, deployment: string, { evaluationId, runId }: Escalated): Promise<Mended> {
  const { runId: newest } = await client.workflow.getHandle(evaluationId).describe();
  // A reset has put another run in its place, and what that one asks for counts.
  if (newest !== runId) return { is: 'none' };
  const handle = client.workflow.getHandle(evaluationId, runId, { followRuns: false });
  const report: unknown = await handle.result();
  if (!isReport(report) || report.review === undefined) return { is: 'none' };
  const { id: reviewId, tier, queue } = report.review;
  if (await isThere(client, reviewId)) return { is: 'there' };
  const review: KnownReview = { reviewId, tenant: report.tenant, evaluationId, tier, queue };
  const input = await recordedInput({ client, index: client, namespace: client.options.namespace, deployment }, handle, report.review);
  if (input === undefined || !isOf(input, report, deployment)) return { is: 'unstartable', review };
  try {
    await client.workflow.start(REVIEW, reviewStartOptions(reviewId, input, report.plan.name, Date.now()));
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { is: 'there' };
    throw error;
  }
  return { is: 'started', review };
}

async function isThere(client: Client, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** What the review was to be started with. The newest start counts, as the report does. */
async function recordedInput(host: Host, handle: WorkflowHandle, { id }: ReportReview): Promise<ReviewInput | undefined> {
  const { events } = await handle.fetchHistory();
  const starts = (events ?? []).map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
  const payload = starts.findLast((start) => start?.workflowId === id)?.input?.payloads?.[0];
  if (payload == null) return undefined;
  // What is not of this form fails the checks.
  return (await new Payloads(host, id).ofWorkflow(payload)) as ReviewInput;
}

/** By the hashes of the report: what people decide has to be what was judged. */
function isOf({ packet, reportHash, packetDigest, ...input }: ReviewInput, report: EvaluationReport, deployment: string): boolean {
  const { review, ...judged } = report;
  return (
    input.deployment === deployment &&
    input.evaluationId === report.evaluationId &&
    reportHash === review?.reportHash &&
    packetDigest === review.packetDigest &&
    hashJson(judged) === reportHash &&
    hashJson(packet.report) === reportHash &&
    hashJson(packet) === packetDigest
  );
}
