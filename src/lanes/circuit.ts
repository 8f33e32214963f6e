/**
 * When a lane whose provider keeps failing is paused, tried again and let go. Pure: what has ended and the time are handed in.
 *
 * C1 It only ever makes critics wait: what waits keeps its deadline, and no end of a critic is changed.
 * C2 Where somebody else has set a rate it does nothing.
 * C3 What began under an earlier state says nothing of this one: a lane that was let go begins with nothing counted.
 */
import type { AttemptClass } from '../domain/outcomes.js';
import { CIRCUIT, type QueueSetting } from './queue-setting.js';

export interface CircuitLimits {
  /** Failures are counted over so long. */
  readonly windowMs: number;
  /** Of fewer attempts no share is taken. */
  readonly leastEnded: number;
  /** The share of failures that pauses the lane, 0..1. */
  readonly failedShare: number;
  /** From the pause to the first probe. */
  readonly coolDownMs: number;
  readonly probesPerSecond: number;
}

const WINDOW_MS = 30_000;
const LEAST_ENDED = 10;
const FAILED_SHARE = 0.5;
const COOL_DOWN_MS = 10_000;
const PROBES_PER_SECOND = 0.2;

export const CIRCUIT_LIMITS: CircuitLimits = {
  windowMs: WINDOW_MS,
  leastEnded: LEAST_ENDED,
  failedShare: FAILED_SHARE,
  coolDownMs: COOL_DOWN_MS,
  probesPerSecond: PROBES_PER_SECOND,
};

/** One attempt that asked the service and has ended. */
export interface EndedAttempt {
  readonly class: AttemptClass;
  readonly code?: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** `held`: by somebody else. */
export type CircuitState = 'closed' | 'open' | 'probing' | 'held';

export type CircuitMove =
  | { readonly to: 'open' | 'probing'; readonly rate: number; readonly reason: string }
  | { readonly to: 'closed'; readonly reason: string };

export function circuitState({ rate, by }: QueueSetting): CircuitState {
  if (rate === undefined) return 'closed';
  if (by !== CIRCUIT) return 'held';
  return rate === 0 ? 'open' : 'probing';
}

/**
 * @param since when this process saw the state first, by the clock of the attempts.
 * @param reason with which the lane was paused, carried on by the probes.
 */
export function circuitMove(
  { state, since, reason = '' }: { readonly state: CircuitState; readonly since: number; readonly reason?: string },
  attempts: readonly EndedAttempt[],
  now: number,
  limits: CircuitLimits = CIRCUIT_LIMITS,
): CircuitMove | undefined {
  const counted = attempts.filter((attempt) => attempt.startedAt >= since && COUNTED.has(attempt.class));
  switch (state) {
    case 'held':
      return undefined;
    case 'closed':
      return trip(
        counted.filter((attempt) => attempt.endedAt > now - limits.windowMs),
        limits,
      );
    case 'open':
      return now - since < limits.coolDownMs ? undefined : { to: 'probing', rate: limits.probesPerSecond, reason };
    case 'probing': {
      // Also an answer that is no finding: the service is there, and what it says is the critic's affair.
      const answered = counted.find((attempt) => !isFailure(attempt));
      return answered === undefined ? undefined : { to: 'closed', reason: 'a probe was answered' };
    }
  }
}

/** Ends that tell whether the service is there; a worker that was lost, or a critic that was cancelled, says nothing of it. */
const COUNTED: ReadonlySet<AttemptClass> = new Set(['ok', 'transient', 'rate_limited', 'timed_out', 'permanent', 'invalid_output']);
const FAILURES: ReadonlySet<AttemptClass> = new Set(['transient', 'rate_limited', 'timed_out']);
const isFailure = (attempt: EndedAttempt): boolean => FAILURES.has(attempt.class);

function trip(attempts: readonly EndedAttempt[], { windowMs, leastEnded, failedShare }: CircuitLimits): CircuitMove | undefined {
  const failed = attempts.filter(isFailure);
  if (attempts.length < leastEnded || failed.length < attempts.length * failedShare) return undefined;
  const counts = new Map<string, number>();
  for (const { code = 'no code' } of failed) counts.set(code, (counts.get(code) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a).map(([code]) => code);
  const of = `${failed.length} of ${attempts.length} attempts failed in ${windowMs / 1_000} s`;
  return { to: 'open', rate: 0, reason: most === undefined ? of : `${of} (${most} most)` };
}
