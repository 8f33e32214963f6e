/** What a critic that never ends, in a thread, costs its neighbours. */
import { measureBesideLoop, PLACES } from '../../beside-loop.js';
import { p95Ratio } from '../../measure.js';
import type { Scenario } from '../../scenario.js';

export const busyLoop: Scenario = {
  name: 'limits/busy-loop',
  title: 'Beside a critic in a thread that never ends, without a server',
  async run({ quick }) {
    const { quiet, beside } = await measureBesideLoop(quick ? 2 : 10);
    const of = (blocks: typeof quiet, place: (typeof PLACES)[number]): number[][] => blocks.map((block) => block[place]);
    return PLACES.map((place) => p95Ratio(`p95 of an attempt ${place}, beside ÷ quiet`, of(beside, place), of(quiet, place), 2));
  },
};
