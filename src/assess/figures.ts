/** The figures of an assessment: what `--json` prints, and what all other outputs show. Types only. */
import type { CriticOutcome } from '../domain/outcomes.js';
import type { ExecutionStage } from '../domain/plan.js';
import type { Decision } from '../domain/report.js';
import type { ExpectedVerdict } from './sets/record.js';
import type { Estimate, Proportion } from './statistics.js';

/** Of records whose label is known and that the critic judged. */
export interface Counts {
  readonly hits: number;
  readonly falseAlarms: number;
  readonly misses: number;
  readonly clean: number;
}

export interface StratumQuality extends Counts {
  readonly stratum: string;
  readonly recall: Proportion;
  /** Flagged ÷ labelled as none of the family. */
  readonly falseAlarmRate: Proportion;
}

export interface FamilyQuality extends Counts {
  readonly family: string;
  /** Records with a known label that the critic judged. */
  readonly n: number;
  /** Records with a known label of which the critic gave no finding; in no other figure. */
  readonly unjudged: number;
  readonly precision: Proportion;
  readonly recall: Proportion;
  readonly falseAlarmRate: Proportion;
  readonly f1: Estimate;
  readonly strata: readonly StratumQuality[];
  /** Ids of records; their texts nowhere. */
  readonly missed: readonly string[];
  readonly wronglyFlagged: readonly string[];
}

export interface SpanQuality {
  readonly type: string;
  readonly labelled: number;
  readonly found: number;
  readonly precision: Proportion;
  readonly recall: Proportion;
  readonly f1: Estimate;
}

export interface SpanFigures {
  /** Records whose spans are marked and that the critic judged. */
  readonly records: number;
  /** Of types that the critic has codes for. */
  readonly types: readonly SpanQuality[];
  /** Marked types that no code of the critic's findings means, with how many. */
  readonly notLookedFor: readonly { readonly type: string; readonly labelled: number }[];
}

/** Milliseconds of the critic's own run, kept answers with their recorded ones. */
export interface Latency {
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface CriticFigures {
  readonly name: string;
  readonly uses: string;
  readonly version: string;
  readonly stage: ExecutionStage;
  readonly families: readonly FamilyQuality[];
  readonly spans?: SpanFigures;
  /** One count for each way a run ended; `skipped`: it had no findings to go by, or the plan does not take the content. */
  readonly outcomes: Partial<Record<CriticOutcome, number>>;
  /** Failures by their code, the most frequent first. */
  readonly failures: readonly { readonly code: string; readonly count: number }[];
  readonly latency: Latency;
  readonly cost: {
    /** Of one run. */
    readonly weight: number;
    readonly runs: number;
    readonly usd?: number;
    readonly inputTokens?: number;
    readonly outputTokens?: number;
  };
  /** Answers of an earlier run, or to the same content in this one. */
  readonly kept: number;
}

/** Expected verdict, or `not scored`, by decision of the plan as it runs. */
export type Confusion = readonly {
  readonly expected: ExpectedVerdict | 'not scored';
  readonly decided: Readonly<Record<Decision, number>>;
  /** Decided as one of the verdicts that count as right. */
  readonly accepted: Proportion;
}[];

/** Of records that should be let through. */
export interface OverBlocking {
  readonly stratum: string;
  readonly n: number;
  readonly denied: Proportion;
  readonly escalated: Proportion;
  readonly notJudged: Proportion;
}

/** Of records that should not be let through. */
export interface LetThrough {
  readonly stratum: string;
  readonly n: number;
  readonly stopped: Proportion;
  readonly denied: Proportion;
}

/** What the full run stopped, and how much of it the gated run allows. */
export interface Loss {
  /** Stopped by the full run; repeats of a mix count. */
  readonly stopped: number;
  readonly lost: number;
  /** The same without repeats: what the bound goes by. */
  readonly distinctStopped: number;
  readonly distinctLost: number;
  /** One-sided upper 95 % bound of the share lost (Clopper and Pearson). */
  readonly upper: number;
}

export interface Compared {
  readonly full: number;
  readonly gated: number;
}

export interface GatingFigures {
  /** `all`, or a stratum. */
  readonly stratum: string;
  readonly n: number;
  readonly distinct: number;
  readonly runs: Compared;
  readonly weight: Compared;
  /** 1 − gated ÷ full; 0 when nothing ran. */
  readonly savedShare: number;
  /** Weight that ran with everything on and not in the plan as it runs, by what kept it. */
  readonly notRun: { readonly byGates: number; readonly byDecisiveRules: number; readonly byBudget: number; readonly otherwise: number };
  readonly usd?: Compared;
  /** Of the longest chain of critics that the plan's order forces; without queues, retries and Temporal. */
  readonly latency: { readonly full: Latency; readonly gated: Latency };
  readonly denied: Loss;
  readonly escalated: Loss;
  /** Denied or escalated. */
  readonly stopped: Loss;
  /** The same of records that should be stopped, by their expected verdict. */
  readonly rightlyStopped: Loss;
  /** Denied by the full run, and only escalated by the gated one. */
  readonly softened: number;
}

export interface MixPart {
  readonly part: string;
  readonly share: number;
  readonly strata: readonly string[];
  /** Repeats count. */
  readonly n: number;
  readonly distinct: number;
}

export interface Mix {
  readonly seed: number;
  readonly parts: readonly MixPart[];
  readonly gating: readonly GatingFigures[];
  readonly decided: Readonly<Record<Decision, number>>;
}

/** One value of the option that was swept. */
export interface SweepPoint {
  readonly value: number;
  readonly families: readonly Pick<FamilyQuality, 'family' | 'precision' | 'recall' | 'falseAlarmRate' | 'f1'>[];
  readonly overBlocking?: OverBlocking;
  readonly letThrough?: LetThrough;
}

export interface Sweep {
  readonly critic: string;
  readonly option: string;
  readonly points: readonly SweepPoint[];
}

export interface Assessment {
  /** Of this form; keys are added, never renamed. */
  readonly v: 1;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly tookMs: number;
  readonly plan?: { readonly name: string; readonly version: number; readonly hash: string };
  readonly sets: readonly { readonly file: string; readonly form: string; readonly records: number }[];
  readonly records: number;
  readonly sample?: { readonly of: number; readonly seed: number };
  readonly strata: readonly { readonly stratum: string; readonly n: number }[];
  readonly flaggedFrom?: number;
  readonly critics: readonly CriticFigures[];
  /** Absent for single critics, which have no verdict. */
  readonly verdicts?: {
    readonly confusion: Confusion;
    readonly overBlocking: readonly OverBlocking[];
    readonly letThrough: readonly LetThrough[];
    /** Content that the plan does not take: not judged. */
    readonly refused: number;
  };
  readonly gating?: readonly GatingFigures[];
  readonly mix?: Mix;
  readonly sweep?: Sweep;
  /** What a reader must know before trusting the rest. */
  readonly notes: readonly string[];
}
