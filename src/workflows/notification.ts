/** Delivers one notification to its channels, each tried for a day. Nobody waits for it. */
import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { NotificationInput, NotifyActivities } from '../contract.js';

/** One call has ten seconds; a receiver that is down for a night still hears of it. */
const { notify } = proxyActivities<NotifyActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '24h',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10m' },
});

export async function notification({ channels, notification: what }: NotificationInput): Promise<void> {
  const ends = await Promise.allSettled(channels.map((channel) => notify({ channel, notification: what })));
  const failed = channels.filter((_channel, index) => ends[index]?.status === 'rejected');
  if (failed.length > 0) throw ApplicationFailure.nonRetryable(`not delivered: ${failed.join(', ')}`, 'NotifyFailed');
}
