/**
 * `node --import tsx test/bench/threads.ts [rounds]`: p50 and p95 of neighbours of a critic that never ends in a thread,
 * without and with it, and the ratio of the p95: the target is at most 2. A script, not a test; what it does:
 * `beside-loop.ts`.
 */
import { availableParallelism } from 'node:os';
import { measureBesideLoop, PLACES } from './beside-loop.js';
import { percentile } from './measure.js';

const rounds = Number(process.argv[2] ?? 10);
const { quiet, beside } = await measureBesideLoop(rounds);
const show = (ms: number): string => ms.toFixed(2);

console.log(`${rounds} rounds, ${availableParallelism()} cores`);
for (const place of PLACES) {
  const [a, b] = [quiet, beside].map((blocks) => blocks.flatMap((block) => block[place]));
  if (a === undefined || b === undefined) continue;
  const told = (times: readonly number[]): string => `p50 ${show(percentile(times, 0.5))} p95 ${show(percentile(times, 0.95))} ms`;
  console.log(`${place}: quiet ${told(a)}, beside a busy loop ${told(b)}, ratio of p95 ${show(percentile(b, 0.95) / percentile(a, 0.95))}`);
}
