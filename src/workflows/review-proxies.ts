/** The local activities of a review, with their time-outs and the reasons. */
import { proxyLocalActivities } from '@temporalio/workflow';
import type { ReviewActivities } from '../contract.js';

/** One file is read, or nothing is done at all. */
const LOCAL_TIMEOUT_MS = 10_000;

/** Once: the workflow asks again, and says meanwhile that it is not ready. */
export const { loadHost } = proxyLocalActivities<ReviewActivities>({
  startToCloseTimeout: LOCAL_TIMEOUT_MS,
  retry: { maximumAttempts: 1 },
});

/** Entries into the history. It only hands back what it gets; a worker that goes meanwhile does it again. */
export async function record(input: Parameters<ReviewActivities['recordEntries']>[0]): Promise<void> {
  const { recordEntries } = proxyLocalActivities<ReviewActivities>({
    startToCloseTimeout: LOCAL_TIMEOUT_MS,
    retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 },
    summary: input.entries.map(({ entry }) => entry.type).join(', '),
  });
  await recordEntries(input);
}
