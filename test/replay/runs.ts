/** Which workflow and which run a recorded history is of. */
import type { History } from './ends.js';

const startOf = ({ events }: History) => events?.[0]?.workflowExecutionStartedEventAttributes;

export const workflowIdOf = (history: History): string => startOf(history)?.workflowId ?? '';
export const workflowTypeOf = (history: History): string => startOf(history)?.workflowType?.name ?? '';
/** The run in which the history began: another one than that of a reset. */
export const originalRunOf = (history: History): string => startOf(history)?.originalExecutionRunId ?? '';

/** Of a reset the newest. */
export function runIdOf(history: History): string {
  const resets = (history.events ?? []).flatMap((event) => event.workflowTaskFailedEventAttributes?.newRunId || []);
  return resets.at(-1) ?? originalRunOf(history);
}

export const isResetRun = (history: History): boolean => runIdOf(history) !== originalRunOf(history);
