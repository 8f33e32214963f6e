/** Which Workers a process makes of the lanes that it is handed to own. Pure. */
import { isShared, type Lane, type OwnedLane } from './lanes.js';

/** So often lanes that a process does not know are left to others; then nobody is there who does, and somebody must poll them. */
const MAX_REFUSALS = 20;

/**
 * This process's file says what its lanes allow; the record is for those that no file has any more. A lane that is unlimited
 * here, or whose limits hold in each process, is polled by this process already.
 * @param attempt 1 for the first process that is asked.
 * @returns the lanes, or the name of one that this process does not know and leaves to others.
 */
export function lanesHere(own: ReadonlyMap<string, Lane>, handed: readonly OwnedLane[], attempt: number): OwnedLane[] | string {
  const unknown = handed.find((lane) => !own.has(lane.queue) && lane.idleMs === undefined);
  if (unknown !== undefined && attempt <= MAX_REFUSALS) return unknown.queue;
  return handed.map((lane) => own.get(lane.queue) ?? lane).filter((lane) => isShared(lane) || !own.has(lane.queue));
}
