/**
 * Workflow interceptors of the bundle that the replay tests run: tell the outside how the workflow function ended.
 * A replay compares commands alone, not what they carry. Runs in the sandbox; must not change what the workflow does.
 */
import { ApplicationFailure, isCancellation, proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { RECORD_PARTIAL } from '../../src/contract.js';
import type { Close } from './ends.js';

export interface CaptureSinks extends Sinks {
  readonly capture: { closed(close: Close): void };
}

const { capture } = proxySinks<CaptureSinks>();

export const interceptors: WorkflowInterceptorsFactory = () => {
  let partial: unknown;
  return {
    inbound: [
      {
        async execute(input, next) {
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
          return next(input);
        },
      },
    ],
  };
};
