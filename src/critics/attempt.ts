/**
 * One attempt of one critic, whatever the critic does. Knows no Temporal, so that activities, batches and the
 * conformance suite share it.
 *
 * A1 Never throws: anything thrown or returned becomes an `AttemptEnd` with a fixed code and a message of ours.
 * A2 Nothing of the content, no stack and no cause reaches the message.
 * A3 Ends by the time-out even if the critic ignores its signal.
 * A4 A critic cannot change what it is handed: the critics of a batch are handed the same objects.
 */
import { compileCel } from '../domain/cel.js';
import { isErrorName } from '../domain/error-name.js';
import { CODES, type Code } from '../domain/errors.js';
import { MAX_MESSAGE_CHARS, type Finding, type FindingCost } from '../domain/finding.js';
import type { AttemptClass } from '../domain/outcomes.js';
import type { CriticUse, Price, RiskTier } from '../domain/plan.js';
import { pricedCost } from '../domain/priced-cost.js';
import { deferred } from '../deferred.js';
import { cleanFinding } from './clean-finding.js';
import type { AnyCritic, CriticErrorKind, CriticInput, CriticTools } from './critic.js';
import type { CriticRegistry } from './registry.js';

export type AttemptEnd =
  | { readonly ok: true; readonly finding: Finding }
  | {
      readonly ok: false;
      readonly class: Exclude<AttemptClass, 'ok' | 'worker_lost'>;
      readonly code: string;
      readonly message: string;
      readonly retryAfterMs?: number;
      /** Final once this many attempts were made. */
      readonly maxAttempts?: number;
      readonly cost?: FindingCost;
    };

export interface AttemptHost extends Omit<CriticTools<never>, 'options'> {
  readonly tenant: string;
  readonly riskTier: RiskTier;
  /** Bytes of content and context. */
  readonly size: number;
  /** Has the critic called somewhere else. What comes from there counts for no more than what a critic returns or throws here. */
  readonly callElsewhere?: CallCritic;
  /** The attempt has ended before its critic: told when that one ends, too. A critic that ignores its signal may never. */
  readonly leftBehind?: (ended: Promise<unknown>) => void;
}

/** How a call of a critic came back; `failed`: it could not be called, or was lost with the place where it ran. */
export type Called = { readonly returned: unknown } | { readonly thrown: unknown } | { readonly failed: FailedAttempt };
export type CallCritic = (critic: AnyCritic, use: CriticUse, input: CriticInput, tools: CriticTools<never>) => Promise<Called>;

/** A timer of Node that is longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export type FailedAttempt = Extract<AttemptEnd, { ok: false }>;
type Failed = FailedAttempt;
const failed = (end: Omit<Failed, 'ok'>): Failed => ({ ok: false, ...end });
const coded = (cls: Failed['class'], code: Code, message: string): Failed => failed({ class: cls, code, message });

/**
 * @param timeoutMs from now; the attempt's own limit or what its batch has left.
 */
export async function runAttempt(
  registry: CriticRegistry,
  plan: CriticUse,
  input: CriticInput,
  host: AttemptHost,
  timeoutMs: number,
): Promise<AttemptEnd> {
  const found = await findImplementation(registry, plan);
  if ('ok' in found) return found;
  const { critic, options } = found;
  const stop = new AbortController();
  const timeUp = deferred<Failed>();
  const timer = setTimeout(
    () => {
      timeUp.resolve(coded('timed_out', 'ATTEMPT_TIMEOUT', `did not answer within ${timeoutMs} ms`));
      stop.abort(new DOMException('the attempt has passed its time-out', 'TimeoutError'));
    },
    Math.min(timeoutMs, LONGEST_TIMER_MS),
  );
  const onCancel = (): void => {
    timeUp.resolve(coded('cancelled', 'CANCELLED', 'was told to stop'));
    stop.abort(host.signal.reason);
  };
  host.signal.addEventListener('abort', onCancel, { once: true });
  if (host.signal.aborted) onCancel();
  try {
    const { callElsewhere: _, leftBehind, ...given } = host;
    const tools = { ...given, options, signal: stop.signal };
    const judged = judge(critic, plan, input, tools, host);
    const end = await Promise.race([judged, timeUp.promise]);
    if (stop.signal.aborted) leftBehind?.(judged);
    return priced(end, plan.price);
  } finally {
    clearTimeout(timer);
    host.signal.removeEventListener('abort', onCancel);
  }
}

