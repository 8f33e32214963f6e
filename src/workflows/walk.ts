/**
 * Walks a plan: for each stage gate, dispatch, collect. A plain function; every piece of the SDK is handed in, so that
 * order, cuts, budget and failure are tested without a server. Must not import `@temporalio/*`.
 *
 * W1 Every planned critic gets exactly one record.
 * W2 Local critics of a stage first, then the remote ones: an activity scheduled beside a local one leaves only when the
 *    workflow task ends.
 * W3 Inside a stage a critic starts as soon as what it waits for has ended; one `Promise.all` a stage.
 * W4 No timer is started: a timer kept by a reset fires at once and would cut every retry.
 * W5 A decisive rule cancels what still runs and everything later; nothing is dropped from the account.
 */
import type { LocalBatchInput, LocalBatchResult, Progress } from '../contract.js';
import type { RunFacts } from '../domain/gate.js';
import {
  admit,
  cancelledBeforeStart,
  findingsFor,
  inStartOrder,
  notReached,
  recordOf,
  reservedIn,
  timeOf,
  type TimeLimit,
} from '../domain/admit.js';
import { fallbacksOf, waitsFor, type Fallbacks } from '../domain/dependencies.js';
import { dropFindingsToFit, MAX_HANDED_FINDINGS_BYTES } from '../domain/drop-to-fit.js';
import { covererOf } from '../domain/fallback.js';
import type { Finding, Json } from '../domain/finding.js';
import type { CriticRecord, CriticResult, GateDecision } from '../domain/outcomes.js';
import { effectOn, stagesOf, type ExecutionStage, type Plan, type PlanCritic, type VerdictRule } from '../domain/plan.js';
import { UsedTime } from '../domain/used-time.js';
import { decisiveRule } from '../domain/verdict.js';

/** One remote critic to run. */
export interface CriticCall {
  readonly critic: PlanCritic;
  readonly findings: Readonly<Record<string, Finding>>;
  /** All attempts, back-off and queueing. */
  readonly scheduleToCloseMs: number;
}

export interface WalkDeps {
  /** The workflow's clock, milliseconds. */
  now(): number;
  /** Events in the history at this activation. */
  historyLength(): number;
  /** Runs local critics; when the batch itself is lost, how. */
  runBatch(input: LocalBatchInput): Promise<LocalBatchResult | { readonly lost: 'timed_out' | 'failed' }>;
  /** Runs one remote critic and settles; rejects only when the whole evaluation is cancelled. */
  runCritic(call: CriticCall): Promise<CriticResult>;
  /** Cancels the remote critics that still run; their calls settle as `cancelled`. */
  cancelRunning(): void;
  /** Something to show changed. */
  changed(): void;
}

/** The events to reset to that run a critic again: it alone, or with its stage. */
interface ResetPoint {
  readonly keepSiblings: number;
  readonly stageBoundary: number;
}

/** All that a walk knows. Readable while it goes on, and after it was cancelled. */
export class Walk {
  readonly records = new Map<string, CriticRecord>();
  readonly stages: { readonly stage: ExecutionStage; readonly ms: number }[] = [];
  readonly running = new Map<string, PlanCritic>();
  readonly used: UsedTime;
  stage: ExecutionStage | undefined;
  decisive: VerdictRule | undefined;
  /** Texts that local batches had to drop to fit. */
  dropped = 0;
  /** Critics that kept the run from a judgement, unless a fallback covers them, in the order in which they ended. */
  readonly #resets: { readonly name: string; readonly to: ResetPoint }[] = [];
  readonly #fallbacks: Fallbacks;
  #activation: number;
  #earlierActivation: number;
  #stageActivation: number;

  constructor(
    readonly plan: Plan,
    readonly facts: RunFacts,
    readonly content: Json,
    readonly deps: WalkDeps,
  ) {
    this.used = new UsedTime(deps.now());
    this.#fallbacks = fallbacksOf(plan);
    this.#activation = deps.historyLength();
    this.#earlierActivation = this.#activation;
    this.#stageActivation = this.#activation;
  }

  /** Where a reset re-runs the first failed critic that no fallback covers. */
  get reset(): ResetPoint | undefined {
    return this.#resets.find(({ name }) => covererOf(name, this.records, this.#fallbacks) === undefined)?.to;
  }

