/**
 * Workflow interceptors of the bundle that the replay tests run: tell the outside how the workflow function ended, and what
 * a review's commands carry. A replay compares commands alone, not that. Runs in the sandbox; must not change what the
 * workflow does.
 */
import {
  ApplicationFailure,
  isCancellation,
  proxySinks,
  workflowInfo,
  type ConcludeActivationInput,
  type Sinks,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow';
import { RECORD_ENTRIES, RECORD_PARTIAL } from '../../src/contract.js';
import type { Close } from './ends.js';
import { attributesOf, decode, millis, RESET_HEADER, type Told } from './review-accounts.js';

export interface CaptureSinks extends Sinks {
  readonly capture: { closed(close: Close): void; told(told: Told): void };
}

const { capture } = proxySinks<CaptureSinks>();

type Command = ConcludeActivationInput['commands'][number];

function toldBy(command: Command): Told | undefined {
  const { upsertWorkflowSearchAttributes: shown, startTimer: timer, startChildWorkflowExecution: child } = command;
  if (shown?.searchAttributes?.indexedFields != null) return { shown: attributesOf(shown.searchAttributes.indexedFields) };
  if (timer?.startToFireTimeout != null) return { timer: millis(timer.startToFireTimeout) };
  if (child != null) return { child: { id: child.workflowId ?? '', input: decode(child.input?.[0]) } };
  if (command.completeWorkflowExecution != null)
    return { close: { is: 'completed', result: decode(command.completeWorkflowExecution.result) ?? null } };
  if (command.failWorkflowExecution != null)
    return { close: { is: 'failed', type: command.failWorkflowExecution.failure?.applicationFailureInfo?.type ?? '' } };
  if (command.cancelWorkflowExecution != null) return { close: { is: 'cancelled' } };
  const continued = command.continueAsNewWorkflowExecution;
  return continued == null ? undefined : { close: { is: 'continued', args: (continued.arguments ?? []).map(decode) } };
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  let partial: unknown;
  return {
    inbound: [
      {
        async execute(input, next) {
          if (input.headers[RESET_HEADER] !== undefined)
            Object.assign(workflowInfo(), { originalExecutionRunId: 'that of the run before' });
          try {
            const result = await next(input);
            capture.closed({ status: 'completed', result });
            return result;
          } catch (error) {
            if (isCancellation(error)) capture.closed({ status: 'cancelled', partial });
            else if (error instanceof ApplicationFailure)
              capture.closed({ status: 'failed', type: error.type ?? '', details: error.details?.[0] });
            throw error;
          }
        },
      },
    ],
    outbound: [
      {
        scheduleLocalActivity(input, next) {
          // The report of a cancelled evaluation leaves the workflow as this argument.
          if (input.activityType === RECORD_PARTIAL) partial = input.args[0];
          if (input.activityType === RECORD_ENTRIES) {
            const [given] = input.args;
            if (typeof given === 'object' && given !== null && 'entries' in given) capture.told({ entries: given.entries });
          }
          return next(input);
        },
      },
    ],
    internals: [
      {
        concludeActivation(input, next) {
          for (const command of input.commands) {
            const told = toldBy(command);
            if (told !== undefined) capture.told(told);
          }
          return next(input);
        },
      },
    ],
  };
};
