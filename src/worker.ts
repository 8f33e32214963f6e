/**
 * Assembles the Workers of one process: one for the workflows with their local activities, one for each lane.
 * Nothing polls before the server knows the search attributes and every critic that a plan uses is warm.
 */
import { randomUUID } from 'node:crypto';
import type { DataConverter, MetricMeter } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkerOptions, type WorkflowBundleOption } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { makeActivities } from './activities/index.js';
import { workflowBundle } from './bundle.js';
import { withFailures } from './codec/failures.js';
import { withNothingInClear } from './codec/in-clear.js';
import { loadDataConverter } from './codec/load.js';
import { workflowQueue } from './contract.js';
import { parseOptions } from './critics/attempt.js';
import type { SecretSource } from './critics/critic.js';
import { howToName, showTarget } from './critics/network/addresses.js';
import { makeGuardedFetch } from './critics/network/guarded-fetch.js';
import { unnamedHosts } from './critics/network/plan-hosts.js';
import { isForThreads, notForThreads, type CriticRegistry } from './critics/registry.js';
import { CriticThreads } from './critics/threads/threads.js';
import { deferred } from './deferred.js';
import { sha256 } from './digest.js';
import { kindOf } from './domain/error-name.js';
import { useOf, type Plan } from './domain/plan.js';
import type { NotifyChannels } from './domain/review/channels.js';
import type { Tenants } from './domain/tenants.js';
import { BudgetPool } from './lanes/budgets.js';
import type { Offering } from './lanes/deployment-state.js';
import { makeLeaseActivities, type HoldDeps } from './lanes/hold-lanes.js';
import { LaneStatus } from './lanes/lane-status.js';
import { watchedLane, type BrakeOptions, type WatchDeps } from './lanes/lane-watch.js';
import { makeLaneWorker } from './lanes/lane-worker.js';
import { isShared, lanesOf, type Lane, type NamedLanes } from './lanes/lanes.js';
import { LeaseWorker } from './lanes/lease-worker.js';
import { memberIdentity, Membership } from './lanes/membership.js';
import { countSinks, laneGauges } from './metrics.js';
import { freshPollers, queueLoad } from './pollers.js';
import { lackingHere, unnamedWebhooks } from './review/check-channels.js';
import { makeReviewIndex } from './review/index-queries.js';
import { makeReviewWorker } from './review/review-worker.js';
import { makeSweep, type Sweep } from './review/sweep.js';
import { endUnused, runTogether, shutdownWorkers, withStrays, type OneWorker } from './run-workers.js';
import { missingSearchAttributes } from '../temporal/setup.js';

export { loadDeployment, type Deployment, type DeploymentOptions } from './deployment.js';
export { replayEvaluation, type ReplayOptions } from './replay.js';

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
    /** By which people and programs hear of reviews and verdicts, by name. */
    readonly notify?: NotifyChannels;
    /** Path of the file of people who decide reviews. */
    readonly reviewers?: string;
    /** Where the data converter is loaded from, when none is handed in: `tribunal/codec` or the path of a module. */
    readonly dataConverter?: string;
  };
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** What critics may ask for by name, as the `http` critic does for its `secretHeaders`. Default: none. */
  readonly secrets?: SecretSource;
  /** Hosts that critics may ask although their addresses are private: `judge.internal`, `127.0.0.1:8080`. Default: the deployment's. */
  readonly hosts?: readonly string[];
  /** How long critics may go on after a stop was asked for. Default 30 s: longer than most attempts, shorter than a supervisor's patience. */
  readonly shutdownGraceMs?: number;
  /**
   * What Temporal records goes through it: `encryption()` of `tribunal/codec`, or one of your own. With one that names no
   * failure converter, messages of failures go through its codecs, too.
   */
  readonly dataConverter?: DataConverter;
  /** Code of the workflows, when it was bundled before and without a data converter; default: the bundle of the build, or a fresh one. */
  readonly bundle?: { readonly codePath: string };
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void;
  /** Counts what is judged, as `Runtime.instance().metricMeter` does once the runtime has an exporter. Default: nobody counts. */
  readonly meter?: MetricMeter;
  /** How lanes are watched, and when their circuits pause them. */
  readonly brakes?: BrakeOptions;
  /** Folder for what has closed, in clear: `release` answers from it once the server has forgotten it. Default: nothing is kept. */
  readonly archive?: string;
  /** Takes commands on reviews without a signature, for trying out; `release` refuses what they let pass. Default: no. */
  readonly insecureReviews?: boolean;
}

export interface TribunalWorker {
  /** Polls until {@link TribunalWorker.shutdown} was called and what runs has ended. Rejects when polling fails for good. */
  run(): Promise<void>;
  shutdown(): void;
  /** Of each Worker, as the SDK calls it. */
  states(): ReturnType<Worker['getState']>[];
  readonly lanes: readonly Lane[];
}

