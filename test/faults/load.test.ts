/** More work than can be done, and work that comes in the bursts of a real service. */
import { beforeAll, expect, test } from 'vitest';
import { percentile } from '../bench/measure.js';
import { build } from '../support/processes.js';
import { arriveAll, tracedArrivals } from './support/arrivals.js';
import { peakOf, perfectQueue } from './support/figures.js';
import { recorded } from './support/fleet.js';
import { askAll, misjudged } from './support/load.js';
import { askOverloaded, judgedPerSecond, OVERLOADED, PLACES, refusalsMs, twiceTheCapacity, workflowTasks } from './support/overload.js';
import { figure, fleetFor, told } from './support/scene.js';

beforeAll(build);

const FOR_MS = 60_000;

test('twice the capacity for 60 s: what is let in is judged, the rest is refused, and afterwards all is as before', async (context) => {
  const fleet = await fleetFor(context, { plans: [OVERLOADED] });
  await fleet.workers(2);
  const arrived = await twiceTheCapacity(fleet, FOR_MS);
  const refused = arrived.filter(({ asked }) => asked === undefined);
  const letIn = arrived.filter(({ asked }) => asked !== undefined);
  told('judged a second, of 20', judgedPerSecond(arrived, 5_000, FOR_MS).toFixed(1));
  told('refused', `${refused.length} of ${arrived.length}, p99 ${percentile(refusalsMs(arrived), 0.99).toFixed(0)} ms`);
  expect(letIn.flatMap(({ wrong }) => wrong ?? [])).toEqual([]);
  expect(fleet.recorder.runs()).toHaveLength(letIn.length);
  expect(peakOf(fleet.recorder.runs())).toBe(PLACES);
  expect(refused.length).toBeGreaterThan(0);
  const { all, timedOut } = await workflowTasks(fleet, arrived);
  told('workflow tasks that timed out', `${timedOut} of ${all}`);
  expect(await misjudged(await askAll(fleet, [askOverloaded('after')]))).toEqual([]);
});

test('the arrivals of a real service in its densest minute are all judged, and its bursts pass no limit', async (context) => {
  const places = 3;
  const jobs = tracedArrivals().map(({ atMs, tokens }) => ({ atMs, ms: 2 * tokens }));
  const fleet = await fleetFor(context, { plans: [{ plan: 'traced', critics: { one: recorded('one', { maxConcurrent: places }) } }] });
  await fleet.workers(2);
  const arrived = await arriveAll(
    fleet,
    jobs.map(({ atMs, ms }) => ({ atMs, ask: { plan: 'traced', script: { '*': { ms } } } })),
  );
  const ideal = perfectQueue(jobs, places).map((endsAt, index) => endsAt - (jobs[index]?.atMs ?? 0));
  const took = arrived.map(({ atMs, judgedAtMs = Number.POSITIVE_INFINITY }) => judgedAtMs - atMs);
  for (const share of [0.5, 0.95])
    figure(`p${share * 100}, and of a perfect queue ${(percentile(ideal, share) / 1_000).toFixed(2)} s`, percentile(took, share));
  expect(arrived.flatMap(({ wrong }) => wrong ?? [])).toEqual([]);
  expect(fleet.recorder.runs()).toHaveLength(jobs.length);
  expect(peakOf(fleet.recorder.runs())).toBe(places);
});
