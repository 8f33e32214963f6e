/** One evaluation at a time, as a caller sees it: from the start call to the result. */
import { interleaved, percentile, pick, ratio, type Figure } from '../measure.js';
import type { Bench, Scenario } from '../scenario.js';
import { VARIANTS, type VariantName } from '../variants.js';
import { criticalPathMs, type Kind } from '../workload.js';

const SLEEP_MS = 20;

type Rounds = ReadonlyMap<VariantName, number[][]>;

export const latency: Scenario = {
  name: 'latency',
  title: 'Latency, one evaluation at a time',
  async run(bench) {
    const path = criticalPathMs('full', SLEEP_MS);
    const slow = await rounds(bench, 'full', SLEEP_MS);
    const gated = await rounds(bench, 'gated', 0);
    const quick = await rounds(bench, 'full', 0);
    return [
      ratio(`added latency, full, ${SLEEP_MS} ms critics, ours ÷ naive`, pick(slow, 'ours'), pick(slow, 'naive'), 0.65, path),
      ratio(`added latency, full, ${SLEEP_MS} ms critics, ours ÷ floor`, pick(slow, 'ours'), pick(slow, 'floor'), undefined, path),
      ratio('p50 gated, ours ÷ floor', pick(gated, 'ours'), pick(gated, 'floor'), 1.2),
      ratio('p50 gated, ours ÷ naive', pick(gated, 'ours'), pick(gated, 'naive')),
      ratio('p50 full, ours ÷ naive', pick(quick, 'ours'), pick(quick, 'naive')),
      ...absolute(`full, ${SLEEP_MS} ms critics`, slow),
      ...absolute('full', quick),
      ...absolute('gated', gated),
    ];
  },
};

async function rounds(bench: Bench, kind: Kind, sleepMs: number): Promise<Rounds> {
  const perRound = bench.quick ? 1 : 5;
  return await interleaved(VARIANTS, bench.quick ? 1 : 8, async (name) => {
    const variant = await bench.variant(name);
    const times: number[] = [];
    for (let sample = 0; sample < perRound; sample += 1) {
      const begun = performance.now();
      await variant.evaluate(kind, sleepMs);
      times.push(performance.now() - begun);
    }
    return times;
  });
}

const absolute = (what: string, all: Rounds): Figure[] =>
  VARIANTS.flatMap((name) => {
    const times = pick(all, name).flat();
    return [0.5, 0.95].map((share) => ({
      name: `p${share * 100} ${what}, ${name}`,
      value: percentile(times, share),
      unit: 'ms' as const,
      samples: times.length,
    }));
  });
