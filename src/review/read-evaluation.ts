/** What the server, or an archive, has recorded of an evaluation: its newest run, decoded. Says nothing of whether it agrees with itself. */
import type { Host } from '../client-calls.js';
import { EvaluationNotFound } from '../client-errors.js';
import { DIGEST_MEMO, OPEN_EVALUATION, RECORD_PARTIAL, type EvaluateInput, type OpenResult } from '../contract.js';
import type { Plan } from '../domain/plan.js';
import type { EvaluationReport } from '../domain/report.js';
import { isReport } from '../domain/is-report.js';
import { FAILURE_TYPES } from '../domain/errors.js';
import { markersOf, Payloads, statusOfRun, timeOf, type RunStatus } from './payloads.js';
import { onServer, type HistoryEvent, type Recorded } from './recorded.js';

export interface EvaluationRecord {
  readonly evaluationId: string;
  readonly runId: string;
  /** Another one than `runId` when the run came of a reset. */
  readonly originalRunId: string;
  /** Of the runs that resets have begun from. */
  readonly baseRunIds: readonly string[];
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly memoDigest: unknown;
  readonly status: RunStatus;
  /** Milliseconds since 1970; of the last event. */
  readonly lastMs: number;
  readonly input: EvaluateInput;
  /** Pinned when it opened; absent when it never did. */
  readonly plan?: Plan;
  /** What it returned; of a cancelled one the partial report. */
  readonly report?: EvaluationReport;
}

/**
 * @param recorded where the histories are read; default: the server.
 * @throws EvaluationNotFound when nothing of this id is there, Undecodable when it cannot be read here.
 */
export async function readEvaluation(host: Host, evaluationId: string, recorded: Recorded = onServer(host)): Promise<EvaluationRecord> {
  const newest = await recorded.newestRun(evaluationId);
  const events = newest === undefined ? undefined : await recorded.events(evaluationId, newest);
  if (newest === undefined || events === undefined) throw new EvaluationNotFound(evaluationId, host.namespace);
  return await evaluationOf(host, evaluationId, newest, events);
}

/** One run by its events. */
export async function evaluationOf(
  host: Host,
  evaluationId: string,
  runId: string,
  events: readonly HistoryEvent[],
): Promise<EvaluationRecord> {
  const payloads = new Payloads(host, evaluationId);
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const opened = markersOf(events).findLast(({ activity }) => activity === OPEN_EVALUATION);
  const plan = opened === undefined ? undefined : ((await payloads.ofMarker(opened)) as Partial<OpenResult> | null)?.plan;
  const report = await reportOf(payloads, events);
  return {
    evaluationId,
    runId,
    originalRunId: started?.originalExecutionRunId ?? '',
    baseRunIds: events.flatMap(({ workflowTaskFailedEventAttributes: failed }) => (failed?.baseRunId ? [failed.baseRunId] : [])),
    workflowType: started?.workflowType?.name ?? '',
    taskQueue: started?.taskQueue?.name ?? '',
    memoDigest: await payloads.ofWorkflow(started?.memo?.fields?.[DIGEST_MEMO]),
    status: statusOfRun(events),
    lastMs: Math.max(0, ...events.slice(-1).map(timeOf)),
    // What is not of this form fails the checks.
    input: (await payloads.ofWorkflow(started?.input?.payloads?.[0])) as EvaluateInput,
    ...(plan !== undefined ? { plan } : {}),
    ...(report !== undefined ? { report } : {}),
  };
}

async function reportOf(payloads: Payloads, events: readonly HistoryEvent[]): Promise<EvaluationReport | undefined> {
  const result = events.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0];
  const partial = markersOf(events).findLast(({ activity }) => activity === RECORD_PARTIAL);
  const isCancelled = events.at(-1)?.workflowExecutionCanceledEventAttributes != null;
  const report = isCancelled && partial !== undefined ? await payloads.ofMarker(partial) : await payloads.ofWorkflow(result);
  return isReport(report) ? report : undefined;
}

/** The report of a run that failed because it could not be judged: it stands in the details of the failure. */
export async function endedReport(
  host: Host,
  evaluationId: string,
  events: readonly HistoryEvent[],
): Promise<EvaluationReport | undefined> {
  const failure = events.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
  if (failure?.applicationFailureInfo?.type !== FAILURE_TYPES.notJudged) return undefined;
  const report = await new Payloads(host, evaluationId).ofWorkflow(failure.applicationFailureInfo.details?.payloads?.[0]);
  return isReport(report) ? report : undefined;
}
