/** What an operator can do to a lane's queue on the server. */
import { eventually } from '../../support/processes.js';
import { backlogOf, setRate as setQueueRate } from '../../support/server-state.js';
import type { Fleet } from './fleet.js';
import { askAll, type Ask, type Asked } from './load.js';

/**
 * Starts a second that the server hands out of a queue; 0 pauses it, none gives it back to what its workers say.
 * @param lane the queue's name without the deployment's.
 */
export const setRate = async (fleet: Fleet, lane: string, requestsPerSecond?: number): Promise<void> =>
  await setQueueRate(fleet, `${fleet.deployment}/${lane}`, requestsPerSecond);

/** Starts them while their lane is paused, so that all of them wait when it goes on, however slow the machine is. */
export async function backlog(fleet: Fleet, lane: string, asks: readonly Ask[], criticsEach = 1): Promise<Asked[]> {
  await setRate(fleet, lane, 0);
  const asked = await askAll(fleet, asks);
  const waiting = asks.length * criticsEach;
  // What a process had asked for before the pause may have gone out.
  await eventually(`${waiting} wait in ${lane}`, async () =>
    (await backlogOf(fleet, `${fleet.deployment}/${lane}`)) >= waiting - 1 ? true : undefined,
  );
  return asked;
}
