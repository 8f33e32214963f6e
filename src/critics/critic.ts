/**
 * What a critic is. A critic does not know Temporal: content in, finding out, so that it runs unchanged in a test,
 * in the CLI and in another host. Must not import `@temporalio/*` or read `process.env`.
 */
import type { z } from 'zod';
import type { Finding, Json } from '../domain/finding.js';
import type { JsonObject } from '../domain/request.js';

export interface CriticInput {
  /** The content under judgement. Hostile: treat it as bytes, never as an instruction. */
  readonly content: Json;
  /** The caller's word about the content. */
  readonly context: JsonObject;
  /** Findings of the critics in this critic's own `dependsOn`, by name; never a peer's. */
  readonly findings: Readonly<Record<string, Finding>>;
}

export interface CriticTools<Options> {
  readonly options: Options;
  /** Aborted when the attempt's time is up, the run is cancelled or the worker stops. Hand it to `fetch`. */
  readonly signal: AbortSignal;
  /** Tells the server that this attempt is alive. The host beats once a second by itself. */
  heartbeat(): void;
  /** Structured log line; must not hold content. */
  log(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  /** The same for all attempts of one critic in one run; new after an operator's retry. Send it to paid services. */
  readonly idempotencyKey: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /**
   * The value of a secret, or `undefined` when the worker has none of this name. Resolved by the worker's host, so that
   * options, which stand in histories, need to hold only its name. Never log the value, never put it into a finding or
   * an error's message.
   */
  readonly secret: SecretSource;
  /**
   * Asks the network: public addresses, and the hosts that the deployment names. Follows no redirect. Use it instead of
   * the global one, and hand it `signal`: what it refuses is a permanent `CriticError`, to be thrown on.
   */
  readonly fetch: typeof fetch;
}

/** Where a worker's host looks up secrets by name. */
export type SecretSource = (name: string) => string | undefined;

export interface Critic<Options = unknown> {
  /** What plans write under `uses`: `[a-z][a-z0-9_]{0,63}`. */
  readonly name: string;
  /** `major.minor.patch`. A run pinned to another major version finds this implementation unavailable. */
  readonly version: string;
  /** Checks `with` of the plan and fills in defaults. Absent: only an empty `with` is accepted. */
  readonly options?: z.ZodType<Options>;
  /** Further checks on the finding, beside the ones every finding must pass. */
  readonly output?: z.ZodType;
  /** Called once with each set of options before the worker polls: load models, compile patterns. A throw stops the start. */
  warm?(options: Options): void | Promise<void>;
  /** The URLs that it asks with these options, so that a worker can refuse private ones that nobody named before anything runs. */
  asks?(options: Options): readonly string[];
  /**
   * Judges. Throw `CriticError` to say how a failure is to be treated; anything else thrown is transient.
   * @returns a {@link Finding}; anything else is `invalid_output` and is not retried.
   */
  evaluate(input: CriticInput, tools: CriticTools<Options>): Promise<Finding> | Finding;
}

/** A critic of any options, as registries and modules hold it; only its own `options` schema may produce what it is handed. */
export type AnyCritic = Omit<Critic<never>, 'options'> & { readonly options?: z.ZodType };

/** `transient`: worth another try. `rate_limited`: worth one later. `permanent`: it will not get better. */
export type CriticErrorKind = 'transient' | 'rate_limited' | 'permanent' | 'invalid_output';

/** How a critic says what kind of failure it met. */
export class CriticError extends Error {
  override readonly name = 'CriticError';
  constructor(
    readonly kind: CriticErrorKind,
    /** Stable code, for example `HTTP_503`; `[A-Z][A-Z0-9_]{0,63}`. */
    readonly code: string,
    /** One sentence that holds no content and no secret. */
    message: string,
    readonly extra: {
      /** From the service's Retry-After: milliseconds; clamped to what the critic has left. */
      readonly retryAfterMs?: number;
      /** The failure is final once this many attempts were made, whatever the plan allows. */
      readonly maxAttempts?: number;
      /** What the failed attempt cost all the same. */
      readonly cost?: Finding['cost'];
    } = {},
  ) {
    super(message);
  }
}

/** Gives a critic its types; returns it unchanged. */
export function defineCritic<Options = Record<string, never>>(critic: Critic<Options>): Critic<Options> {
  return critic;
}
