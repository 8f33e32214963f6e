/**
 * What a critic returns, and the limit on its sentences; `schemas/finding.ts` checks unknown data against them.
 */

/** Longest message for people that a finding, a record or a failure carries. */
export const MAX_MESSAGE_CHARS = 500;

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Where in the content a violation stands: UTF-16 code units, `end` exclusive; `path` is a JSON Pointer into a structured content. */
export interface Span {
  readonly path?: string;
  readonly start: number;
  readonly end: number;
}

/** One thing that is wrong with the content. */
export interface Violation {
  /** Stable code of the rule that was broken, for example `card`. */
  readonly code: string;
  /** One sentence for people, at most 500 characters. */
  readonly message: string;
  /** 0 (harmless) to 1. Absent: the finding's severity. */
  readonly severity?: number;
  readonly span?: Span;
}

/** What one attempt cost at its provider. Absent fields: not known. */
export interface FindingCost {
  readonly usd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** The answer of one critic. */
export interface Finding {
  /** 0 (nothing found) to 1. */
  readonly severity: number;
  /** Empty when nothing is wrong. */
  readonly violations: readonly Violation[];
  /** Any finite number; its meaning is the critic's. */
  readonly score?: number;
  /** Any finite number; its meaning is the critic's. */
  readonly value?: number;
  /** 0 (sure) to 1 (a guess). */
  readonly uncertainty?: number;
  /** Quotes or notes that support the finding. */
  readonly evidence?: readonly string[];
  readonly cost?: FindingCost;
  /** Free JSON for people; no rule can read it. */
  readonly details?: Json;
}
