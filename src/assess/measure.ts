/**
 * Runs every critic of a plan on every record, one critic after the other, and remembers how each run ended.
 *
 * M1 One attempt each: a failure is an outcome and never a clean finding. The next run tries it again.
 * M2 Critics that call out run side by side; those that compute run alone, so that their times are their own.
 * M3 A critic gets the findings of what it waits for without their texts, the same whether they are new or kept.
 */
import { setImmediate as turn } from 'node:timers/promises';
import PQueue from 'p-queue';
import { contentHash, hashJson } from '../digest.js';
import { fallbackChain, fallbacksOf, waitsFor, type Fallbacks } from '../domain/dependencies.js';
import { effectiveRisk } from '../domain/effective-risk.js';
import type { Finding } from '../domain/finding.js';
import type { RunFacts } from '../domain/gate.js';
import type { CriticResult } from '../domain/outcomes.js';
import type { Plan, PlanCritic } from '../domain/plan.js';
import { pricedCost } from '../domain/priced-cost.js';
import type { RunCritic } from '../in-process.js';
import { requestBytes } from '../schemas/request.js';
import { bareFinding } from './bare-finding.js';
import { NO_CACHE, openCache } from './cache.js';
import type { SetRecord } from './sets/record.js';

/** Whose evaluation it would be; rules may ask. */
export const ASSESS_TENANT = 'default';

export interface MeasureOptions {
  /** Runs one attempt. */
  readonly run: RunCritic;
  /** Folder of kept findings; absent: none are kept. */
  readonly cache?: string;
  /** Most calls of one critic under way at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Runs of another plan over the same records, to be taken over where nothing has changed. */
  readonly earlier?: ReadonlyMap<string, CriticRuns>;
  /**
   * Implementations that compute within milliseconds: keeping their findings would save nothing and outlive a change of their
   * code, and side by side they would only disturb each other's times.
   */
  readonly offline: ReadonlySet<string>;
  /** Called after each run. */
  onRun?(step: Step): void;
  /** Called now and then while the plan is gone through. */
  onReplay?(step: ReplayStep): void;
}

type Findings = Readonly<Record<string, Finding>>;

/** How far it is. */
export interface Step {
  readonly critic: string;
  /** 1 for the first. */
  readonly criticNumber: number;
  readonly critics: number;
  /** Runs of this critic that have ended, kept ones among them. */
  readonly done: number;
  readonly records: number;
  readonly kept: number;
}

/** How far the plan has been gone through, with its gates or without. */
export interface ReplayStep {
  readonly gating: 'on' | 'off';
  readonly done: number;
  readonly records: number;
}

/** All runs of one critic, by the number of the record. */
export interface CriticRuns {
  readonly critic: PlanCritic;
  /** `undefined`: what it waits for gave it no finding, or the plan does not take the content. */
  readonly results: readonly (CriticResult | undefined)[];
  /** How many results were kept from an earlier run. */
  readonly kept: number;
}

