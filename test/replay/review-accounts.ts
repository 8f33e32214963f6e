/**
 * What a run of a review, or of a workflow beside one, has left: the form in which a recorded run and a replayed one are
 * compared. All that it decides and tells is in it, and when its timers were to fire.
 */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { RECORD_ENTRIES } from '../../src/contract.js';
import type { HashedEntry } from '../../src/domain/review/chain.js';
import type { History } from './ends.js';

/** Header of a replayed start: a reset made this run. The SDK replays it under the id of the run in which its history began. */
export const RESET_HEADER = 'replayed-reset';

/** What one activation of a workflow has led to, decoded. */
export interface Told {
  readonly entries?: unknown;
  /** Search attributes, by name. */
  readonly shown?: Readonly<Record<string, unknown>>;
  /** Milliseconds of a timer. */
  readonly timer?: number;
  readonly child?: { readonly id: string; readonly input: unknown };
  readonly close?: RunClose;
}

export type RunClose =
  | { readonly is: 'completed'; readonly result: unknown }
  | { readonly is: 'failed'; readonly type: string }
  | { readonly is: 'cancelled' }
  | { readonly is: 'continued'; readonly args: readonly unknown[] };

export interface RunAccount {
  readonly entries: readonly HashedEntry[];
  readonly shown: Readonly<Record<string, unknown>>;
  readonly timers: readonly number[];
  readonly children: readonly { readonly id: string; readonly input: unknown }[];
  /** Absent: it is under way. */
  readonly close?: RunClose;
}

export function accountOf(told: readonly Told[]): RunAccount {
  const close = told.findLast((one) => one.close !== undefined)?.close;
  return {
    entries: told.flatMap(({ entries }) => (Array.isArray(entries) ? (entries as HashedEntry[]) : [])),
    shown: Object.assign({}, ...told.map(({ shown }) => shown)) as Record<string, unknown>,
    timers: told.flatMap(({ timer }) => (timer === undefined ? [] : [timer])),
    children: told.flatMap(({ child }) => (child === undefined ? [] : [child])),
    ...(close !== undefined ? { close } : {}),
  };
}

export const recordedAccount = ({ events }: History): RunAccount => accountOf((events ?? []).map(toldBy));

type Event = NonNullable<History['events']>[number];

function toldBy(event: Event): Told {
  const marker = event.markerRecordedEventAttributes?.details;
  if (marker != null) {
    const about = decode(marker['data']?.payloads?.[0]);
    const isEntries = typeof about === 'object' && about !== null && 'activity_type' in about && about.activity_type === RECORD_ENTRIES;
    return isEntries ? { entries: decode(marker['result']?.payloads?.[0]) } : {};
  }
  const shown = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  if (shown != null) return { shown: attributesOf(shown) };
  const timer = event.timerStartedEventAttributes?.startToFireTimeout;
  if (timer != null) return { timer: millis(timer) };
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child != null) return { child: { id: child.workflowId ?? '', input: decode(child.input?.payloads?.[0]) } };
  const close = closeOf(event);
  return close === undefined ? {} : { close };
}

function closeOf(event: Event): RunClose | undefined {
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed != null) return { is: 'completed', result: decode(completed.result?.payloads?.[0]) ?? null };
  const failure = event.workflowExecutionFailedEventAttributes?.failure;
  if (failure != null) return { is: 'failed', type: failure.applicationFailureInfo?.type ?? '' };
  if (event.workflowExecutionCanceledEventAttributes != null) return { is: 'cancelled' };
  const continued = event.workflowExecutionContinuedAsNewEventAttributes;
  return continued == null ? undefined : { is: 'continued', args: (continued.input?.payloads ?? []).map(decode) };
}

/** What an evaluation asks people to decide. Its report is left out: wording and figures may be improved, and digests change with them. */
export function askedOf(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || !('packet' in input)) return input;
  const { packet, ...rest } = input;
  if (typeof packet !== 'object' || packet === null || !('report' in packet)) return input;
  const { report: _report, ...shown } = packet;
  return { ...rest, packet: shown };
}

/** Of the newest child that an evaluation has asked for; `undefined`: none. */
export const recordedAsk = (history: History): unknown => askedOf(recordedAccount(history).children.at(-1)?.input);

interface Span {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

export const millis = ({ seconds, nanos }: Span): number => Number(seconds ?? 0) * 1_000 + Math.round((nanos ?? 0) / 1e6);

/** Set beside a patch marker, below the workflow's commands. */
const OF_SDK = 'TemporalChangeVersion';

/** That of an attribute that was taken away is `null`. */
export const attributesOf = (fields: Readonly<Record<string, Payload>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, payload]) => (name === OF_SDK ? [] : [[name, decode(payload) ?? null]])));

export function decode(payload: Payload | null | undefined): unknown {
  if (payload == null) return undefined;
  const value: unknown = defaultPayloadConverter.fromPayload(payload);
  return value;
}
