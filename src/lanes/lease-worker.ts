/**
 * The Worker that stands by for lanes to own. It polls only once the deployment knows what this process brings, so that
 * no lanes are handed out which it would tie to others.
 */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { leaseQueue, type LeaseActivities } from '../contract.js';
import type { OneWorker } from '../run-workers.js';
import type { Membership } from './membership.js';

/** Groups of lanes that one process may own; an owner that is alone must be able to own them all. */
const MAX_GROUPS = 1_000;

export class LeaseWorker implements OneWorker {
  #worker: Worker | undefined;
  #isStopped = false;

  constructor(
    readonly deployment: string,
    readonly common: Omit<WorkerOptions, 'taskQueue'>,
    readonly activities: LeaseActivities,
    readonly membership: Membership,
  ) {}

  async run(): Promise<void> {
    await this.membership.join();
    if (this.#isStopped) return;
    const worker = await Worker.create({
      ...this.common,
      taskQueue: leaseQueue(this.deployment),
      activities: { ...this.activities },
      maxConcurrentActivityTaskExecutions: MAX_GROUPS,
      activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
      // Whoever owns lanes is told at once to give them back; that takes as long as its critics do.
      shutdownGraceTime: 0,
    });
    this.#worker = worker;
    const running = worker.run();
    if (this.isStopped()) worker.shutdown();
    // Without its Workers a process is no member: one that stayed would be counted on for ever.
    await Promise.all([running.finally(() => this.membership.stop()), this.membership.stay()]);
  }

  /** Whether the deployment knows this process; until then it owns nothing, and is not ready. */
  get hasJoined(): boolean {
    return this.#worker !== undefined;
  }

  getState(): ReturnType<Worker['getState']> {
    return this.#worker?.getState() ?? 'RUNNING';
  }

  shutdown(): void {
    this.#isStopped = true;
    this.membership.stop();
    if (this.#worker?.getState() === 'RUNNING') this.#worker.shutdown();
  }

  /** Anew each time: it may have been stopped while the Worker was made. */
  isStopped(): boolean {
    return this.#isStopped;
  }
}
