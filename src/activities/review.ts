/** The local activities of a review. */
import type { ReviewActivities } from '../contract.js';
import { readHost, type HostOptions } from '../review/host.js';
import { makeSeldom } from '../review/seldom.js';

export interface ReviewActivityDeps extends HostOptions {
  readonly log: (message: string) => void;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
}

export function makeReviewActivities(deps: ReviewActivityDeps): ReviewActivities {
  // Every review that waits asks again and again.
  const isToTell = makeSeldom(deps.now);
  return {
    async loadHost(input) {
      try {
        return await readHost(deps, input);
      } catch (error) {
        const message = `reviews cannot be decided: ${error instanceof Error ? error.message : 'the file of people cannot be read'}`;
        if (isToTell(message)) deps.log(message);
        throw error;
      }
    },
    // The result is the point: it stands in the marker.
    recordEntries: async ({ entries }) => entries,
  };
}