/** The run was stopped; what has ended is kept. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export class Measurement {
  readonly runs = new Map<string, CriticRuns>();
  readonly #facts: readonly (RunFacts | undefined)[];
  /** Of the contents, by the number of the record. */
  readonly hashes: readonly string[];
  readonly #fallbacks: Fallbacks;
  /** Runs that no record of `runs` holds: with findings that gates or fallbacks made other than in the full run. */
  readonly #others = new Map<string, CriticResult>();

  constructor(
    readonly plan: Plan,
    readonly records: readonly SetRecord[],
    readonly options: MeasureOptions,
  ) {
    this.#facts = records.map((record) => factsOf(plan, record));
    this.hashes = records.map(({ content }) => contentHash(content));
    this.#fallbacks = fallbacksOf(plan);
  }

  /** Whether the plan takes the record's content at all. */
  takes(index: number): boolean {
    return this.#facts[index] !== undefined;
  }

  /** @throws Stopped when the signal fired meanwhile. */
  async runAll(): Promise<void> {
    const order = inOrder(this.plan, this.#fallbacks);
    for (const [index, critic] of order.entries()) {
      const earlier = this.#earlier(critic);
      if (earlier === undefined) await this.#runCritic(critic, { criticNumber: index + 1, critics: order.length });
      else this.runs.set(critic.name, earlier);
    }
  }

  /** Of another measurement of the same records, where neither the critic nor anything that it is handed has changed. */
  #earlier(critic: PlanCritic): CriticRuns | undefined {
    const known = this.options.earlier?.get(critic.name);
    const same = (name: string): boolean => this.runs.get(name) === this.options.earlier?.get(name);
    return known?.critic === critic && waitsFor(critic, this.#fallbacks).every(same) ? known : undefined;
  }

  throwIfStopped(): void {
    if (!this.options.signal.aborted) return;
    const kept =
      this.options.cache === undefined ? '' : ': answers of critics that call out are kept, and the same command goes on from there';
    throw new Stopped(`stopped${kept}`);
  }

  /** How this critic ends on this record with these findings: as it did, and if it never had them, as it does now. */
  async result(critic: PlanCritic, index: number, findings: Findings): Promise<CriticResult> {
    const measured = this.runs.get(critic.name)?.results[index];
    if (measured !== undefined && critic.dependsOn.length === 0) return measured;
    if (measured !== undefined && hashJson(findings) === hashJson(this.#findingsFor(critic, index) ?? {})) return measured;
    const key = `${critic.name} ${index} ${hashJson(findings)}`;
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    const result = priced(critic, await this.#attempt(critic, index, findings));
    this.#others.set(key, result);
    return result;
  }

  async #runCritic(critic: PlanCritic, place: Pick<Step, 'criticNumber' | 'critics'>): Promise<void> {
    const { options, records } = this;
    const cache = options.cache === undefined || options.offline.has(critic.uses) ? NO_CACHE : openCache(options.cache, critic);
    const results: (CriticResult | undefined)[] = records.map(() => undefined);
    const queue = new PQueue(pace(critic, options));
    const failures: unknown[] = [];
    let [done, kept] = [0, 0];
    const ended = (index: number, result?: CriticResult): void => {
      if (result !== undefined) results[index] = priced(critic, result);
      done += 1;
      options.onRun?.({ critic: critic.name, ...place, done, records: records.length, kept });
    };
    const ask = async (index: number, findings: Findings, key: string): Promise<void> => {
      if (options.signal.aborted) return;
      const result = await this.#attempt(critic, index, findings);
      if (result.outcome === 'succeeded' && result.finding !== undefined)
        cache.put(key, { finding: result.finding, ranMs: result.attempts[0]?.ranMs ?? 0 });
      ended(index, result);
    };
    try {
      for (const index of records.keys()) {
        if (options.signal.aborted || failures.length > 0) break;
        const findings = this.#findingsFor(critic, index);
        if (findings === undefined || !this.takes(index)) {
          ended(index);
          continue;
        }
        const key = this.#keyOf(critic, index, findings);
        const known = cache.get(key);
        if (known !== undefined) {
          kept += 1;
          ended(index, succeeded(known.finding, known.ranMs));
          continue;
        }
        queue.add(async () => ask(index, findings, key)).catch((error: unknown) => failures.push(error));
        // Not all at once, and a turn for signals and progress, which critics that only compute would never leave.
        await queue.onSizeLessThan(1);
        await turn();
      }
      await queue.onIdle();
    } finally {
      cache.close();
    }
    if (failures.length > 0) throw failures[0];
    this.throwIfStopped();
    this.runs.set(critic.name, { critic, results, kept });
  }

  /** One attempt, not yet priced: prices change without a new answer. */
  async #attempt(critic: PlanCritic, index: number, findings: Findings): Promise<CriticResult> {
    const record = this.records[index];
    const facts = this.#facts[index];
    if (record === undefined || facts === undefined) throw new Error('a record that the plan does not take is never run');
    const { price: _price, ...unpriced } = critic;
    const run = { content: record.content, facts, leftMs: Number.POSITIVE_INFINITY, signal: this.options.signal };
    const result = await this.options.run(unpriced, findings, run);
    return result.finding === undefined ? result : succeeded(bareFinding(result.finding), result.attempts[0]?.ranMs ?? 0);
  }

  /** Findings of what it depends on; `undefined` when one is missing and no fallback has it. */
  #findingsFor(critic: PlanCritic, index: number): Findings | undefined {
    const findings: Record<string, Finding> = {};
    for (const name of critic.dependsOn) {
      const standIns = fallbackChain(name, this.#fallbacks).map((fallback) => fallback.name);
      const found = [name, ...standIns].map((one) => this.runs.get(one)?.results[index]?.finding).find((finding) => finding !== undefined);
      if (found === undefined) return undefined;
      findings[name] = found;
    }
    return findings;
  }

  /** What a critic is handed, and with `validateOutput` what that may ask beside it. */
  #keyOf(critic: PlanCritic, index: number, findings: Findings): string {
    const { context = {}, riskTier, tenant, size } = this.#facts[index] ?? {};
    const asked = critic.validateOutput === undefined ? {} : { riskTier: riskTier ?? '', tenant: tenant ?? '', size: size ?? 0 };
    return hashJson({ content: this.hashes[index] ?? '', context, findings, ...asked });
  }
}

