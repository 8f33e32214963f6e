/**
 * A plan over one content in this process, without a server: the real walk, gates, budget and verdict, with a callback
 * in the place of everything that runs a critic. What tests of plans and measurements of critics stand on.
 *
 * I1 It decides nothing itself: what the walk decides here it decides in the workflow, given the same ends of critics.
 * I2 Starts no timer: time-outs of attempts are the callback's, and the clock is handed in.
 * I3 Anything the callback throws rejects the whole evaluation: there is no verdict then, and so no allow.
 *
 * What differs from a run on a server: no retries, no lanes and no limits; a critic ends when the callback says so, and
 * of the size limits only the plan's own is looked at.
 */
import { DEFAULT_TENANT, type LocalBatchInput, type LocalBatchResult } from './contract.js';
import { deferred } from './deferred.js';
import { contentHash } from './digest.js';
import { buildReport } from './domain/build-report.js';
import { effectiveRisk, type EffectiveRisk } from './domain/effective-risk.js';
import type { Finding, Json } from './domain/finding.js';
import type { RunFacts } from './domain/gate.js';
import type { CriticRecord, CriticResult } from './domain/outcomes.js';
import { stagesOf, type Dispatch, type ExecutionStage, type Plan, type PlanCritic, type RiskTier } from './domain/plan.js';
import type { EvaluationReport } from './domain/report.js';
import type { JsonObject } from './domain/request.js';
import { decideVerdict, type Verdict } from './domain/verdict.js';
import { requestBytes } from './schemas/request.js';
import { runStages, Walk, type CriticCall, type WalkDeps } from './workflows/walk.js';

/** What a critic that runs here is told beside its findings. */
export interface CriticRun {
  readonly content: Json;
  readonly facts: RunFacts;
  /** Milliseconds that critic, stage and evaluation have left, by the clock that was handed in. */
  readonly leftMs: number;
  /** Aborted when a decisive rule has ended the run: its result is not waited for any more. */
  readonly signal: AbortSignal;
}

/** Runs one critic to its end. `findings`: those of its own dependencies. */
export type RunCritic = (
  critic: PlanCritic,
  findings: Readonly<Record<string, Finding>>,
  run: CriticRun,
) => Promise<CriticResult> | CriticResult;

export interface InProcessRequest {
  readonly plan: Plan;
  readonly content: Json;
  readonly context?: JsonObject;
  /** Default: `default`. */
  readonly tenant?: string;
  /** The caller's word; absent: the plan's default. */
  readonly riskTier?: RiskTier;
  /** `off` runs every critic. Default `on`. */
  readonly gating?: 'on' | 'off';
  /** Stands in the report. Default: `in-process`. */
  readonly evaluationId?: string;
}

export interface InProcessOptions {
  readonly runCritic: RunCritic;
  /** Milliseconds. Default: a clock that stands still, so that no time is ever used up. */
  readonly now?: () => number;
}

export interface InProcessResult {
  readonly verdict: Verdict;
  /** Of every planned critic, by name, in the order in which they ended. */
  readonly records: ReadonlyMap<string, CriticRecord>;
  readonly facts: RunFacts;
  readonly risk: EffectiveRisk;
  report(): EvaluationReport;
}

/** Content that the plan does not take; a server refuses the request. */
export class ContentRefused extends Error {
  override readonly name = 'ContentRefused';
}

/**
 * @throws ContentRefused when content and context are larger than the plan takes; whatever `runCritic` throws.
 */
export async function evaluateInProcess(request: InProcessRequest, options: InProcessOptions): Promise<InProcessResult> {
  const { plan, content, context = {}, tenant = DEFAULT_TENANT, gating = 'on', riskTier } = request;
  const now = options.now ?? (() => 0);
  const size = requestBytes({ content, context });
  if (size > plan.limits.maxContentBytes)
    throw new ContentRefused(`content and context are ${size} bytes, plan ${plan.name} takes ${plan.limits.maxContentBytes}`);
  const risk = effectiveRisk(plan, { tenant, context, ...(riskTier !== undefined ? { riskTier } : {}) }, size);
  const { riskErrors } = risk;
  const facts: RunFacts = {
    tenant,
    riskTier: risk.riskTier,
    gating,
    context,
    size,
    ...(riskErrors !== undefined ? { riskErrors } : {}),
  };
  const begun = now();
  const walk = await walked(plan, facts, content, { ...options, now });
  const totalMs = now() - begun;
  const verdict = decideVerdict(plan, walk.records, facts);
  return {
    verdict,
    records: walk.records,
    facts,
    risk,
    report: () =>
      buildReport({
        evaluationId: request.evaluationId ?? 'in-process',
        tenant,
        plan,
        facts,
        contentHash: contentHash(content),
        records: [...walk.records.values()],
        stages: walk.stages,
        verdict,
        totalMs,
        dropped: walk.dropped,
      }),
  };
}

