/** What an attempt is handed by its host, where a test is about something else. */
import type { AttemptHost } from '../../src/critics/attempt.js';

export const attemptHost = (more: Partial<AttemptHost> = {}): AttemptHost => ({
  signal: new AbortController().signal,
  heartbeat: () => undefined,
  log: () => undefined,
  secret: () => undefined,
  fetch: globalThis.fetch,
  idempotencyKey: 'k',
  attempt: 1,
  tenant: 'default',
  riskTier: 'medium',
  size: 1,
  ...more,
});
