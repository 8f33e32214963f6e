/**
 * Client SDK: start an evaluation once, wait for its report, list what was judged.
 * Imports `@temporalio/client` and `common` and what is pure; never activities, critics, the worker or a native module,
 * so that a service can hold a client without holding a worker.
 */
import { Client, Connection, WorkflowFailedError, type ConnectionLike, type ConnectionOptions } from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  WorkflowExecutionAlreadyStartedError,
  type DataConverter,
  type PayloadCodec,
  type WorkflowIdReusePolicy,
} from '@temporalio/common';
import { Admission, type Admitted } from './client-admission.js';
import { call, type Host } from './client-calls.js';
import { EvaluationNotFound, KeyConflict, OverloadedError, RequestRefused, ServerUnreachable } from './client-errors.js';
import { EvaluationHandle } from './client-handle.js';
import { prepareEvaluation } from './client-prepare.js';
import type { Release, ReleaseOptions } from './client-release.js';
import { Reviews } from './client-reviews.js';
import { listQuery, summaryOf, type EvaluationSummary, type ListFilter } from './client-summary.js';
import { DEFAULT_DEPLOYMENT, DEFAULT_TENANT, DIGEST_MEMO, EVALUATE, evaluationId, workflowQueue, type EvaluateInput } from './contract.js';
import { FAILURE_TYPES } from './domain/errors.js';
import type { EvaluationReport } from './domain/report.js';
import type { StartRequest } from './schemas/request.js';
import { loadSettings, resolveServer, type Settings } from './settings.js';
import { startOptions } from './start-options.js';

// All that a service needs beside the client, so that `tribunal/client` stands alone.
export {
  AlreadyEnded,
  EvaluationCancelled,
  EvaluationFailed,
  EvaluationNotFound,
  EvaluationTerminated,
  KeyConflict,
  NotRecorded,
  NoWorker,
  OverloadedError,
  RequestRefused,
  ReviewNotFound,
  ReviewRefused,
  ServerNotSetUp,
  ServerRefusal,
  ServerUnreachable,
  StillRunning,
  TribunalError,
  Undecodable,
  type ClientCode,
} from './client-errors.js';
export type { EvaluationHandle } from './client-handle.js';
export { prepareEvaluation, type PreparedEvaluation } from './client-prepare.js';
export type { Release, ReleaseOptions, ReleasePermit } from './client-release.js';
export type { ActOptions } from './client-review-act.js';
export type { ReviewFilter, ReviewSummary } from './client-review-list.js';
export type { ReviewStats } from './client-review-stats.js';
export type { Reviews, ReviewStatsFilter } from './client-reviews.js';
export type { EvaluationSummary, ListFilter } from './client-summary.js';
export type { Progress, ReviewView } from './contract.js';
export type { Decision, EvaluationReport, Reason, ReportCritic } from './domain/report.js';
export type { Payloads } from './domain/review/command.js';
export type { ReviewCode } from './domain/review/codes.js';
export type { Receipt, ReviewAction, ReviewInput } from './domain/review/review.js';
export type { TimelineEntry } from './review/timeline.js';
export type { ReviewExport } from './review/export.js';
export type { LabelRow } from './review/labels.js';
export type { CommandFields, CommandSigner } from './review/sign.js';
export type { EvaluationRecord, StartRequest } from './schemas/request.js';

export interface ConnectOptions {
  /** `host:port`. Absent: what `TEMPORAL_ADDRESS` or the profile of the Temporal configuration file says. */
  readonly address?: string;
  readonly namespace?: string;
  /** Name of the deployment whose workers are to judge. Default: `TRIBUNAL_DEPLOYMENT` where the environment is asked, else `tribunal`. */
  readonly deployment?: string;
  /** TLS, API key and the like; with `address`. */
  readonly connectionOptions?: ConnectionOptions;
  /** An open connection to share; `close()` leaves it open. */
  readonly connection?: ConnectionLike;
  /**
   * The one of the workers: `encryption()` of `tribunal/codec`, or one of your own. Default: `TRIBUNAL_DATA_CONVERTER` where
   * the environment is asked, else none.
   */
  readonly dataConverter?: DataConverter;
}

/** A key can close, be refused and be started by others between our calls, but not often. */
const START_ROUNDS = 5;
/** A screen. */
const DEFAULT_LIST_LIMIT = 20;
/** The list is held in memory; pages of the index have 1,000 at most. */
const MAX_LIST_LIMIT = 10_000;

export class TribunalClient {
  readonly #host: Host;
  readonly #owned: Connection | undefined;
  readonly #admission: Admission;

  /** What people decide of what was escalated. */
  readonly reviews: Reviews;

