/** The activity behind the watchdog's workflow. */
import type { WatchdogActivities } from '../contract.js';
import type { Watchdog } from '../review/watchdog.js';

export const makeWatchdogActivities = (look: Watchdog): WatchdogActivities => ({ lookAfterReviews: () => look() });
