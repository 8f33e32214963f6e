/**
 * Which lanes one process must own together, and what follows for those that are owned now. Pure; runs in the sandbox.
 *
 * Lanes that name the same limit form a group, since only one process that has them all can keep it. No lane and no limit
 * is ever in two groups that are owned at once, so groups that grow together are taken back first, and handed out when they
 * have come back.
 */
import type { OwnedLane } from './lanes.js';

/** What ties a lane to others: its queue, since two files may have it with other limits, and its limits. */
const tiesOf = ({ queue, limits, scope }: OwnedLane): string[] => [
  `queue ${queue}`,
  ...(scope === undefined ? limits.map((limit) => `limit ${limit.name}`) : []),
];

const byQueue = (a: OwnedLane, b: OwnedLane): number => (a.queue === b.queue ? 0 : a.queue < b.queue ? -1 : 1);

/** Groups of lanes, each sorted by queue. Of a lane that two files have, the later one's word counts. */
export function groupsOf(lanes: readonly OwnedLane[]): OwnedLane[][] {
  let groups: { readonly ties: ReadonlySet<string>; readonly lanes: readonly OwnedLane[] }[] = [];
  for (const lane of lanes.toSorted(byQueue)) {
    const ties = tiesOf(lane);
    const joined = groups.filter((group) => ties.some((tie) => group.ties.has(tie)));
    const merged = {
      ties: new Set([...joined.flatMap((group) => [...group.ties]), ...ties]),
      lanes: [...joined.flatMap((group) => group.lanes), lane],
    };
    groups = [...groups.filter((group) => !joined.includes(group)), merged];
  }
  return groups
    .map((group) => [...new Map(group.lanes.map((lane) => [lane.queue, lane])).values()].toSorted(byQueue))
    .toSorted(([a], [b]) => (a === undefined || b === undefined ? 0 : byQueue(a, b)));
}

/** One group that a process owns, or is to own. */
export interface Hold {
  readonly id: number;
  readonly lanes: readonly OwnedLane[];
}

/** What to begin and what to take back. A hold that has more than is needed stays: taking it back would stop its lanes. */
export function nextHolds(
  groups: readonly (readonly OwnedLane[])[],
  held: readonly Hold[],
): { begin: (readonly OwnedLane[])[]; end: number[] } {
  const begin: (readonly OwnedLane[])[] = [];
  const kept = new Set<number>();
  const wanted = new Set<number>();
  for (const group of groups) {
    const ties = new Set(group.flatMap(tiesOf));
    const overlapping = held.filter((hold) => hold.lanes.some((lane) => tiesOf(lane).some((tie) => ties.has(tie))));
    const [only] = overlapping;
    if (only === undefined) begin.push(group);
    else if (overlapping.length === 1 && hasAll(only, group)) kept.add(only.id);
    else for (const hold of overlapping) wanted.add(hold.id);
  }
  return { begin, end: held.filter(({ id }) => wanted.has(id) || !kept.has(id)).map(({ id }) => id) };
}

/** Whether a lane still has a file is something that its owner has to know, and it must have the critics that run there now. */
const hasAll = (hold: Hold, group: readonly OwnedLane[]): boolean =>
  group.every(({ queue, idleMs, uses }) =>
    hold.lanes.some((lane) => lane.queue === queue && lane.idleMs === idleMs && sameNames(lane.uses, uses)),
  );

const sameNames = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((name) => others.includes(name));
