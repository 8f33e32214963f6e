/**
 * Runs the implementations of a registry for `evaluateInProcess`: one attempt each, under the time-outs of the plan.
 * Knows no Temporal. What a worker adds (retries, lanes, limits) is not here.
 */
import { randomUUID } from 'node:crypto';
import { runAttempt, type AttemptEnd } from './critics/attempt.js';
import type { SecretSource } from './critics/critic.js';
import { makeGuardedFetch } from './critics/guarded-fetch.js';
import type { CriticRegistry } from './critics/registry.js';
import type { AttemptClass, CriticOutcome, CriticResult } from './domain/outcomes.js';
import type { RunCritic } from './in-process.js';

export interface RunnerOptions {
  readonly registry: CriticRegistry;
  /** Default: none is known. */
  readonly secrets?: SecretSource;
  /** Hosts that critics may ask although their addresses are private. Default: none. */
  readonly hosts?: readonly string[];
}

export function registryRunner({ registry, secrets = () => undefined, hosts = [] }: RunnerOptions): RunCritic {
  const fetch = makeGuardedFetch({ hosts });
  return async (critic, findings, { content, facts, leftMs, signal }) => {
    const startedAt = Date.now();
    const begun = performance.now();
    const end = await runAttempt(
      registry,
      critic,
      { content, context: facts.context, findings },
      {
        signal,
        heartbeat: () => undefined,
        log: () => undefined,
        idempotencyKey: randomUUID(),
        attempt: 1,
        secret: secrets,
        fetch,
        tenant: facts.tenant,
        riskTier: facts.riskTier,
        size: facts.size,
      },
      Math.min(critic.attemptTimeoutMs, critic.timeoutMs ?? Number.POSITIVE_INFINITY, leftMs),
    );
    return resultOf(end, { startedAt, endedAt: Date.now() }, performance.now() - begun);
  };
}

/** What one attempt came to, as the end of its critic. */
function resultOf(end: AttemptEnd, times: { readonly startedAt: number; readonly endedAt: number }, ranMs: number): CriticResult {
  const ran = { queuedMs: 0, ranMs, startedAt: times.startedAt };
  if (end.ok) {
    const cost = end.finding.cost !== undefined ? { cost: end.finding.cost } : {};
    return { outcome: 'succeeded', finding: end.finding, attempts: [{ class: 'ok', ...ran, ...cost }], ...times };
  }
  const attempt = { class: end.class, code: end.code, ...ran, ...(end.cost !== undefined ? { cost: end.cost } : {}) };
  return { outcome: OUTCOME_OF[end.class], attempts: [attempt], code: end.code, message: end.message, ...times };
}

const OUTCOME_OF = {
  transient: 'failed',
  rate_limited: 'failed',
  permanent: 'failed',
  timed_out: 'timed_out',
  invalid_output: 'invalid_output',
  unavailable: 'unavailable',
  cancelled: 'cancelled',
} as const satisfies Record<Exclude<AttemptClass, 'ok' | 'worker_lost'>, CriticOutcome>;
