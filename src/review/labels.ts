/** Decisions of people as a labelled set: rows of the form that `assess` reads as its own. Pure. */
import type { Json } from '../domain/finding.js';
import type { RiskTier } from '../domain/plan.js';
import type { JsonObject } from '../domain/request.js';
import type { ReviewRecord } from './review-record.js';
import { verifyReview } from './verify.js';

export interface LabelRow {
  readonly id: string;
  readonly content: Json;
  readonly context: JsonObject;
  readonly riskTier: RiskTier;
  /** What people made of it. */
  readonly expected: { readonly verdict: 'allow' | 'deny' };
  readonly stratum: string;
}

/** `undefined` for a review that people have not decided, or whose account is not sound. */
export function labelRow(record: ReviewRecord): LabelRow | undefined {
  const { outcome, queue } = record.result ?? {};
  if ((outcome !== 'PROCEEDED' && outcome !== 'HALTED') || !verifyReview(record).sound) return undefined;
  const { content, context, report } = record.input.packet;
  const verdict = outcome === 'PROCEEDED' ? 'allow' : 'deny';
  return {
    id: record.reviewId,
    content,
    context,
    riskTier: report.riskTier,
    expected: { verdict },
    stratum: `reviews/${queue ?? 'reviews'}`,
  };
}
