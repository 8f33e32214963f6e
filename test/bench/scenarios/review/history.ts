/** What a long review leaves behind: counts, so machine speed does not matter. */
import { peopleOf } from '../../../faults/support/reviews.js';
import { historySize, LONG_CHANNELS, LONG_PEOPLE, LONG_PLAN, longReview, type HistorySize } from '../../../support/long-review.js';
import { figure } from '../../measure.js';
import type { Scenario } from '../../scenario.js';
import { withFleet } from '../limits/fleet.js';

export const longHistory: Scenario = {
  name: 'review/history',
  title: 'History of a determination with ten actions and six reminders',
  run: (bench) =>
    withFleet(
      bench,
      1,
      { plans: [LONG_PLAN], reviews: peopleOf(LONG_PEOPLE, () => ({ notify: LONG_CHANNELS })) },
      async ({ client, temporal }) => {
        const sizes: HistorySize[] = [];
        for (let sample = 0; sample < (bench.quick ? 1 : 3); sample += 1)
          sizes.push(await historySize(temporal, (await longReview(client, temporal)).reviewId));
        return [
          figure(
            'events',
            sizes.map(({ events }) => events),
            '',
            300,
          ),
          figure(
            'history',
            sizes.map(({ bytes }) => bytes / 1_000),
            'KB',
            150,
          ),
        ];
      },
    ),
};
