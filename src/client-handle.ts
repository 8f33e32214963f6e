/**
 * One evaluation, followed by its workflow id. Never by a run id: an operator's reset makes a new run, and whoever
 * waits must get the answer of the newest one. Imports `@temporalio/client` and `common` alone.
 */
import { isGrpcDeadlineError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, defaultPayloadConverter, TerminatedFailure, type Payload } from '@temporalio/common';
import { call, CALL_TIMEOUT_MS, named, type Host } from './client-calls.js';
import {
  AlreadyEnded,
  EvaluationCancelled,
  EvaluationFailed,
  EvaluationTerminated,
  RequestRefused,
  StillRunning,
} from './client-errors.js';
import { summaryOf, type EvaluationSummary } from './client-summary.js';
import { PROGRESS_QUERY, RECORD_PARTIAL, type Progress } from './contract.js';
import { FAILURE_TYPES } from './domain/errors.js';
import { isReport } from './domain/is-report.js';
import type { EvaluationReport } from './domain/report.js';

/** Longer than any plan that answers a person; the plan's own limit is not known to the client. */
export const RESULT_TIMEOUT_MS = 600_000;

/** Longer than any evaluation lasts; beyond it the transport's own clock overflows. */
const MAX_WAIT_MS = 7 * 24 * 3_600_000;

/** How a run closed: what it returned, or why it did not. */
type End = { readonly returned: unknown } | { readonly failure: unknown };

export class EvaluationHandle {
  readonly #host: Host;
  readonly #workflow: WorkflowHandle;
  readonly #indexed: WorkflowHandle;
  readonly #ended: () => void;

  constructor(
    host: Host,
    /** `<tenant>/<key>`, which is the workflow id. */
    readonly evaluationId: string,
    /** Of the run that was started or found; absent when nobody has asked the server yet. */
    readonly runId?: string,
    /** Whether `start` found it under its key: what it comes to was judged, or is being judged, for an earlier start. */
    readonly wasStartedBefore: boolean = false,
    /** Called whenever it is seen to have ended. */
    ended: () => void = () => undefined,
  ) {
    this.#host = host;
    this.#ended = ended;
    this.#workflow = host.client.workflow.getHandle(evaluationId);
    this.#indexed = host.index.workflow.getHandle(evaluationId);
  }

