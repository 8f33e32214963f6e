/**
 * How an evaluation is started, by a client or by another workflow: what stands beside its input. Pure, for the sandbox.
 */
import { DIGEST_MEMO, SEARCH_ATTRIBUTES, type EvaluateInput } from './contract.js';

/** Workflow tasks of ours are short; one that was lost with its worker must come back soon. */
export const WORKFLOW_TASK_TIMEOUT = '5s' as const;

/** Fields that the SDK's client and its workflow library take alike. */
export function startOptions({ request, requestDigest }: EvaluateInput) {
  return {
    memo: { [DIGEST_MEMO]: requestDigest },
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    staticSummary: request.plan,
    priority: { fairnessKey: request.tenant },
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.tenant, value: request.tenant },
      { key: SEARCH_ATTRIBUTES.plan, value: request.plan },
      ...(request.riskTier !== undefined ? [{ key: SEARCH_ATTRIBUTES.risk, value: request.riskTier }] : []),
    ],
  };
}
