/** The activity `notify`: what a channel says becomes one failure of a fixed type, which holds no secret. */
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { makeNotifyActivities } from '../../src/activities/notify.js';
import type { Notification } from '../../src/domain/review/notification.js';
import { makeNotifier, NotifyError } from '../../src/review/notify.js';

const NOTICE: Notification = { id: 'n1', event: 'verdict', at: '2026-11-28T14:07:19.703Z' };

async function failureOf(
  send: (channel: string, notification: Notification) => Promise<void>,
  input?: unknown,
): Promise<ApplicationFailure> {
  const { notify } = makeNotifyActivities({ send });
  const error: unknown = await notify((input ?? { channel: 'a', notification: NOTICE }) as Parameters<typeof notify>[0]).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error('it did not fail', { cause: error });
  return error;
}

describe('the activity notify', () => {
  it('sends the notification through the channel', async () => {
    const sent: unknown[] = [];
    await makeNotifyActivities({ send: async (...args) => void sent.push(args) }).notify({ channel: 'a', notification: NOTICE });
    expect(sent).toEqual([['a', NOTICE]]);
  });

  it('fails for good where the next attempt would meet the same', async () => {
    const failure = await failureOf(async () => {
      throw new NotifyError('HTTP_404', 'channel a: hook.example answered 404', { isFinal: true });
    });
    expect(failure).toMatchObject({
      type: 'NotifyFailed',
      message: 'channel a: hook.example answered 404',
      nonRetryable: true,
      details: [{ code: 'HTTP_404' }],
      stack: '',
    });
    expect([failure.cause, failure.nextRetryDelay]).toEqual([undefined, undefined]);
  });

  it.each([
    [{ retryAfterMs: 7_000 }, 7_000],
    [{ retryAfterMs: 0 }, 1],
    [{}, undefined],
  ])('is tried again otherwise, when the receiver says so: %j', async (extra, nextRetryDelay) => {
    const failure = await failureOf(async () => {
      throw new NotifyError('HTTP_503', 'channel a: hook.example answered 503', extra);
    });
    expect(failure).toMatchObject({ type: 'NotifyFailed', nonRetryable: false });
    expect(failure.nextRetryDelay).toBe(nextRetryDelay);
  });

  it('tells nothing of an error that is not ours', async () => {
    const failure = await failureOf(async () => {
      throw new TypeError('cannot ask https://hook.example/secret-path');
    });
    expect(failure).toMatchObject({ type: 'NotifyFailed', message: 'the notification could not be sent', nonRetryable: false });
    expect(JSON.stringify([failure.message, failure.details, failure.cause, failure.stack])).not.toContain('secret-path');
  });

  it('fails for good for a channel that the deployment does not have, and the log tells it', async () => {
    const lines: string[] = [];
    const { send } = makeNotifier({ channels: {}, secrets: () => undefined, fetch, log: (_level, message) => lines.push(message) });
    expect(await failureOf(send)).toMatchObject({ type: 'NotifyFailed', nonRetryable: true, details: [{ code: 'UNKNOWN_CHANNEL' }] });
    expect(lines).toEqual(['a notification is lost: there is no channel "a" in the deployment']);
    expect(await failureOf(send, {})).toMatchObject({ nonRetryable: true });
  });
});
