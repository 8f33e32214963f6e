/** "At most so many at once" over three worker processes, without a fault. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build } from '../support/processes.js';
import { peakOf } from './support/figures.js';
import { recorded, several } from './support/fleet.js';
import { askAll, misjudged, mixed, type Asked } from './support/load.js';
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
    const perEvaluation = Object.keys(critics).length;
    // The first ones stay until every place is taken.
    const first = await askAll(fleet, mixed(Math.ceil(limit / perEvaluation), { plan: 'limited', script: { '*': { held: true } } }));
    const rest = await askAll(fleet, mixed(CRITICS / perEvaluation - first.length, { plan: 'limited', script: { '*': { ms } } }));
    await fleet.atOnce(limit);
    fleet.recorder.release();
    expect(await misjudged([...first, ...rest])).toEqual([]);
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
    const asked: Asked[] = [];
    const ask = async (name: string, phase: string): Promise<void> => {
      const held = { plan: 'nested', kind: name, labels: { phase }, script: { '*': { held: true } } };
      asked.push(...(await askAll(fleet, mixed(12, held))));
    };
    const letGo = async (): Promise<void> => {
      fleet.recorder.release();
      expect(await misjudged(asked)).toEqual([]);
      fleet.recorder.hold();
    };
    const peak = (phase: string, ...names: string[]): number =>
      peakOf(fleet.recorder.runs().filter(({ name, labels }) => labels['phase'] === phase && names.includes(name)));

    for (const [name, places] of [
      ['narrow', 4],
      ['wider', 5],
      ['widest', 8],
    ] as const) {
      await ask(name, name);
      await fleet.atOnce(places);
      await letGo();
      expect(peak(name, name)).toBe(places);
    }

    await ask('narrow', 'all');
    await fleet.atOnce(4);
    await ask('wider', 'all');
    await fleet.atOnce(5);
    await ask('widest', 'all');
    await fleet.atOnce(8);
    // The first wave of these has critics of all kinds, one stage after the other.
    await ask('all', 'all');
    await letGo();
    expect(peak('all', 'narrow')).toBe(4);
    expect(peak('all', 'narrow', 'wider')).toBe(5);
    expect(peakOf(fleet.recorder.runs())).toBe(8);
    expect(fleet.recorder.runs()).toHaveLength(6 * 12 + 3 * 12);
  });
});
