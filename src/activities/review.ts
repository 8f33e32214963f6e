/** The local activities of a review. */
import type { ReviewActivities } from '../contract.js';
import { readHost, type HostOptions } from '../review/host.js';

export interface ReviewActivityDeps extends HostOptions {
  readonly log: (message: string) => void;
}

export function makeReviewActivities(deps: ReviewActivityDeps): ReviewActivities {
  return {
    async loadHost(input) {
      try {
        return await readHost(deps, input);
      } catch (error) {
        deps.log(`reviews cannot be decided: ${error instanceof Error ? error.message : 'the file of people cannot be read'}`);
        throw error;
      }
    },
    // The result is the point: it stands in the marker.
    recordEntries: async ({ entries }) => entries,
  };
}
