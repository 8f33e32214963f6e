/**
 * What a worker says while it works: text for people, as the other commands write it, or one JSON object a line for
 * whatever collects the logs of a cluster. Everything goes to stderr.
 *
 * Of what comes along with a line only the fields below are written: an error, a whole task or the words of a critic may
 * hold content, and a list of what is forbidden would miss the next field.
 */
import { isErrorName } from '../domain/error-name.js';
import { safeText } from '../report/safe.js';
import type { Settings } from '../settings.js';
import type { Io, Output } from './output.js';

export type LogLevel = 'trace' | Settings['logLevel'];

export interface Log {
  readonly format: Settings['logFormat'];
  /** A line of ours. */
  note(message: string, level?: LogLevel): void;
  /** A line of others, which tells its level in text, too. */
  tell(level: LogLevel, message: string, meta?: Readonly<Record<string, unknown>>): void;
}

/** As the line has it; the native part of the SDK writes its names with underscores. */
const FIELDS: Readonly<Record<string, string>> = {
  namespace: 'namespace',
  taskQueue: 'taskQueue',
  task_queue: 'taskQueue',
  workflowId: 'workflowId',
  workflow_id: 'workflowId',
  runId: 'runId',
  run_id: 'runId',
  workflowType: 'workflowType',
  activityType: 'activityType',
  activityId: 'activityId',
  attempt: 'attempt',
  sdkComponent: 'sdkComponent',
  deployment: 'deployment',
  plan: 'plan',
  critic: 'critic',
  lane: 'lane',
  code: 'code',
};
/** Ids are at most about as long. */
const MAX_FIELD_CHARS = 250;

export async function openLog(format: Settings['logFormat'], output: Output, stderr: Io['stderr']): Promise<Log> {
  if (format === 'text')
    return {
      format,
      note: (message) => output.note(message),
      tell: (level, message) => output.note(safeText(`${level}: ${message}`)),
    };
  const { pino } = await import('pino');
  // Filtered before it comes here. The stream of a process writes at once, so that nothing is lost at its end.
  const options = { level: 'trace', base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: levelOf } };
  const lines = pino(options, stderr);
  const tell: Log['tell'] = (level, message, meta = {}) => lines[level](fieldsOf(meta), safeText(message));
  return { format, tell, note: (message, level = 'info') => tell(level, message) };
}

const levelOf = (label: string): { level: string } => ({ level: label });

function fieldsOf(meta: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> {
  const fields: Record<string, string | number | boolean> = {};
  for (const [name, written] of Object.entries(FIELDS)) {
    const value = meta[name];
    if (typeof value === 'string') fields[written] = safeText(value.slice(0, MAX_FIELD_CHARS));
    else if (typeof value === 'number' || typeof value === 'boolean') fields[written] = value;
  }
  const error = errorName(meta['error']);
  return error === undefined ? fields : { ...fields, error };
}

/** Never its message. It may be an object whose every property throws. */
function errorName(error: unknown): string | undefined {
  try {
    const name: unknown = error instanceof Error ? error.name : undefined;
    return isErrorName(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
