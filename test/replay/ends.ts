/**
 * How an evaluation ended, in the form in which a recorded end and a replayed one are compared. What decides about content
 * is in it; wording, times and figures are not, so that they can be improved without touching what was recorded.
 */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { RECORD_PARTIAL } from '../../src/contract.js';
import { FAILURE_TYPES } from '../../src/domain/errors.js';
import type { EvaluationReport, ReportReview } from '../../src/domain/report.js';

export type History = temporal.api.history.v1.IHistory;

/** The close of a run with what it carries, before it is looked at. */
export type Close =
  | { readonly status: 'completed'; readonly result: unknown }
  | { readonly status: 'failed'; readonly type: string; readonly details: unknown }
  | { readonly status: 'cancelled'; readonly partial: unknown };

export interface End {
  /** The decision, or how the evaluation closed without one. */
  readonly end: EvaluationReport['decision'] | 'refused' | 'cancelled';
  /** Code of a refusal. */
  readonly code?: string;
  readonly riskTier?: string;
  readonly escalatedBy?: string;
  readonly degraded?: boolean;
  /** Which critic or rule said what, in the order of the report. */
  readonly reasons?: readonly string[];
  readonly coverage?: EvaluationReport['coverage'];
  readonly covered?: number;
  /** The review that it opened: id, tier, queue, and the digest of what people decide about. */
  readonly review?: string;
  /** By critic: outcome, and what is behind it. */
  readonly critics?: Readonly<Record<string, string>>;
}

/** @throws Error when no evaluation closes like this. */
export function endOf(close: Close): End {
  switch (close.status) {
    case 'completed':
      return judged(close.result);
    case 'cancelled':
      return { ...judged(close.partial), end: 'cancelled' };
    case 'failed':
      if (close.type === FAILURE_TYPES.notJudged) return judged(close.details);
      if (close.type === FAILURE_TYPES.requestRefused) return { end: 'refused', code: codeOf(close.details) };
      throw new Error(`it failed as ${close.type}, which no evaluation does`);
  }
}

function judged(value: unknown): End {
  if (!isReport(value)) throw new Error('it has no report');
  return {
    end: value.decision,
    riskTier: value.riskTier,
    ...(value.escalatedBy !== undefined ? { escalatedBy: value.escalatedBy } : {}),
    degraded: value.degraded,
    reasons: value.reasons.map((reason) => [reason.effect, reason.code, reason.critic ?? reason.rule ?? ''].join(' ').trim()),
    coverage: value.coverage,
    covered: value.covered,
    ...(value.review !== undefined ? { review: reviewOf(value.review) } : {}),
    critics: Object.fromEntries(
      value.critics.map(({ name, outcome, attempts, code, root, coveredBy, cut, gate }) => [
        name,
        [
          outcome,
          `${attempts} attempts`,
          code,
          root !== undefined ? `root ${root}` : undefined,
          coveredBy !== undefined ? `covered by ${coveredBy}` : undefined,
          cut,
          gate !== undefined ? `gate by ${gate.by}` : undefined,
        ]
          .filter((part) => part !== undefined)
          .join(', '),
      ]),
    ),
  };
}

const reviewOf = ({ id, tier, queue, packetDigest }: ReportReview): string => [id, tier, queue, packetDigest].join(' ');

function isReport(value: unknown): value is EvaluationReport {
  return typeof value === 'object' && value !== null && 'decision' in value && 'critics' in value && Array.isArray(value.critics);
}

function codeOf(details: unknown): string {
  const code = typeof details === 'object' && details !== null && 'code' in details ? details.code : undefined;
  if (typeof code !== 'string') throw new Error('the refusal has no code');
  return code;
}

/** What a history says about its close. */
export function recordedEnd({ events }: History): End {
  const last = events?.at(-1);
  const completed = last?.workflowExecutionCompletedEventAttributes;
  if (completed) return endOf({ status: 'completed', result: decode(completed.result?.payloads) });
  const failure = last?.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo;
  if (failure) return endOf({ status: 'failed', type: failure.type ?? '', details: decode(failure.details?.payloads) });
  if (last?.workflowExecutionCanceledEventAttributes) return endOf({ status: 'cancelled', partial: partialReport(events ?? []) });
  throw new Error('the history has no end');
}

function partialReport(events: NonNullable<History['events']>): unknown {
  for (const { markerRecordedEventAttributes: marker } of events) {
    const about = decode(marker?.details?.['data']?.payloads);
    if (typeof about !== 'object' || about === null || !('activity_type' in about) || about.activity_type !== RECORD_PARTIAL) continue;
    return decode(marker?.details?.['result']?.payloads);
  }
  return undefined;
}

function decode(payloads: readonly Payload[] | null | undefined): unknown {
  const payload = payloads?.[0];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
}
