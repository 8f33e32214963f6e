/**
 * A deployment of its own for one test on the real server: worker, client, history. Task queues carry the deployment's
 * name, which is unique, so tests do not see each other.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';
import type { temporal } from '@temporalio/proto';
import { inject } from 'vitest';
import { TribunalClient } from '../../src/client.js';
import type { AnyCritic } from '../../src/critics/critic.js';
import { loadCriticsModule } from '../../src/critics/module.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { EvaluationReport, ReportCritic } from '../../src/domain/report.js';
import type { Plan } from '../../src/domain/plan.js';
import type { Tenants } from '../../src/domain/tenants.js';
import { formatProblem, loadPlan } from '../../src/plan-loader.js';
import { createTribunalWorker, type TribunalWorker, type TribunalWorkerOptions } from '../../src/worker.js';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** One line that the `scripted` critic wrote about a call. */
export interface Call {
  readonly event: 'start' | 'end';
  readonly name?: string;
  readonly attempt: number;
  readonly key: string;
  readonly at: number;
  readonly findings: readonly string[];
  readonly pid: number;
}

export interface Harness {
  readonly client: TribunalClient;
  readonly connection: Connection;
  /** What an operator has: the server without our client in front of it. */
  readonly temporal: Client;
  /** The same with the data converter of the workers. */
  readonly encrypted: Client;
  readonly deployment: string;
  /** A folder of this test's own. */
  readonly dir: string;
  readonly plans: ReadonlyMap<string, Plan>;
  history(id: string, runId?: string): Promise<HistoryEvent[]>;
  /** Starts one more worker of the same deployment in this process; with another data converter or bundle, where one is given. */
  addWorker(dataConverter?: DataConverter, codePath?: string): Promise<() => Promise<void>>;
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  /** Plans as YAML text or as source objects; a function gets the test's own folder. */
  readonly plans: readonly (string | object)[] | ((dir: string) => readonly (string | object)[]);
  readonly critics?: readonly AnyCritic[];
  /** Critics modules. */
  readonly modules?: readonly string[];
  /** `false`: no worker runs until `addWorker`. */
  readonly worker?: boolean;
  /** Name of another harness's deployment, to be a later release of it. Default: one of its own. */
  readonly deployment?: string;
  /** Tenants whose weight is not 1. */
  readonly tenants?: Tenants;
  /** Private hosts that critics may ask. */
  readonly hosts?: readonly string[];
  /** What the workers find under the names of secrets. */
  readonly secrets?: NonNullable<TribunalWorkerOptions['secrets']>;
  /** What the workers have to say. */
  readonly log?: NonNullable<TribunalWorkerOptions['log']>;
  /** Of workers and client; `temporal` of the harness has none. */
  readonly dataConverter?: DataConverter;
  /** Limits of named lanes. */
  readonly lanes?: NonNullable<TribunalWorkerOptions['deployment']['lanes']>;
  /** How lanes are watched. */
  readonly brakes?: NonNullable<TribunalWorkerOptions['brakes']>;
  /** The file of people who decide reviews, and channels; a function gets the test's own folder. */
  readonly reviews?: (dir: string) => Pick<TribunalWorkerOptions['deployment'], 'reviewers' | 'notify'>;
  readonly insecureReviews?: boolean;
  /** Keeps what has closed in this folder below the test's own. */
  readonly archive?: string;
}

let runtimeInstalled = false;

/** The SDK's log lines of expected failures would hide what a test says. */
function quietRuntime(): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
}