/** The end with the money that its tokens cost. A failed attempt is paid for, too. */
function priced(end: AttemptEnd, price: Price | undefined): AttemptEnd {
  const cost = pricedCost(end.ok ? end.finding.cost : end.cost, price);
  if (cost === undefined) return end;
  return end.ok ? { ...end, finding: { ...end.finding, cost } } : { ...end, cost };
}

async function findImplementation(registry: CriticRegistry, plan: CriticUse): Promise<{ critic: AnyCritic; options: never } | Failed> {
  const critic = await registry.find(plan.uses);
  if (critic === undefined) return coded('unavailable', 'UNKNOWN_CRITIC', `this worker has no implementation called ${plan.uses}`);
  if (major(critic.version) !== major(plan.version)) {
    return coded(
      'unavailable',
      'VERSION_MISMATCH',
      `the plan was compiled for ${plan.uses} ${plan.version}, this worker has ${critic.version}`,
    );
  }
  try {
    const options = parseOptions(critic, plan.with);
    if (options.ok) return { critic, options: options.value };
  } catch {
    // The schema is the critic author's: it may throw, too.
  }
  return coded('unavailable', 'BAD_OPTIONS', `${plan.uses} refuses the options of the plan`);
}

const major = (version: string): string => version.split('.')[0] ?? version;

/** Options as the critic's own schema gives them. Compiled patterns and the like are kept by the critic, keyed by this object. */
const parsedOptions = new WeakMap<AnyCritic, Map<string, unknown>>();

/** Checks `with` of a plan by the critic's schema; a critic without one takes none. */
export function parseOptions(
  critic: AnyCritic,
  written: unknown,
): { ok: true; value: never } | { ok: false; issues: readonly { path: PropertyKey[]; message: string }[] } {
  const key = JSON.stringify(written ?? {});
  const known = parsedOptions.get(critic) ?? new Map<string, unknown>();
  parsedOptions.set(critic, known);
  if (known.has(key)) return { ok: true, value: known.get(key) as never };
  if (critic.options === undefined) {
    const unknown = Object.keys(written ?? {});
    if (unknown.length > 0)
      return { ok: false, issues: unknown.map((name) => ({ path: [name], message: `${critic.name} takes no options` })) };
    known.set(key, Object.freeze({}));
    return { ok: true, value: known.get(key) as never };
  }
  const parsed = critic.options.safeParse(written ?? {});
  if (!parsed.success) return { ok: false, issues: parsed.error.issues };
  // One object for the life of the process: a critic that changes it would change every later evaluation. What freezing
  // does not hold still (a pattern's position, a Set) is made anew for each attempt.
  if (freeze(parsed.data)) known.set(key, parsed.data);
  // `never` is what a critic of unknown options may be handed; this value came out of that critic's own schema.
  return { ok: true, value: parsed.data as never };
}

async function judge(
  critic: AnyCritic,
  plan: CriticUse,
  input: CriticInput,
  tools: CriticTools<never>,
  host: AttemptHost,
): Promise<AttemptEnd> {
  const end = await callCritic(critic, plan, input, tools, host.callElsewhere);
  return (end.ok ? ruleProblem(plan, end.finding, input, host) : undefined) ?? end;
}

/** One call of a critic, to a clean finding or a clean failure. */
export async function callCritic(
  critic: AnyCritic,
  use: CriticUse,
  input: CriticInput,
  tools: CriticTools<never>,
  call: CallCritic = callHere,
): Promise<AttemptEnd> {
  freeze(input);
  const called = await call(critic, use, input, tools).catch((thrown: unknown) => ({ thrown }));
  if ('failed' in called) return called.failed;
  if ('thrown' in called) return describeThrown(called.thrown);
  const cleaned = cleanFinding(called.returned, critic.output);
  return cleaned.ok ? cleaned : coded('invalid_output', cleaned.code, cleaned.message);
}

const callHere: CallCritic = async (critic, _use, input, tools) => ({ returned: await critic.evaluate(input, tools) });

