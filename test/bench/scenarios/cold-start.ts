/** From the spawn of a worker process to its first poll of the workflow queue, compiled code and ready-made bundles on both sides. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, interleaved, pick, ratio } from '../measure.js';
import { planSource } from '../plan.js';
import type { Bench, Scenario } from '../scenario.js';
import { untilPolled } from '../variants.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CLI = at('../../../dist/src/cli.js');
const EMPTY_WORKER = at('../anchors/empty-worker.mjs');
/** The look at the pollers is this coarse. */
const LOOK_MS = 5;

const CRITICS = `export default [{ name: 'probe', version: '1.0.0', evaluate: async () => ({ severity: 0, violations: [] }) }];\n`;

export const coldStart: Scenario = {
  name: 'cold-start',
  title: 'Cold start of a worker process, to its first poll',
  async run(bench) {
    const [plan, critics] = [join(bench.folder, 'plan.yaml'), join(bench.folder, 'critics.mjs')];
    // JSON is YAML.
    await writeFile(plan, JSON.stringify(planSource(1)));
    await writeFile(critics, CRITICS);
    const commands = {
      ours: (queue: string) => [CLI, 'worker', '--address', bench.address, '--deployment', queue, '--plan', plan, '--critics', critics],
      empty: (queue: string) => [EMPTY_WORKER, bench.address, queue, bench.bundles.empty],
    };
    const sides = ['ours', 'empty'] as const;
    const measure = async (side: (typeof sides)[number]): Promise<number> => await firstPollMs(bench, commands[side]);
    // The first start of each reads its files from the disk.
    await interleaved(sides, 1, measure);
    const times = await interleaved(sides, bench.quick ? 1 : 8, measure);
    const single = (side: (typeof sides)[number]): number[][] => pick(times, side).map((value) => [value]);
    return [
      ratio('cold start, ours ÷ empty worker', single('ours'), single('empty'), 1.2),
      figure('cold start, ours', pick(times, 'ours'), 'ms'),
      figure('cold start, empty worker', pick(times, 'empty'), 'ms'),
    ];
  },
};

async function firstPollMs({ connection }: Bench, command: (queue: string) => string[]): Promise<number> {
  const queue = `cold-${randomUUID().slice(0, 8)}`;
  const begun = performance.now();
  const child = spawn(process.execPath, command(queue), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  const polled = untilPolled(connection, queue, LOOK_MS);
  const first = await Promise.race([polled.then(() => 'polled'), ended.then(() => 'ended')]);
  const tookMs = performance.now() - begun;
  if (first === 'ended') throw new Error('a worker of the cold start ended before it polled; what it said stands above');
  child.kill('SIGKILL');
  await ended;
  return tookMs;
}
