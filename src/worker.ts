/**
 * Assembles the Workers of one process: one for the workflows with their local activities, one for each lane.
 * Nothing polls before the server knows the search attributes and every critic that a plan uses is warm.
 */
import { randomUUID } from 'node:crypto';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { makeActivities } from './activities/index.js';
import { workflowBundle } from './bundle.js';
import { workflowQueue } from './contract.js';
import { parseOptions } from './critics/attempt.js';
import type { SecretSource } from './critics/critic.js';
import { howToName, showTarget } from './critics/network/addresses.js';
import { makeGuardedFetch } from './critics/network/guarded-fetch.js';
import { unnamedHosts } from './critics/network/plan-hosts.js';
import type { CriticRegistry } from './critics/registry.js';
import { deferred } from './deferred.js';
import { sha256 } from './digest.js';
import type { Plan } from './domain/plan.js';
import type { Tenants } from './domain/tenants.js';
import { BudgetPool } from './lanes/budgets.js';
import type { Offering } from './lanes/deployment-state.js';
import { makeLeaseActivities } from './lanes/hold-lanes.js';
import { makeLaneWorker } from './lanes/lane-worker.js';
import { isShared, lanesOf, type Lane, type NamedLanes } from './lanes/lanes.js';
import { LeaseWorker } from './lanes/lease-worker.js';
import { memberIdentity, Membership } from './lanes/membership.js';
import { freshPollers } from './pollers.js';
import { runTogether, shutdownWorkers, withStrays, type OneWorker } from './run-workers.js';
import { missingSearchAttributes } from '../temporal/setup.js';

export { loadDeployment, type Deployment, type DeploymentOptions } from './deployment.js';

