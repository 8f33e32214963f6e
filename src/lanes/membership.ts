/**
 * A worker process as a member of its deployment: it says what it brings, keeps the deployment's workflow alive, and leaves.
 * Two members with different plans of one name and version would judge alike requests differently, so the second stops.
 */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, WithStartWorkflowOperation, type ClientOptions } from '@temporalio/client';
import {
  DEPLOYMENT,
  DRAINED_SIGNAL,
  LEAVE_UPDATE,
  REGISTER_UPDATE,
  deploymentId,
  workflowQueue,
  type DeploymentInput,
} from '../contract.js';
import { sha256 } from '../digest.js';
import { reasonOf } from '../domain/error-name.js';
import { freshPollers } from '../pollers.js';
import { WORKFLOW_TASK_TIMEOUT } from '../start-options.js';
import {
  conflictOf,
  EMPTY_DEPLOYMENT,
  type DeploymentState,
  type Offering,
  type PlanConflict,
  type Registration,
} from './deployment-state.js';
import { describeDeployment } from './deployment-view.js';
import { LEASE_TIMEOUT_MS } from './lease-times.js';

export interface Member {
  readonly identity: string;
  /** Digest of the offering. */
  readonly file: string;
  readonly offering: Offering;
}

/** One call to the server; a workflow of ours answers within a fraction of it. */
const CALL_TIMEOUT_MS = 10_000;
/** A workflow that an operator has ended is begun anew after this, and a member that was forgotten is known again. */
const LOOK_MS = 15_000;
/** After a try to join that failed. */
const AGAIN_MS = 1_000;
/** The SDK's polls come back at most 10 s after a server does; twice that, for a server that is slow at first. */
const UNSEEN_MS = 20_000;
/** Whoever cannot join says so as often. */
const TELL_MS = 60_000;
/** Whoever stops does not wait longer for the others to be told. */
const LEAVE_TIMEOUT_MS = 2_000;

export class Membership {
  readonly client: Client;
  readonly namespace: string;
  readonly #stop = new AbortController();
  #joined = false;
  /** Members that this process does not see, but has seen not long ago. */
  #spared: readonly string[] = [];
  /** Members that were not seen for long enough. */
  readonly #gone = new Set<string>();

  constructor(
    options: ClientOptions & { readonly namespace: string },
    readonly deployment: string,
    readonly member: Member,
    readonly log: (level: 'info' | 'warn' | 'error', message: string) => void,
  ) {
    this.client = new Client(options);
    this.namespace = options.namespace;
  }

