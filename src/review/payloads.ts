/** What stands in events, read as the SDK reads it: through the codecs, each payload in the place that it was made for. */
import { defaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { named, type Host } from '../client-calls.js';
import type { HistoryEvent } from './recorded.js';

/** The result of one local activity. */
export interface Marker {
  readonly activity: string;
  readonly activityId: string;
  readonly payload: Payload;
}

/** Payloads of one workflow. @throws Undecodable for what cannot be read here. */
export class Payloads {
  constructor(
    readonly host: Host,
    readonly workflowId: string,
  ) {}

  /** Of arguments, updates, memo and result. */
  async ofWorkflow(payload: Payload | null | undefined): Promise<unknown> {
    return await this.#read(payload, { type: 'workflow', namespace: this.host.namespace, workflowId: this.workflowId });
  }

  async ofMarker({ payload, activityId }: Marker): Promise<unknown> {
    const { namespace } = this.host;
    return await this.#read(payload, { type: 'activity', namespace, workflowId: this.workflowId, activityId, isLocal: true });
  }

  async #read(payload: Payload | null | undefined, context: SerializationContext): Promise<unknown> {
    if (payload === null || payload === undefined) return undefined;
    const { payloadCodecs, payloadConverter } = this.host.client.options.loadedDataConverter;
    try {
      let decoded = [payload];
      for (const codec of payloadCodecs.toReversed()) decoded = await codec.decode(decoded, context);
      return payloadConverter.fromPayload(decoded[0] ?? payload, context);
    } catch (error) {
      throw named(this.host, `cannot read what is recorded of ${this.workflowId}`, this.workflowId, error);
    }
  }
}

/** Results of local activities, in their order. Attempts that failed have none. */
export function markersOf(events: readonly HistoryEvent[]): Marker[] {
  return events.flatMap(({ markerRecordedEventAttributes: marker }) => {
    const written = marker?.details?.['data']?.payloads?.[0];
    const payload = marker?.details?.['result']?.payloads?.[0];
    // The SDK's own part of a marker goes through no codec.
    const about: unknown = written ? defaultPayloadConverter.fromPayload(written) : undefined;
    return payload && isAbout(about) ? [{ activity: about.activity_type, activityId: about.activity_id, payload }] : [];
  });
}

function isAbout(about: unknown): about is { readonly activity_type: string; readonly activity_id: string } {
  if (typeof about !== 'object' || about === null || !('activity_type' in about) || !('activity_id' in about)) return false;
  return typeof about.activity_type === 'string' && typeof about.activity_id === 'string';
}

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';

/** By the event that closes it. A run that another one goes on from is not over. */
export function statusOfRun(events: readonly HistoryEvent[]): RunStatus {
  const last = events.at(-1);
  if (last?.workflowExecutionCompletedEventAttributes != null) return 'completed';
  if (last?.workflowExecutionFailedEventAttributes != null) return 'failed';
  if (last?.workflowExecutionCanceledEventAttributes != null) return 'cancelled';
  if (last?.workflowExecutionTerminatedEventAttributes != null) return 'terminated';
  return last?.workflowExecutionTimedOutEventAttributes != null ? 'timed_out' : 'running';
}

export const timeOf = ({ eventTime }: HistoryEvent): number =>
  Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6);
