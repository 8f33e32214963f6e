/**
 * Assembles the Workers of one process: one for the workflows with their local activities, one for each lane.
 * Nothing polls before the server knows the search attributes and every critic that a plan uses is warm.
 */
import { hostname } from 'node:os';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { makeActivities } from './activities/index.js';
import { makeRunCritic } from './activities/run-critic.js';
import { workflowBundle } from './bundle.js';
import { workflowQueue } from './contract.js';
import { howToName, showTarget } from './critics/network/addresses.js';
import { parseOptions } from './critics/attempt.js';
import type { SecretSource } from './critics/critic.js';
import { makeGuardedFetch } from './critics/network/guarded-fetch.js';
import { unnamedHosts } from './critics/network/plan-hosts.js';
import { isForThreads, notForThreads, type CriticRegistry } from './critics/registry.js';
import { CriticThreads } from './critics/threads/threads.js';
import { useOf, type Plan } from './domain/plan.js';
import { BudgetPool } from './lanes/budgets.js';
import { lanesOf, type Lane } from './lanes/lanes.js';
import { freshPollers } from './pollers.js';
import { runWorkers, shutdownWorkers } from './run-workers.js';
import { missingSearchAttributes } from '../temporal/setup.js';

export { loadDeployment, type Deployment, type DeploymentOptions } from './deployment.js';

export interface TribunalWorkerOptions {
  /** Name of the deployment: also its workflow task queue. */
  readonly deployment: {
    readonly name: string;
    readonly plans: ReadonlyMap<string, Plan>;
    readonly registry: CriticRegistry;
    readonly priorityLevels: 5 | 10;
    /** As in {@link TribunalWorkerOptions.hosts}. */
    readonly hosts?: readonly string[];
  };
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** What critics may ask for by name, as the `http` critic does for its `secretHeaders`. Default: none. */
  readonly secrets?: SecretSource;
  /** Hosts that critics may ask although their addresses are private: `judge.internal`, `127.0.0.1:8080`. Default: the deployment's. */
  readonly hosts?: readonly string[];
  /** How long critics may go on after a stop was asked for. Default 30 s: longer than most attempts, shorter than a supervisor's patience. */
  readonly shutdownGraceMs?: number;
  /** Code of the workflows, when it was bundled before; default: the bundle of the build, or a fresh one. */
  readonly bundle?: { readonly codePath: string };
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void;
}

export interface TribunalWorker {
  /** Polls until {@link TribunalWorker.shutdown} was called and what runs has ended. Rejects when polling fails for good. */
  run(): Promise<void>;
  shutdown(): void;
  readonly lanes: readonly Lane[];
}

/** Slots of a lane without limits: the SDK's own default, enough for critics that mostly wait for a network. */
const UNLIMITED_SLOTS = 100;
/** Enough to keep a lane's slots full at loopback and cloud latencies; more pollers only hold more idle requests open. */
const MAX_POLLERS = 5;
/** Longer than most attempts, shorter than a supervisor's patience. */
const DEFAULT_GRACE_MS = 30_000;
/** After the grace period critics are cancelled; what ignores that is left behind after this. */
const FORCE_MS = 5_000;

/**
 * @throws Error in one sentence: missing search attributes, a critic that cannot be warmed or that asks a private
 * address which nobody named, a server that cannot be reached.
 */
export async function createTribunalWorker(options: TribunalWorkerOptions): Promise<TribunalWorker> {
  const { connection, namespace, deployment } = options;
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length > 0)
    throw new Error(`namespace ${namespace} lacks the search attributes ${missing.join(', ')}: run \`tribunal setup\``);
  const plans = [...deployment.plans.values()];
  await warmCritics(plans, deployment.registry);
  await checkHosts(plans, options);
  const threads = await startThreads(plans, options);
  const lanes = plans.flatMap((plan) => lanesOf(deployment.name, plan));
  await warnOfOthers(options, lanes);
  const workers: Worker[] = [];
  try {
    const guarded = makeGuardedFetch({ hosts: hostsOf(options) });
    workers.push(await makeWorkflowWorker(options, guarded));
    const budgets = new BudgetPool();
    for (const lane of lanes) workers.push(await makeLaneWorker(options, lane, { budgets, fetch: guarded, threads }));
  } catch (error) {
    // A Worker that was made and never run would hold the connection open.
    await Promise.allSettled([...workers.map((worker) => stopUnused(worker)), threads.close()]);
    throw error;
  }
  // Told by its kind alone: its texts may be content.
  const onStray = (thrown: unknown): void => options.log?.('error', `a critic left an error behind: ${kindOf(thrown)}`);
  const run = async (): Promise<void> => {
    try {
      await runWorkers(workers, onStray);
    } finally {
      await threads.close();
    }
  };
  return { lanes, run, shutdown: () => shutdownWorkers(workers) };
}

async function stopUnused(worker: Worker): Promise<void> {
  const running = worker.run();
  worker.shutdown();
  await running;
}

/** It may be an object whose every property throws, and a throw from here would end the process. */
function kindOf(thrown: unknown): string {
  try {
    const name: unknown = thrown instanceof Error ? thrown.name : typeof thrown;
    return typeof name === 'string' && /^[A-Za-z]{1,64}$/.test(name) ? name : 'an Error of its own';
  } catch {
    return 'something that cannot be read';
  }
}

