/** One look of the watchdog. What it looks at, and what it does about it: `src/review/watchdog.ts`. */
import { proxyActivities } from '@temporalio/workflow';
import type { WatchdogActivities, WatchdogFound } from '../contract.js';

/** A look that has not ended by then is begun anew; the next one of the schedule would come after ten minutes. */
const { lookAfterReviews } = proxyActivities<WatchdogActivities>({
  startToCloseTimeout: '2m',
  retry: { maximumAttempts: 3, initialInterval: '5s' },
});

/** Has no input: what a schedule hands over is encrypted for the id that it adds its time to, and could not be read under that. */
export async function watchdog(): Promise<WatchdogFound> {
  return await lookAfterReviews();
}