export async function makeHarness(options: HarnessOptions): Promise<Harness> {
  quietRuntime();
  const { address, namespace } = inject('server');
  const deployment = options.deployment ?? `t-${randomUUID().slice(0, 8)}`;
  const loaded = await Promise.all((options.modules ?? []).map((module) => loadCriticsModule(module)));
  const registry = makeRegistry([...(options.critics ?? []).map((critic) => ({ critic, from: 'this test' })), ...loaded.flat()]);
  const plans = new Map<string, Plan>();
  const dir = await mkdtemp(join(tmpdir(), 'tribunal-test-'));
  for (const source of typeof options.plans === 'function' ? options.plans(dir) : options.plans) {
    const read = await loadPlan(
      typeof source === 'string' ? { file: 'plan.yaml', text: source } : { object: source, name: 'plan' },
      registry,
    );
    if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
    plans.set(read.plan.name, read.plan);
  }
  const connection = await Connection.connect({ address });
  const converter = options.dataConverter !== undefined ? { dataConverter: options.dataConverter } : {};
  const client = await TribunalClient.connect({ connection, namespace, deployment, ...converter });
  const stops: (() => Promise<void>)[] = [];

  async function addWorker(dataConverter = options.dataConverter, codePath = inject('bundlePath')): Promise<() => Promise<void>> {
    // One each: the SDK refuses two workers of one queue on the same connection.
    const native = await NativeConnection.connect({ address });
    const worker = await createTribunalWorker({
      deployment: {
        name: deployment,
        plans,
        registry,
        priorityLevels: 10,
        tenants: options.tenants ?? {},
        ...(options.lanes !== undefined ? { lanes: options.lanes } : {}),
        ...options.reviews?.(dir),
      },
      connection: native,
      namespace,
      shutdownGraceMs: 0,
      ...(dataConverter === undefined ? { bundle: { codePath } } : { dataConverter }),
      ...(options.hosts !== undefined ? { hosts: options.hosts } : {}),
      ...(options.secrets !== undefined ? { secrets: options.secrets } : {}),
      ...(options.log !== undefined ? { log: options.log } : {}),
      ...(options.brakes !== undefined ? { brakes: options.brakes } : {}),
      ...(options.archive !== undefined ? { archive: join(dir, options.archive) } : {}),
      ...(options.insecureReviews === true ? { insecureReviews: true } : {}),
    });
    const stop = runWorker(worker, native);
    stops.push(stop);
    await untilPolled(connection, namespace, deployment);
    return stop;
  }

  const stopWorkers = async (): Promise<void> => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  };
  if (options.worker !== false) await addWorker();
  return {
    client,
    connection,
    temporal: new Client({ connection, namespace }),
    encrypted: new Client({ connection, namespace, ...converter }),
    deployment,
    dir,
    plans,
    addWorker,
    stopWorkers,
    history: (id, runId) => fetchHistory(connection, namespace, id, runId),
    async close() {
      await stopWorkers();
      await client.close();
      await connection.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function runWorker(worker: TribunalWorker, native: NativeConnection): () => Promise<void> {
  const running = worker.run();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    worker.shutdown();
    await running;
    await native.close();
  };
  return () => (stopped ??= stop());
}

/** A client refuses to start before somebody polls, and the first poll takes a moment. */
async function untilPolled(connection: Connection, namespace: string, queue: string): Promise<void> {
  for (;;) {
    const described = await connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: queue }, taskQueueType: 1 });
    if ((described.pollers ?? []).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function fetchHistory(connection: Connection, namespace: string, id: string, runId?: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId: id, ...(runId !== undefined ? { runId } : {}) },
      ...(nextPageToken !== undefined ? { nextPageToken } : {}),
    });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken != null && page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
  return events;
}

/** Calls that `scripted` critics recorded in a file. */
export async function callsIn(file: string): Promise<Call[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Call);
}

/** The most calls that were under way at once. The order of the lines is the order of the events, down to one millisecond. */
export function mostAtOnce(calls: readonly Call[]): number {
  let running = 0;
  let most = 0;
  for (const call of calls) {
    running += call.event === 'start' ? 1 : -1;
    most = Math.max(most, running);
  }
  return most;
}

export function criticOf(report: EvaluationReport, name: string): ReportCritic {
  const critic = report.critics.find((one) => one.name === name);
  if (critic === undefined) throw new Error(`the report has no critic ${name}`);
  return critic;
}

export const outcomesOf = (report: EvaluationReport): Record<string, string> =>
  Object.fromEntries(report.critics.map((one) => [one.name, one.outcome]));
