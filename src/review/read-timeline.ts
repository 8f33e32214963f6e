/** What has happened to a review, out of its histories: entries of the chain, each with the words that came with it. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { RECORD_ENTRIES } from '../contract.js';
import type { HashedEntry } from '../domain/review/chain.js';
import type { JsonObject } from '../domain/request.js';
import { decoded } from './read-packet.js';

export interface TimelineEntry extends HashedEntry {
  /** Of the command, as it was sent. */
  readonly payload?: JsonObject;
}

type Events = NonNullable<NonNullable<Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistory']>>['history']>['events']>;
type Event = Events[number];

/** In order. Whether the chain is whole is not asked here. */
export async function readTimeline(client: Client, reviewId: string): Promise<readonly TimelineEntry[]> {
  const entries = new Map<number, HashedEntry>();
  const payloads = new Map<string, JsonObject>();
  let runId: string | undefined;
  do {
    let earlier: string | undefined;
    for await (const event of eventsOf(client, reviewId, runId)) {
      earlier ??= event.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
      for (const recorded of await recordedIn(client, reviewId, event)) entries.set(recorded.entry.seq, recorded);
      const command = await commandIn(client, reviewId, event);
      if (command !== undefined) payloads.set(command.commandId, command.payload);
    }
    runId = earlier;
  } while (runId !== undefined);
  return [...entries.values()]
    .toSorted((one, other) => one.entry.seq - other.entry.seq)
    .map((one) => {
      const payload = one.entry.commandId === undefined ? undefined : payloads.get(one.entry.commandId);
      return { ...one, ...(payload !== undefined ? { payload } : {}) };
    });
}

async function* eventsOf(client: Client, reviewId: string, runId: string | undefined): AsyncGenerator<Event> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId: reviewId, ...(runId !== undefined ? { runId } : {}) },
      ...(nextPageToken !== undefined ? { nextPageToken } : {}),
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken != null && page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
}

/** Entries stand in the markers of a local activity, which returns what it was given. */
async function recordedIn(client: Client, reviewId: string, event: Event): Promise<readonly HashedEntry[]> {
  const details = event.markerRecordedEventAttributes?.details;
  const [written, result] = [details?.['data']?.payloads?.[0], details?.['result']?.payloads?.[0]];
  // The SDK's own part of a marker goes through no codec.
  const about: unknown = written ? defaultPayloadConverter.fromPayload(written) : undefined;
  if (!result || !isRecordEntries(about)) return [];
  const entries = await decoded(client, reviewId, result, about.activity_id);
  return Array.isArray(entries) ? (entries as HashedEntry[]) : [];
}

function isRecordEntries(about: unknown): about is { readonly activity_id: string } {
  if (typeof about !== 'object' || about === null || !('activity_type' in about) || !('activity_id' in about)) return false;
  return about.activity_type === RECORD_ENTRIES && typeof about.activity_id === 'string';
}

interface SentCommand {
  readonly commandId: string;
  readonly payload: JsonObject;
}

async function commandIn(client: Client, reviewId: string, event: Event): Promise<SentCommand | undefined> {
  const sent: Payload | undefined = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.args?.payloads?.[0];
  const command = sent === undefined ? undefined : await decoded(client, reviewId, sent);
  return isSent(command) ? command : undefined;
}

const isSent = (value: unknown): value is SentCommand =>
  typeof value === 'object' &&
  value !== null &&
  'commandId' in value &&
  typeof value.commandId === 'string' &&
  'payload' in value &&
  typeof value.payload === 'object' &&
  value.payload !== null;
