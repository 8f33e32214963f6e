/**
 * Everything that starting an evaluation needs, made where digests can be made: in a client or in an activity. The result is
 * plain JSON, so that an activity can hand it to a workflow, which cannot make it itself: its sandbox has no crypto.
 */
import { RequestRefused } from './client-errors.js';
import { DEFAULT_DEPLOYMENT, DEPLOYMENT_FORM, evaluationId, workflowQueue, type EvaluateInput } from './contract.js';
import { requestDigest } from './digest.js';
import { toEvaluationRequest, type StartRequest } from './schemas/request.js';
import { uuidV7 } from './uuid-v7.js';

export interface PreparedEvaluation {
  /** `<tenant>/<key>`: also the workflow id. */
  readonly evaluationId: string;
  /** Of the deployment whose workers judge. */
  readonly taskQueue: string;
  readonly input: EvaluateInput;
}

/**
 * @param deployment whose workers are to judge; default `tribunal`.
 * @throws RequestRefused with all that is wrong with the request; nothing of its content is quoted.
 */
export function prepareEvaluation(
  request: StartRequest,
  { deployment = DEFAULT_DEPLOYMENT }: { readonly deployment?: string } = {},
): PreparedEvaluation {
  const checked = toEvaluationRequest(request, uuidV7);
  const problems = [
    ...(checked.ok ? [] : checked.problems),
    ...(DEPLOYMENT_FORM.test(deployment) ? [] : [`deployment must be of the form ${DEPLOYMENT_FORM.source}`]),
  ];
  if (!checked.ok || problems.length > 0) throw new RequestRefused(problems);
  return {
    evaluationId: evaluationId(checked.value.tenant, checked.value.key),
    taskQueue: workflowQueue(deployment),
    input: { v: 1, request: checked.value, requestDigest: requestDigest(checked.value) },
  };
}
