/**
 * Whom the client lets in before anything is started: there is a worker, the deployment has the plan, and no more wait than
 * the plan allows. What the server said is believed for five seconds, and starts that come together share one question.
 */
import { call, type Host } from './client-calls.js';
import { NoWorker, OverloadedError, RequestRefused } from './client-errors.js';
import { workflowQueue } from './contract.js';
import { overloadOf, type QueueLoad } from './domain/overload.js';
import { EMPTY_DEPLOYMENT, plansOnOffer, queuesOfPlan, type DeploymentState } from './lanes/deployment-state.js';
import { describeDeployment } from './lanes/deployment-view.js';
import { freshPollers, queueLoad } from './pollers.js';

/** The server itself counts anew as often. */
const BELIEVED_MS = 5_000;

/** One start that was let in; counted until the server's numbers hold it. */
export interface Admitted {
  /** The server has taken it, or may have. */
  started(): void;
  /** Nothing was started, or it has ended. */
  gone(): void;
}

const UNCOUNTED: Admitted = { started: () => undefined, gone: () => undefined };

export class Admission {
  readonly #host: Host;
  readonly #worker: Recent<void>;
  readonly #deployment: Recent<DeploymentState>;
  readonly #queues = new Map<string, PlanQueue>();

  constructor(host: Host) {
    this.#host = host;
    this.#worker = new Recent(() => askForWorker(host));
    this.#deployment = new Recent(() => askForDeployment(host));
  }

  /** @throws NoWorker, RequestRefused when the deployment has no such plan, OverloadedError. */
  async admit(evaluationId: string, plan: string): Promise<Admitted> {
    const [{ value: believed }] = await Promise.all([this.#deployment.get(), this.#worker.get()]);
    // A worker that has just registered is seen.
    const state = plansOnOffer(believed).has(plan) ? believed : (await this.#deployment.ask()).value;
    const plans = plansOnOffer(state);
    if (!plans.has(plan)) return this.#unknown(evaluationId, plan, state);
    const maxWaiting = plans.get(plan)?.maxQueueSize;
    if (maxWaiting === undefined) return UNCOUNTED;
    return await this.#queueOf(plan).admit(evaluationId, maxWaiting, queuesOfPlan(state, plan));
  }

  #unknown(evaluationId: string, plan: string, state: DeploymentState): Admitted {
    const plans = plansOnOffer(state);
    // Whoever polls has not said what it brings: the evaluation itself finds out.
    if (plans.size === 0 || Object.keys(state.workers).length === 0) return UNCOUNTED;
    const known = [...plans.keys()].toSorted().join(', ');
    throw new RequestRefused(
      [`the deployment ${this.#host.deployment} has no plan ${plan}; it has ${known}`],
      evaluationId,
      'UNKNOWN_PLAN',
    );
  }

  #queueOf(plan: string): PlanQueue {
    const queue = this.#queues.get(plan) ?? new PlanQueue(this.#host, plan);
    this.#queues.set(plan, queue);
    return queue;
  }
}

/** What waits for one plan: the server's numbers, and the starts of this client that they cannot hold yet. */
class PlanQueue {
  /** When the server had each; `undefined`: it is being asked. */
  readonly #starts = new Map<Admitted, number | undefined>();
  #lanes: readonly string[] = [];
  readonly #loads: Recent<readonly QueueLoad[]>;

  constructor(
    host: Host,
    readonly plan: string,
  ) {
    this.#loads = new Recent(() => askForLoads(host, plan, this.#lanes));
  }

  /** @throws OverloadedError. */
  async admit(evaluationId: string, maxWaiting: number, lanes: readonly string[]): Promise<Admitted> {
    this.#lanes = lanes;
    const { value: queues, askedAt, until } = await this.#loads.get();
    // From here on nothing is waited for, so that starts which come together are counted one by one.
    for (const [start, at] of this.#starts) if (at !== undefined && at < askedAt) this.#starts.delete(start);
    const now = performance.now();
    const overload = overloadOf(maxWaiting, { queues, started: this.#starts.size, ageMs: now - askedAt, freshForMs: until - now });
    if (overload !== undefined) throw new OverloadedError(evaluationId, this.plan, maxWaiting, overload.waiting, overload.retryAfterMs);
    return this.#count();
  }

  #count(): Admitted {
    const start: Admitted = {
      started: () => {
        if (this.#starts.has(start)) this.#starts.set(start, performance.now());
      },
      gone: () => void this.#starts.delete(start),
    };
    this.#starts.set(start, undefined);
    return start;
  }
}

interface Answer<T> {
  readonly value: T;
  readonly askedAt: number;
  readonly until: number;
}

/** An answer of the server that is believed for a while. Failures are not kept, so that what was mended is seen at once. */
class Recent<T> {
  #last: Promise<Answer<T>> | undefined;
  #until = 0;

  constructor(readonly question: () => Promise<T>) {}

  async get(): Promise<Answer<T>> {
    return this.#last !== undefined && performance.now() < this.#until ? await this.#last : await this.ask();
  }

  async ask(): Promise<Answer<T>> {
    const asked = this.#ask();
    this.#last = asked;
    this.#until = Number.POSITIVE_INFINITY;
    try {
      const answer = await asked;
      if (this.#last === asked) this.#until = answer.until;
      return answer;
    } catch (error) {
      if (this.#last === asked) this.#last = undefined;
      throw error;
    }
  }

  async #ask(): Promise<Answer<T>> {
    const askedAt = performance.now();
    const value = await this.question();
    // From the answer on: the server's own count is then older than it keeps one.
    return { value, askedAt, until: performance.now() + BELIEVED_MS };
  }
}

async function askForWorker(host: Host): Promise<void> {
  const { client, namespace, deployment } = host;
  const pollers = await call(host, `cannot ask for workers of ${deployment}`, undefined, () =>
    freshPollers(client.connection, namespace, workflowQueue(deployment), 'workflow'),
  );
  if (pollers.length === 0) throw new NoWorker(deployment, namespace);
}

/** What its workers have told it; nothing when there is no such workflow, or none that runs. */
async function askForDeployment(host: Host): Promise<DeploymentState> {
  const found = await call(host, `cannot read the plans of ${host.deployment}`, undefined, () =>
    describeDeployment(host.client, host.deployment),
  );
  return found?.workflow.status.name === 'RUNNING' ? found.state : EMPTY_DEPLOYMENT;
}

async function askForLoads(host: Host, plan: string, lanes: readonly string[]): Promise<readonly QueueLoad[]> {
  const { client, namespace, deployment } = host;
  return await call(host, `cannot ask how much waits for ${plan}`, undefined, () =>
    Promise.all([
      queueLoad(client.connection, namespace, workflowQueue(deployment), 'workflow'),
      ...lanes.map((lane) => queueLoad(client.connection, namespace, lane, 'activity')),
    ]),
  );
}
