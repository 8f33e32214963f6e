/** Processes are killed around decisions of people: what was acknowledged is in force, once, and nothing else is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/domain/review/review.js';
import { build } from '../support/processes.js';
import { chanceOf, type Chance } from './support/chance.js';
import { startDurableServer } from './support/durable-server.js';
import type { Fleet, Member } from './support/fleet.js';
import { PLACES, placesOf, type Place } from './support/review-kills.js';
import { ann, bob, cem, decided, mod, peopleOf, readyFor, TIER_PLANS, TIERS, wrongWith, type Ready } from './support/reviews.js';
import { fleetFor, told } from './support/scene.js';

beforeAll(build);

const PEOPLE = [ann, bob, cem, mod];
const SEED = 11;

/** One review of each tier, to be decided this way or that. */
const oneOfEach = (fleet: Fleet, chance: Chance): Promise<Ready[]> =>
  Promise.all(TIERS.map((tier) => readyFor(fleet, tier, chance.in(0.5) ? 'PROCEED' : 'HALT')));

describe('the only worker', () => {
  const ROUNDS = 10;
  const MOST_ROUNDS = 40;
  /** From the first instant at which a decision may be sent to the kill. */
  const WINDOW_MS = 150;

  interface Killed {
    readonly ready: Ready;
    readonly receipt: Promise<Receipt>;
    readonly pid: number;
  }

  /** Each decision is sent at an instant of its own, the worker killed at the end of them all. */
  async function killedAround(fleet: Fleet, worker: Member, round: readonly Ready[], chance: Chance): Promise<Killed[]> {
    const sending = round.map(async (ready) => {
      await afterMs(chance.between(0, WINDOW_MS));
      return { ready, receipt: decided(fleet, ready), pid: worker.pid };
    });
    await afterMs(WINDOW_MS);
    worker.kill('SIGKILL');
    await worker.ended;
    return await Promise.all(sending);
  }

  const afterMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test('is killed around decisions: each is in force once, whatever of its way it had behind it', async (context) => {
    const chance = chanceOf(SEED);
    let file = '';
    const notify = (dir: string): object => {
      file = join(dir, 'told.jsonl');
      return { notify: { consumer: { file, events: ['review_decided'] } } };
    };
    const fleet = await fleetFor(context, { plans: TIER_PLANS, reviews: peopleOf(PEOPLE, notify) });
    const t0 = performance.now();
    const lap = (what: string) => console.log(what, Math.round(performance.now() - t0));
    let worker = await fleet.worker();
    const killed: Killed[] = [];
    const met = new Map<Place, number>(PLACES.map((place) => [place, 0]));
    const ready: Ready[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) ready.push(await oneOfEach(fleet, chance));
    lap('ready');
    for (const round of ready) {
      killed.push(...(await killedAround(fleet, worker, round, chance)));
      worker = await fleet.worker();
      lap('round');
    }
    const wrong = await Promise.all(killed.map(async ({ ready: one, receipt }) => await wrongWith(fleet, one, await receipt)));
    lap('over');
    expect(wrong.flat()).toEqual([]);
    for (const { ready: one, pid } of killed)
      for (const place of await placesOf(fleet, one, pid)) met.set(place, (met.get(place) ?? 0) + 1);
    lap('classified');
    told('kills fell', [...met].map(([place, count]) => `${place} ${count}`).join(', '));
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { id: string; reviewId: string });
    console.log(lines.length, MOST_ROUNDS);
  });
});

describe('the server', () => {
  test('nothing', async () => {
    void startDurableServer;
  });
});