/** What a deployment's plans and lanes may take in the memo of its workflow: the server keeps 2 MB, and four files may be there at once. */
const MAX_OFFERING_BYTES = 524_288;
/** Longer than most attempts, shorter than a supervisor's patience. */
const DEFAULT_GRACE_MS = 30_000;
/** After the grace period critics are cancelled; what ignores that is left behind after this. */
const FORCE_MS = 5_000;

/**
 * @throws Error in one sentence: missing search attributes, a critic that cannot be warmed or that asks a private
 * address which nobody named, a member of the deployment with another plan of the same name and version, a server that
 * cannot be reached.
 */
export async function createTribunalWorker(given: TribunalWorkerOptions): Promise<TribunalWorker> {
  const options = { ...given, ...(await converterOf(given)) };
  const { deployment } = options;
  const plans = [...deployment.plans.values()];
  await checkStart(options, plans);
  const lanes = lanesOf(deployment.name, plans, deployment.lanes);
  const membership = membershipOf(options, lanes);
  await membership.check();
  const common = commonOptions(options, membership.member.identity);
  const threads = await startThreads(plans, options);
  const fetch = makeGuardedFetch({ hosts: hostsOf(options) });
  const tools = { registry: deployment.registry, secrets: secretsOf(options), fetch, threads };
  const watch = watchOf(options, membership);
  for (const lane of lanes.filter(isShared)) watch.gauges.owner(lane.queue, false);
  const failed = deferred<Error>();
  const holding = makeLeaseActivities({
    ...watchedBy(watch, membership),
    lanes: new Map(lanes.map((lane) => [lane.queue, lane])),
    implementations: new Set(deployment.registry.names),
    makeWorker: (lane, budgets, lease) =>
      watchedLane(
        watch,
        lane,
        () => lease.isValid(),
        (log) => makeLaneWorker(common, lane, { ...tools, budgets: budgets.chain(lane.limits), lease, log }),
      ),
    log: (message) => options.log?.('warn', message),
    fatal: (error) => failed.resolve(error instanceof Error ? error : new Error('the lanes that this process owns failed')),
  });
  const workers: OneWorker[] = [];
  try {
    const bundle = options.bundle ?? (await workflowBundle(options.dataConverter));
    workers.push(await makeWorkflowWorker(options, common, bundle, tools.fetch, membership.client));
    const reviews = await makeReviewWorker(membership.client, common, bundle, { ...options, secrets: secretsOf(options), fetch });
    if (reviews !== undefined) workers.push(reviews);
    const budgets = new BudgetPool();
    for (const lane of lanes.filter((one) => !isShared(one)))
      workers.push(
        await watchedLane(watch, lane, undefined, (log) =>
          makeLaneWorker(common, lane, { ...tools, budgets: budgets.chain(lane.limits), log }),
        ),
      );
  } catch (error) {
    await Promise.allSettled([endUnused(workers), threads.close()]);
    throw error;
  }
  workers.push(new LeaseWorker(deployment.name, common, holding, membership));
  const sweep = sweepOf(options, membership.client);
  let isStopping = false;
  return {
    lanes,
    states: () => workers.map((worker) => stateOf(worker, membership)),
    async run() {
      void sweep?.run();
      try {
        await withStrays(strayLog(options), () => runUntilFailed(workers, failed.promise));
      } catch (error) {
        if (!isStopping) throw error;
        // Without a server nobody ends the polls of a Worker that stops; what it was asked to do is done all the same.
        options.log?.('warn', 'stopped without an answer of the server');
      } finally {
        await Promise.all([sweep?.stop(), membership.leave()]);
        await threads.close();
      }
    },
    shutdown: () => {
      isStopping = true;
      void membership.leave().finally(() => shutdownWorkers(workers));
    },
  };
}

function sweepOf({ archive, namespace, deployment, log }: TribunalWorkerOptions, client: Client): Sweep | undefined {
  if (archive === undefined) return undefined;
  return makeSweep({ client, index: client, namespace, deployment: deployment.name }, archive, (message) => log?.('warn', message));
}

/** Nothing polls before the server knows the attributes, critics are warm, and all that is to be asked may be asked. */
async function checkStart(options: TribunalWorkerOptions, plans: readonly Plan[]): Promise<void> {
  const { connection, namespace, deployment } = options;
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length > 0)
    throw new Error(`namespace ${namespace} lacks the search attributes ${missing.join(', ')}: run \`tribunal setup\``);
  await warmCritics(plans, deployment.registry);
  await Promise.all([checkHosts(plans, options), checkChannels(options)]);
  checkLanes(plans, deployment.lanes);
}

function watchOf({ meter, brakes, log }: TribunalWorkerOptions, { client }: Membership): WatchDeps {
  const gauges = laneGauges(meter);
  return {
    client,
    gauges,
    status: new LaneStatus(gauges),
    ...(brakes !== undefined ? { brakes } : {}),
    log: (message) => log?.('warn', message),
  };
}

