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

/** A row, and whether anybody may have decided it. */
export interface Label {
  readonly row: LabelRow;
  /** A vote that counts was not signed. */
  readonly unsigned?: true;
}

/** `undefined` for a review that people have not decided, or whose account is not sound. */
export function labelOf(record: ReviewRecord): Label | undefined {
  const { outcome, queue } = record.result ?? {};
  if (outcome !== 'PROCEEDED' && outcome !== 'HALTED') return undefined;
  const verified = verifyReview(record);
  if (!verified.sound) return undefined;
  const { content, context, report } = record.input.packet;
  const verdict = outcome === 'PROCEEDED' ? 'allow' : 'deny';
  const row: LabelRow = {
    id: record.reviewId,
    content,
    context,
    riskTier: report.riskTier,
    expected: { verdict },
    stratum: `reviews/${queue ?? 'reviews'}`,
  };
  return { row, ...(deciding(record).some((seq) => verified.unsigned.includes(seq)) ? { unsigned: true } : {}) };
}

/** Numbers of the entries by which it was decided: the newest vote of each whose votes count. */
const deciding = ({ entries, result }: ReviewRecord): readonly number[] =>
  (result?.deciders ?? []).flatMap(
    ({ by }) => entries.findLast(({ entry }) => entry.type === 'decide' && entry.by === by)?.entry.seq ?? [],
  );
