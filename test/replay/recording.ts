/**
 * What a recording needs: a deployment of its own on the server, workers in this process and outside it, and what an
 * operator can do to a run. Critics meet in files of the working directory, named relative to it, so that no history
 * holds a path of the machine on which it was made.
 */
import { noReviews } from '../support/no-reviews.js';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { makeActivities } from '../../src/activities/index.js';
import { TribunalClient } from '../../src/client.js';
import type { EvaluationHandle } from '../../src/client-handle.js';
import { EVALUATE, evaluationId } from '../../src/contract.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { formatProblem, loadPlan } from '../../src/plan-loader.js';
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import { freshPollers } from '../../src/pollers.js';
import type { StartRequest } from '../../src/schemas/request.js';
import { createTribunalWorker } from '../../src/worker.js';
import { MENDABLE } from './mendable.js';
import type { History } from './ends.js';

/** Who decides the reviews of a deployment, and whether unsigned commands are taken. */
export interface RecordedReviews {
  /** The file of people, in the working directory. */
  readonly reviewers?: string;
  readonly insecure?: boolean;
  /** Private hosts that webhooks may ask. */
  readonly hosts?: readonly string[];
}

const POLL_MS = 20;
const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface RecordingHost {
  readonly address: string;
  readonly connection: Connection;
  readonly native: NativeConnection;
  /** Code of the workflows. */
  readonly codePath: string;
}

export class Recording {
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #children: ChildProcess[] = [];
  readonly temporal: Client;
  readonly #client: Promise<TribunalClient>;

  constructor(
    readonly host: RecordingHost,
    readonly name: string,
    readonly plan: object,
    readonly priorityLevels: 5 | 10,
    readonly notify: NotifyChannels = {},
    readonly reviews: RecordedReviews = {},
  ) {
    this.temporal = new Client({ connection: host.connection, namespace: 'default' });
    this.#client = TribunalClient.connect({ connection: host.connection, namespace: 'default', deployment: name });
  }

  get evaluationId(): string {
    return evaluationId('default', this.name);
  }

  async start(request: Partial<StartRequest> = {}): Promise<EvaluationHandle> {
    const client = await this.#client;
    return await client.start({ plan: 'recorded', content: 'some text', key: this.name, ...request });
  }

  /** Starts what no client of ours would send. */
  async startRaw(input: unknown): Promise<void> {
    await this.temporal.workflow.start(EVALUATE, { workflowId: this.evaluationId, taskQueue: this.name, args: [input] });
  }

  /** A worker in this process. */
  async addWorker(): Promise<void> {
    const reviewers = this.reviews.reviewers === undefined ? {} : { reviewers: this.reviews.reviewers };
    const worker = await createTribunalWorker({
      deployment: { name: this.name, ...(await this.#deployment()), priorityLevels: this.priorityLevels, ...reviewers },
      connection: this.host.native,
      namespace: 'default',
      shutdownGraceMs: 0,
      ...(this.reviews.insecure === true ? { insecureReviews: true } : {}),
      ...(this.reviews.hosts !== undefined ? { hosts: this.reviews.hosts, secrets: () => 'the key of the hook' } : {}),
      bundle: { codePath: this.host.codePath },
    });
    await this.#run(worker);
  }

  /** A worker that polls no lane, as when the one that did has gone for good. */
  async addWorkerWithoutLanes(): Promise<void> {
    const { connection, native, codePath } = this.host;
    const countPollers = async (queue: string): Promise<number> => (await freshPollers(connection, 'default', queue, 'activity')).length;
    const deployment = { ...(await this.#deployment()), priorityLevels: this.priorityLevels };
    const activities = makeActivities({ deployment: this.name, ...deployment, secrets: () => undefined, reviews: noReviews, countPollers });
    const worker = await Worker.create({
      connection: native,
      namespace: 'default',
      taskQueue: this.name,
      workflowBundle: { codePath },
      activities: { ...activities },
      enableNonLocalActivities: false,
    });
    await this.#run(worker);
  }

  /** A worker in a process of its own. */
  async addProcess(): Promise<ChildProcess> {
    await writeFile('plan.yaml', JSON.stringify(this.plan));
    const env = { ...process.env, TEMPORAL_ADDRESS: this.host.address, TRIBUNAL_DEPLOYMENT: this.name };
    const child = spawn(process.execPath, ['--import', 'tsx', CLI, 'worker', '--plan', 'plan.yaml'], { env, stdio: 'ignore' });
    this.#children.push(child);
    await this.#untilPolled();
    return child;
  }

  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }

  /** Waits until a `scripted` critic has told in the file `calls` that a call started or ended. */
  async untilCalls(event: 'start' | 'end'): Promise<void> {
    await this.until(() => existsSync('calls') && readFileSync('calls', 'utf8').includes(`"event":"${event}"`));
  }

  /** Waits for the end of the newest run, whatever it is. */
  async untilClosed(): Promise<void> {
    await this.temporal.workflow
      .getHandle(this.evaluationId)
      .result()
      .catch(() => undefined);
  }

  /** Resets the newest run to an event, as `temporal workflow reset` does. */
  async reset(eventId: number, workflowId = this.evaluationId): Promise<void> {
    const { events } = await this.history(workflowId);
    const event = events?.find((one) => String(one.eventId) === String(eventId));
    if (event?.eventId == null) throw new Error(`${this.name} has no event ${eventId}`);
    await this.temporal.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId },
      reason: 'the cause is gone',
      requestId: randomUUID(),
      workflowTaskFinishEventId: event.eventId,
    });
  }

  /** The same, to one of the workflow tasks that were completed: the first is 0, the last -1. */
  async resetToTask(index: number, workflowId = this.evaluationId): Promise<void> {
    const { events } = await this.history(workflowId);
    const task = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes).at(index);
    await this.reset(Number(task?.eventId), workflowId);
  }

  /** Of the newest run, or of one. */
  async history(workflowId = this.evaluationId, runId?: string): Promise<History> {
    return await this.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#stops.splice(0).map((stop) => stop()));
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.stopWorkers();
  }

  async #deployment() {
    const registry = makeRegistry([{ critic: MENDABLE, from: 'this recording' }]);
    const loaded = await loadPlan({ object: this.plan, name: this.name }, registry);
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    return { registry, plans: new Map([[loaded.plan.name, loaded.plan]]), notify: this.notify };
  }

  async #run(worker: { run(): Promise<void>; shutdown(): void }): Promise<void> {
    const running = worker.run();
    this.#stops.push(async () => {
      worker.shutdown();
      await running;
    });
    await this.#untilPolled();
  }

  /** A client refuses to start before somebody polls. */
  async #untilPolled(): Promise<void> {
    await this.until(async () => (await freshPollers(this.host.connection, 'default', this.name, 'workflow')).length > 0);
  }
}
