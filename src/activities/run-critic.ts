/**
 * The activity behind every remote critic: one attempt, from the queue to a clean result or a clean failure.
 * Whatever the critic throws, what leaves here is a failure of ours: fixed type, short message, no stack, no cause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context, type Info } from '@temporalio/activity';
import type { AttemptFailure, Beat, RunCriticInput, RunCriticOutput } from '../contract.js';
import { runAttempt, type AttemptEnd, type AttemptHost, type CallCritic } from '../critics/attempt.js';
import type { SecretSource } from '../critics/critic.js';
import type { CriticRegistry } from '../critics/registry.js';
import type { CriticThread, CriticThreads } from '../critics/threads/threads.js';
import { MAX_MESSAGE_CHARS } from '../domain/finding.js';
import { FAILURE_TYPES } from '../domain/errors.js';
import type { AttemptRecord, Held } from '../domain/outcomes.js';
import { toldBeat } from '../domain/told.js';
import { deferred } from '../deferred.js';
import { sha256 } from '../digest.js';
import type { Budgets } from '../lanes/budgets.js';
import type { EndedAttempt } from '../lanes/circuit.js';
import type { Lease } from '../lanes/lease.js';
import type { Take } from '../places.js';

/** Beats are this far apart; the first comes after it, so that a short critic sends none. The server's patience is five of them. */
const BEAT_MS = 1000;

/** How long a critic that was told to stop keeps its place at most: one that obeys needs milliseconds. */
const LINGER_MS = 1_000;

/** An attempt that the deadline cuts ends this much before it, so that its account comes before the server closes the activity. */
const ACCOUNT_MS = 50;

/** What a lane keeps of its critics, for people who look at it and for its circuit. */
export interface LaneLog {
  /** One critic more. @returns the function that counts it no more. */
  count(what: 'running' | 'waiting'): () => void;
  /** The pause under which a critic waited in this time, if there was one. */
  held(from: number, to: number): Held | undefined;
  /** One attempt that had its whole time to ask and to be answered. */
  ended(attempt: EndedAttempt): void;
}

export interface LaneDeps {
  readonly registry: CriticRegistry;
  readonly secrets: SecretSource;
  /** What critics ask the network with. */
  readonly fetch: typeof fetch;
  /** Limits of the lane, taken narrow before wide. */
  readonly budgets: Budgets;
  /** Of a lane that one process at a time owns. */
  readonly lease?: Pick<Lease, 'lost' | 'over' | 'sentBack' | 'isValid'>;
  /** For critics whose plan says `isolation: thread`. */
  readonly threads: CriticThreads;
  readonly log?: LaneLog;
}

export function makeRunCritic({ budgets, lease, threads, ...tools }: LaneDeps): (input: RunCriticInput) => Promise<RunCriticOutput> {
  return async function runCritic(input) {
    const context = Context.current();
    const attempt = beginAttempt(context);
    const stop = anyOf(context.cancellationSignal, lease?.lost);
    const stopWaiting = anyOf(stop.signal, lease?.sentBack);
    const beating = setInterval(() => context.heartbeat(attempt.beat()), BEAT_MS);
    try {
      // Handed back at once it might come again and again, and each time would cost an attempt.
      if (lease?.isValid() === false) {
        const over = anyOf(lease.over, context.cancellationSignal);
        await over.fired.finally(over.letGo);
        throw stopped(context, attempt);
      }
      // As the server ranks it, which also knows background work from interactive.
      const priority = context.info.priority?.priorityKey ?? input.critic.priority;
      // Whoever has to wait says so at once: a deadline that comes before the first beat must not look like one that cut a run.
      const waiting = setImmediate(() => context.heartbeat(attempt.beat()));
      const waits = tools.log?.count('waiting');
      const place = await takePlace({ budgets, threads }, input.critic, priority, stopWaiting.signal).finally(() => {
        waits?.();
        clearImmediate(waiting);
      });
      if (place === undefined) throw stopped(context, attempt);
      const runs = tools.log?.count('running');
      let isFree: Promise<unknown> = Promise.resolve();
      const leftBehind = (ended: Promise<unknown>): void => {
        isFree = Promise.race([ended, sleep(LINGER_MS, undefined, { ref: false })]);
      };
      try {
        // The last look before it starts: a process that was frozen may not know yet that its lanes have another owner.
        if (lease?.isValid() === false) throw stopped(context, attempt);
        attempt.start(tools.log?.held(context.info.currentAttemptScheduledTimestampMs, Date.now()));
        return await judge(context, { ...tools, ...place, signal: stop.signal, leftBehind }, input, attempt);
      } finally {
        const release = (): void => {
          runs?.();
          place.release();
        };
        // What it was told to stop has its place until it has: the next one would be one too many.
        void isFree.then(release, release);
      }
    } finally {
      clearInterval(beating);
      stop.letGo();
      stopWaiting.letGo();
    }
  };
}