export interface TribunalWorkerOptions {
  /** Name of the deployment: also its workflow task queue. */
  readonly deployment: {
    readonly name: string;
    readonly plans: ReadonlyMap<string, Plan>;
    readonly registry: CriticRegistry;
    readonly priorityLevels: 5 | 10;
    /** Tenants whose weight is not 1. */
    readonly tenants?: Tenants;
    /** Limits that critics of all plans share, by the name that they write as `lane`. */
    readonly lanes?: NamedLanes;
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

/** Longer than most attempts, shorter than a supervisor's patience. */
const DEFAULT_GRACE_MS = 30_000;
/** After the grace period critics are cancelled; what ignores that is left behind after this. */
const FORCE_MS = 5_000;

/**
 * @throws Error in one sentence: missing search attributes, a critic that cannot be warmed or that asks a private
 * address which nobody named, a member of the deployment with another plan of the same name and version, a server that
 * cannot be reached.
 */
export async function createTribunalWorker(options: TribunalWorkerOptions): Promise<TribunalWorker> {
  const { connection, namespace, deployment } = options;
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length > 0)
    throw new Error(`namespace ${namespace} lacks the search attributes ${missing.join(', ')}: run \`tribunal setup\``);
  const plans = [...deployment.plans.values()];
  await warmCritics(plans, deployment.registry);
  await checkHosts(plans, options);
  const lanes = lanesOf(deployment.name, plans, deployment.lanes);
  const membership = membershipOf(options, lanes);
  await membership.check();
  const common = commonOptions(options, membership.member.identity);
  const tools = { registry: deployment.registry, secrets: secretsOf(options), fetch: makeGuardedFetch({ hosts: hostsOf(options) }) };
  const failed = deferred<Error>();
  const holding = makeLeaseActivities({
    lanes: new Map(lanes.map((lane) => [lane.queue, lane])),
    makeWorker: (lane, budgets, lease) => makeLaneWorker(common, lane, { ...tools, budgets: budgets.chain(lane.limits), lease }),
    status: () => undefined,
    fatal: (error) => failed.resolve(error instanceof Error ? error : new Error('the lanes that this process owns failed')),
  });
  const workers: OneWorker[] = [];
  try {
    workers.push(await makeWorkflowWorker(options, common, tools.fetch));
    const budgets = new BudgetPool();
    for (const lane of lanes.filter((one) => !isShared(one)))
      workers.push(await makeLaneWorker(common, lane, { ...tools, budgets: budgets.chain(lane.limits) }));
  } catch (error) {
    // A Worker that was made and never run would hold the connection open.
    const running = runTogether(workers);
    shutdownWorkers(workers);
    await running.catch(() => undefined);
    throw error;
  }
  workers.push(new LeaseWorker(deployment.name, common, holding, membership));
  // Told by its kind alone: its texts may be content.
  const onStray = (thrown: unknown): void => options.log?.('error', `a critic left an error behind: ${kindOf(thrown)}`);
  return {
    lanes,
    run: () => withStrays(onStray, () => runUntilFailed(workers, failed.promise)),
    shutdown: () => void membership.leave().finally(() => shutdownWorkers(workers)),
  };
}

/** Lanes that this process owns run inside an activity; when they fail, the process does. */
async function runUntilFailed(workers: readonly OneWorker[], failed: Promise<Error>): Promise<void> {
  let failure: Error | undefined;
  void failed.then((error) => {
    failure = error;
    shutdownWorkers(workers);
  });
  await runTogether(workers);
  if (failure !== undefined) throw failure;
}

function membershipOf({ connection, namespace, deployment, log }: TribunalWorkerOptions, lanes: readonly Lane[]): Membership {
  const plans = [...deployment.plans.values()];
  const offering: Offering = {
    plans: Object.fromEntries(
      plans.map(({ name, version, hash, limits: { maxQueueSize } }) => [
        name,
        { version, hash, ...(maxQueueSize !== undefined ? { maxQueueSize } : {}) },
      ]),
    ),
    lanes,
    longestMs: Math.max(0, ...plans.map((plan) => plan.timeouts.globalMs)),
  };
  const member = { identity: memberIdentity(randomUUID().slice(0, 8)), file: sha256(JSON.stringify(offering)), offering };
  return new Membership(connection, namespace, deployment.name, member, (...line) => log?.(...line));
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

async function makeWorkflowWorker(
  options: TribunalWorkerOptions,
  common: Omit<WorkerOptions, 'taskQueue'>,
  guarded: typeof fetch,
): Promise<Worker> {
  const { connection, namespace, deployment } = options;
  const tools = { secrets: secretsOf(options), fetch: guarded };
  const countPollers = async (queue: string): Promise<number> => (await freshPollers(connection, namespace, queue, 'activity')).length;
  return await Worker.create({
    ...common,
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

const hostsOf = ({ hosts, deployment }: TribunalWorkerOptions): readonly string[] => hosts ?? deployment.hosts ?? [];

const secretsOf = ({ secrets }: TribunalWorkerOptions): SecretSource => secrets ?? (() => undefined);

function commonOptions(
  { connection, namespace, shutdownGraceMs = DEFAULT_GRACE_MS }: TribunalWorkerOptions,
  identity: string,
): Omit<WorkerOptions, 'taskQueue'> {
  return {
    connection,
    namespace,
    identity,
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: shutdownGraceMs + FORCE_MS,
  };
}

/** Loads and warms every implementation that a plan uses, once for each set of options. */
async function warmCritics(plans: readonly Plan[], registry: CriticRegistry): Promise<void> {
  for (const plan of plans) {
    for (const use of plan.critics) {
      const critic = await registry.find(use.uses);
      if (critic === undefined)
        throw new Error(`plan ${plan.name}: ${use.name} uses ${use.uses}, which is not here; known are ${registry.names.join(', ')}`);
      const options = parseOptions(critic, use.with);
      if (!options.ok) throw new Error(`plan ${plan.name}: ${use.uses} refuses the options of ${use.name}`);
      await critic.warm?.(options.value);
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
