/**
 * Starts a second over several worker processes, also when the process that runs the critics is killed. A rate is a
 * promise never to be faster, so only that is asserted: a slow machine starts fewer.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, eventually } from '../support/processes.js';
import { mostStarts, peakOf, splitAt, type Run } from './support/figures.js';
import { recorded, several, type Fleet } from './support/fleet.js';
import { backlog, setRate } from './support/lane-rate.js';
import { askAll, misjudged, mixed, timesOf, type Ask } from './support/load.js';
import { monotonicNow } from './support/recorder.js';
import { fleetFor } from './support/scene.js';

beforeAll(build);

const FIRST_MS = 1_000;
const WINDOWS_MS = [1_000, 2_000, 5_000, 10_000];

/** After idle and after a take-over a little more may come in the first second than later. */
const mostInFirstSecond = (rate: number): number => 1.25 * rate + 2;
const mostInWindow = (rate: number, windowMs: number): number => (rate * windowMs * 1.05) / 1_000 + 1;

/** A sentence for each time that a rate was passed. Each stretch begins after idle, or after a process was killed. */
function passed(rate: number, stretches: readonly (readonly Run[])[]): string[] {
  return stretches.flatMap((runs) => {
    const times = timesOf(runs);
    const begun = times[0] ?? 0;
    const first = times.filter((at) => at < begun + FIRST_MS).length;
    const steady = times.filter((at) => at >= begun + FIRST_MS);
    return [
      ...(first > mostInFirstSecond(rate) ? [`${rate}/s: ${first} in the first second`] : []),
      ...WINDOWS_MS.map((ms) => ({ ms, most: mostStarts(steady, ms) }))
        .filter(({ ms, most }) => most > mostInWindow(rate, ms))
        .map(({ ms, most }) => `${rate}/s: ${most} in ${ms / 1_000} s`),
    ];
  });
}

/** The share of the allowed starts that one stretch has used, as long as it lasted. */
function tell(rate: number, stretches: readonly (readonly Run[])[]): void {
  for (const runs of stretches) {
    const times = timesOf(runs);
    const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
    const first = mostStarts(
      times.filter((at) => at < (times[0] ?? 0) + FIRST_MS),
      FIRST_MS,
    );
    if (seconds === 0) continue;
    const used = (times.length - 1) / rate / seconds;
    console.log(
      `figure: ${rate}/s: ${times.length} starts in ${seconds.toFixed(1)} s, ${first} in the first second, used ${used.toFixed(3)}`,
    );
  }
}

const startsOf = (fleet: Fleet, name: string): readonly Run[] =>
  fleet.recorder.runs().filter((run) => run.name === name && run.labels['phase'] === 'load');

describe('with two worker processes', () => {
  test('rates of 20, 2 and 0.5 a second are never passed, after idle and after one process was killed', async (context) => {
    const rates = { twenty: 20, two: 2, half: 0.5 };
    const lanes = Object.keys(rates).map((name) => `p/${name}/${name}`);
    const plans = Object.entries(rates).map(([name, rateLimitPerSecond]) => ({
      plan: name,
      critics: { [name]: recorded(name, { rateLimitPerSecond }) },
    }));
    const fleet = await fleetFor(context, { plans });
    await fleet.workers(2);
    const asks = (plan: string, phase: string, count: number): Ask[] =>
      mixed(count, { plan, labels: { phase }, script: { '*': { ms: 20 } } });
    // The lanes were served once, and then had nothing to do.
    expect(
      await misjudged(
        await askAll(
          fleet,
          Object.keys(rates).flatMap((plan) => asks(plan, 'warm', 1)),
        ),
      ),
    ).toEqual([]);
    const asked = [];
    for (const [plan, count] of Object.entries({ twenty: 240, two: 32, half: 9 }))
      asked.push(...(await backlog(fleet, `p/${plan}/${plan}`, asks(plan, 'load', count))));

    await Promise.all(lanes.map((lane) => setRate(fleet, lane)));
    // All three have a backlog still.
    await eventually('the slowest has begun 4', () => (startsOf(fleet, 'half').length >= 4 ? true : undefined));
    const owner = startsOf(fleet, 'twenty').at(-1)?.pid ?? 0;
    const killedAt = monotonicNow();
    fleet.member(owner).kill('SIGKILL');
    expect(await misjudged(asked)).toEqual([]);

    const stretches = Object.entries(rates).map(([name, rate]) => ({ rate, stretches: splitAt(startsOf(fleet, name), killedAt) }));
    for (const one of stretches) tell(one.rate, one.stretches);
    expect(stretches.flatMap((one) => passed(one.rate, one.stretches))).toEqual([]);
  });

  test('fifty plans share the rate of one named lane, and the places of another', async (context) => {
    const plans = Array.from({ length: 50 }, (_, index) => ({
      plan: `p${index + 1}`,
      critics: { rated: recorded('rated', { lane: 'rated' }), ...several(2, { lane: 'narrow' }) },
    }));
    const fleet = await fleetFor(context, {
      plans,
      lanes: { rated: { maxConcurrent: 40, rateLimitPerSecond: 8 }, narrow: { maxConcurrent: 3 } },
    });
    await fleet.workers(2);
    const asks = plans.flatMap(({ plan }) => mixed(3, { plan, labels: { phase: 'load' }, script: { '*': { ms: 100 } } }));
    const asked = await backlog(fleet, 'l/rated', asks);
    await setRate(fleet, 'l/rated');
    expect(await misjudged(asked)).toEqual([]);
    const rated = startsOf(fleet, 'rated');
    expect(rated).toHaveLength(asks.length);
    tell(8, [rated]);
    expect(passed(8, [rated])).toEqual([]);
    expect(peakOf([...startsOf(fleet, 'c1'), ...startsOf(fleet, 'c2')])).toBe(3);
  });
});
