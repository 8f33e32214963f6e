/**
 * Runs local critics: the stage that is under way, and the stages after it as long as they need no activity.
 * Applies the same pure gate as the workflow and returns one record for each critic it decided.
 *
 * L1 Stops at the first stage in which a remote critic has to run; that stage's remote gates are left to the workflow.
 * L2 Begins no further stage once its slice is used up, so that a crash repeats little.
 * L3 A decisive rule ends the batch at once; the workflow cancels the rest.
 */
import type { LocalBatchInput, LocalBatchResult } from '../contract.js';
import type { RunFacts } from '../domain/gate.js';
import { runAttempt } from '../critics/attempt.js';
import { resultOfOnly } from '../critics/only-attempt.js';
import type { SecretSource } from '../critics/critic.js';
import type { CriticRegistry } from '../critics/registry.js';
import { admit, cancelledBeforeStart, findingsFor, inStartOrder, notReached, recordOf, reservedIn } from '../domain/admit.js';
import { fallbacksOf, waitsFor, type Fallbacks } from '../domain/dependencies.js';
import type { Json } from '../domain/finding.js';
import { jsonBytes } from '../domain/bytes.js';
import type { CriticRecord, CriticResult } from '../domain/outcomes.js';
import { stagesOf, type ExecutionStage, type Plan, type PlanCritic } from '../domain/plan.js';
import { decisiveRule } from '../domain/verdict.js';
import { sha256 } from '../digest.js';

/** After this a batch begins no further stage. Well under the time-out of the batch, which only a blocked process meets. */
const SLICE_MS = 10_000;

/** A marker may be 2 MB, and the plan may stand beside the batch in the same one. */
const MAX_BATCH_BYTES = 1_048_576;

export interface BatchHost {
  readonly registry: CriticRegistry;
  readonly secrets: SecretSource;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  readonly workflowId: string;
  /** The seed of idempotency keys. */
  readonly runId: string;
  log(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
}

export async function runLocalStages(host: BatchHost, input: LocalBatchInput): Promise<LocalBatchResult> {
  const batch = new Batch(host, input);
  const begun = performance.now();
  const stages = stagesOf(input.plan);
  const from = input.state.stage === undefined ? 0 : stages.indexOf(input.state.stage);
  const first = stages.findIndex((stage, index) => index >= from && !batch.isComplete(stage));
  for (const stage of first === -1 ? [] : stages.slice(first)) {
    if (performance.now() - begun > SLICE_MS) break;
    if (!batch.hasWork(stage)) break;
    await batch.runStage(stage);
    if (batch.decisive || !batch.isComplete(stage)) break;
  }
  return batch.result();
}

class Batch {
  readonly #records: Map<string, CriticRecord>;
  readonly #added: CriticRecord[] = [];
  readonly #stages: { stage: ExecutionStage; ms: number; ended: boolean }[] = [];
  readonly #stop = new AbortController();
  readonly #plan: Plan;
  readonly #fallbacks: Fallbacks;
  readonly #facts: RunFacts;
  readonly #content: Json;
  readonly #host: BatchHost;
  #usedMs: number;
  #bytes = 0;
  #dropped = 0;
  readonly #carried: { readonly stage: ExecutionStage | undefined; readonly ms: number };
  decisive = false;

  constructor(host: BatchHost, { plan, facts, content, state }: LocalBatchInput) {
    this.#host = host;
    this.#plan = plan;
    this.#fallbacks = fallbacksOf(plan);
    this.#facts = facts;
    this.#content = content;
    this.#records = new Map(state.records.map((record) => [record.name, record]));
    this.#usedMs = state.usedMs;
    this.#carried = { stage: state.stage, ms: state.stageUsedMs };
  }

  isComplete(stage: ExecutionStage): boolean {
    return this.#of(stage).every((critic) => this.#records.has(critic.name));
  }

  /** Local critics to run, or remote ones that a gate may close without running. */
  hasWork(stage: ExecutionStage): boolean {
    return this.#of(stage).some((critic) => critic.dispatch === 'local') || this.#closedRemotes(stage) !== undefined;
  }

