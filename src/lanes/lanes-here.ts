/** Which Workers a process makes of the lanes that it is handed to own. Pure. */
import { isShared, type Lane, type Limit, type OwnedLane } from './lanes.js';

export interface LanesHere {
  /** Those that are left to own. */
  readonly lanes: readonly OwnedLane[];
  /** Whether this process lacks critics of one. */
  readonly isForeign: boolean;
}

/**
 * This process's file says what its lanes allow; the record is for those that another file has, or none any more. A lane that
 * is unlimited here, or whose limits hold in each process, is polled by this process already.
 * @param implementations that this process has.
 */
export function lanesHere(own: ReadonlyMap<string, Lane>, implementations: ReadonlySet<string>, handed: readonly OwnedLane[]): LanesHere {
  // Who has the critics of the latest file is the one to have them all: those of older ones may be nowhere any more.
  const isForeign = handed.some(
    ({ idleMs, isOlder, uses }) => idleMs === undefined && isOlder !== true && !uses.every((name) => implementations.has(name)),
  );
  const lanes = handed.map((lane) => own.get(lane.queue) ?? lane).filter((lane) => isShared(lane) || !own.has(lane.queue));
  return { lanes: withOneWord(own, lanes), isForeign };
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