  progress(): Progress {
    return {
      planned: this.plan.critics.length,
      ...(this.stage !== undefined ? { stage: this.stage } : {}),
      ended: [...this.records.values()].map(({ name, stage, outcome }) => ({ name, stage, outcome })),
      running: [...this.running.values()].map(({ name, stage }) => ({ name, stage })),
    };
  }

  /** Takes over what a local batch decided. */
  take(batch: LocalBatchResult): void {
    for (const { stage, ms, ended } of batch.stages) {
      if (this.stage !== stage) this.beginStage(stage);
      this.used.count(ms, this.deps.now());
      if (ended) this.endStage();
    }
    this.dropped += batch.dropped ?? 0;
    this.observe(0);
    // A reset to this very workflow task runs the batch again.
    for (const record of batch.records) this.add(record, this.#activation);
  }

  add(record: CriticRecord, resetTo = this.#earlierActivation): void {
    this.running.delete(record.name);
    this.records.set(record.name, record);
    this.#noteReset(record, resetTo);
    this.decisive ??= decisiveRule(this.plan, this.records, this.facts, record);
  }

  beginStage(stage: ExecutionStage): void {
    this.stage = stage;
    this.used.beginStage();
    this.#stageActivation = this.deps.historyLength();
  }

  endStage(): void {
    if (this.stage !== undefined) this.stages.push({ stage: this.stage, ms: this.used.stageMs });
    this.stage = undefined;
  }

  /** Milliseconds left for a critic that would start now, and what cuts it. */
  left(critic: PlanCritic): { readonly ms: number; readonly by: TimeLimit } {
    const globalLeft = this.plan.timeouts.globalMs - this.used.totalMs;
    const stageLeft = (this.plan.timeouts.stagesMs[critic.stage] ?? this.plan.timeouts.globalMs) - this.used.stageMs;
    const own = critic.timeoutMs ?? Number.POSITIVE_INFINITY;
    if (own < stageLeft && own < globalLeft) return { ms: own, by: 'critic' };
    return stageLeft < globalLeft ? { ms: stageLeft, by: 'stage' } : { ms: globalLeft, by: 'global' };
  }

  /** Called at each activation that ends a critic. */
  observe(outstandingMs: number): void {
    this.used.observe(this.deps.now(), outstandingMs);
    const length = this.deps.historyLength();
    if (length === this.#activation) return;
    this.#earlierActivation = this.#activation;
    this.#activation = length;
  }

  /**
   * A reset goes to a completed workflow task, whose event follows the history seen by its activation.
   * The one before the failure came in still has the failed critic scheduled and its finished siblings kept.
   */
  #noteReset(record: CriticRecord, activation: number): void {
    const { outcome } = record;
    if (outcome === 'succeeded' || outcome === 'gated') return;
    // Only what kept the run from a judgement is worth doing again.
    const critic = this.plan.critics.find((one) => one.name === record.name);
    if (critic?.mode !== 'enforce' || effectOn(critic, outcome) !== 'fail') return;
    this.#resets.push({ name: record.name, to: { keepSiblings: activation + 1, stageBoundary: this.#stageActivation + 1 } });
  }
}

/** Runs every stage that has not ended. The records are in `walk.records`. */
export async function runStages(walk: Walk): Promise<void> {
  const done = new Set(walk.stages.map((stage) => stage.stage));
  for (const stage of stagesOf(walk.plan)) {
    if (done.has(stage)) continue;
    if (walk.decisive !== undefined) break;
    if (walk.stage !== stage) walk.beginStage(stage);
    await runLocalPart(walk, stage);
    // A batch goes on to later stages as long as they need no activity.
    for (const ended of walk.stages) done.add(ended.stage);
    if (done.has(stage)) continue;
    await runRemotePart(walk, stage);
    walk.endStage();
  }
  if (walk.decisive === undefined) return;
  if (walk.stage !== undefined) walk.endStage();
  for (const critic of walk.plan.critics) {
    if (!walk.records.has(critic.name)) walk.add(cancelledBeforeStart(critic, 'DECISIVE'));
  }
}

const waiting = (walk: Walk, stage: ExecutionStage, dispatch: PlanCritic['dispatch']): PlanCritic[] =>
  walk.plan.critics.filter((critic) => critic.stage === stage && critic.dispatch === dispatch && !walk.records.has(critic.name));

async function runLocalPart(walk: Walk, stage: ExecutionStage): Promise<void> {
  const locals = waiting(walk, stage, 'local');
  if (locals.length === 0) return;
  for (const critic of locals) walk.running.set(critic.name, critic);
  walk.deps.changed();
  const batch = await walk.deps.runBatch({
    plan: walk.plan,
    content: walk.content,
    facts: walk.facts,
    state: { records: [...walk.records.values()], usedMs: walk.used.totalMs, stageUsedMs: walk.used.stageMs, stage },
  });
  for (const critic of locals) walk.running.delete(critic.name);
  if (!('lost' in batch)) return walk.take(batch);
  walk.observe(walk.plan.timeouts.globalMs);
  const message = 'the batch of local critics it ran in did not come back';
  for (const critic of locals) {
    const gate: GateDecision = { open: true, by: 'policy', policy: critic.policy };
    walk.add(recordOf(critic, gate, { outcome: batch.lost, attempts: [], code: 'BATCH_LOST', message }));
  }
}

async function runRemotePart(walk: Walk, stage: ExecutionStage): Promise<void> {
  walk.observe(0);
  const critics = waiting(walk, stage, 'activity');
  const reserved = reservedIn(walk.plan, stage, walk.records, walk.facts);
  const inFlight = new Map<string, number>();
  const ends = new Map<string, Promise<void>>();
  const fallbacks = fallbacksOf(walk.plan);
  const start = (critic: PlanCritic): Promise<void> => {
    // What it waits for has ended in earlier stages, or is in `ends` because of the order below.
    const before = waitsFor(critic, fallbacks).flatMap((name) => ends.get(name) ?? []);
    // The sandbox takes a stack trace of every promise, so none is made without need.
    const run = (): Promise<void> => runOne(walk, critic, reserved, inFlight);
    return before.length === 0 ? run() : Promise.all(before).then(run);
  };
  for (const critic of inStartOrder(walk.plan, critics)) ends.set(critic.name, start(critic));
  walk.deps.changed();
  await Promise.all(ends.values());
}

async function runOne(walk: Walk, critic: PlanCritic, reserved: ReadonlySet<string>, inFlight: Map<string, number>): Promise<void> {
  if (walk.decisive !== undefined) return walk.add(cancelledBeforeStart(critic, 'DECISIVE'));
  const admission = admit(walk.plan, critic, walk.records, reserved, walk.facts);
  if (admission.kind === 'ended') return walk.add(admission.record);
  const left = walk.left(critic);
  if (left.ms <= 0) return walk.add(notReached(critic, left.by));
  const usedUpMs = walk.used.totalMs + left.ms;
  inFlight.set(critic.name, left.ms);
  walk.running.set(critic.name, critic);
  const handed = dropFindingsToFit(findingsFor(walk.plan, critic, walk.records), MAX_HANDED_FINDINGS_BYTES);
  walk.dropped += handed.dropped;
  const result: CriticResult = handed.fits
    ? await walk.deps.runCritic({ critic, findings: handed.findings, scheduleToCloseMs: Math.ceil(left.ms) })
    : {
        outcome: 'invalid_output',
        attempts: [],
        code: 'FINDING_TOO_LARGE',
        message: 'the findings of its dependencies are larger than 512 KB together',
      };
  walk.observe(Math.max(...inFlight.values()));
  inFlight.delete(critic.name);
  const isCut = result.outcome === 'timed_out' && result.code === 'CRITIC_TIMEOUT';
  if (isCut) walk.used.countUpTo(usedUpMs);
  walk.add(
    recordOf(
      critic,
      admission.gate,
      isCut ? { ...result, message: `${timeOf(critic, left.by)} was used up while it ${doing(result)}` } : result,
    ),
  );
  if (walk.decisive !== undefined) walk.deps.cancelRunning();
  walk.deps.changed();
}

/** What it did when its time was over, by its last attempt: one that was cut has a record that says so. */
function doing({ attempts }: CriticResult): string {
  const last = attempts.at(-1);
  return last === undefined || last.class === 'timed_out' ? 'ran' : `waited for its next attempt, after ${last.code ?? last.class}`;
}
