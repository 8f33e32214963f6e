/**
 * `tribunal/workflow`: an evaluation as a child of one's own workflow. Safe in the workflow sandbox; imports names, pure
 * helpers and `@temporalio/workflow` alone.
 *
 * Anything but a report whose decision is `allow` means not allowed; whatever is thrown here does, too.
 */
import { executeChild, type ChildWorkflowOptions } from '@temporalio/workflow';
import { ApplicationFailure, ChildWorkflowFailure } from '@temporalio/common';
import type { PreparedEvaluation } from './client-prepare.js';
import { EVALUATE } from './contract.js';
import { FAILURE_TYPES } from './domain/errors.js';
import { isReport } from './domain/is-report.js';
import type { EvaluationReport } from './domain/report.js';
import { startOptions } from './start-options.js';

export type { PreparedEvaluation } from './client-prepare.js';
export type { EvaluationReport } from './domain/report.js';

/** What the parent may decide; everything else of an evaluation is its own. */
export type EvaluationChildOptions = Pick<ChildWorkflowOptions, 'cancellationType' | 'parentClosePolicy'>;

/**
 * Runs an evaluation as a child workflow and waits for its end.
 *
 * With no worker of the deployment it waits until there is one: put `CancellationScope.withTimeout` around it. When the
 * parent ends first, the child is asked to stop and keeps what was judged (`parentClosePolicy: REQUEST_CANCEL`).
 *
 * A key that was used before is refused, the same request included: a workflow cannot ask who has it. Leave the key out of
 * the request, so that whoever prepares it makes a new one, or derive it from the parent's run.
 * @param prepared by `prepareEvaluation` of `tribunal/client`, in an activity or in the client that started the parent.
 * @returns the report, `not_judged` included: look at its decision.
 * @throws ChildWorkflowFailure when there is no report (refused, cancelled, terminated), WorkflowExecutionAlreadyStartedError
 *   when the key is taken.
 */
export async function evaluateAsChild(prepared: PreparedEvaluation, options: EvaluationChildOptions = {}): Promise<EvaluationReport> {
  try {
    const returned: unknown = await executeChild(EVALUATE, {
      parentClosePolicy: 'REQUEST_CANCEL',
      ...options,
      ...startOptions(prepared.input),
      workflowId: prepared.evaluationId,
      taskQueue: prepared.taskQueue,
      args: [prepared.input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
    if (isReport(returned)) return returned;
    throw ApplicationFailure.nonRetryable('what the evaluation returned is not a report of version 1', FAILURE_TYPES.notJudged);
  } catch (error) {
    const cause = error instanceof ChildWorkflowFailure ? error.cause : undefined;
    const report = cause instanceof ApplicationFailure && cause.type === FAILURE_TYPES.notJudged ? cause.details?.[0] : undefined;
    if (isReport(report)) return report;
    throw error;
  }
}
