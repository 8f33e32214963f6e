/** Starts a second with two processes: how many there are in any window, after idle and after a kill, and what of them is used. */
import { eventually } from '../../../support/processes.js';
import { mostStarts, splitAt } from '../../../faults/support/figures.js';
import { several } from '../../../faults/support/fleet.js';
import { backlog, setRate } from '../../../faults/support/lane-rate.js';
import { askAll, timesOf, type Ask } from '../../../faults/support/load.js';
import { monotonicNow } from '../../../faults/support/recorder.js';
import { figure, type Figure } from '../../measure.js';
import type { Bench, Scenario } from '../../scenario.js';
import { expectJudged, times, withFleet } from './fleet.js';

const WINDOWS_S = [1, 2, 5, 10];
/** Starts a second, and critics an evaluation: fewer evaluations leave more of the machine. */
const RATES = [
  { rate: 20, critics: 10 },
  { rate: 2, critics: 2 },
];
const PLAN = 'rated';
const LANE = 'l/rated';

/** Each stretch begins after idle, or with the first start after a kill. */
interface Stretch {
  readonly inFirstSecond: number;
  readonly steady: readonly number[];
}

export const rates: Scenario = {
  name: 'limits/rates',
  title: 'Starts a second over two worker processes',
  run: async (bench) => (await Promise.all(RATES.map(({ rate, critics }) => measure(bench, rate, critics)))).flat(),
};

async function measure(bench: Bench, rate: number, critics: number): Promise<Figure[]> {
  const plans = [{ plan: PLAN, critics: several(critics, { lane: PLAN }) }];
  return await withFleet(bench, 2, { plans, lanes: { [PLAN]: { rateLimitPerSecond: rate } } }, async (fleet) => {
    const ask = (phase: string): Ask => ({ plan: PLAN, labels: { phase }, script: { '*': { ms: 20 } } });
    // The lane was served once, and then had nothing to do.
    await expectJudged(await askAll(fleet, [ask('warm')]));
    // Of each stretch a second is the first, and the longest window comes after it.
    const perStretch = rate * (bench.quick ? 4 : 13);
    const asked = await backlog(fleet, LANE, times(Math.ceil((2 * perStretch) / critics), ask('load')), critics);
    await setRate(fleet, LANE);
    const runs = () => fleet.recorder.runs().filter(({ labels }) => labels['phase'] === 'load');
    await eventually('the first half has begun', () => (runs().length >= perStretch ? true : undefined));
    const killedAt = monotonicNow();
    fleet.member(runs().at(-1)?.pid ?? 0).kill('SIGKILL');
    await expectJudged(asked);
    return figuresOf(
      rate,
      splitAt(runs(), killedAt).map((part) => stretchOf(timesOf(part))),
    );
  });
}

function stretchOf(starts: readonly number[]): Stretch {
  const from = Math.min(...starts) + 1_000;
  return { inFirstSecond: starts.filter((at) => at < from).length, steady: starts.filter((at) => at >= from) };
}

function figuresOf(rate: number, stretches: readonly Stretch[]): Figure[] {
  const samples = stretches.flatMap(({ steady }) => steady).length;
  const windows = WINDOWS_S.map((seconds): Figure => {
    const most = Math.max(...stretches.map(({ steady }) => mostStarts(steady, seconds * 1_000)));
    const allowed = rate * seconds;
    return {
      name: `${rate}/s: most in ${seconds} s ÷ rate`,
      value: most / allowed,
      unit: 'x',
      goal: (allowed * 1.05 + 1) / allowed,
      samples,
    };
  });
  const firsts = ['idle', 'take-over'].map((what, index): Figure => {
    const value = stretches[index]?.inFirstSecond ?? 0;
    return { name: `${rate}/s: starts in the first second after ${what}`, value, unit: '', goal: Math.floor(1.25 * rate + 2), samples: 1 };
  });
  const used = stretches.map(({ steady }) => ((steady.length - 1) * 1_000) / rate / (Math.max(...steady) - Math.min(...steady)));
  return [...windows, ...firsts, { ...figure(`${rate}/s: used of the rate under backlog`, used, 'x', 0.97), atLeast: true, samples }];
}
