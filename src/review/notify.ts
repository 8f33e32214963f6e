/**
 * Sends notifications through the channels of a deployment: a signed webhook, a file of JSON lines, the worker's log. What
 * leaves are the fields of a notification and nothing else; what an error says holds no URL, no path and no secret.
 */
import { open } from 'node:fs/promises';
import { CriticError, type SecretSource } from '../critics/critic.js';
import { networkFailure, statusFailure } from '../critics/network/provider-failure.js';
import { secretValue } from '../critics/network/service-options.js';
import { sign } from '../critics/network/signature.js';
import {
  channelOf,
  channelsFor,
  type FileChannel,
  type NotifyChannel,
  type NotifyChannels,
  type WebhookChannel,
} from '../domain/review/channels.js';
import type { Notification, NotificationEvent } from '../domain/review/notification.js';
import { pickNotification } from '../domain/review/pick-notification.js';
import { safeJson } from '../report/safe.js';
import { makeSeldom } from './seldom.js';

/** A receiver only has to write it down. */
const WEBHOOK_TIMEOUT_MS = 10_000;
/** Of a Retry-After: a receiver that says more would keep people from hearing of a review at all. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** A notification that was not taken. The message holds no URL, no path and no secret. */
export class NotifyError extends Error {
  override readonly name = 'NotifyError';
  constructor(
    /** Stable, such as `HTTP_503` or `UNKNOWN_CHANNEL`. */
    readonly code: string,
    message: string,
    readonly extra: {
      /** The next attempt would meet the same. */
      readonly isFinal?: boolean;
      /** From the receiver's Retry-After, an hour at most. */
      readonly retryAfterMs?: number;
    } = {},
  ) {
    super(message);
  }
}

export interface NotifierOptions {
  readonly channels: NotifyChannels;
  readonly secrets: SecretSource;
  /** What webhooks are asked with: a guarded one, as critics are handed. */
  readonly fetch: typeof fetch;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  /** Milliseconds since 1970, for signatures. Default: the clock. */
  readonly now?: () => number;
  /** Of a webhook. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface Notifier {
  /** @throws NotifyError when it was not taken; it may have been all the same, and is sent again under the same id. */
  send(channel: string, notification: Notification): Promise<void>;
  /** Names of the channels that hear an event of every review or evaluation. */
  channelsFor(event: NotificationEvent): string[];
  has(name: string): boolean;
}

export function makeNotifier(options: NotifierOptions): Notifier {
  const { channels, log } = options;
  // An outage meets every notification, and each attempt at it.
  const isToTell = makeSeldom(options.now);
  return {
    async send(name, given) {
      const channel = channelOf(channels, name);
      if (channel === undefined) {
        const message = `there is no channel ${JSON.stringify(String(name).slice(0, 64))} in the deployment`;
        log('error', `a notification is lost: ${message}`);
        throw new NotifyError('UNKNOWN_CHANNEL', message, { isFinal: true });
      }
      const picked = pickNotification(given);
      if (!picked.ok)
        throw new NotifyError('BAD_NOTIFICATION', `channel ${name}: the notification's ${picked.field} is missing or of another form`, {
          isFinal: true,
        });
      try {
        await deliver(name, channel, picked.notification, options);
      } catch (error) {
        const line = warningOf(name, error);
        if (isToTell(line)) log('warn', line);
        throw error;
      }
    },
    channelsFor: (event) => channelsFor(channels, event),
    has: (name) => channelOf(channels, name) !== undefined,
  };
}

/** For operators: what happens to the notification and what to look at. Neither its content nor the address. */
function warningOf(name: string, error: unknown): string {
  const { code, extra } = error instanceof NotifyError ? error : new NotifyError('UNKNOWN', '');
  const [, status] = /^HTTP_(\d{3})$/.exec(code) ?? [];
  const isFinal = extra.isFinal === true;
  if (code === 'HTTP_SECRET') return `channel ${name}: its secret is not here, tried again`;
  if (code === 'ADDRESS_REFUSED') return `channel ${name}: its address is not allowed, the notification is lost: name it under hosts`;
  if (code.startsWith('FILE')) return `channel ${name}: its file cannot be written, tried again`;
  if (code === 'HTTP_REDIRECT') return `channel ${name}: answers with a redirect, tried again: check its address`;
  if (code === 'HTTP_TLS') return `channel ${name}: its certificate cannot be trusted, tried again`;
  if (status === undefined) return `channel ${name}: does not answer, ${isFinal ? 'the notification is lost' : 'tried again'}`;
  if (!isFinal) return `channel ${name}: answers ${status}, tried again`;
  const look = status === '401' || status === '403' ? 'secret' : 'address';
  return `channel ${name}: refused with ${status}, the notification is lost: check its ${look}`;
}

async function deliver(name: string, channel: NotifyChannel, notification: Notification, options: NotifierOptions): Promise<void> {
  if ('webhook' in channel) return await post(name, channel, notification, options);
  if ('file' in channel) return await append(name, channel, `${JSON.stringify(notification)}\n`);
  options.log('info', `${name}: ${safeJson(notification)}`);
}

async function post(name: string, { webhook, secretEnv }: WebhookChannel, notification: Notification, options: NotifierOptions) {
  const { secrets, fetch, now, timeoutMs = WEBHOOK_TIMEOUT_MS } = options;
  const { host } = new URL(webhook);
  const body = JSON.stringify(notification);
  const headers = new Headers({ 'content-type': 'application/json', 'tribunal-delivery': notification.id });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    sign(headers, body, secretValue(secretEnv, secrets), now?.());
    const response = await fetch(webhook, { method: 'POST', headers, body, redirect: 'manual', signal });
    const failure = statusFailure(response.status, response.headers, host);
    // What it answers besides is of no interest; unread it would keep its connection busy.
    await response.body?.cancel().catch(() => undefined);
    if (failure !== undefined) throw told(name, failure, response.status);
  } catch (error) {
    if (error instanceof NotifyError) throw error;
    if (signal.aborted) throw new NotifyError('HTTP_TIMEOUT', `channel ${name}: ${host} did not answer within ${timeoutMs / 1_000} s`);
    throw told(name, error instanceof CriticError ? error : networkFailure(error, host));
  }
}

/**
 * What failed and may be mended while the review waits is worth another try: also a secret that is not here, a redirect
 * and a certificate that has run out, which are final for a critic with its seconds.
 */
function told(name: string, { kind, code, message, extra }: CriticError, status = 0): NotifyError {
  const isFinal = kind === 'permanent' && (status >= 400 || code === 'ADDRESS_REFUSED');
  return new NotifyError(code, `channel ${name}: ${message}`, {
    isFinal,
    ...(extra.retryAfterMs !== undefined ? { retryAfterMs: Math.min(extra.retryAfterMs, MAX_RETRY_AFTER_MS) } : {}),
  });
}

/** Several processes may append at once: the kernel puts each write at the end, whole, so that it must be one. */
async function append(name: string, { file }: FileChannel, line: string): Promise<void> {
  try {
    const bytes = Buffer.from(line);
    const handle = await open(file, 'a');
    try {
      const { bytesWritten } = await handle.write(bytes);
      if (bytesWritten < bytes.length) {
        // Of a full disk. The next line must not go on where this one broke off.
        await handle.write('\n').catch(() => undefined);
        throw new NotifyError('FILE_CUT', `channel ${name}: its file took only a part of the line`);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof NotifyError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new NotifyError(
      'FILE',
      `channel ${name}: its file cannot be written (${code}${code === 'ENOENT' ? ': there is no folder' : ''})`,
    );
  }
}
