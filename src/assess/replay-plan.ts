/** The plan over the measured runs: how each record ends with everything on, and as the plan has it. */
import { setImmediate as turn } from 'node:timers/promises';
import { metricsOf } from '../domain/metrics.js';
import type { CriticRecord } from '../domain/outcomes.js';
import type { Plan } from '../domain/plan.js';
import type { Decision } from '../domain/report.js';
import { evaluateInProcess } from '../in-process.js';
import { ASSESS_TENANT, type Measurement } from './measure.js';

/** What kept a critic from running. */
export type Kept = 'gates' | 'decisiveRules' | 'budget' | 'otherwise';

/** How one record ended; shadow critics are in no figure. */
export interface Ended {
  readonly decision: Decision;
  /** Names of those that ran. */
  readonly ran: ReadonlySet<string>;
  readonly weight: number;
  readonly usd: number;
  /** The longest chain of running time that the plan's order forces. */
  readonly latencyMs: number;
  readonly notRun: readonly { readonly name: string; readonly weight: number; readonly by: Kept }[];
}

/** `undefined`: the plan does not take the content. */
export type Ends = readonly (Ended | undefined)[];

/**
 * Everything on: gates open, no rule cuts, no budget. Time limits of stages and of the evaluation hold in neither run, since
 * kept answers take no time; the limit of an attempt held when the critic ran.
 */
export const withEverythingOn = (plan: Plan): Plan => ({
  ...plan,
  budget: {},
  verdict: { ...plan.verdict, rules: plan.verdict.rules.map((rule) => ({ ...rule, decisive: false })) },
});

/** Records that are decided between two turns of the event loop: some milliseconds. */
const RECORDS_PER_TURN = 50;

/** @throws Stopped when the signal fired meanwhile. */
export async function replay(measurement: Measurement, plan: Plan, gating: 'on' | 'off'): Promise<Ends> {
  const ends: (Ended | undefined)[] = [];
  for (const [index, { content, context, riskTier }] of measurement.records.entries()) {
    if (index % RECORDS_PER_TURN === 0) {
      measurement.options.onReplay?.({ gating, done: index, records: measurement.records.length });
      await turn();
      measurement.throwIfStopped();
    }
    if (!measurement.takes(index)) {
      ends.push(undefined);
      continue;
    }
    const request = { plan, content, context, gating, tenant: ASSESS_TENANT, ...(riskTier !== undefined ? { riskTier } : {}) };
    const { verdict, records } = await evaluateInProcess(request, {
      runCritic: (critic, findings) => measurement.result(critic, index, findings),
    });
    ends.push(endedOf(plan, records, verdict.decision));
  }
  return ends;
}

function endedOf(plan: Plan, records: ReadonlyMap<string, CriticRecord>, decision: Decision): Ended {
  const enforcing = plan.critics.filter(({ mode }) => mode === 'enforce');
  const notRun: { name: string; weight: number; by: Kept }[] = [];
  const ran = new Set<string>();
  let [weight, usd] = [0, 0];
  for (const { name, costWeight } of enforcing) {
    const record = records.get(name);
    if (record === undefined || record.attempts.length === 0) {
      notRun.push({ name, weight: costWeight, by: whatKept(record) });
      continue;
    }
    ran.add(name);
    weight += costWeight;
    usd += record.attempts.reduce((sum, { cost }) => sum + (cost?.usd ?? 0), 0);
  }
  const only = { ...plan, critics: enforcing };
  return { decision, ran, weight, usd, latencyMs: metricsOf(only, records, 0).criticalPathMs, notRun };
}

function whatKept(record: CriticRecord | undefined): Kept {
  if (record === undefined) return 'otherwise';
  if (record.outcome === 'gated') return 'gates';
  if (record.outcome === 'over_budget') return 'budget';
  return record.outcome === 'cancelled' ? 'decisiveRules' : 'otherwise';
}
