/** The Worker of one lane: its slots and its rate, and what runs there. */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { makeRunCritic, type LaneDeps } from '../activities/run-critic.js';
import { rateOf, slotsOf, type Lane } from './lanes.js';

/** Slots of a lane without limits: the SDK's own default, enough for critics that mostly wait for a network. */
const UNLIMITED_SLOTS = 100;
/** Enough to keep a lane's slots full at loopback and cloud latencies; more pollers only hold more idle requests open. */
const MAX_POLLERS = 5;
/** A poll lasts a minute when nothing comes; at a lower rate the next one would come too late to be seen as a poller's. */
const LEAST_POLLS_PER_SECOND = 1;

export async function makeLaneWorker(common: Omit<WorkerOptions, 'taskQueue'>, lane: Lane, deps: LaneDeps): Promise<Worker> {
  // No more than may run: a critic that was taken early would have left the server's order of priority and fairness.
  const slots = slotsOf(lane) ?? UNLIMITED_SLOTS;
  const rate = rateOf(lane);
  return await Worker.create({
    ...common,
    taskQueue: lane.queue,
    activities: { default: makeRunCritic(deps) },
    maxConcurrentActivityTaskExecutions: slots,
    // One poller with a rate: each parked poll could let one more start through at once. Empty polls count in its own rate, which
    // must not keep slow lanes from being polled: the queue's rate and the owner's places hold theirs.
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: rate === undefined ? Math.min(slots, MAX_POLLERS) : 1 },
    ...(rate !== undefined
      ? { maxTaskQueueActivitiesPerSecond: rate, maxActivitiesPerSecond: Math.max(rate, LEAST_POLLS_PER_SECOND) }
      : {}),
    // Beats of once a second reach the server as such; its patience is five.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
  });
}