async function walked(plan: Plan, facts: RunFacts, content: Json, options: Required<InProcessOptions>): Promise<Walk> {
  const deps = depsOf(plan, facts, content, options);
  const walk = new Walk(plan, facts, content, {
    ...deps,
    runBatch: (input) => runLocals(input, deps),
  });
  try {
    await runStages(walk);
    return walk;
  } finally {
    // Whoever was cut, or stands beside one that threw, is told to stop.
    deps.cancelRunning();
  }
}

type CriticDeps = Omit<WalkDeps, 'runBatch'>;

function depsOf(plan: Plan, facts: RunFacts, content: Json, { runCritic, now }: Required<InProcessOptions>): CriticDeps {
  const stop = new AbortController();
  // As the plan has it: what runs the local critics turns their dispatch round.
  const written = new Map(plan.critics.map((critic) => [critic.name, critic]));
  const run = async ({ critic, findings, scheduleToCloseMs }: CriticCall): Promise<CriticResult> => {
    const startedAt = now();
    const cut = deferred<CriticResult>();
    const onStop = (): void => {
      const ranMs = now() - startedAt;
      const attempts = [{ class: 'cancelled', queuedMs: 0, ranMs, startedAt }] as const;
      cut.resolve({ outcome: 'cancelled', attempts, startedAt, endedAt: now(), code: 'DECISIVE' });
    };
    stop.signal.addEventListener('abort', onStop, { once: true });
    try {
      const ran = runCritic(written.get(critic.name) ?? critic, findings, {
        content,
        facts,
        leftMs: scheduleToCloseMs,
        signal: stop.signal,
      });
      return await Promise.race([ran, cut.promise]);
    } finally {
      stop.signal.removeEventListener('abort', onStop);
    }
  };
  return { now, historyLength: () => 0, runCritic: run, cancelRunning: () => stop.abort(), changed: () => undefined };
}

/**
 * The local critics of the stage under way, through the same callback and by the same walk: a walk over a plan in which
 * they are the remote ones of their stage, and what is remote there is left to the walk that asked.
 */
async function runLocals({ plan, facts, content, state }: LocalBatchInput, deps: CriticDeps): Promise<LocalBatchResult> {
  const { stage, records, usedMs, stageUsedMs } = state;
  if (stage === undefined) throw new Error('a batch begins in a stage');
  const inner = new Walk(swapped(plan, stage), facts, content, {
    ...deps,
    runBatch: async () => ({ records: [], stages: [] }),
  });
  for (const record of records) inner.records.set(record.name, record);
  for (const other of stagesOf(plan)) if (other !== stage) inner.stages.push({ stage: other, ms: 0 });
  inner.used.count(usedMs - stageUsedMs, deps.now());
  inner.beginStage(stage);
  inner.used.count(stageUsedMs, deps.now());
  const before = deps.now();
  await runStages(inner);
  const added = [...inner.records.values()].slice(records.length);
  const ended = plan.critics.every((critic) => critic.stage !== stage || inner.records.has(critic.name));
  const dropped = inner.dropped > 0 ? { dropped: inner.dropped } : {};
  return { records: added, stages: [{ stage, ms: deps.now() - before, ended }], ...dropped };
}

function swapped(plan: Plan, stage: ExecutionStage): Plan {
  const other: Readonly<Record<Dispatch, Dispatch>> = { local: 'activity', activity: 'local' };
  const critics = plan.critics.map((critic) => (critic.stage === stage ? { ...critic, dispatch: other[critic.dispatch] } : critic));
  return { ...plan, critics };
}
