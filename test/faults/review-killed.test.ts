/** Processes are killed around decisions of people: what was acknowledged is in force, once, and nothing else is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { deferred } from '../../src/deferred.js';
import type { Receipt } from '../../src/domain/review/review.js';
import { build } from '../support/processes.js';
import { chanceOf, type Chance } from './support/chance.js';
import { startDurableServer, type DurableServer } from './support/durable-server.js';
import type { Fleet, Member } from './support/fleet.js';
import { PLACES, placesOf, type Place } from './support/review-kills.js';
import { acted, ann, bob, cem, decided, mod, peopleOf, readyFor, TIER_PLANS, TIERS, wrongWith, type Ready } from './support/reviews.js';
import { fleetFor, told } from './support/scene.js';

beforeAll(build);

const PEOPLE = [ann, bob, cem, mod];
const SEED = 11;

/** One review of each tier, to be decided this way or that. */
const oneOfEach = (fleet: Fleet, chance: Chance): Promise<Ready[]> =>
  Promise.all(TIERS.map((tier) => readyFor(fleet, tier, chance.in(0.5) ? 'PROCEED' : 'HALT')));

describe('the only worker', () => {
  const ROUNDS = 10;
  const MORE_ROUNDS = 5;
  const MOST_REVIEWS = 120;
  /** From the first instant at which a decision may be sent to the kill. */
  const WINDOW_MS = 150;
  /** Longer on a slow machine: so many times what another command takes there. */
  const COMMANDS_LONG = 3;

  interface Killed {
    readonly ready: Ready;
    readonly receipt: Promise<Receipt>;
    /** Of the worker that was killed. */
    readonly pid: number;
  }

  const afterMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  /** Each decision is sent at an instant of its own, a few when the worker has just gone. */
  async function killedAround(fleet: Fleet, round: readonly Ready[], chance: Chance): Promise<Killed[]> {
    const worker = lastOf(fleet);
    // The worker has read them and has checked a command: what takes time from here on is the decision.
    await commented(fleet, round);
    const windowMs = Math.max(WINDOW_MS, COMMANDS_LONG * (await commented(fleet, round)));
    const gone = deferred<void>();
    const sending = round.map(async (ready) => {
      await (chance.in(0.15) ? gone.promise : afterMs(chance.between(0, windowMs)));
      return { ready, receipt: decided(fleet, ready), pid: worker.pid };
    });
    await afterMs(windowMs);
    worker.kill('SIGKILL');
    await worker.ended;
    gone.resolve(undefined);
    return await Promise.all(sending);
  }

  /** How long it takes until all of them have been said something about, milliseconds. */
  async function commented(fleet: Fleet, round: readonly Ready[]): Promise<number> {
    const begun = performance.now();
    await Promise.all(round.map((ready) => acted(fleet, ready, ready.who, 'comment', { text: 'about to decide' })));
    return performance.now() - begun;
  }

  /** Decisions of earlier rounds are still on their way, or can still be undone, while later workers are killed. */
  async function rounds(fleet: Fleet, count: number, chance: Chance): Promise<Killed[]> {
    const ready: Ready[][] = [];
    for (let round = 0; round < count; round += 1) ready.push(await oneOfEach(fleet, chance));
    const killed: Killed[] = [];
    for (const round of ready) {
      killed.push(...(await killedAround(fleet, round, chance)));
      await fleet.worker();
    }
    const wrong = await Promise.all(killed.map(async ({ ready: one, receipt }) => await wrongWith(fleet, one, await receipt)));
    expect(wrong.flat()).toEqual([]);
    return killed;
  }

  function lastOf({ members }: Fleet): Member {
    const last = members.at(-1);
    if (last === undefined) throw new Error('no worker was started');
    return last;
  }

  test('is killed around decisions again and again: each is in force once and told under one name, wherever the kill fell', async (context) => {
    const chance = chanceOf(SEED);
    let file = '';
    const notify = (dir: string): object => {
      file = join(dir, 'told.jsonl');
      return { notify: { consumer: { file, events: ['review_decided'] } } };
    };
    const fleet = await fleetFor(context, { plans: TIER_PLANS, reviews: peopleOf(PEOPLE, notify) });
    await fleet.worker();
    const met = new Map<Place, number>();
    const decidedIds: string[] = [];
    for (let batch = 1; met.size < PLACES.length && decidedIds.length < MOST_REVIEWS; batch += 1) {
      const killed = await rounds(fleet, batch === 1 ? ROUNDS : MORE_ROUNDS, chance);
      for (const { ready, pid } of killed) for (const place of await placesOf(fleet, ready, pid)) met.set(place, (met.get(place) ?? 0) + 1);
      decidedIds.push(...killed.map(({ ready }) => ready.id));
    }
    told(`kills around ${decidedIds.length} decisions fell`, PLACES.map((place) => `${place} ${met.get(place) ?? 0}`).join(', '));
    expect([...met.keys()].toSorted()).toEqual(PLACES.toSorted());
    const names = namesTold(file);
    expect([...names.keys()].toSorted()).toEqual(decidedIds.toSorted());
    expect([...names.values()].filter(({ size }) => size !== 1)).toEqual([]);
  });

  /** By review: the ids of what was told of its end. It may have been told twice, under one. */
  function namesTold(file: string): ReadonlyMap<string, ReadonlySet<string>> {
    const names = new Map<string, Set<string>>();
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
      const { id, reviewId } = JSON.parse(line) as { readonly id: string; readonly reviewId: string };
      names.set(reviewId, (names.get(reviewId) ?? new Set()).add(id));
    }
    return names;
  }
});

