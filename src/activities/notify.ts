/** The activity behind the outbox of a review: one notification through one channel. What leaves here is a failure of ours. */
import { ApplicationFailure } from '@temporalio/common';
import type { NotifyActivities } from '../contract.js';
import { MAX_MESSAGE_CHARS } from '../domain/finding.js';
import { NOTIFY_FAILED } from '../domain/review/channels.js';
import { NotifyError, type Notifier } from '../review/notify.js';

export function makeNotifyActivities(notifier: Pick<Notifier, 'send'>): NotifyActivities {
  return {
    async notify(input) {
      try {
        await notifier.send(input.channel, input.notification);
      } catch (error) {
        throw failureOf(error);
      }
    },
  };
}

/** The message of anything that is not ours may hold a URL. */
function failureOf(error: unknown): ApplicationFailure {
  const known = error instanceof NotifyError ? error : new NotifyError('UNKNOWN', 'the notification could not be sent');
  const { isFinal = false, retryAfterMs } = known.extra;
  const failure = ApplicationFailure.create({
    type: NOTIFY_FAILED,
    message: known.message.slice(0, MAX_MESSAGE_CHARS),
    nonRetryable: isFinal,
    details: [{ code: known.code }],
    ...(retryAfterMs !== undefined ? { nextRetryDelay: Math.max(1, retryAfterMs) } : {}),
  });
  // Histories would hold the paths of the machine.
  failure.stack = '';
  return failure;
}
