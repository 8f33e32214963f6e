/**
 * One evaluation, followed by its workflow id. Never by a run id: an operator's reset makes a new run, and whoever
 * waits must get the answer of the newest one. Imports `@temporalio/client` and `common` alone.
 */
import { isGrpcDeadlineError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
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
import { markersOf, Payloads } from './review/payloads.js';

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
    const payloads = new Payloads(this.#host, this.evaluationId);
    for (const marker of markersOf(history.history?.events ?? [])) {
      const report = marker.activity === RECORD_PARTIAL ? await payloads.ofMarker(marker) : undefined;
      if (isReport(report)) return report;
    }
    return undefined;
  }
}

function codeOf(about: unknown): string | undefined {
  return typeof about === 'object' && about !== null && 'code' in about && typeof about.code === 'string' ? about.code : undefined;
}
