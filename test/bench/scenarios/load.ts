/** Twenty evaluations at once: what an evaluation costs the worker's CPU, and how many a second get through. */
import { figure, interleaved, load as runLoad, pick, ratio, type Figure } from '../measure.js';
import type { Bench, Scenario } from '../scenario.js';
import { VARIANTS } from '../variants.js';
import type { Kind } from '../workload.js';

const AT_ONCE = 20;

export const load: Scenario = {
  name: 'load',
  title: `Worker CPU and throughput, ${AT_ONCE} evaluations at once`,
  run: async (bench) => [...(await shape(bench, 'full', 0.85)), ...(await shape(bench, 'gated'))],
};

async function shape(bench: Bench, kind: Kind, cpuGoal?: number): Promise<Figure[]> {
  const count = bench.quick ? AT_ONCE : 3 * AT_ONCE;
  const slices = await interleaved(VARIANTS, bench.quick ? 1 : 6, async (name) => {
    const variant = await bench.variant(name);
    const [cpuBefore, begun] = [await variant.cpuMs(), performance.now()];
    await runLoad(count, AT_ONCE, () => variant.evaluate(kind));
    const tookMs = performance.now() - begun;
    return { cpuMs: ((await variant.cpuMs()) - cpuBefore) / count, perSecond: count / (tookMs / 1_000) };
  });
  const cpu = (name: (typeof VARIANTS)[number]): number[] => pick(slices, name).map(({ cpuMs }) => cpuMs);
  const single = (values: readonly number[]): number[][] => values.map((value) => [value]);
  return [
    ratio(`worker CPU an evaluation, ${kind}, ours ÷ naive`, single(cpu('ours')), single(cpu('naive')), cpuGoal),
    ratio(`worker CPU an evaluation, ${kind}, ours ÷ floor`, single(cpu('ours')), single(cpu('floor'))),
    ...VARIANTS.map((name) => figure(`worker CPU an evaluation, ${kind}, ${name}`, cpu(name), 'ms')),
    ...VARIANTS.map((name) =>
      figure(
        `evaluations a second, ${kind}, ${name}`,
        pick(slices, name).map(({ perSecond }) => perSecond),
        '/s',
      ),
    ),
  ];
}
