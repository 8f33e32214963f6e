/** What the server's index and executions know of reviews. Queries are made of checked values: nothing needs escaping. */
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { DIGEST_MEMO, REVIEW, reviewQueue, reviewsOf, SEARCH_ATTRIBUTES, SUPERSEDED_SIGNAL } from '../contract.js';

export interface ReviewIndex {
  /** Reviews that are open: of a plan, or of all. */
  countOpen(plan?: string): Promise<number>;
  /** Ids of the open reviews of an evaluation. */
  openOf(evaluationId: string): Promise<readonly string[]>;
  /** Tells a review that a newer run of its evaluation has come to a verdict. @returns false for one that is over or was never there. */
  supersede(reviewId: string): Promise<boolean>;
  /** Whether this id is that of a review of this packet. */
  isOurs(reviewId: string, packetDigest: string): Promise<boolean>;
}

export function makeReviewIndex(client: Client, deployment: string): ReviewIndex {
  const running = `${reviewsOf(deployment)} AND ExecutionStatus = 'Running'`;
  return {
    async countOpen(plan) {
      const { count } = await client.workflow.count(
        plan === undefined ? running : `${running} AND ${SEARCH_ATTRIBUTES.plan.name} = '${plan}'`,
      );
      return count;
    },
    async openOf(evaluationId) {
      const query = `${running} AND ${SEARCH_ATTRIBUTES.evaluationId.name} = '${evaluationId}'`;
      const found: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
      return found;
    },
    async supersede(id) {
      try {
        await client.workflow.getHandle(id).signal(SUPERSEDED_SIGNAL, {});
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    async isOurs(id, packetDigest) {
      const { type, taskQueue, memo } = await client.workflow.getHandle(id).describe();
      return type === REVIEW && taskQueue === reviewQueue(deployment) && memo?.[DIGEST_MEMO] === packetDigest;
    },
  };
}
