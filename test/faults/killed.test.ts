/** Worker processes are killed again and again, at random, in the middle of evaluations. */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, eventually } from '../support/processes.js';
import { chanceOf, scriptsOf } from './support/chance.js';
import { peakOf } from './support/figures.js';
import { recorded, several } from './support/fleet.js';
import { askAll, misjudged, repeated } from './support/load.js';
import { fleetFor } from './support/scene.js';

beforeAll(build);

const EVALUATIONS = 60;
const KILLS = 6;
const LIMIT = 6;
const SEED = 7;

describe('three worker processes of which one after the other is killed at random', () => {
  test('lose nothing, judge nothing wrong, ask nothing again that the server knew, and keep their limit', async (context) => {
    const chance = chanceOf(SEED);
    const critics = { ...several(3), deep: recorded('deep', { stage: 'deep_analysis' }) };
    const names = Object.keys(critics);
    const fleet = await fleetFor(context, { plans: [{ plan: 'killed', limits: { maxConcurrentCritics: LIMIT }, critics }] });
    const members = await fleet.workers(3);
    const asked = await askAll(
      fleet,
      Array.from({ length: EVALUATIONS }, () => ({ plan: 'killed', script: scriptsOf(chance, names) })),
    );
    const runs = fleet.recorder.runs();
    const each = Math.floor((EVALUATIONS * names.length) / (KILLS + 1));
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await eventually(`${kill * each} critics have begun`, () => (runs.length >= kill * each ? true : undefined));
      const place = chance.between(0, members.length - 1);
      members[place]?.kill('SIGKILL');
      members[place] = await fleet.worker();
    }
    expect(await misjudged(asked)).toEqual([]);
    expect(await repeated(fleet, asked)).toEqual([]);
    expect(new Set(runs.map(({ key }) => key)).size).toBe(EVALUATIONS * names.length);
    expect(peakOf(runs)).toBe(LIMIT);
  });
});
