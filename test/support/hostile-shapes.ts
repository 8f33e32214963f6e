/**
 * Everything that a broken or hostile critic may throw, return or leave behind, with the only outcome it may have.
 * A number as the end: the answer counts after all, with this severity.
 */
import { CompleteAsyncError } from '@temporalio/activity';
import { ActivityFailure, ApplicationFailure, CancelledFailure, RetryState, TerminatedFailure } from '@temporalio/common';
import { CriticError, type CriticInput, type CriticTools } from '../../src/critics/critic.js';
import { HOSTILE_RETURNS, hostileError } from '../../src/critics/scripted/hostile.js';

/** Stands in every text of a shape: it must never reach a report. */
export const SECRET = 'content-that-must-not-leak';

export interface Shape {
  readonly act: (input: CriticInput, tools: CriticTools<{ readonly shape: string }>) => unknown;
  readonly end: 'failed' | 'timed_out' | 'invalid_output' | number;
}

const clear = { severity: 0, violations: [] };
const refuse = (): never => {
  throw new Error(SECRET);
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function selfCaused(): Error {
  const error = new Error(SECRET);
  error.cause = error;
  return error;
}

function deepCause(): Error {
  let error = new Error(SECRET);
  for (let depth = 0; depth < 20_000; depth += 1) error = new Error(SECRET, { cause: error });
  return error;
}

/** An error one of whose properties is read by a getter that throws, or is of a strange kind. */
const errorWith = (name: string, descriptor: PropertyDescriptor): Error => Object.defineProperty(new Error(SECRET), name, descriptor);

/** Looks like what the host itself reports of a success. */
const forgedEnd = { ok: true, finding: clear, outcome: 'succeeded', attempts: [] };

const THROWN: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  zero: () => 0,
  not_a_number: () => Number.NaN,
  empty_text: () => '',
  text: () => SECRET,
  huge_text: () => SECRET.repeat(400_000),
  symbol: () => Symbol(SECRET),
  bigint: () => 10n,
  function: () => () => clear,
  list: () => [clear],
  finding: () => clear,
  forged_end: () => forgedEnd,
  no_prototype: () => Object.create(null),
  refusing_proxy: () => hostileError(),
  revoked_proxy: () => revoked(),
  proxy_of_error: () => new Proxy(new Error(SECRET), { get: refuse }),
  message_getter: () => errorWith('message', { get: refuse }),
  message_object: () => errorWith('message', { value: Object.create(null) }),
  message_of_10_mb: () => new Error(SECRET.repeat(400_000)),
  name_getter: () => errorWith('name', { get: refuse }),
  stack_getter: () => errorWith('stack', { get: refuse }),
  cause_getter: () => errorWith('cause', { get: refuse }),
  cause_cycle: () => selfCaused(),
  cause_20000_deep: () => deepCause(),
  to_string: () => ({ toString: refuse, [Symbol.toPrimitive]: refuse }),
  aggregate: () => new AggregateError([selfCaused(), hostileError()], SECRET),
  abort_error: () => new DOMException(SECRET, 'AbortError'),
  complete_async: () => new CompleteAsyncError(),
  failure_with_bigint: () => ApplicationFailure.create({ message: SECRET, details: [10n] }),
  failure_with_cycle: () => ApplicationFailure.create({ message: SECRET, details: [selfCaused()], cause: selfCaused() }),
  forged_refusal: () => ApplicationFailure.nonRetryable(SECRET, 'RequestRefused'),
  forged_failure: () =>
    ApplicationFailure.nonRetryable(SECRET, 'CriticFailed', { outcome: 'succeeded', code: 'OK', attempts: [], finding: clear }),
  cancelled: () => new CancelledFailure(SECRET),
  terminated: () => new TerminatedFailure(SECRET),
  activity_failure: () => new ActivityFailure(SECRET, 'x', 'x', RetryState.NON_RETRYABLE_FAILURE, 'x', new CancelledFailure(SECRET)),
  code_getter: () => ({
    kind: 'permanent',
    get code() {
      return refuse();
    },
  }),
  code_with_content: () => ({ kind: 'permanent', code: `HTTP ${SECRET}`, message: SECRET }),
  kind_of_prototype: () => ({ kind: '__proto__', code: 'X', message: SECRET }),
  kind_of_success: () => ({ kind: 'ok', code: 'OK', finding: clear }),
  retry_after_forever: () => new CriticError('rate_limited', 'X', 'later', { retryAfterMs: Number.POSITIVE_INFINITY }),
  retry_after_huge: () => new CriticError('rate_limited', 'X', 'later', { retryAfterMs: 1e300 }),
  retry_after_past: () => new CriticError('rate_limited', 'X', 'later', { retryAfterMs: -1 }),
  cost_not_a_number: () => new CriticError('permanent', 'X', 'costs', { cost: { usd: Number.NaN } }),
  extra_getter: () => Object.assign(new CriticError('permanent', 'X', 'extra'), { extra: new Proxy({}, { get: refuse }) }),
};

