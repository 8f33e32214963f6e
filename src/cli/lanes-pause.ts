/** `tribunal lanes pause` and `resume`: nothing of a lane starts, until somebody lets it go on; nothing is lost. */
import type { Command } from 'commander';
import { isHeld, type QueueSetting } from '../lanes/queue-setting.js';
import { number } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { calledLane, checkedBy, checkedReason, queueCount, setLane, withDeployment, type CalledLane } from './lanes-call.js';

interface PauseOptions {
  readonly reason: string;
  readonly by?: string;
}

type ResumeOptions = Partial<PauseOptions>;

export function addLanesPause(lanes: Command, cli: Cli): void {
  const pause = lanes
    .command('pause')
    .description('let nothing of a lane start; what a worker has taken goes on, and what waits keeps its deadline')
    .argument('<lane>', 'as `tribunal lanes` names it, or its task queue')
    .requiredOption('--reason <text>', 'for those who look, and for the reports of evaluations that waited')
    .option('--by <name>', 'who asks (default: user@host)');
  onRun<PauseOptions>(pause, cli, runPause);
  const resume = lanes
    .command('resume')
    .description('let a paused lane go on, at the rate that it had before')
    .argument('<lane>', 'as `tribunal lanes` names it, or its task queue')
    .option('--reason <text>')
    .option('--by <name>', 'who asks (default: user@host)');
  onRun<ResumeOptions>(resume, cli, runResume);
}

/**
 * A pause is a rate of 0, so a rate that somebody had set would be forgotten: it stands in the reason, which the server keeps
 * with the pause, and `resume` sets it again.
 */
const RATE_BEFORE = / \(rate before: ([\d.e+-]+)\)$/;

function rateBefore({ rate, reason = '' }: QueueSetting): number | undefined {
  const marked = rate === 0 ? RATE_BEFORE.exec(reason)?.[1] : undefined;
  return marked === undefined ? undefined : Number(marked);
}

async function runPause(given: Call<PauseOptions>): Promise<number> {
  const { options, args, output } = given;
  const [by, reason] = [checkedBy(options.by), checkedReason(options.reason)];
  return await withDeployment(given, async (deployed) => {
    const lane = await calledLane(deployed, args[0]);
    await setLane(deployed, lane, ({ setting }) => {
      const before = isHeld(setting) ? rateBefore(setting) : setting.rate;
      return { rate: 0, by, reason: before === undefined ? reason : `${reason} (rate before: ${before})` };
    });
    if (output.json)
      for (const {
        lane: { queue },
      } of lane.queues)
        output.object({ lane: lane.name, queue, paused: { by, reason } });
    else output.line(safeText(`${lane.name} is paused by ${by}${queueCount(lane)}: ${reason}${pausedBefore(lane)}`));
  });
}

async function runResume(given: Call<ResumeOptions>): Promise<number> {
  const { options, args, output } = given;
  const [by, reason] = [checkedBy(options.by), checkedReason(options.reason ?? 'resumed')];
  return await withDeployment(given, async (deployed) => {
    const lane = await calledLane(deployed, args[0]);
    const held = { ...lane, queues: lane.queues.filter(({ setting }) => isHeld(setting)) };
    await setLane(deployed, held, ({ setting }) => {
      const rate = rateBefore(setting);
      return { ...(rate !== undefined ? { rate } : {}), by, reason };
    });
    if (output.json)
      for (const {
        lane: { queue },
        setting,
      } of held.queues) {
        const rate = rateBefore(setting);
        output.object({ lane: lane.name, queue, resumed: { by, reason }, ...(rate !== undefined ? { rate } : {}) });
      }
    else
      output.line(
        safeText(
          held.queues.length === 0 ? `${lane.name} was not paused` : `${lane.name} goes on${queueCount(held)}, ${rateNow(held.queues)}`,
        ),
      );
  });
}

/** Whose pause this one stands in the place of. */
function pausedBefore({ queues }: CalledLane): string {
  const setting = queues.map((queue) => queue.setting).find(isHeld);
  if (setting === undefined) return '';
  const { by = 'somebody', reason = '', at = 0 } = setting;
  return `; before by ${by} since ${new Date(at).toISOString()}: ${reason}`;
}

function rateNow(queues: readonly { readonly setting: QueueSetting }[]): string {
  const rates = [...new Set(queues.map(({ setting }) => rateBefore(setting)))];
  return rates
    .map((rate) => (rate === undefined ? 'as the file says' : `at most ${number(rate, 3)} a second as before the pause`))
    .join(' and ');
}
