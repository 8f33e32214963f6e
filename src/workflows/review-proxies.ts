/** The local activities of a review, with their time-outs and the reasons. */
import { proxyLocalActivities } from '@temporalio/workflow';
import type { ReviewActivities } from '../contract.js';

/** One file is read, or one written. */
const LOCAL_TIMEOUT_MS = 10_000;

/** Once: the workflow asks again, and says meanwhile that it is not ready. */
export const { loadHost } = proxyLocalActivities<ReviewActivities>({
  startToCloseTimeout: LOCAL_TIMEOUT_MS,
  retry: { maximumAttempts: 1 },
});

/** Until it is done: an archive that is away holds up the end of the review, and nothing is lost. */
export const { recordEntries } = proxyLocalActivities<ReviewActivities>({
  startToCloseTimeout: LOCAL_TIMEOUT_MS,
  retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 },
});