/** Fires with the first of these. By hand: what `AbortSignal.any` makes is kept for as long as the lease is, and that may be weeks. */
function anyOf(...given: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  readonly fired: Promise<void>;
  readonly letGo: () => void;
} {
  const signals = given.filter((signal) => signal !== undefined);
  const controller = new AbortController();
  const fired = deferred<void>();
  const fire = (): void => {
    controller.abort();
    fired.resolve();
  };
  for (const signal of signals) signal.addEventListener('abort', fire, { once: true });
  if (signals.some((signal) => signal.aborted)) fire();
  const letGo = (): void => signals.forEach((signal) => signal.removeEventListener('abort', fire));
  return { signal: controller.signal, fired: fired.promise, letGo };
}

interface Place {
  /** Where the critic is called, if not here. */
  readonly callElsewhere?: CallCritic;
  release(): void;
}

/** What an attempt waits for before its time runs. `undefined` when the signal fired before it had all of it. */
async function takePlace(
  { budgets, threads }: Pick<LaneDeps, 'budgets' | 'threads'>,
  { isolation }: RunCriticInput['critic'],
  priority: number,
  signal: AbortSignal,
): Promise<Place | undefined> {
  let thread: CriticThread | undefined;
  const takeThread: Take = async () => {
    thread = await threads.take(priority, signal);
    return thread && (() => thread?.release());
  };
  const release = await budgets.acquire(priority, signal, isolation === undefined ? undefined : takeThread);
  return release && { release, ...(thread !== undefined ? { callElsewhere: thread.call } : {}) };
}

interface Attempt {
  /** Milliseconds until the server closes the activity; none when it has. */
  leftMs(): number;
  start(held: Held | undefined): void;
  beat(): Beat;
  /** This attempt's record, behind those of the earlier attempts. */
  end(record: Pick<AttemptRecord, 'class' | 'code' | 'cost'>): { attempts: AttemptRecord[]; startedAt: number; endedAt: number };
}

function beginAttempt(context: Context): Attempt {
  const { info } = context;
  const arrivedAt = performance.now();
  // The server hands out nothing that it has closed: what came too late by this machine's clock tells that the clock is ahead.
  const left = leftMs(info);
  const leftAtArrival = left > 0 ? left : wholeMs(info);
  const last = toldBeat(info.heartbeatDetails);
  const earlier = [...(last?.attempts ?? [])];
  // An attempt that left no record died with its process.
  while (earlier.length < info.attempt - 1) earlier.push({ class: 'worker_lost', queuedMs: 0, ranMs: 0, code: 'WORKER_LOST' });
  let startedAt: number | undefined;
  let heldBy: Held | undefined;
  let firstStart = last?.startedAt;
  return {
    leftMs: () => leftAtArrival - (performance.now() - arrivedAt),
    start(held) {
      startedAt = Date.now();
      heldBy = held;
      firstStart ??= startedAt;
    },
    beat: () => ({
      attempts: earlier,
      ...(firstStart !== undefined ? { startedAt: firstStart } : {}),
      ...(startedAt !== undefined ? { runningSince: startedAt } : { waiting: true }),
    }),
    end(record) {
      const endedAt = Date.now();
      const began = startedAt ?? endedAt;
      const queuedMs = Math.max(0, began - info.currentAttemptScheduledTimestampMs);
      const held = heldBy !== undefined ? { held: heldBy } : {};
      return {
        attempts: [...earlier, { ...record, queuedMs, ranMs: Math.max(0, endedAt - began), startedAt: began, ...held }],
        startedAt: firstStart ?? began,
        endedAt,
      };
    },
  };
}

async function judge(
  context: Context,
  {
    registry,
    secrets,
    fetch,
    log,
    signal,
    leftBehind,
    callElsewhere,
  }: Omit<LaneDeps, 'budgets' | 'lease' | 'threads'> & Place & Pick<AttemptHost, 'signal' | 'leftBehind'>,
  input: RunCriticInput,
  attempt: Attempt,
): Promise<RunCriticOutput> {
  const { info } = context;
  const { critic } = input;
  const left = attempt.leftMs() - ACCOUNT_MS;
  const timeUp: AttemptEnd = {
    ok: false,
    class: 'timed_out',
    code: 'CRITIC_TIMEOUT',
    message: 'all attempts together passed the time-out',
  };
  // It waited for its place until the server closed it: nobody would read what it costs to ask now.
  if (left <= 0) throw attemptFailed(context, input, timeUp, attempt);
  const startedAt = Date.now();
  const end = await runAttempt(
    registry,
    critic,
    { content: input.content, context: input.context, findings: input.findings },
    {
      signal,
      heartbeat: () => context.heartbeat(attempt.beat()),
      log: (message, fields) => context.log.info(message.slice(0, MAX_MESSAGE_CHARS), fields),
      idempotencyKey: idempotencyKey(info),
      attempt: info.attempt,
      secret: secrets,
      fetch,
      tenant: input.tenant,
      riskTier: input.riskTier,
      size: input.size,
      ...(leftBehind !== undefined ? { leftBehind } : {}),
      ...(callElsewhere !== undefined ? { callElsewhere } : {}),
    },
    Math.min(critic.attemptTimeoutMs, left),
  );
  const isCutByDeadline = !end.ok && end.class === 'timed_out' && left < critic.attemptTimeoutMs;
  // One that the deadline has cut had less time than the service may take.
  if (!isCutByDeadline)
    log?.ended({ ...(end.ok ? { class: 'ok' } : { class: end.class, code: end.code }), startedAt, endedAt: Date.now() });
  if (end.ok) {
    const cost = end.finding.cost !== undefined ? { cost: end.finding.cost } : {};
    return { outcome: 'succeeded', finding: end.finding, ...attempt.end({ class: 'ok', ...cost }) };
  }
  if (end.class === 'cancelled') throw stopped(context, attempt);
  throw attemptFailed(context, input, isCutByDeadline ? timeUp : end, attempt);
}