/** `undefined`: the plan does not take content of this size. */
function factsOf(plan: Plan, { content, context, riskTier }: SetRecord): RunFacts | undefined {
  const size = requestBytes({ content, context });
  if (size > plan.limits.maxContentBytes) return undefined;
  const risk = effectiveRisk(plan, { tenant: ASSESS_TENANT, context, ...(riskTier !== undefined ? { riskTier } : {}) }, size);
  return {
    tenant: ASSESS_TENANT,
    riskTier: risk.riskTier,
    gating: 'off',
    context,
    size,
    ...(risk.riskErrors !== undefined ? { riskErrors: risk.riskErrors } : {}),
  };
}

/** So that what a critic waits for has run. */
function inOrder(plan: Plan, fallbacks: Fallbacks): PlanCritic[] {
  const order: PlanCritic[] = [];
  const placed = new Set<string>();
  const place = (critic: PlanCritic): void => {
    if (placed.has(critic.name)) return;
    placed.add(critic.name);
    for (const name of waitsFor(critic, fallbacks)) for (const before of plan.critics) if (before.name === name) place(before);
    order.push(critic);
  };
  for (const critic of plan.critics) place(critic);
  return order;
}

/** The plan's own limits hold here as well; what computes gets the process for itself. */
function pace(
  critic: PlanCritic,
  { concurrency, offline }: Pick<MeasureOptions, 'concurrency' | 'offline'>,
): ConstructorParameters<typeof PQueue>[0] {
  if (offline.has(critic.uses) || critic.dispatch === 'local') return { concurrency: 1 };
  const rate = critic.rateLimitPerSecond;
  return {
    concurrency: Math.min(concurrency, critic.maxConcurrent ?? concurrency),
    ...(rate !== undefined ? { intervalCap: 1, interval: 1_000 / rate } : {}),
  };
}

const succeeded = (finding: Finding, ranMs: number): CriticResult => ({
  outcome: 'succeeded',
  finding,
  attempts: [{ class: 'ok', queuedMs: 0, ranMs, ...(finding.cost !== undefined ? { cost: finding.cost } : {}) }],
});

/** With money, by the plan's prices. */
function priced(critic: PlanCritic, result: CriticResult): CriticResult {
  const attempts = result.attempts.map((attempt) => {
    const cost = pricedCost(attempt.cost, critic.price);
    return cost === undefined ? attempt : { ...attempt, cost };
  });
  return { ...result, attempts };
}
