/** "At most so many at once" over three worker processes, without a fault. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build } from '../support/processes.js';
import { peakOf } from './support/figures.js';
import { recorded, several } from './support/fleet.js';
import { askAll, misjudged, mixed, type Ask } from './support/load.js';
import { fleetFor } from './support/scene.js';

beforeAll(build);

const CRITICS = 200;
const PER_EVALUATION = 10;

describe('with three worker processes', () => {
  test.for([
    { limit: 1, of: 'one critic', ms: 30, critics: { c1: recorded('c1', { maxConcurrent: 1 }) }, limits: {} },
    { limit: 2, of: 'one stage', ms: 60, critics: several(PER_EVALUATION), limits: { maxConcurrentPerStage: { core_analysis: 2 } } },
    { limit: 10, of: 'one plan', ms: 200, critics: several(PER_EVALUATION), limits: { maxConcurrentCritics: 10 } },
  ])('the limit of $of, $limit at once, is reached and never passed by 200 critics', async ({ limit, ms, critics, limits }, context) => {
    const fleet = await fleetFor(context, { plans: [{ plan: 'limited', limits, critics }] });
    await fleet.workers(3);
    const evaluations = CRITICS / Object.keys(critics).length;
    const asked = await askAll(fleet, mixed(evaluations, { plan: 'limited', script: { '*': { ms } } }));
    expect(await misjudged(asked)).toEqual([]);
    expect(fleet.recorder.runs()).toHaveLength(CRITICS);
    expect(peakOf(fleet.recorder.runs())).toBe(limit);
  });

  test('limits of critic, stage and plan hold together, and each alone can use what is free', async (context) => {
    const kind = (name: string): object => ({
      executionPolicy: 'conditional',
      condition: `has(context.kind) && (context.kind == 'all' || context.kind == '${name}')`,
    });
    const fleet = await fleetFor(context, {
      plans: [
        {
          plan: 'nested',
          limits: { maxConcurrentCritics: 8, maxConcurrentPerStage: { core_analysis: 5 } },
          critics: {
            narrow: recorded('narrow', { ...kind('narrow'), maxConcurrent: 4 }),
            wider: recorded('wider', kind('wider')),
            widest: recorded('widest', { ...kind('widest'), stage: 'deep_analysis' }),
          },
        },
      ],
    });
    await fleet.workers(3);
    const peaks = (phase: string, ...names: string[]): number =>
      peakOf(fleet.recorder.runs().filter(({ name, labels }) => labels['phase'] === phase && names.includes(name)));
    const ask = (name: string): Ask => ({ plan: 'nested', kind: name, labels: { phase: name }, script: { '*': { ms: 120 } } });
    for (const alone of ['narrow', 'wider', 'widest']) expect(await misjudged(await askAll(fleet, mixed(24, ask(alone))))).toEqual([]);
    expect({ narrow: peaks('narrow', 'narrow'), wider: peaks('wider', 'wider'), widest: peaks('widest', 'widest') }).toEqual({
      narrow: 4,
      wider: 5,
      widest: 8,
    });

    // All at once: the deep critics of the first wave meet the others of the second.
    const waves = [
      ...mixed(20, ask('all')),
      ...['narrow', 'wider', 'widest'].flatMap((name) => mixed(20, { ...ask(name), labels: { phase: 'all' } })),
    ];
    expect(await misjudged(await askAll(fleet, waves))).toEqual([]);
    expect({
      narrow: peaks('all', 'narrow'),
      core: peaks('all', 'narrow', 'wider'),
      all: peaks('all', 'narrow', 'wider', 'widest'),
    }).toEqual({
      narrow: 4,
      core: 5,
      all: 8,
    });
    expect(peakOf(fleet.recorder.runs())).toBe(8);
  });
});