  /**
   * Waits for the end, over resets.
   * @returns the report of every evaluation that came to an end by itself, `not_judged` included: look at its decision.
   * @throws StillRunning when `timeoutMs` is over, RequestRefused, EvaluationCancelled (with the partial report),
   *   EvaluationTerminated. Each of these means: not allowed.
   */
  async result(options: { readonly timeoutMs?: number } = {}): Promise<EvaluationReport> {
    const timeoutMs = options.timeoutMs ?? RESULT_TIMEOUT_MS;
    if (!(timeoutMs >= 0 && timeoutMs <= MAX_WAIT_MS)) throw new RequestRefused([`timeoutMs must be a number from 0 to ${MAX_WAIT_MS}`]);
    const until = Date.now() + timeoutMs;
    for (;;) {
      const end = (await this.#end(until)) ?? (await this.#endAfterAll(timeoutMs));
      this.#ended();
      const report = 'failure' in end ? await this.#failed(end.failure) : this.#checked(end.returned);
      if (report !== undefined) return report;
    }
  }

  /** What has ended and what runs, asked of a worker. */
  async progress(): Promise<Progress> {
    return await call(this.#host, `cannot read the progress of ${this.evaluationId}`, this.evaluationId, () =>
      this.#workflow.query<Progress>(PROGRESS_QUERY),
    );
  }

  /** Asks it to end; what has been judged by then is kept as a partial report. */
  async cancel(): Promise<void> {
    // The server accepts a request to cancel what is closed and forgets it.
    const { status } = await this.status();
    if (status !== 'running') throw new AlreadyEnded(this.evaluationId, status);
    await call(this.#host, `cannot cancel ${this.evaluationId}`, this.evaluationId, () => this.#workflow.cancel());
  }

  /** What the server knows without asking a worker. */
  async status(): Promise<EvaluationSummary> {
    return summaryOf(await call(this.#host, `cannot look up ${this.evaluationId}`, this.evaluationId, () => this.#indexed.describe()));
  }

  /** The end of the newest run, or `undefined` when it has none by the deadline. */
  async #end(until: number): Promise<End | undefined> {
    try {
      return { returned: await this.#host.client.withDeadline(until, () => this.#workflow.result()) };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { failure: error.cause };
      if (isGrpcDeadlineError(error)) return undefined;
      throw named(this.#host, `cannot wait for ${this.evaluationId}`, this.evaluationId, error);
    }
  }

  /** The wait is over: say so only if the server is there and the evaluation is really under way. */
  async #endAfterAll(waitedMs: number): Promise<End> {
    const end = (await this.status()).status === 'running' ? undefined : await this.#end(Date.now() + CALL_TIMEOUT_MS);
    if (end === undefined) throw new StillRunning(this.evaluationId, waitedMs);
    return end;
  }

  /** The report of a run that failed, `undefined` when a reset has put another run in its place. */
  async #failed(failure: unknown): Promise<EvaluationReport | undefined> {
    if (failure instanceof ApplicationFailure) {
      const about: unknown = failure.details?.[0];
      if (failure.type === FAILURE_TYPES.notJudged && isReport(about)) return about;
      if (failure.type === FAILURE_TYPES.requestRefused)
        throw new RequestRefused([failure.message.replace(/^refused: /, '')], this.evaluationId, codeOf(about));
    }
    if (failure instanceof CancelledFailure) throw new EvaluationCancelled(this.evaluationId, await this.#partialReport());
    if (failure instanceof TerminatedFailure) {
      // A reset terminates the run that it replaces, and those who wait for it see no more than that.
      if ((await this.status()).status !== 'terminated') return undefined;
      throw new EvaluationTerminated(this.evaluationId, failure.message);
    }
    throw new EvaluationFailed(this.evaluationId, failure instanceof Error ? failure.message : 'no reason is recorded', { cause: failure });
  }

  #checked(value: unknown): EvaluationReport {
    if (isReport(value)) return value;
    throw new EvaluationFailed(this.evaluationId, 'what it returned is not a report of version 1');
  }

  /** A cancelled workflow cannot return anything, so its report stands in the marker of its last local activity. */
  async #partialReport(): Promise<EvaluationReport | undefined> {
    const { client, namespace } = this.#host;
    const { runId } = await this.status();
    const history = await call(this.#host, `cannot read the history of ${this.evaluationId}`, this.evaluationId, () =>
      client.workflowService.getWorkflowExecutionHistoryReverse({
        namespace,
        execution: { workflowId: this.evaluationId, runId },
        // The marker is one of the last events; the page only has to be longer than the critics' last cancellations.
        maximumPageSize: 1_000,
      }),
    );
    for (const event of history.history?.events ?? []) {
      const marker = event.markerRecordedEventAttributes;
      const written = marker?.details?.['data']?.payloads?.[0];
      const result = marker?.details?.['result']?.payloads?.[0];
      // The SDK's own part of a marker goes through no codec.
      const about: unknown = written ? defaultPayloadConverter.fromPayload(written) : undefined;
      if (!result || !isRecordPartial(about)) continue;
      const report = await this.#decoded(result, about.activity_id);
      if (isReport(report)) return report;
    }
    return undefined;
  }

  /** What the SDK decodes for nobody: the result of a local activity, as a history has it. */
  async #decoded(payload: Payload, activityId: string): Promise<unknown> {
    const { payloadCodecs, payloadConverter } = this.#host.client.options.loadedDataConverter;
    const context = {
      type: 'activity',
      namespace: this.#host.namespace,
      workflowId: this.evaluationId,
      activityId,
      isLocal: true,
    } as const;
    return await call(this.#host, `cannot read what was judged of ${this.evaluationId}`, this.evaluationId, async () => {
      let decoded = [payload];
      for (const codec of payloadCodecs.toReversed()) decoded = await codec.decode(decoded, context);
      return payloadConverter.fromPayload(decoded[0] ?? payload, context);
    });
  }
}

/** Whether a local activity's marker is about the activity that returns a partial report. */
function isRecordPartial(about: unknown): about is { readonly activity_id: string } {
  if (typeof about !== 'object' || about === null || !('activity_type' in about) || !('activity_id' in about)) return false;
  return about.activity_type === RECORD_PARTIAL && typeof about.activity_id === 'string';
}

function codeOf(about: unknown): string | undefined {
  return typeof about === 'object' && about !== null && 'code' in about && typeof about.code === 'string' ? about.code : undefined;
}
