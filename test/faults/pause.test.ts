/** An operator pauses a lane in the middle of a load. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, eventually } from '../support/processes.js';
import { longestGap, peakOf } from './support/figures.js';
import { recorded } from './support/fleet.js';
import { setRate } from './support/lane-rate.js';
import { askAll, misjudged, mixed, timesOf } from './support/load.js';
import { figure, fleetFor } from './support/scene.js';

beforeAll(build);

const PAUSE_MS = 20_000;

describe('a lane of two worker processes', () => {
  test('that is paused for 20 s in the middle of 50 evaluations begins nothing meanwhile, and then all are judged', async (context) => {
    const fleet = await fleetFor(context, { plans: [{ plan: 'paused', critics: { one: recorded('one', { maxConcurrent: 2 }) } }] });
    await fleet.workers(2);
    const asked = await askAll(fleet, mixed(50, { plan: 'paused', script: { '*': { ms: 200 } } }));
    const { recorder } = fleet;
    await eventually('10 critics have begun', () => (recorder.runs().length >= 10 ? true : undefined));
    await setRate(fleet, 'p/paused/one', 0);
    const pausedAt = performance.now();
    await eventually('20 s are over', () => (performance.now() - pausedAt > PAUSE_MS ? true : undefined));
    const begun = recorder.runs().length;
    const goesOn = performance.now();
    await setRate(fleet, 'p/paused/one');
    await eventually('critics begin again', () => (recorder.runs().length > begun ? true : undefined));
    figure('resumed after', performance.now() - goesOn);
    expect(await misjudged(asked)).toEqual([]);
    expect(begun).toBeLessThan(50);
    // What a worker had been handed before may still begin.
    expect(longestGap(timesOf(recorder.runs()))).toBeGreaterThan(PAUSE_MS - 5_000);
    expect(recorder.runs().every(({ attempt }) => attempt === 1)).toBe(true);
    expect(recorder.runs()).toHaveLength(50);
    expect(peakOf(recorder.runs())).toBe(2);
  });
});
