/**
 * Every activity call of an evaluation with its time-outs, retries and their reasons, and what its failure means.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  TimeoutFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { EvaluationActivities, LocalBatchInput, LocalBatchResult, OpenResult, RunCriticInput, RunCriticOutput } from '../contract.js';
import { MAX_MESSAGE_CHARS } from '../domain/finding.js';
import type { AttemptRecord, CriticResult } from '../domain/outcomes.js';
import type { PlanCritic } from '../domain/plan.js';
import { GAP_SLACK_MS } from '../domain/used-time.js';
import { toldBeat, toldFailure, toldSuccess } from '../domain/told.js';
import { laneOf, stageLabel } from '../lanes/lanes.js';
import type { CriticCall } from './walk.js';

/** Local activities: once. They catch what critics do; a second try would repeat a whole batch for a bug. */
const ONCE = { maximumAttempts: 1 };

/** A batch ends itself within its slice and the critics' time-outs; this bounds one whose process is blocked. */
const BATCH_TIMEOUT_MS = 60_000;
/** Time for a batch to cut its critics at the evaluation's deadline and to answer. */
const BATCH_SLACK_MS = 1_000;

/** A process that died or froze is noticed after this; the adapter beats once a second, so four beats may be lost. */
const HEARTBEAT_TIMEOUT_MS = 5_000;

/** One look at the server; a critic that never started is unavailable all the same when it cannot be had. */
const INSPECT_TIMEOUT_MS = 5_000;

/** Longest back-off: exponential ones are cut by the critic's own time-out long before. */
const MAX_BACKOFF_MS = 24 * 3_600_000;

export const { openEvaluation } = proxyLocalActivities<EvaluationActivities>({
  startToCloseTimeout: BATCH_TIMEOUT_MS,
  retry: ONCE,
});

/** Hands back what it gets: more than one attempt costs nothing, and without it a cancelled evaluation has no report. */
export const { recordPartialReport } = proxyLocalActivities<EvaluationActivities>({
  startToCloseTimeout: INSPECT_TIMEOUT_MS,
  retry: { maximumAttempts: 3 },
});

const { inspectLane } = proxyLocalActivities<EvaluationActivities>({ startToCloseTimeout: INSPECT_TIMEOUT_MS, retry: ONCE });

/** Runs local critics, from the stage that is under way. */
export async function callBatch(batch: LocalBatchInput): Promise<LocalBatchResult> {
  const summary = batch.state.stage === undefined ? {} : { summary: stageLabel(batch.state.stage) };
  const leftMs = Math.max(0, batch.plan.timeouts.globalMs - batch.state.usedMs);
  const startToCloseTimeout = Math.min(BATCH_TIMEOUT_MS, Math.ceil(leftMs) + BATCH_SLACK_MS);
  const { runLocalCritics } = proxyLocalActivities<EvaluationActivities>({ startToCloseTimeout, retry: ONCE, ...summary });
  return await runLocalCritics(batch);
}

/** What a local activity failed with: the SDK throws it as it is, where it wraps the failure of a remote one. */
export const localCause = (error: unknown): unknown => (error instanceof ActivityFailure ? error.cause : error);

type Priority = NonNullable<ActivityOptions['priority']>;

type LaneActivities = Record<string, (input: RunCriticInput) => Promise<RunCriticOutput>>;

/** Runs a remote critic to its end. Rejects only when the call was cancelled. */
export async function callCritic(call: CriticCall, opened: OpenResult, input: RunCriticInput, background: boolean): Promise<CriticResult> {
  const lane = laneOf(opened.deployment, opened.plan, call.critic);
  const options = laneOptions(call, lane, priorityOf(call.critic, opened, background));
  const activityId = `${call.critic.stage}/${call.critic.name}`;
  const begun = Date.now();
  const first = await attemptAll({ ...options, activityId }, input);
  if (first.kind === 'settled') return first.result;
  if (first.kind === 'never_started') return await neverStarted(lane, first.result);
  // The last attempt died with its process, which is not the critic's doing: one more attempt, in the time that is left.
  const leftMs = timeLeft(call.scheduleToCloseMs, Date.now() - begun);
  if (leftMs <= 0) return { ...first.result, cut: 'deadline' };
  const once = { ...options, scheduleToCloseTimeout: leftMs, retry: ONCE };
  const second = await attemptAll({ ...once, activityId: `${activityId}#2` }, input);
  // Nobody took it up again in time: it began, and was lost.
  if (second.kind === 'never_started') return { ...first.result, cut: 'deadline' };
  const startedAt = first.result.startedAt !== undefined ? { startedAt: first.result.startedAt } : {};
  return { ...second.result, ...startedAt, attempts: [...first.result.attempts, ...second.result.attempts] };
}

/** A longer gap than the time-out itself was an outage or a reset, not time used. */
const timeLeft = (limitMs: number, goneMs: number): number => (goneMs > limitMs + GAP_SLACK_MS ? limitMs : limitMs - goneMs);

function laneOptions(call: CriticCall, taskQueue: string, priority: Priority): ActivityOptions {
  const { critic } = call;
  return {
    taskQueue,
    summary: stageLabel(critic.stage),
    priority,
    scheduleToCloseTimeout: call.scheduleToCloseMs,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // The verdict does not wait for a critic that is told to stop.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: {
      maximumAttempts: critic.maxRetries + 1,
      initialInterval: critic.retryBackoffBase * 1000,
      backoffCoefficient: critic.retryBackoffBase,
      maximumInterval: MAX_BACKOFF_MS,
    },
  };
}