/** The same for all attempts of one critic in one run, also when the walk schedules it once more. */
function idempotencyKey(info: Info): string {
  return sha256(`${info.workflowExecution?.runId ?? ''}/${info.activityId.replace(/#2$/, '')}`);
}

const wholeMs = (info: Info): number => info.scheduleToCloseTimeoutMs || Number.POSITIVE_INFINITY;

/** Milliseconds until the server closes this activity, by this machine's clock; none when it has. */
function leftMs(info: Info): number {
  const { attempt, scheduledTimestampMs: first, currentAttemptScheduledTimestampMs: current } = info;
  // After a reset the server counts afresh, but goes on telling when the activity was scheduled in the run before.
  const since = attempt === 1 || current > first + wholeMs(info) ? current : first;
  return since + wholeMs(info) - Date.now();
}

function attemptFailed(
  context: Context,
  input: RunCriticInput,
  end: Extract<AttemptEnd, { ok: false }>,
  attempt: Attempt,
): ApplicationFailure {
  const ended = attempt.end({ class: end.class, code: end.code, ...(end.cost !== undefined ? { cost: end.cost } : {}) });
  const { outcome, type } = OUTCOME_OF[end.class];
  const isWorthAnother =
    end.class === 'transient' ||
    end.class === 'rate_limited' ||
    (end.class === 'timed_out' && end.code === 'ATTEMPT_TIMEOUT' && input.critic.retryOnTimeout);
  const retryable = isWorthAnother && context.info.attempt < (end.maxAttempts ?? Number.POSITIVE_INFINITY);
  const details: AttemptFailure = { outcome, code: end.code, ...ended };
  // Workflow and history see only the last attempt; the beat carries this one's record to the next.
  if (retryable) context.heartbeat({ attempts: ended.attempts, startedAt: ended.startedAt } satisfies Beat);
  return withoutStack(
    ApplicationFailure.create({
      type,
      message: end.message,
      nonRetryable: !retryable,
      details: [details],
      ...(end.retryAfterMs !== undefined ? { nextRetryDelay: Math.max(1, Math.min(end.retryAfterMs, attempt.leftMs())) } : {}),
    }),
  );
}

/** The stack is always this file's: it tells nobody anything, and histories would hold the paths of the machine. */
function withoutStack(failure: ApplicationFailure): ApplicationFailure {
  failure.stack = '';
  return failure;
}

const OUTCOME_OF = {
  transient: { outcome: 'failed', type: FAILURE_TYPES.criticFailed },
  rate_limited: { outcome: 'failed', type: FAILURE_TYPES.criticFailed },
  permanent: { outcome: 'failed', type: FAILURE_TYPES.criticFailed },
  timed_out: { outcome: 'timed_out', type: FAILURE_TYPES.criticTimedOut },
  invalid_output: { outcome: 'invalid_output', type: FAILURE_TYPES.criticInvalidOutput },
  unavailable: { outcome: 'unavailable', type: FAILURE_TYPES.criticUnavailable },
  cancelled: { outcome: 'worker_lost', type: FAILURE_TYPES.criticFailed },
} as const satisfies Record<Extract<AttemptEnd, { ok: false }>['class'], { outcome: AttemptFailure['outcome']; type: string }>;

/**
 * The signal fired. When the server asked for it, nobody reads the answer. When this worker stops, another one has to
 * take over: the attempt counts as lost with its process, and is worth another.
 */
function stopped(context: Context, attempt: Attempt): ApplicationFailure {
  const ended = attempt.end({ class: 'worker_lost', code: 'WORKER_LOST' });
  const details: AttemptFailure = { outcome: 'worker_lost', code: 'WORKER_LOST', ...ended };
  context.heartbeat({ attempts: ended.attempts, startedAt: ended.startedAt } satisfies Beat);
  return withoutStack(
    ApplicationFailure.create({
      type: FAILURE_TYPES.criticFailed,
      message: 'the worker stopped while the critic ran',
      details: [details],
      nextRetryDelay: 1,
    }),
  );
}
