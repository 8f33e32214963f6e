/** What has happened to a review: entries of its chain, each with the words that came with it. Pure. */
import type { HashedEntry } from '../domain/review/chain.js';
import type { JsonObject } from '../domain/request.js';
import type { ReviewRecord } from './review-record.js';

export interface TimelineEntry extends HashedEntry {
  /** Of the command, as it was sent. */
  readonly payload?: JsonObject;
}

/** In order. Whether the chain is whole is not asked here. */
export function timelineOf({ entries, commands }: Pick<ReviewRecord, 'entries' | 'commands'>): readonly TimelineEntry[] {
  const payloads = new Map<string, JsonObject>();
  for (const { command, refused } of commands) if (refused !== true && isSent(command)) payloads.set(command.commandId, command.payload);
  return entries.map((one) => {
    const payload = one.entry.commandId === undefined ? undefined : payloads.get(one.entry.commandId);
    return { ...one, ...(payload !== undefined ? { payload } : {}) };
  });
}

const isSent = (value: unknown): value is { readonly commandId: string; readonly payload: JsonObject } =>
  typeof value === 'object' &&
  value !== null &&
  'commandId' in value &&
  typeof value.commandId === 'string' &&
  'payload' in value &&
  typeof value.payload === 'object' &&
  value.payload !== null;
