/** What all measurements of limits need: worker processes for their length, and evaluations whose verdict is checked. */
import { makeFleet, type Fleet, type FleetOptions } from '../../../faults/support/fleet.js';
import { askOne, misjudged, type Ask, type Asked } from '../../../faults/support/load.js';
import type { Bench } from '../../scenario.js';

/** Runs something with so many worker processes of a deployment of its own. */
export async function withFleet<T>(
  { address }: Bench,
  workers: number,
  options: Omit<FleetOptions, 'address'>,
  use: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const fleet = await makeFleet({ address, ...options });
  try {
    await fleet.workers(workers);
    return await use(fleet);
  } finally {
    await fleet.close();
  }
}

export const times = (count: number, ask: Ask): Ask[] => Array.from({ length: count }, () => ask);

/** A figure of something that went wrong is worth nothing. */
export async function expectJudged(asked: readonly Asked[]): Promise<void> {
  const wrong = await misjudged(asked);
  if (wrong.length > 0) throw new Error(`evaluations went wrong:\n${wrong.join('\n')}`);
}

/** From the start call to the result, at the client. */
export async function timed({ client }: Fleet, ask: Ask): Promise<number> {
  const begun = performance.now();
  await expectJudged([await askOne(client, ask)]);
  return performance.now() - begun;
}

/** One after the other. */
export async function timedInTurn(fleet: Fleet, count: number, ask: Ask): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) all.push(await timed(fleet, ask));
  return all;
}

/** Keeps so many evaluations under way while something else runs. */
export async function beside<T>(fleet: Fleet, atOnce: number, ask: () => Ask, run: () => Promise<T>): Promise<T> {
  let isOver = false;
  const keep = async (): Promise<void> => {
    while (!isOver) await timed(fleet, ask());
  };
  const load = Promise.all(Array.from({ length: atOnce }, keep));
  // Whoever fails first is told; the other one is waited for all the same.
  load.catch(() => (isOver = true));
  try {
    return await run();
  } finally {
    isOver = true;
    await load;
  }
}