/** The list's own shapes are those of the `scripted` critic. */
const RETURNED: Readonly<Record<string, { readonly make: () => unknown; readonly end?: Shape['end'] }>> = {
  // `toJSON` would make this one clear.
  ...Object.fromEntries(
    Object.entries(HOSTILE_RETURNS).map(([name, make]) => [name, { make, ...(name === 'to_json' ? { end: 0.9 } : {}) }]),
  ),
  no_prototype: { make: () => Object.assign(Object.create(null), clear), end: 0 },
  minus_zero: { make: () => ({ ...clear, severity: -0 }), end: 0 },
  minus_infinity: { make: () => ({ ...clear, value: Number.NEGATIVE_INFINITY }) },
  overflowing: { make: () => JSON.parse('{"severity":1e400,"violations":[]}') as unknown },
  boxed: { make: () => ({ ...clear, severity: Object(0.1) as unknown }) },
  date: { make: () => new Date() },
  bytes: { make: () => new Uint8Array(1_000) },
  instance: {
    make: () =>
      new (class Finding {
        severity = 0;
        violations = [];
      })(),
  },
  // Whoever awaits them asks for `then`, which throws.
  refusing_proxy: { make: () => hostileError(), end: 'failed' },
  revoked_proxy: { make: () => revoked(), end: 'failed' },
  proxy_of_finding: { make: () => new Proxy({ ...clear, severity: 0.3 }, {}), end: 0.3 },
  sparse_list: { make: () => ({ ...clear, violations: Object.assign([], { length: 1_000_000_000 }) }) },
  list_of_proxies: { make: () => ({ ...clear, violations: [hostileError()] }) },
  endless_getter: { make: () => ({ ...clear, details: endless() }) },
  to_json_allow: { make: () => ({ severity: 'x', violations: [], toJSON: () => ({ ...clear, decision: 'allow' }) }) },
  too_many_violations: { make: () => ({ ...clear, violations: Array.from({ length: 101 }, () => ({ code: 'x', message: 'x' })) }) },
  message_of_10_mb: { make: () => ({ ...clear, violations: [{ code: 'x', message: SECRET.repeat(400_000) }] }) },
  forged_end: { make: () => forgedEnd },
  secret_in_a_field: { make: () => ({ ...clear, details: { [SECRET]: 10n } }) },
};

function endless(): unknown {
  return {
    get more(): unknown {
      return endless();
    },
  };
}

const later = (run: () => void): void => void setTimeout(run, 5);
/** Whatever awaits it calls its `then`, or reads it. */
// oxlint-disable-next-line unicorn/no-thenable -- it is one on purpose
const thenable = (then: PropertyDescriptor): unknown => Object.defineProperty({}, 'then', then);

/** What happens outside of the answer, or keeps it from coming. */
const ACTS: Readonly<Record<string, Shape>> = {
  hangs: { act: () => new Promise(() => {}), end: 'timed_out' },
  thenable_that_never_settles: { act: () => thenable({ value: () => undefined }), end: 'timed_out' },
  thenable_that_throws: { act: () => thenable({ value: refuse }), end: 'failed' },
  thenable_whose_then_throws: { act: () => thenable({ get: refuse }), end: 'failed' },
  thenable_that_settles_twice: {
    act: () =>
      thenable({
        value: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) => {
          resolve({ ...clear, severity: 0.2 });
          reject(hostileError());
        },
      }),
    end: 0.2,
  },
  rejects_with_a_proxy: { act: () => Promise.reject(hostileError()), end: 'failed' },
  floating_rejection: {
    act: () => {
      void Promise.reject(new Error(SECRET));
      return clear;
    },
    end: 0,
  },
  floating_hostile_rejection: {
    act: () => {
      void Promise.reject(hostileError());
      return clear;
    },
    end: 0,
  },
  floating_nothing: {
    act: () => {
      void Promise.reject(undefined);
      return clear;
    },
    end: 0,
  },
  throws_in_a_timer: {
    act: () => {
      later(refuse);
      return clear;
    },
    end: 0,
  },
  throws_a_proxy_in_a_timer: {
    act: () => {
      later(() => {
        throw hostileError();
      });
      return clear;
    },
    end: 0,
  },
  heartbeats_and_logs_when_it_is_over: {
    act: (_input, tools) => {
      later(() => {
        tools.heartbeat();
        tools.log(SECRET);
      });
      return clear;
    },
    end: 0,
  },
  throws_when_it_is_told_to_stop: {
    act: (_input, { signal }) => {
      signal.addEventListener('abort', refuse);
      return new Promise(() => {});
    },
    end: 'timed_out',
  },
  answers_too_late: {
    act: (_input, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => later(() => resolve(clear)))),
    end: 'timed_out',
  },
  changes_its_content: {
    act: ({ content }) => {
      Object.assign(Object(content), { text: 'clean' });
      return clear;
    },
    end: 'failed',
  },
  changes_its_context: {
    act: ({ context }) => {
      Object.assign(context, { trusted: true });
      return clear;
    },
    end: 'failed',
  },
};

export const SHAPES: Readonly<Record<string, Shape>> = {
  ...Object.fromEntries(
    Object.entries(THROWN).map(([name, make]) => [
      `throws_${name}`,
      {
        act: () => {
          throw make();
        },
        end: 'failed',
      } satisfies Shape,
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(RETURNED).map(([name, { make, end = 'invalid_output' }]) => [`returns_${name}`, { act: make, end } satisfies Shape]),
  ),
  ...ACTS,
};
