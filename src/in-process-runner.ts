/**
 * Runs the implementations of a registry for `evaluateInProcess`: one attempt each, under the time-outs of the plan.
 * Knows no Temporal. What a worker adds (retries, lanes, limits) is not here.
 */
import { randomUUID } from 'node:crypto';
import { runAttempt } from './critics/attempt.js';
import type { SecretSource } from './critics/critic.js';
import { makeGuardedFetch } from './critics/network/guarded-fetch.js';
import { resultOfOnly } from './critics/only-attempt.js';
import type { CriticRegistry } from './critics/registry.js';
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
    return resultOfOnly(end, { queuedMs: 0, ranMs: performance.now() - begun, startedAt }, { startedAt, endedAt: Date.now() });
  };
}