  private constructor(host: Host, owned: Connection | undefined) {
    this.#host = host;
    this.reviews = new Reviews(host);
    this.#owned = owned;
    this.#admission = new Admission(host);
  }

  get namespace(): string {
    return this.#host.namespace;
  }

  get deployment(): string {
    return this.#host.deployment;
  }

  /**
   * @throws ServerUnreachable when no server answers at the address.
   */
  static async connect(options: ConnectOptions = {}): Promise<TribunalClient> {
    if (options.connection !== undefined) {
      const { namespace = 'default', deployment = DEFAULT_DEPLOYMENT, dataConverter } = options;
      return new TribunalClient(hostOf(options.connection, namespace, deployment, dataConverter), undefined);
    }
    // An address that is given stands alone: the profile's key and certificate are not for another host.
    const given = options.address !== undefined || options.connectionOptions !== undefined;
    const server = given ? undefined : await resolveServer();
    const connectionOptions = server?.connectionOptions ?? {
      ...options.connectionOptions,
      ...(options.address !== undefined ? { address: options.address } : {}),
    };
    const namespace = options.namespace ?? server?.namespace ?? 'default';
    const deployment = options.deployment ?? (given ? DEFAULT_DEPLOYMENT : environment().deployment);
    const dataConverter = options.dataConverter ?? (given ? undefined : await environmentConverter());
    const connection = await Connection.connect(connectionOptions).catch((error: unknown) => {
      throw new ServerUnreachable(`cannot connect to ${connectionOptions.address ?? 'localhost:7233'}`, undefined, { cause: error });
    });
    return new TribunalClient(hostOf(connection, namespace, deployment, dataConverter), connection);
  }

  /**
   * Starts an evaluation, or finds the one that this key has started already with the same request.
   * @throws RequestRefused when the request is malformed or the deployment has no such plan, KeyConflict when the key stands
   *   for another request, NoWorker when nobody would judge, OverloadedError when too many wait; nothing is started then.
   */
  async start(request: StartRequest): Promise<EvaluationHandle> {
    const { evaluationId: id, input } = prepareEvaluation(request, this.#host);
    const admitted = await this.#admit(id, input, request.key !== undefined);
    if (admitted instanceof EvaluationHandle) return admitted;
    try {
      const handle = await this.#startOrFind(id, input, admitted);
      if (handle.wasStartedBefore) admitted.gone();
      else admitted.started();
      return handle;
    } catch (error) {
      // Of one whose answer was lost it is not known, so it counts.
      if (error instanceof ServerUnreachable) admitted.started();
      else admitted.gone();
      throw error;
    }
  }

  /** Who has started it already gets it, whatever waits by now; asked only of those that are to be refused. */
  async #admit(id: string, input: EvaluateInput, hasKey: boolean): Promise<Admitted | EvaluationHandle> {
    try {
      return await this.#admission.admit(id, input.request.plan);
    } catch (error) {
      const isRefusal = error instanceof OverloadedError || error instanceof RequestRefused;
      const found = isRefusal && hasKey ? await this.#find(id, input.requestDigest) : undefined;
      if (found instanceof EvaluationHandle) return found;
      throw error;
    }
  }

  async #startOrFind(id: string, input: EvaluateInput, admitted: Admitted): Promise<EvaluationHandle> {
    let reuse: WorkflowIdReusePolicy = 'REJECT_DUPLICATE';
    for (let round = 0; round < START_ROUNDS; round += 1) {
      const runId = await this.#startOnce(id, input, reuse);
      if (runId !== undefined) return new EvaluationHandle(this.#host, id, runId, false, () => admitted.gone());
      const found = await this.#find(id, input.requestDigest);
      if (found instanceof EvaluationHandle) return found;
      reuse = found;
    }
    // Others start it and are refused, again and again: whose run is the newest is not known.
    throw new KeyConflict(id);
  }

  /** Starts and waits; see `start` and the handle's `result` for what is thrown. */
  async evaluate(request: StartRequest, options: { readonly timeoutMs?: number } = {}): Promise<EvaluationReport> {
    const handle = await this.start(request);
    return await handle.result(options);
  }

