/** Where notifications go: the `notify:` of a deployment, its paths and defaults filled in. Pure. */
import type { NotificationEvent } from './notification.js';

export const CHANNEL_FORM = /^[a-z][a-z0-9_-]{0,63}$/;

/** What programs wait for. A channel that asks for one hears it of every review or evaluation of the deployment. */
export const CONSUMER_EVENTS = ['verdict', 'review_decided'] as const satisfies readonly NotificationEvent[];
export type ConsumerEvent = (typeof CONSUMER_EVENTS)[number];

/** `ApplicationFailure.type` of a notification that was not taken. Recorded in histories: never rename. */
export const NOTIFY_FAILED = 'NotifyFailed';

interface Hearing {
  /** Absent: it hears only what is addressed to its name. */
  readonly events?: readonly ConsumerEvent[];
}

export interface WebhookChannel extends Hearing {
  /** May hold a secret in its path: it stands in no message. */
  readonly webhook: string;
  /** Name of the secret that signs. */
  readonly secretEnv: string;
}

export interface FileChannel extends Hearing {
  /** Absolute. */
  readonly file: string;
}

export interface LogChannel extends Hearing {
  readonly log: true;
}

export type NotifyChannel = WebhookChannel | FileChannel | LogChannel;

/** By name. */
export type NotifyChannels = Readonly<Record<string, NotifyChannel>>;

/** A channel may be called `constructor`. */
export const channelOf = (channels: NotifyChannels, name: string): NotifyChannel | undefined =>
  Object.hasOwn(channels, name) ? channels[name] : undefined;

/** Names of the channels that hear an event of every review or evaluation. */
export const channelsFor = (channels: NotifyChannels, event: NotificationEvent): string[] =>
  Object.entries(channels).flatMap(([name, { events = [] }]) => (events.some((one) => one === event) ? [name] : []));