const isPlain = (value: object): boolean => Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** What was frozen here all the way down: content is handed to many critics. */
const frozen = new WeakSet<object>();

/**
 * All the way down; JSON may be deeper than the stack.
 * @returns whether that was all: objects of a class keep working state of their own and are left as they are.
 */
function freeze(value: unknown): boolean {
  const open = [value];
  let all = true;
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'function') all = false;
    if (typeof next !== 'object' || next === null || frozen.has(next)) continue;
    if (!isPlain(next)) {
      all = false;
      continue;
    }
    frozen.add(Object.freeze(next));
    for (const inner of Object.values(next)) open.push(inner);
  }
  return all;
}

/** The plan's own demands on the output. */
function ruleProblem(plan: CriticUse, finding: Finding, input: CriticInput, host: AttemptHost): Failed | undefined {
  const missing = plan.requiredOutputFields.filter((name) => !Object.hasOwn(finding, name));
  const cost = finding.cost !== undefined ? { cost: finding.cost } : {};
  if (missing.length > 0) return { ...coded('invalid_output', 'REQUIRED_FIELD', `the finding lacks ${missing.join(', ')}`), ...cost };
  if (plan.validateOutput === undefined) return undefined;
  const request = { tenant: host.tenant, riskTier: host.riskTier, size: host.size };
  const result = compileCel(plan.validateOutput, { place: 'output', critics: [] })({ output: finding, context: input.context, request });
  if (result.ok && result.value) return undefined;
  const why = result.ok ? 'is false for the finding' : `could not be evaluated: ${result.message}`;
  return { ...coded('invalid_output', 'OUTPUT_RULE', `validateOutput ${why}`.slice(0, MAX_MESSAGE_CHARS)), ...cost };
}

const CLASS_OF: Readonly<Record<CriticErrorKind, Failed['class']>> = {
  transient: 'transient',
  rate_limited: 'rate_limited',
  permanent: 'permanent',
  invalid_output: 'invalid_output',
};

/** What was thrown may be anything, down to an object whose every property throws. */
function describeThrown(thrown: unknown): Failed {
  try {
    return criticError(thrown) ?? coded('transient', 'CRITIC_ERROR', errorName(thrown));
  } catch {
    return coded('permanent', 'CRITIC_HOSTILE', 'threw something that cannot be read');
  }
}

/** By its shape, not its class: a critics module may have a copy of the class from elsewhere. */
function criticError(thrown: unknown): Failed | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('kind' in thrown) || !('code' in thrown)) return undefined;
  const { kind, code } = thrown;
  if (typeof kind !== 'string' || !Object.hasOwn(CLASS_OF, kind) || typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code))
    return undefined;
  const message: unknown = 'message' in thrown ? thrown.message : undefined;
  const extra: unknown = 'extra' in thrown ? thrown.extra : undefined;
  // The catalogue's codes are this project's word: a critic that uses one must not pass for a time-out or a rule.
  const own = Object.hasOwn(CODES, code) ? 'CRITIC_ERROR' : code;
  const { retryAfterMs, maxAttempts, cost } = (typeof extra === 'object' && extra !== null ? extra : {}) as Record<string, unknown>;
  const cleanCost = cost === undefined ? undefined : cleanFinding({ severity: 0, violations: [], cost });
  return failed({
    class: CLASS_OF[kind as CriticErrorKind],
    code: own,
    message: typeof message === 'string' ? message.slice(0, MAX_MESSAGE_CHARS) : errorName(thrown),
    ...(typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs >= 0 ? { retryAfterMs } : {}),
    ...(typeof maxAttempts === 'number' && maxAttempts >= 1 ? { maxAttempts } : {}),
    ...(cleanCost?.ok === true && cleanCost.finding.cost !== undefined ? { cost: cleanCost.finding.cost } : {}),
  });
}

/** A `CriticError`'s message is ours to show; any other error's may quote the content (a JSON parser's does), so only its name is. */
function errorName(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return `threw a ${typeof thrown}`;
  const name: unknown = thrown instanceof Error ? thrown.name : undefined;
  return isErrorName(name) ? `threw ${/^[AEIOU]/i.test(name) ? 'an' : 'a'} ${name}` : 'threw something that is not an Error';
}
