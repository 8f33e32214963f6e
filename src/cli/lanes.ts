/** `tribunal lanes`: every lane of the deployment, who owns it, what waits there, and who holds it back. */
import type { Command } from 'commander';
import { call } from '../client-calls.js';
import { STAGES } from '../domain/plan.js';
import type { LaneOwner } from '../lanes/deployment-view.js';
import type { KnownLane } from '../lanes/known-lanes.js';
import { isShared, rateOf, type Lane, type Limit } from '../lanes/lanes.js';
import { isHeld, lookAtQueue, type QueueLook, type QueueSetting } from '../lanes/queue-setting.js';
import { number } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { table } from '../report/table.js';
import { onRun, type Call, type Cli } from './command.js';
import { withDeployment, type Deployed } from './lanes-call.js';
import { addLanesPause } from './lanes-pause.js';
import { addLanesRate } from './lanes-rate.js';

export function addLanes(program: Command, cli: Cli): void {
  const lanes = program.command('lanes').description('show the lanes of the deployment; pause them, let them go on, slow them down');
  onRun(lanes, cli, runLanes);
  addLanesPause(lanes, cli);
  addLanesRate(lanes, cli);
}

/** A lane with everything that is known of it. */
interface SeenLane extends KnownLane {
  readonly look: QueueLook;
  /** Of a lane that one process at a time owns; absent while nobody does. */
  readonly owner?: LaneOwner;
}

async function runLanes(given: Call<unknown>): Promise<number> {
  const { output } = given;
  return await withDeployment(given, async (deployed) => {
    const lanes = await seenLanes(deployed);
    if (output.json) for (const lane of lanes) output.object(laneObject(lane));
    else if (lanes.length > 0) output.line(table(COLUMNS, lanes.map(rowOf), output.width).join('\n'));
    else
      output.line(`the deployment ${deployed.host.deployment} has no lanes: no worker of it has been here, or all its critics are local`);
  });
}

async function seenLanes({ host, lanes, owners }: Deployed): Promise<SeenLane[]> {
  const look = async (known: KnownLane): Promise<SeenLane> => {
    const owner = owners.get(known.lane.queue);
    return { ...known, look: await lookAtQueue(host.client, known.lane.queue), ...(owner !== undefined ? { owner } : {}) };
  };
  return await call(host, 'cannot look at the lanes', undefined, () => Promise.all(lanes.map(look)));
}

function laneObject({ name, lane, retired, look, owner }: SeenLane): object {
  const { setting, backlog, oldestMs, pollers } = look;
  const rate = rateOf(lane);
  return {
    lane: name,
    queue: lane.queue,
    plans: lane.plans,
    ...(retired ? { retired } : {}),
    limits: lane.limits,
    ...(lane.scope !== undefined ? { scope: lane.scope } : {}),
    ...(isShared(lane) || retired ? { owner: owner?.identity ?? null } : {}),
    pollers,
    ...(owner !== undefined ? { running: owner.running, waiting: owner.waiting } : {}),
    backlog,
    oldestMs,
    ...(rate !== undefined ? { fileRate: rate } : {}),
    // What stands without a rate is who took one back.
    ...(setting.rate !== undefined ? { paused: isHeld(setting), setting } : { paused: false }),
  };
}

const COLUMNS = [
  { name: 'lane' },
  { name: 'plans' },
  { name: 'owner' },
  { name: 'limit' },
  { name: 'rate' },
  { name: 'running' },
  { name: 'backlog', right: true },
  { name: 'oldest', right: true },
  { name: 'note' },
];

function rowOf({ name, lane, retired, look, owner }: SeenLane): string[] {
  const isOwned = isShared(lane) || retired;
  return [
    retired ? `${name} (retired)` : name,
    lane.plans.join(', '),
    isOwned ? (owner?.identity ?? 'nobody') : `all (${look.pollers.length})`,
    limitText(lane),
    rateText(lane, look.setting),
    owner === undefined ? '-' : `${owner.running}${owner.waiting > 0 ? ` +${owner.waiting} waiting` : ''}`,
    String(look.backlog),
    look.backlog === 0 ? '-' : `${number(look.oldestMs / 1_000)} s`,
    noteText(look.setting),
  ].map(safeText);
}

/** `4 critic, 8 plan`: so many at once, by what, narrow before wide. */
function limitText({ limits, scope }: Lane): string {
  const places = limits.flatMap((limit) => (limit.maxConcurrent === undefined ? [] : [`${limit.maxConcurrent} ${limitWord(limit)}`]));
  if (places.length === 0) return '-';
  return `${places.join(', ')}${scope === 'worker' ? ', each worker' : ''}`;
}

function limitWord({ name }: Limit): string {
  if (name.startsWith('/')) return name.slice(1);
  const [, part] = name.split('/');
  if (part === undefined) return 'plan';
  return STAGES.some((stage) => stage === part) ? 'stage' : 'critic';
}

/** Starts a second; the owner holds the file's rate whatever was set. */
function rateText(lane: Lane, { rate, by = 'somebody' }: QueueSetting): string {
  const file = rateOf(lane);
  if (rate !== undefined) return `${number(file === undefined ? rate : Math.min(rate, file), 3)} by ${by}`;
  return file === undefined ? '-' : `${number(file, 3)} by file`;
}

function noteText(setting: QueueSetting): string {
  const { rate, by = 'somebody', reason = '', at = 0 } = setting;
  if (rate === undefined) return '';
  return `${isHeld(setting) ? 'paused' : 'rate'} by ${by} since ${new Date(at).toISOString()}: ${reason}`;
}
