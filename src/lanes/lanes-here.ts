/** Which Workers a process makes of the lanes that it is handed to own. Pure. */
import { isShared, type Lane, type Limit, type OwnedLane } from './lanes.js';

/**
 * So often lanes that a process cannot run are left to others, a twentieth of a second apart: the server asks those that wait
 * in turn, so that many older processes are passed by. Then nobody is there who can, and somebody must poll them.
 */
const MAX_REFUSALS = 100;

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
  const isForeign = (lane: OwnedLane): boolean => lane.idleMs === undefined && !lane.uses.every((name) => implementations.has(name));
  const unknown = handed.find(isForeign);
  if (unknown !== undefined && attempt <= MAX_REFUSALS) return unknown.queue;
  const lanes = handed.map((lane) => own.get(lane.queue) ?? lane).filter((lane) => isShared(lane) || !own.has(lane.queue));
  // With nothing left to own it would come back at once, again and again.
  return lanes.length === 0 ? (handed[0]?.queue ?? 'none') : withOneWord(own, lanes);
}

/** Lanes of two files may have two values for one limit: this process's own counts, else the least. */
function withOneWord(own: ReadonlyMap<string, Lane>, lanes: readonly OwnedLane[]): OwnedLane[] {
  const ours = new Map([...own.values()].flatMap((lane) => lane.limits.map((limit) => [limit.name, limit] as const)));
  const least = new Map<string, Limit>();
  for (const limit of lanes.flatMap((lane) => lane.limits)) least.set(limit.name, stricter(least.get(limit.name) ?? limit, limit));
  return lanes.map((lane) => ({ ...lane, limits: lane.limits.map((limit) => ours.get(limit.name) ?? least.get(limit.name) ?? limit) }));
}

function stricter(a: Limit, b: Limit): Limit {
  const maxConcurrent = Math.min(a.maxConcurrent ?? Infinity, b.maxConcurrent ?? Infinity);
  const rateLimitPerSecond = Math.min(a.rateLimitPerSecond ?? Infinity, b.rateLimitPerSecond ?? Infinity);
  return {
    name: a.name,
    ...(maxConcurrent < Infinity ? { maxConcurrent } : {}),
    ...(rateLimitPerSecond < Infinity ? { rateLimitPerSecond } : {}),
  };
}