/** Within a level tenants are served in turn, by weight; what the server goes by is said here, not left to what it inherits. */
function priorityOf(critic: PlanCritic, { facts, priorityLevels, fairnessWeight }: OpenResult, background: boolean): Priority {
  const weight = fairnessWeight !== undefined ? { fairnessWeight } : {};
  return { priorityKey: priorityKey(critic, background, priorityLevels), fairnessKey: facts.tenant, ...weight };
}

/** Background work never starts before waiting interactive work; five-level servers share a level between two priorities. */
function priorityKey(critic: PlanCritic, background: boolean, levels: 5 | 10): number {
  if (levels === 10) return background ? 10 : Math.min(critic.priority, 9);
  return background ? 5 : Math.min(Math.ceil(critic.priority / 2), 4);
}

type Ended = { readonly kind: 'settled' | 'never_started' | 'worker_lost'; readonly result: CriticResult };

function attemptAll(options: ActivityOptions, input: RunCriticInput): Promise<Ended> {
  const run = proxyActivities<LaneActivities>(options)[input.critic.name];
  if (run === undefined) throw ApplicationFailure.nonRetryable('no activity of this name');
  return run(input).then(endedByOutput, endedByError);
}

function endedByOutput(output: RunCriticOutput): Ended {
  const told = toldSuccess(output);
  if (typeof told !== 'string') return settled(told);
  return settled({ outcome: 'invalid_output', attempts: [], code: 'NOT_A_FINDING', message: told });
}

const settled = (result: CriticResult): Ended => ({ kind: 'settled', result });

function endedByError(error: unknown): Ended {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause, retryState } = error;
  // A cancellation that nobody here asked for came from outside, and is one critic's end.
  if (cause instanceof CancelledFailure && CancellationScope.current().consideredCancelled) throw error;
  if (cause instanceof TimeoutFailure) return endedByTimeout(cause, retryState);
  const failure = cause instanceof ApplicationFailure ? toldFailure(cause.details?.[0]) : undefined;
  if (failure === undefined)
    return settled({
      outcome: 'failed',
      attempts: [],
      code: 'CRITIC_ERROR',
      message: 'the attempt ended in a way the adapter does not know',
    });
  const { outcome, code, attempts, startedAt, endedAt } = failure;
  const times = { ...(startedAt !== undefined ? { startedAt } : {}), ...(endedAt !== undefined ? { endedAt } : {}) };
  // The server gave up because the next back-off would pass the time-out, not because the attempts were used up.
  const cut = retryState === 'TIMEOUT' || code === 'CRITIC_TIMEOUT' ? { cut: 'deadline' as const } : {};
  const result = { attempts, code, message: (cause?.message ?? '').slice(0, MAX_MESSAGE_CHARS), ...times, ...cut };
  if (outcome !== 'worker_lost') return settled({ outcome, ...result });
  return { kind: retryState === 'TIMEOUT' ? 'settled' : 'worker_lost', result: { outcome: 'failed', ...result } };
}

function endedByTimeout(cause: TimeoutFailure, retryState: ActivityFailure['retryState']): Ended {
  const beat = toldBeat(cause.lastHeartbeatDetails);
  const attempts = beat?.attempts ?? [];
  const startedAt = beat?.startedAt !== undefined ? { startedAt: beat.startedAt } : {};
  if (cause.timeoutType === 'SCHEDULE_TO_START') return { kind: 'never_started', result: { outcome: 'not_reached', attempts } };
  if (cause.timeoutType === 'HEARTBEAT') {
    const lost: AttemptRecord = { class: 'worker_lost', queuedMs: 0, ranMs: 0, code: 'WORKER_LOST' };
    const message = 'the worker process died or froze while the critic ran';
    const result: CriticResult = { outcome: 'failed', attempts: [...attempts, lost], code: 'WORKER_LOST', message, ...startedAt };
    return retryState === 'TIMEOUT' ? settled({ ...result, cut: 'deadline' }) : { kind: 'worker_lost', result };
  }
  if (beat?.waiting === true && beat.attempts.length === 0) {
    return settled({ outcome: 'not_reached', attempts, code: 'DEADLINE', message: 'the deadline came while it waited for a free place' });
  }
  // What an attempt leaves behind that is worth another tells neither that it runs nor that it waits.
  const isBetween = attempts.length > 0 && beat?.waiting !== true && beat?.runningSince === undefined;
  const ran = beat?.waiting !== true && !isBetween;
  const last: AttemptRecord[] = ran ? [{ class: 'timed_out', queuedMs: 0, ranMs: 0, code: 'CRITIC_TIMEOUT' }] : [];
  const message = 'all attempts together passed the time-out';
  return settled({
    outcome: 'timed_out',
    attempts: [...attempts, ...last],
    code: 'CRITIC_TIMEOUT',
    message,
    cut: 'deadline',
    ...startedAt,
  });
}

/** It waited in its queue until its time was up: is there nobody to take it, or was it just not its turn? */
async function neverStarted(lane: string, result: CriticResult): Promise<CriticResult> {
  let pollers: number;
  try {
    ({ pollers } = await inspectLane(lane));
  } catch (error) {
    if (isCancellation(error)) throw error;
    return {
      ...result,
      outcome: 'unavailable',
      code: 'NO_WORKER',
      message: `nobody took it, and whether a worker polls its lane ${lane} could not be found out`,
    };
  }
  if (pollers > 0)
    return { ...result, outcome: 'not_reached', code: 'DEADLINE', message: 'the deadline came while it waited in its queue' };
  return { ...result, outcome: 'unavailable', code: 'NO_WORKER', message: `no worker polls its lane ${lane}` };
}
