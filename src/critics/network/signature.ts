/** How a request shows that it comes from here: one scheme for the `http` critic and for notifications. */
import { createHmac } from 'node:crypto';

/**
 * Sets `tribunal-timestamp` (Unix seconds) and `tribunal-signature`. Over the time as well, so that a request that was
 * overheard is worth nothing later. Each attempt has its own.
 */
export function sign(headers: Headers, body: string, key: string, nowMs: number = Date.now()): void {
  const timestamp = String(Math.floor(nowMs / 1_000));
  headers.set('tribunal-timestamp', timestamp);
  headers.set('tribunal-signature', `v1=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`);
}
