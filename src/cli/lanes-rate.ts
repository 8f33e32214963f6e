/** `tribunal lanes rate`: fewer starts a second than the file allows, until somebody takes that back. */
import type { Command } from 'commander';
import { rateOf } from '../lanes/lanes.js';
import { isHeld } from '../lanes/queue-setting.js';
import { number } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { usageError } from './exit.js';
import { calledLane, checkedBy, checkedReason, queueCount, setLane, withDeployment, type CalledLane } from './lanes-call.js';

interface RateOptions {
  readonly reset?: boolean;
  readonly reason?: string;
  readonly by?: string;
}

export function addLanesRate(lanes: Command, cli: Cli): void {
  const command = lanes
    .command('rate')
    .description('let at most so many critics of a lane start a second, or take that back')
    .argument('<lane>', 'as `tribunal lanes` names it, or its task queue')
    .argument('[per-second]', 'may be below 1; shared by all task queues of the lane')
    .option('--reset', 'as the file says')
    .option('--reason <text>', 'for those who look; needed with a rate')
    .option('--by <name>', 'who asks (default: user@host)');
  onRun<RateOptions>(command, cli, runRate);
}

async function runRate(given: Call<RateOptions>): Promise<number> {
  const { options, args, output } = given;
  const rate = checkedRate(args[1], options.reset === true);
  const by = checkedBy(options.by);
  if (rate !== undefined && options.reason === undefined)
    throw usageError('--reason is needed: it stands beside the rate for those who look');
  const reason = checkedReason(options.reason ?? 'reset');
  return await withDeployment(given, async (deployed) => {
    const lane = await calledLane(deployed, args[0]);
    refuseWhilePaused(lane);
    if (rate !== undefined) refuseAboveFile(lane, rate);
    // Each queue has a rate of its own: together they must not pass what was asked for.
    const each = rate === undefined ? undefined : rate / lane.queues.length;
    await setLane(deployed, lane, () => ({ ...(each !== undefined ? { rate: each } : {}), by, reason }));
    if (output.json)
      for (const {
        lane: { queue },
      } of lane.queues)
        output.object({ lane: lane.name, queue, ...(each !== undefined ? { rate: each, by, reason } : { reset: { by, reason } }) });
    else if (rate === undefined) output.line(safeText(`${lane.name} starts as the file says`));
    else output.line(safeText(`${lane.name} starts at most ${number(rate, 3)} a second by ${by}${queueCount(lane)}: ${reason}`));
  });
}

function checkedRate(text: string | undefined, reset: boolean): number | undefined {
  if (reset === (text !== undefined)) throw usageError('give either a rate, such as 0.5, or --reset');
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (text.trim() === '' || !Number.isFinite(rate) || rate <= 0)
    throw usageError(`the rate ${JSON.stringify(text)} is not a number above 0; \`tribunal lanes pause\` lets nothing start`);
  return rate;
}

/** A rate in the place of a pause would let the lane go on. */
function refuseWhilePaused({ name, queues }: CalledLane): void {
  const paused = queues.find(({ setting }) => isHeld(setting));
  if (paused === undefined) return;
  throw usageError(
    `${name} is paused by ${paused.setting.by ?? 'somebody'}, and a rate would let it go on: \`tribunal lanes resume ${name}\` first`,
  );
}

/** The lane's owner would not go faster anyway. */
function refuseAboveFile({ name, queues }: CalledLane, rate: number): void {
  const [first] = queues;
  const named = first?.lane.limits.find((limit) => limit.name === `/${name}`);
  const most = named !== undefined ? named.rateLimitPerSecond : first && rateOf(first.lane);
  if (most !== undefined && rate > most)
    throw usageError(`${name} may start at most ${number(most, 3)} a second by its file; a higher rate has to be written there`);
}