  /**
   * A member that is not seen to poll may be gone, or its polls may not have come back to a server that was started anew: only
   * one that is not seen for a while is gone.
   * @throws Error in one sentence when a member has another plan of the same name and version.
   */
  async check(): Promise<void> {
    const until = performance.now() + UNSEEN_MS;
    for (let told = false; ; told = true) {
      const { state } = await this.#look();
      const alive = await this.#alive();
      const there = (isThere: (identity: string) => boolean): DeploymentState => ({
        ...state,
        workers: Object.fromEntries(Object.entries(state.workers).filter(([identity]) => isThere(identity))),
      });
      const seen = conflictOf(
        there((identity) => alive.includes(identity)),
        this.member,
      );
      if (seen !== undefined) throw new PlanConflictError(this.deployment, seen);
      const unseen = conflictOf(
        there((identity) => !isGone(identity) && !this.#gone.has(identity)),
        this.member,
      );
      if (unseen === undefined || this.isLeaving) return;
      if (performance.now() > until) {
        this.#gone.add(unseen.worker);
        continue;
      }
      if (!told)
        this.log(
          'warn',
          `plan ${unseen.plan} differs from that of ${unseen.worker}, who is not seen: it is looked for ${UNSEEN_MS / 1_000} s`,
        );
      await this.#pause(AGAIN_MS);
    }
  }

  /** Tries until the deployment knows this process, or it stops. @throws as {@link Membership.check}. */
  async join(): Promise<void> {
    let toldAt = Number.NEGATIVE_INFINITY;
    for (let isFirst = true; !this.#stop.signal.aborted; isFirst = false) {
      try {
        await this.#register(isFirst);
        return;
      } catch (error) {
        if (error instanceof PlanConflictError) throw error;
        if (performance.now() - toldAt > TELL_MS) {
          this.log('warn', `could not join the deployment ${this.deployment} yet, and tries again: ${reasonOf(error)}`);
          toldAt = performance.now();
        }
        await this.#pause(AGAIN_MS);
      }
    }
  }

  /** Until the process stops: joins again when the deployment's workflow was ended, has forgotten it, or counts on one that is gone. */
  async stay(): Promise<void> {
    let missing: readonly string[] = [];
    while (!this.#stop.signal.aborted) {
      await this.#pause(LOOK_MS);
      if (this.#stop.signal.aborted) return;
      const found = await this.#look().catch(() => undefined);
      const alive = await this.#alive(true).catch(() => undefined);
      if (found === undefined || alive === undefined) continue;
      const others = Object.keys(found.state.workers).filter((worker) => worker !== this.member.identity);
      const before = missing;
      missing = others.filter((worker) => !alive.includes(worker));
      // Once is no proof: a server that was started anew has not seen all polls yet.
      this.#spared = missing.filter((worker) => !before.includes(worker));
      const isKnown = found.isRunning && found.state.workers[this.member.identity] !== undefined;
      if (isKnown && missing.length === this.#spared.length) continue;
      await this.join().catch((error: unknown) => this.log('error', reasonOf(error)));
    }
  }

  /** Joins no more. */
  stop(): void {
    this.#stop.abort();
  }

  /** It was told to stop. */
  get isLeaving(): boolean {
    return this.#stop.signal.aborted;
  }

  /** To be called while this process still runs workflows: it may be the only one that can take note. */
  async leave(): Promise<void> {
    this.#stop.abort();
    if (!this.#joined) return;
    this.#joined = false;
    const handle = this.client.workflow.getHandle(deploymentId(this.deployment));
    await this.client
      .withDeadline(Date.now() + LEAVE_TIMEOUT_MS, () => handle.executeUpdate(LEAVE_UPDATE, { args: [this.member.identity] }))
      .catch(() => undefined);
  }

  /** Lanes that no file has any more were idle for as long as an evaluation may take. */
  async drained(queues: readonly string[]): Promise<void> {
    await this.#call(() => this.client.workflow.getHandle(deploymentId(this.deployment)).signal(DRAINED_SIGNAL, queues));
  }

  /** @param isFirst of several tries: a file that the deployment knows already need not be told. */
  async #register(isFirst: boolean): Promise<void> {
    const { isRunning, isFollowing, state } = await this.#look();
    // Whoever comes first to a server that was started anew must not take the others for gone; `stay` finds out who is.
    const notGone = Object.keys(state.workers).filter((worker) => !isGone(worker) && !this.#gone.has(worker));
    const alive = [...(await this.#alive(true)), ...(this.#joined ? this.#spared : notGone)];
    const input: DeploymentInput = {
      v: 1,
      deployment: this.deployment,
      state: EMPTY_DEPLOYMENT,
      ...(isFollowing ? { quietMs: LEASE_TIMEOUT_MS } : {}),
    };
    const start = new WithStartWorkflowOperation(DEPLOYMENT, {
      workflowId: deploymentId(this.deployment),
      taskQueue: workflowQueue(this.deployment),
      args: [input],
      staticSummary: 'worker processes and lanes',
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    const { identity, file, offering } = this.member;
    // Told once for all processes of one file: what many tell each time would fill the history.
    const isKnown = isFirst && isRunning && state.files[file] !== undefined;
    const isBack = this.#joined ? { isBack: true } : {};
    const registration: Registration = { identity, file, alive, ...(isKnown ? {} : { offering }), ...isBack };
    const conflict = await this.#call<PlanConflict | null>(() =>
      this.client.workflow.executeUpdateWithStart(REGISTER_UPDATE, { startWorkflowOperation: start, args: [registration] }),
    );
    if (conflict !== null) throw new PlanConflictError(this.deployment, conflict);
    this.#joined = true;
  }

  /** What the deployment's workflow said last, without a worker to ask. */
  async #look(): Promise<{ readonly state: DeploymentState; readonly isRunning: boolean; readonly isFollowing: boolean }> {
    const found = await this.#call(() => describeDeployment(this.client, this.deployment));
    if (found === undefined) return { state: EMPTY_DEPLOYMENT, isRunning: false, isFollowing: false };
    // Whoever owned lanes under a run that was ended notices by its next heartbeat. By no clock: theirs and ours may differ.
    return { state: found.state, isRunning: found.workflow.status.name === 'RUNNING', isFollowing: true };
  }

  /** @param isAmong whether this process polls. */
  async #alive(isAmong = false): Promise<string[]> {
    const polling = await this.#call(() =>
      freshPollers(this.client.connection, this.namespace, workflowQueue(this.deployment), 'workflow', isAmong),
    );
    return polling.filter((identity) => !isGone(identity));
  }

  #call<T>(run: () => Promise<T>): Promise<T> {
    return this.client.withDeadline(Date.now() + CALL_TIMEOUT_MS, run);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

export class PlanConflictError extends Error {
  override readonly name = 'PlanConflictError';
  constructor(deployment: string, { plan, version, worker }: PlanConflict) {
    super(
      `plan ${plan} version ${version} differs from the one that ${worker} of the deployment ${deployment} has: raise the version, or stop that worker first`,
    );
  }
}

/** Every start has one of its own: a process number, and in containers the host's name too, comes again. */
export const memberIdentity = (unique: string): string => `tribunal ${process.pid}@${hostname()}/${PROCESSES}${unique}`;

/** Four signs for whose process numbers these are: containers of one host name may each count their own. */
const PROCESSES = sha256(processSpace()).slice(0, 4);

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** A process of this machine that is no more; the server lists who polled for some minutes. */
function isGone(identity: string): boolean {
  const [, pid, host, unique] = /^tribunal (\d+)@(.+)\/([^/]*)$/.exec(identity) ?? [];
  if (pid === undefined || host !== hostname() || unique?.startsWith(PROCESSES) !== true) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