  async runStage(stage: ExecutionStage): Promise<void> {
    const begun = performance.now();
    const locals = this.#of(stage).filter((critic) => critic.dispatch === 'local' && !this.#records.has(critic.name));
    const reserved = reservedIn(this.#plan, stage, this.#records, this.#facts);
    const ends = new Map<string, Promise<void>>();
    const start = async (critic: PlanCritic): Promise<void> => {
      await Promise.all(waitsFor(critic, this.#fallbacks).flatMap((name) => ends.get(name) ?? []));
      this.#add(await this.#runOne(critic, reserved, begun));
    };
    for (const critic of inStartOrder(this.#plan, locals)) ends.set(critic.name, start(critic));
    await Promise.all(ends.values());
    if (!this.decisive) for (const record of this.#closedRemotes(stage) ?? []) this.#add(record);
    const ms = performance.now() - begun;
    this.#usedMs += ms;
    this.#stages.push({ stage, ms: Math.round(ms), ended: this.isComplete(stage) });
  }

  result(): LocalBatchResult {
    return { records: this.#added, stages: this.#stages, ...(this.#dropped > 0 ? { dropped: this.#dropped } : {}) };
  }

  #of(stage: ExecutionStage): PlanCritic[] {
    return this.#plan.critics.filter((critic) => critic.stage === stage);
  }

  /** Records of the stage's remote critics when every one of them is closed; `undefined` when one has to run (L1). */
  #closedRemotes(stage: ExecutionStage): CriticRecord[] | undefined {
    const reserved = reservedIn(this.#plan, stage, this.#records, this.#facts);
    const records = new Map(this.#records);
    const closed: CriticRecord[] = [];
    const remotes = this.#of(stage).filter((critic) => critic.dispatch === 'activity' && !records.has(critic.name));
    for (const critic of inStartOrder(this.#plan, remotes)) {
      if (waitsFor(critic, this.#fallbacks).some((name) => !records.has(name))) return undefined;
      const admission = admit(this.#plan, critic, records, reserved, this.#facts);
      if (admission.kind === 'start') return undefined;
      records.set(critic.name, admission.record);
      closed.push(admission.record);
    }
    return closed;
  }

  #add(given: CriticRecord): void {
    const record = this.#fit(given);
    this.#records.set(record.name, record);
    this.#added.push(record);
    if (this.decisive || decisiveRule(this.#plan, this.#records, this.#facts, record) === undefined) return;
    this.decisive = true;
    this.#stop.abort();
  }

  /**
   * Keeps the batch under its size. What is for people (details, evidence, messages, the values that a gate saw) has the
   * first half, so that room for what rules read is left to those that come later; a finding that does not fit is invalid output.
   */
  #fit(record: CriticRecord): CriticRecord {
    const bytes = jsonBytes(record);
    if (this.#bytes + bytes <= MAX_BATCH_BYTES / 2) {
      this.#bytes += bytes;
      return record;
    }
    let fitting = bare(record);
    if (jsonBytes(fitting) < bytes) this.#dropped += 1;
    if (fitting.finding !== undefined && this.#bytes + jsonBytes(fitting) > MAX_BATCH_BYTES) {
      const { finding: _finding, ...rest } = fitting;
      fitting = { ...rest, outcome: 'invalid_output', code: 'FINDING_TOO_LARGE' };
    }
    this.#bytes += jsonBytes(fitting);
    return fitting;
  }

  async #runOne(critic: PlanCritic, reserved: ReadonlySet<string>, stageBegun: number): Promise<CriticRecord> {
    if (this.decisive) return cancelledBeforeStart(critic, 'DECISIVE');
    const admission = admit(this.#plan, critic, this.#records, reserved, this.#facts);
    if (admission.kind === 'ended') return admission.record;
    const left = this.#left(critic.stage, stageBegun);
    if (left.ms <= 0) return notReached(critic, left.by);
    return recordOf(critic, admission.gate, await this.#attempt(critic, left.ms));
  }

  #left(stage: ExecutionStage, begun: number): { ms: number; by: 'stage' | 'global' } {
    const { globalMs, stagesMs } = this.#plan.timeouts;
    const ran = performance.now() - begun;
    const carried = this.#carried.stage === stage ? this.#carried.ms : 0;
    const stageLeft = (stagesMs[stage] ?? globalMs) - carried - ran;
    const globalLeft = globalMs - this.#usedMs - ran;
    return stageLeft < globalLeft ? { ms: stageLeft, by: 'stage' } : { ms: globalLeft, by: 'global' };
  }

  async #attempt(critic: PlanCritic, leftMs: number): Promise<CriticResult> {
    const startedAt = Date.now();
    const begun = performance.now();
    const end = await runAttempt(
      this.#host.registry,
      critic,
      { content: this.#content, context: this.#facts.context, findings: findingsFor(this.#plan, critic, this.#records) },
      {
        signal: AbortSignal.any([this.#host.signal, this.#stop.signal]),
        heartbeat: () => undefined,
        log: (message, fields) => this.#host.log(message, fields),
        idempotencyKey: sha256(`${this.#host.runId}/${critic.stage}/${critic.name}`),
        attempt: 1,
        secret: this.#host.secrets,
        fetch: this.#host.fetch,
        tenant: this.#facts.tenant,
        riskTier: this.#facts.riskTier,
        size: this.#facts.size,
      },
      Math.min(critic.attemptTimeoutMs, critic.timeoutMs ?? Number.POSITIVE_INFINITY, leftMs),
    );
    const times = { startedAt, endedAt: Date.now() };
    const ran = { queuedMs: 0, ranMs: Math.round(performance.now() - begun) };
    if (!end.ok && end.class === 'cancelled') return { ...this.#cut(), attempts: [{ class: 'cancelled', ...ran }], ...times };
    return resultOfOnly(end, ran, times);
  }

  /** Neutral only when a decisive rule cut it; a worker that stops is a failure of the critic's host. */
  #cut(): Pick<CriticResult, 'outcome' | 'code' | 'message'> {
    if (this.decisive) return { outcome: 'cancelled', code: 'DECISIVE' };
    return { outcome: 'failed', code: 'WORKER_LOST', message: 'the worker stopped while the critic ran' };
  }
}

/** What rules, gates and the account of the run need of a record. */
function bare({ finding, gate: { saw: _saw, error, ...gate }, message: _message, ...record }: CriticRecord): CriticRecord {
  const { details: _details, evidence: _evidence, ...read } = finding ?? { severity: 0, violations: [] };
  // That a condition erred is part of the verdict; what it said is not.
  return {
    ...record,
    gate: { ...gate, ...(error !== undefined ? { error: 'erred' } : {}) },
    ...(finding !== undefined ? { finding: read } : {}),
  };
}