  /** A handle of an evaluation that was started elsewhere; an id without a tenant is one of the default tenant. */
  handle(id: string): EvaluationHandle {
    return new EvaluationHandle(this.#host, fullId(id));
  }

  /**
   * Whether an evaluation lets its content out: its verdict is allow, or it was escalated and people let it pass. Everything
   * is checked anew from what is recorded, signatures too. Whatever is not a yes is a no, with a code and a sentence.
   *
   *     const release = await client.release(id, { content });
   *     if (release.ok) send(content);
   *     else hold(content, release.reason);
   *
   * @param id `<tenant>/<key>`; without a tenant one of the default tenant.
   * @throws ServerUnreachable and its like when nobody answers: then nothing may go out.
   */
  async release(id: string, options: ReleaseOptions = {}): Promise<Release> {
    // Signatures and hashes are loaded by those who ask for them.
    const { release } = await import('./client-release.js');
    return await release(this.#host, fullId(id), options);
  }

  /** Newest first. The index follows the truth within a second or so. */
  async list(filter: ListFilter = {}): Promise<EvaluationSummary[]> {
    const limit = filter.limit ?? DEFAULT_LIST_LIMIT;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST_LIMIT)
      throw new RequestRefused([`limit must be a whole number from 1 to ${MAX_LIST_LIMIT}`]);
    const query = listQuery(this.#host.deployment, filter);
    return await call(this.#host, 'cannot list evaluations', undefined, async () => {
      const found: EvaluationSummary[] = [];
      for await (const info of this.#host.index.workflow.list({ query, pageSize: Math.min(limit, 1_000) })) {
        if (found.push(summaryOf(info)) >= limit) break;
      }
      return found;
    });
  }

  /** Closes the connection that `connect` opened. */
  async close(): Promise<void> {
    await this.#owned?.close();
  }

  /** The run id, or `undefined` when the key is taken. */
  async #startOnce(id: string, input: EvaluateInput, reuse: WorkflowIdReusePolicy): Promise<string | undefined> {
    try {
      const handle = await call(this.#host, `cannot start ${id}`, id, () =>
        this.#host.client.workflow.start(EVALUATE, {
          workflowId: id,
          taskQueue: workflowQueue(this.#host.deployment),
          args: [input],
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: reuse,
          ...startOptions(input),
        }),
      );
      return handle.firstExecutionRunId;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
      // The answer may be what was lost; with the same key nothing is judged twice.
      if (error instanceof ServerUnreachable)
        throw new ServerUnreachable(`cannot tell whether ${id} was started, so start it again with this key`, id, { cause: error });
      throw error;
    }
  }

  /** Whoever has the key: the same request, or the policy with which to start once more. */
  async #find(id: string, digest: string): Promise<EvaluationHandle | WorkflowIdReusePolicy> {
    const what = `cannot look up ${id}`;
    try {
      const found = await call(this.#host, what, id, () => this.#host.client.workflow.getHandle(id).describe());
      // The digest has the plan's name alone: another deployment's plan of that name is another request.
      const isOurs = found.taskQueue === workflowQueue(this.#host.deployment) && found.type === EVALUATE;
      const refused = found.status.name === 'FAILED' && (await this.#failureType(id, found.runId)) === FAILURE_TYPES.requestRefused;
      // Nothing was judged: the key is free for the request that was meant.
      if (refused) return 'ALLOW_DUPLICATE_FAILED_ONLY';
      if (!isOurs || found.memo?.[DIGEST_MEMO] !== digest) throw new KeyConflict(id);
      return new EvaluationHandle(this.#host, id, found.runId, true);
    } catch (error) {
      // Its retention ended between the two calls.
      if (error instanceof EvaluationNotFound) return 'REJECT_DUPLICATE';
      throw error;
    }
  }

  async #failureType(id: string, runId: string): Promise<string | undefined> {
    return await call(this.#host, `cannot look up ${id}`, id, async () => {
      try {
        await this.#host.client.workflow.result(id, runId, { followRuns: false });
        return undefined;
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        return error.cause instanceof ApplicationFailure ? (error.cause.type ?? undefined) : undefined;
      }
    });
  }
}

const fullId = (id: string): string => (id.includes('/') ? id : evaluationId(DEFAULT_TENANT, id));

function hostOf(connection: ConnectionLike, namespace: string, deployment: string, dataConverter: DataConverter = {}): Host {
  return {
    client: new Client({ connection, namespace, dataConverter }),
    index: new Client({ connection, namespace, dataConverter: { payloadCodecs: [UNREAD] } }),
    namespace,
    deployment,
  };
}

const NOTHING = defaultPayloadConverter.toPayload(null);

const UNREAD: PayloadCodec = {
  encode: async () => await Promise.reject(new Error('what only looks at the index sends no payloads')),
  decode: async (payloads) => payloads.map(() => NOTHING),
};

/** @throws Error with everything that is wrong with the environment. */
function environment(): Settings {
  const loaded = loadSettings();
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  return loaded.settings;
}

/** A service that is told to encrypt must not send its first content in clear because nobody told its code. */
async function environmentConverter(): Promise<DataConverter | undefined> {
  const { dataConverter } = environment();
  if (dataConverter === undefined) return undefined;
  const { loadDataConverter } = await import('./codec/load.js');
  return await loadDataConverter(dataConverter);
}
