/**
 * Random faults over a running load, by hand and for as long as one likes; what it finds is a bug.
 *
 *     node --import tsx test/faults/campaign.ts --seed 1 --minutes 5
 *
 * `--plant NAME` puts a known bug in, which the campaign must find: `deaf` (critics ignore their signal), `forgetful` (a
 * second attempt finds nothing), `per-worker` (limits hold in each process alone).
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { build, eventually } from '../support/processes.js';
import { chanceOf, scriptsOf } from './support/chance.js';
import { DISTURBANCES, type Scene } from './support/disturb.js';
import { startDurableServer } from './support/durable-server.js';
import { mostStarts, peakOf, withoutFrozen, type Run } from './support/figures.js';
import { makeFleet, recorded, type FleetPlan } from './support/fleet.js';
import { stateOf } from './support/stall.js';
import { askOne, misjudged, repeated, timesOf, type Asked } from './support/load.js';

const PLANTS = ['deaf', 'forgetful', 'per-worker'] as const;
type Plant = (typeof PLANTS)[number];

/** Evaluations that are under way at once: enough that every limit is reached. */
const IN_FLIGHT = 12;
/** Critics that must have begun between two faults: the fleet has recovered. */
const PROGRESS = 20;
const RECOVERY_MS = 120_000;
const LANE = { maxConcurrent: 3, rateLimitPerSecond: 8 };

/** Every limit, with the critics over which it holds. */
const LIMITS: readonly { readonly of: string; readonly most: number; readonly has: (name: string) => boolean }[] = [
  { of: 'critic narrow', most: 2, has: (name) => name === 'narrow' },
  { of: 'stage core_analysis', most: 4, has: (name) => name === 'narrow' || name === 'wide' },
  { of: 'plan', most: 6, has: (name) => name !== 'named' },
  { of: 'lane', most: LANE.maxConcurrent, has: (name) => name === 'named' },
];

const planOf = (plant?: Plant): FleetPlan[] => {
  const scope = plant === 'per-worker' ? { scope: 'worker' } : {};
  return [
    {
      plan: 'limited',
      limits: { maxConcurrentCritics: 6, maxConcurrentPerStage: { core_analysis: 4 }, ...scope },
      critics: {
        narrow: recorded('narrow', { maxConcurrent: 2 }),
        wide: recorded('wide'),
        deep: recorded('deep', { stage: 'deep_analysis' }),
        deeper: recorded('deeper', { stage: 'deep_analysis' }),
      },
    },
    { plan: 'named', critics: { named: recorded('named', { lane: 'named' }) } },
  ];
};

const CRITICS: Readonly<Record<string, readonly string[]>> = { limited: ['narrow', 'wide', 'deep', 'deeper'], named: ['named'] };

interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly plant?: Plant;
}

/** @returns a sentence for each promise that was broken. */
async function campaign({ seed, minutes, plant }: Options): Promise<string[]> {
  const server = await startDurableServer();
  const env = plant === undefined || plant === 'per-worker' ? {} : { FAULTS_PLANT: plant };
  const fleet = await makeFleet({ address: server.address, plans: planOf(plant), lanes: { named: LANE }, env });
  try {
    const chance = chanceOf(seed);
    const scene: Scene = { fleet, server, members: await fleet.workers(3), freezes: [], chance };
    const until = performance.now() + minutes * 60_000;
    const asked: Asked[] = [];
    const load = keepAsking(scene, { seed, until, asked });
    await disturb(scene, until, asked);
    const found = await load;
    console.log(`${asked.length} evaluations, ${fleet.recorder.runs().length} runs of critics`);
    return [...found, ...(await repeated(fleet, asked)), ...passed(withoutFrozen(fleet.recorder.runs(), scene.freezes))];
  } finally {
    await fleet.close();
    await server.close();
  }
}

async function disturb(scene: Scene, until: number, asked: readonly Asked[]): Promise<void> {
  const { fleet, chance } = scene;
  while (performance.now() < until) {
    const begun = fleet.recorder.runs().length;
    const goesOn = (): true | undefined => (fleet.recorder.runs().length >= begun + PROGRESS ? true : undefined);
    try {
      await eventually('critics begin again', goesOn, RECOVERY_MS);
    } catch (error) {
      for (const line of await stateOf(fleet, scene.members, asked)) console.log(`STALLED ${line}`);
      throw error;
    }
    const name = chance.of(Object.keys(DISTURBANCES));
    const startedAt = performance.now();
    await DISTURBANCES[name]?.(scene);
    console.log(`${name}, over after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  }
}

/** Keeps as many under way until the time is over, and waits for the last of them. */
async function keepAsking(
  scene: Scene,
  { seed, until, asked }: { readonly seed: number; readonly until: number; readonly asked: Asked[] },
): Promise<string[]> {
  const found: string[] = [];
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async (_, index) => {
      // Of its own, so that the faults are the same however fast the load is.
      const chance = chanceOf(seed * 1_000 + index);
      while (performance.now() < until) {
        const plan = chance.of(Object.keys(CRITICS));
        const ask = { plan, key: randomUUID(), script: scriptsOf(chance, CRITICS[plan] ?? [], 0.05) };
        // While the server is away nobody can tell whether it was started; with its key it is started once.
        const one = await eventually('an evaluation is started', () => askOne(scene.fleet.client, ask).catch(() => undefined), RECOVERY_MS);
        asked.push(one);
        found.push(...(await misjudged([one])));
      }
    }),
  );
  return found;
}

function passed(runs: readonly Run[]): string[] {
  const peaks = LIMITS.map(({ of, most, has }) => ({ of, most, peak: peakOf(runs.filter(({ name }) => has(name))) }));
  for (const { of, most, peak } of peaks) console.log(`${of}: ${peak} at once of ${most}`);
  const starts = mostStarts(timesOf(runs.filter(({ name }) => name === 'named')), 1_000);
  const mostAllowed = 1.25 * LANE.rateLimitPerSecond + 2;
  console.log(`lane: ${starts} starts in a second, rate ${LANE.rateLimitPerSecond}`);
  return [
    ...peaks.filter(({ peak, most }) => peak > most).map(({ of, most, peak }) => `limit of ${of}: ${peak} at once, not ${most}`),
    ...(starts > mostAllowed ? [`rate of the lane: ${starts} starts in a second, not ${mostAllowed}`] : []),
  ];
}

function optionsOf(): Options {
  const { values } = parseArgs({
    options: { seed: { type: 'string', default: '1' }, minutes: { type: 'string', default: '5' }, plant: { type: 'string' } },
  });
  const plant = PLANTS.find((name) => name === values.plant);
  if (values.plant !== undefined && plant === undefined)
    throw new Error(`there is no plant ${values.plant}: known are ${PLANTS.join(', ')}`);
  return { seed: Number(values.seed), minutes: Number(values.minutes), ...(plant !== undefined ? { plant } : {}) };
}

const options = optionsOf();
build();
const problems = await campaign(options);
for (const problem of problems) console.log(`FOUND ${problem}`);
const isAsExpected = problems.length > 0 === (options.plant !== undefined);
if (options.plant !== undefined) console.log(`the planted bug ${options.plant} was ${isAsExpected ? 'found' : 'NOT found'}`);
else console.log(isAsExpected ? 'nothing found' : `${problems.length} problems`);
process.exitCode = isAsExpected ? 0 : 1;
