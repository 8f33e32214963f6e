/** Which Workers a process makes of the lanes that it is handed to own. Pure. */
import { isShared, type Lane, type OwnedLane } from './lanes.js';

/** So often lanes that a process cannot run are left to others; then nobody is there who can, and somebody must poll them. */
const MAX_REFUSALS = 20;

/**
 * This process's file says what its lanes allow; the record is for those that another file has, or none any more. A lane that
 * is unlimited here, or whose limits hold in each process, is polled by this process already.
 * @param implementations that this process has.
 * @param attempt 1 for the first process that is asked.
 * @returns the lanes, or the name of one whose critics this process does not have and leaves to others.
 */
export function lanesHere(
  own: ReadonlyMap<string, Lane>,
  implementations: ReadonlySet<string>,
  handed: readonly OwnedLane[],
  attempt: number,
): OwnedLane[] | string {
  const isForeign = (lane: OwnedLane): boolean =>
    !own.has(lane.queue) && lane.idleMs === undefined && !lane.uses.every((name) => implementations.has(name));
  const unknown = handed.find(isForeign);
  if (unknown !== undefined && attempt <= MAX_REFUSALS) return unknown.queue;
  return handed.map((lane) => own.get(lane.queue) ?? lane).filter((lane) => isShared(lane) || !own.has(lane.queue));
}