async function makeWorkflowWorker(options: TribunalWorkerOptions, guarded: typeof fetch): Promise<Worker> {
  const { connection, namespace, deployment } = options;
  const tools = { secrets: secretsOf(options), fetch: guarded };
  const countPollers = async (queue: string): Promise<number> => (await freshPollers(connection, namespace, queue, 'activity')).length;
  return await Worker.create({
    ...common(options),
    taskQueue: workflowQueue(deployment.name),
    workflowBundle: options.bundle ?? (await workflowBundle()),
    activities: { ...makeActivities({ deployment: deployment.name, ...deployment, ...tools, countPollers }) },
    // Critics run on lanes; what this Worker offers is local to its workflows.
    enableNonLocalActivities: false,
    // Eager activities pass by every limit.
    maxEagerActivityReservationsPerWorkflowTask: 0,
    // A dead process's evaluations move after this; the default of 10 s is most of what a crash would cost.
    stickyQueueScheduleToStartTimeout: '2s',
  });
}

async function makeLaneWorker(
  options: TribunalWorkerOptions,
  lane: Lane,
  shared: { readonly budgets: BudgetPool; readonly fetch: typeof fetch; readonly threads: CriticThreads },
): Promise<Worker> {
  const slots = lane.slots ?? UNLIMITED_SLOTS;
  const rate = lane.rateLimitPerSecond;
  const runCritic = makeRunCritic({
    registry: options.deployment.registry,
    secrets: secretsOf(options),
    fetch: shared.fetch,
    budgets: shared.budgets.chain(lane.budgets),
    threads: shared.threads,
  });
  return await Worker.create({
    ...common(options),
    taskQueue: lane.queue,
    activities: { default: runCritic },
    maxConcurrentActivityTaskExecutions: slots,
    // One poller with a rate: each parked poll could let one more start through at once.
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: rate === undefined ? Math.min(slots, MAX_POLLERS) : 1 },
    ...(rate !== undefined ? { maxTaskQueueActivitiesPerSecond: rate, maxActivitiesPerSecond: rate } : {}),
    // Beats of once a second reach the server as such; its patience is five.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
  });
}

const hostsOf = ({ hosts, deployment }: TribunalWorkerOptions): readonly string[] => hosts ?? deployment.hosts ?? [];

const secretsOf = ({ secrets }: TribunalWorkerOptions): SecretSource => secrets ?? (() => undefined);

function common({ connection, namespace, shutdownGraceMs = DEFAULT_GRACE_MS }: TribunalWorkerOptions): Omit<WorkerOptions, 'taskQueue'> {
  return {
    connection,
    namespace,
    identity: `tribunal ${process.pid}@${hostname()}`,
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: shutdownGraceMs + FORCE_MS,
  };
}

/** Threads in which the critics whose plans ask for them are ready. Without any none is made, until an older plan asks. */
async function startThreads(plans: readonly Plan[], options: TribunalWorkerOptions): Promise<CriticThreads> {
  const { registry } = options.deployment;
  const uses = plans.flatMap((plan) => plan.critics.filter(({ isolation }) => isolation !== undefined).map((use) => ({ plan, use })));
  const refused = uses.find(({ use }) => !isForThreads(use.uses, registry));
  if (refused !== undefined) throw new Error(`plan ${refused.plan.name}: ${refused.use.name}: ${notForThreads(refused.use.uses)}`);
  const threads = new CriticThreads({
    registry,
    hosts: hostsOf(options),
    warm: uses.map(({ use }) => useOf(use)),
    onStray: (kind) => options.log?.('error', `a critic left an error behind in a thread: ${kind}`),
  });
  try {
    if (uses.length > 0) await threads.start();
  } catch (error) {
    await threads.close();
    throw error;
  }
  return threads;
}

/** Loads and warms every implementation that a plan uses, once for each set of options. What runs in threads is warmed there. */
async function warmCritics(plans: readonly Plan[], registry: CriticRegistry): Promise<void> {
  for (const plan of plans) {
    for (const use of plan.critics) {
      const critic = await registry.find(use.uses);
      if (critic === undefined)
        throw new Error(`plan ${plan.name}: ${use.name} uses ${use.uses}, which is not here; known are ${registry.names.join(', ')}`);
      const options = parseOptions(critic, use.with);
      if (!options.ok) throw new Error(`plan ${plan.name}: ${use.uses} refuses the options of ${use.name}`);
      if (use.isolation === undefined) await critic.warm?.(options.value);
    }
  }
}

/** A critic that asks a private address which nobody named would fail in every evaluation. */
async function checkHosts(plans: readonly Plan[], options: TribunalWorkerOptions): Promise<void> {
  for (const plan of plans) {
    const [first] = await unnamedHosts(plan.critics, options.deployment.registry, hostsOf(options));
    if (first !== undefined)
      throw new Error(
        `plan ${plan.name}: ${first.critic} asks ${showTarget(first.target)}, which is a private address: ${howToName(first.target)}`,
      );
  }
}

/** Limits hold in each worker process; with a second process of the same plan they add up. */
async function warnOfOthers({ connection, namespace, log }: TribunalWorkerOptions, lanes: readonly Lane[]): Promise<void> {
  for (const lane of lanes.filter((one) => one.slots !== undefined)) {
    const others = await freshPollers(connection, namespace, lane.queue, 'activity');
    if (others.length > 0)
      log?.(
        'warn',
        `another worker polls ${lane.queue} (${others[0] ?? ''}): limits hold in each worker process, so together they allow more`,
      );
  }
}
