/** The lanes of a deployment by the names that people call them, and which task queues a name means. Pure. */
import { lanesOnOffer, type DeploymentState } from './deployment-state.js';
import type { Lane } from './lanes.js';

export interface KnownLane {
  /** `chat/deep_bias`; of a named lane its name alone. */
  readonly name: string;
  readonly lane: Lane;
  /** No file has it any more; it is polled until it was idle for long enough. */
  readonly retired: boolean;
}

/** Of all files of the deployment; of a lane that two of them have, the latest one's word counts. */
export function knownLanes(deployment: string, state: DeploymentState): KnownLane[] {
  const offered = lanesOnOffer(state).map((lane) => ({ lane, retired: false }));
  const gone = state.retired.filter(({ lane: { queue } }) => offered.every(({ lane }) => lane.queue !== queue));
  const all = [...offered, ...gone.map(({ lane }) => ({ lane, retired: true }))];
  const short = (queue: string): string => queue.slice(`${deployment}/p/`.length);
  const isAlone = (queue: string): boolean => all.filter(({ lane }) => short(lane.queue) === short(queue)).length === 1;
  return all
    .map((one) => ({ ...one, name: isAlone(one.lane.queue) ? short(one.lane.queue) : one.lane.queue.slice(deployment.length + 1) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The limit that a named lane is; lanes of critics whose plans are narrower take it as one of theirs. */
const namedLimit = ({ queue }: Lane): string | undefined => /\/l\/([^/]+)$/.exec(queue)?.[1];

const takes = ({ limits }: Lane, named: string): boolean => limits.some((limit) => limit.name === `/${named}`);

/** The lanes that a name or a task queue means: of a named lane also those that take it as a limit. */
export function lanesCalled(known: readonly KnownLane[], called: string): Lane[] {
  const found = known.find(({ name, lane }) => name === called || lane.queue === called)?.lane;
  // All critics of a named lane may have lanes of their own.
  const named = found === undefined ? called : namedLimit(found);
  const narrower = named === undefined ? [] : known.filter(({ lane }) => lane !== found && takes(lane, named)).map(({ lane }) => lane);
  return [...(found === undefined ? [] : [found]), ...narrower];
}

/** What may be called. */
export function laneNames(known: readonly KnownLane[]): string[] {
  const limits = known.flatMap(({ lane }) => lane.limits).flatMap(({ name }) => (name.startsWith('/') ? [name.slice(1)] : []));
  return [...new Set([...known.map(({ name }) => name), ...limits])].toSorted();
}