function watchedBy({ status }: WatchDeps, membership: Membership): Pick<HoldDeps, 'backlog' | 'drained' | 'busy' | 'status'> {
  return {
    backlog: async (queue) => (await queueLoad(membership.client.connection, membership.namespace, queue, 'activity')).waiting,
    drained: (queues) => membership.drained(queues),
    busy: (queue) => status.busy(queue),
    status: (lanes) => status.of(lanes),
  };
}

async function converterOf({ dataConverter, deployment, bundle }: TribunalWorkerOptions): Promise<{ dataConverter?: DataConverter }> {
  const named = deployment.dataConverter;
  const converter = dataConverter ?? (named !== undefined ? await loadDataConverter(named) : undefined);
  if (converter === undefined) return {};
  // In code that was bundled without its converters the messages of failures would stay in clear.
  if (bundle !== undefined)
    throw new Error('bundle and dataConverter exclude each other: leave out the bundle, so that one with its converters is made');
  return { dataConverter: withNothingInClear(withFailures(converter)) };
}

/** From the moment that a stop was asked for: Workers go on for as long as it takes to tell the others. */
function stateOf(worker: OneWorker, { isLeaving }: Membership): ReturnType<Worker['getState']> {
  const state = worker instanceof LeaseWorker && !worker.hasJoined ? 'INITIALIZED' : worker.getState();
  return state === 'RUNNING' && isLeaving ? 'STOPPING' : state;
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

function membershipOf(
  { connection, namespace, dataConverter, deployment, log }: TribunalWorkerOptions,
  lanes: readonly Lane[],
): Membership {
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
  const told = JSON.stringify(offering);
  const bytes = Buffer.byteLength(told);
  if (bytes > MAX_OFFERING_BYTES)
    throw new Error(
      `the plans and lanes of the deployment ${deployment.name} take ${bytes} bytes to tell its other workers, more than ${MAX_OFFERING_BYTES}: split it into several deployments`,
    );
  const member = { identity: memberIdentity(randomUUID().slice(0, 8)), file: sha256(told), offering };
  const server = { connection, namespace, ...(dataConverter !== undefined ? { dataConverter } : {}) };
  return new Membership(server, deployment.name, member, (...line) => log?.(...line));
}

/** Told by its kind alone: its texts may be content. */
const strayLog =
  ({ log }: TribunalWorkerOptions) =>
  (thrown: unknown): void =>
    log?.('error', `a critic left an error behind: ${kindOf(thrown)}`);

async function makeWorkflowWorker(
  options: TribunalWorkerOptions,
  common: Omit<WorkerOptions, 'taskQueue'>,
  bundle: WorkflowBundleOption,
  guarded: typeof fetch,
  client: Client,
): Promise<Worker> {
  const { connection, namespace, deployment } = options;
  const tools = { secrets: secretsOf(options), fetch: guarded };
  const reviews = makeReviewIndex(client, deployment.name);
  const countPollers = async (queue: string): Promise<number> => (await freshPollers(connection, namespace, queue, 'activity')).length;
  return await Worker.create({
    ...common,
    taskQueue: workflowQueue(deployment.name),
    workflowBundle: bundle,
    activities: { ...makeActivities({ deployment: deployment.name, ...deployment, ...tools, reviews, countPollers }) },
    sinks: countSinks(options.meter),
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
  { connection, namespace, dataConverter, shutdownGraceMs = DEFAULT_GRACE_MS }: TribunalWorkerOptions,
  identity: string,
): Omit<WorkerOptions, 'taskQueue'> {
  return {
    connection,
    namespace,
    identity,
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: shutdownGraceMs + FORCE_MS,
    ...(dataConverter !== undefined ? { dataConverter } : {}),
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

/** A critic whose lane is not there would run without its limits. */
function checkLanes(plans: readonly Plan[], lanes: NamedLanes = {}): void {
  for (const { name, critics } of plans) {
    const critic = critics.find(({ lane }) => lane !== undefined && !Object.hasOwn(lanes, lane));
    if (critic !== undefined)
      throw new Error(
        `plan ${name}: ${critic.name} uses the lane ${critic.lane ?? ''}, which the deployment does not have: write it under \`lanes:\` of tribunal.yaml`,
      );
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

/** As for critics; what is only not here yet is told, since others may have it. */
async function checkChannels(options: TribunalWorkerOptions): Promise<void> {
  const channels = options.deployment.notify ?? {};
  const [first] = unnamedWebhooks(channels, hostsOf(options));
  if (first !== undefined)
    throw new Error(`channel ${first.channel}: ${showTarget(first.target)} is a private address: ${howToName(first.target)}`);
  for (const lack of await lackingHere(channels, secretsOf(options))) options.log?.('warn', lack);
}