describe('the server', () => {
  const AT_ONCE = 6;
  const ACKNOWLEDGED = 50;

  /** Sends them all, kills the server when the first one has its receipt, and brings it back. @returns all receipts, and how many there were before. */
  async function killedAtOnce(
    fleet: Fleet,
    server: DurableServer,
    round: readonly Ready[],
  ): Promise<{ receipts: Receipt[]; before: number }> {
    const sending = round.map((ready) => decided(fleet, ready));
    let before = 0;
    for (const one of sending) one.then(() => (before += 1)).catch(() => undefined);
    await Promise.any(sending);
    await server.kill();
    const known = before;
    await server.restart();
    return { receipts: await Promise.all(sending), before: known };
  }

  test('is killed right after it has acknowledged decisions, and comes back on the same file and port: all of them are in force, none is doubled', async (context) => {
    const chance = chanceOf(SEED);
    const server = await startDurableServer();
    context.onTestFinished(() => server.close());
    const fleet = await fleetFor(context, { address: server.address, plans: TIER_PLANS, reviews: peopleOf(PEOPLE) });
    await fleet.worker();
    const all: { readonly ready: Ready; readonly receipt: Receipt }[] = [];
    let before = 0;
    // Of the last round only those count that were acknowledged before the kill.
    for (let acknowledged = 0; acknowledged < ACKNOWLEDGED;) {
      const round = (await Promise.all([oneOfEach(fleet, chance), oneOfEach(fleet, chance)])).flat().slice(0, AT_ONCE);
      const one = await killedAtOnce(fleet, server, round);
      acknowledged = all.length + one.before;
      before += one.before;
      all.push(...round.map((ready, index) => ({ ready, receipt: receiptAt(one.receipts, index) })));
    }
    const wrong = await Promise.all(all.map(({ ready, receipt }) => wrongWith(fleet, ready, receipt)));
    expect(wrong.flat()).toEqual([]);
    told('decisions', `${all.length}, of them acknowledged just before the server was killed: ${before}`);
  });

  function receiptAt(receipts: readonly Receipt[], index: number): Receipt {
    const receipt = receipts[index];
    if (receipt === undefined) throw new Error('a decision has no receipt');
    return receipt;
  }
});
