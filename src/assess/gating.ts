/** What gates save, and what they cost in recall: the same records with everything on and as the plan has it. Pure. */
import { tidy } from '../domain/metrics.js';
import type { GatingFigures, Loss } from './figures.js';
import { latencyOf } from './quality.js';
import type { Ended, Ends, Kept } from './replay-plan.js';
import type { SetRecord } from './sets/record.js';
import { upperBound } from './statistics.js';
import { byStratum } from './strata.js';

/** One record in both runs, so many times. */
export interface Pair {
  readonly record: SetRecord;
  readonly full: Ended;
  readonly gated: Ended;
  /** By which records of one content are one. */
  readonly contentHash: string;
  /** More than 1 in a mix that repeats records. */
  readonly times: number;
}

/** Records that the plan takes, once each. */
export function pairsOf(records: readonly SetRecord[], hashes: readonly string[], full: Ends, gated: Ends): (Pair | undefined)[] {
  return records.map((record, index) => {
    const [a, b] = [full[index], gated[index]];
    return a === undefined || b === undefined ? undefined : { record, contentHash: hashes[index] ?? '', full: a, gated: b, times: 1 };
  });
}

/** All together first, then by stratum. */
export function gatingFigures(pairs: readonly Pair[]): GatingFigures[] {
  const strata = [...byStratum(pairs, ({ record }) => record.stratum)];
  return [['all', pairs] as const, ...(strata.length === 1 ? [] : strata)].map(([stratum, group]) => figuresOf(stratum, group));
}

function figuresOf(stratum: string, pairs: readonly Pair[]): GatingFigures {
  const sum = (value: (pair: Pair) => number): number => tidy(pairs.reduce((total, pair) => total + value(pair) * pair.times, 0));
  const compare = (value: (ended: Ended) => number) => ({ full: sum(({ full }) => value(full)), gated: sum(({ gated }) => value(gated)) });
  const weight = compare((ended) => ended.weight);
  const usd = compare((ended) => ended.usd);
  const times = (value: (pair: Pair) => number): number[] => pairs.flatMap((pair) => Array<number>(pair.times).fill(value(pair)));
  const of = (isStopped: (pair: Pair) => boolean): Loss => lossOf(pairs.filter(isStopped));
  return {
    stratum,
    n: sum(() => 1),
    distinct: distinctOf(pairs),
    runs: compare((ended) => ended.ran.size),
    weight,
    savedShare: weight.full === 0 ? 0 : tidy(1 - weight.gated / weight.full),
    notRun: {
      byGates: sum((pair) => savedBy('gates', pair)),
      byDecisiveRules: sum((pair) => savedBy('decisiveRules', pair)),
      byBudget: sum((pair) => savedBy('budget', pair)),
      otherwise: sum((pair) => savedBy('otherwise', pair)),
    },
    ...(usd.full > 0 ? { usd } : {}),
    latency: { full: latencyOf(times(({ full }) => full.latencyMs)), gated: latencyOf(times(({ gated }) => gated.latencyMs)) },
    denied: of(({ full }) => full.decision === 'deny'),
    escalated: of(({ full }) => full.decision === 'escalate'),
    stopped: of(isStopped),
    rightlyStopped: of((pair) => isStopped(pair) && (pair.record.verdict === 'deny' || pair.record.verdict === 'escalate')),
    softened: sum(({ full, gated }) => (full.decision === 'deny' && gated.decision === 'escalate' ? 1 : 0)),
  };
}

/** Only what the full run had: a fallback that nobody needed runs in neither, and saves nothing. */
const savedBy = (by: Kept, { full, gated }: Pair): number =>
  gated.notRun.reduce((total, one) => total + (one.by === by && full.ran.has(one.name) ? one.weight : 0), 0);

/** A full run that could not judge has stopped nothing that could be lost. */
const isStopped = ({ full }: Pair): boolean => full.decision === 'deny' || full.decision === 'escalate';

/** Sets hold some texts twice, and mixes repeat records. */
const distinctOf = (pairs: readonly Pair[]): number => new Set(pairs.map(({ contentHash }) => contentHash)).size;

function lossOf(stopped: readonly Pair[]): Loss {
  const lost = stopped.filter(({ gated }) => gated.decision === 'allow');
  const count = (pairs: readonly Pair[]): number => pairs.reduce((sum, { times }) => sum + times, 0);
  return {
    stopped: count(stopped),
    lost: count(lost),
    distinctStopped: distinctOf(stopped),
    distinctLost: distinctOf(lost),
    // A repeat says nothing new: with it the bound would look better than it is.
    upper: upperBound(distinctOf(lost), distinctOf(stopped)),
  };
}
