/** What one tenant sees of another one's flood on a lane that they share, and whether tenants that ask as much get as much. */
import { eventually } from '../../../support/processes.js';
import { backlogOf } from '../../../support/server-state.js';
import { jain } from '../../../faults/support/figures.js';
import { recorded, several, type Fleet } from '../../../faults/support/fleet.js';
import { askAll, askOne, scheduledAt } from '../../../faults/support/load.js';
import { figure, interleaved, p95Ratio, percentile, pick, type Figure } from '../../measure.js';
import type { Bench, Scenario } from '../../scenario.js';
import { beside, expectJudged, times, withFleet } from './fleet.js';

const SIDES = ['alone', 'beside'] as const;
const PLACES = 4;
const CRITIC_MS = 250;
const SCRIPT = { '*': { ms: CRITIC_MS } };
const MANY = 10;
const QUEUE = 'l/shared';
const TENANTS = ['t1', 't2', 't3', 't4', 't5'];
const DEPLOYMENT = {
  lanes: { shared: { maxConcurrent: PLACES } },
  plans: [
    { plan: 'single', critics: { one: recorded('one', { lane: 'shared' }) } },
    { plan: 'many', critics: several(MANY, { lane: 'shared' }) },
  ],
};

export const tenants: Scenario = {
  name: 'limits/tenants',
  title: `Tenants on one lane of ${PLACES} places, critics of ${CRITIC_MS} ms, two worker processes`,
  run: (bench) => withFleet(bench, 2, DEPLOYMENT, async (fleet) => [...(await flood(bench, fleet)), await shares(fleet)]),
};

/** Over a hundred critics of A wait while B asks for one at a time. */
async function flood(bench: Bench, fleet: Fleet): Promise<Figure[]> {
  const block = (): Promise<Asking[]> => inTurn(fleet, bench.quick ? 4 : 20);
  const flooded = (): Promise<Asking[]> =>
    beside(
      fleet,
      16,
      () => ({ plan: 'many', tenant: 'a', labels: { who: 'a' }, script: SCRIPT }),
      async () => {
        await waiting(fleet, 100);
        return await block();
      },
    );
  await block();
  const blocks = await interleaved(SIDES, bench.quick ? 1 : 4, (side) => (side === 'alone' ? block() : flooded()));
  const ms = (side: (typeof SIDES)[number]): number[][] => pick(blocks, side).map((asking) => asking.map(({ tookMs }) => tookMs));
  const p95 = (values: readonly number[]): number => percentile(values, 0.95);
  const passed = pick(blocks, 'beside').map((asking) => p95(asking.map(({ passedBy }) => passedBy)));
  return [
    p95Ratio("p95 of B under A's flood ÷ alone", ms('beside'), ms('alone'), 2),
    figure('p95 of B alone', ms('alone').map(p95), 'ms'),
    figure("p95 of B under A's flood", ms('beside').map(p95), 'ms'),
    figure("critics of A that begin while B's waits, p95", passed, ''),
  ];
}

/** One evaluation of B. */
interface Asking {
  readonly tookMs: number;
  /** Critics of others that began after the server had B's and before it began: those that have their turn before it. */
  readonly passedBy: number;
}

async function inTurn(fleet: Fleet, count: number): Promise<Asking[]> {
  const { recorder, client } = fleet;
  const found: Asking[] = [];
  for (let index = 0; index < count; index += 1) {
    const begun = performance.now();
    const asked = await askOne(client, { plan: 'single', tenant: 'b', labels: { who: 'b' }, script: SCRIPT });
    await expectJudged([asked]);
    const tookMs = performance.now() - begun;
    const [scheduled = 0] = await scheduledAt(fleet, [asked]);
    const beganAt = recorder.runs().findLast(({ labels }) => labels['who'] === 'b')?.wallAt ?? 0;
    const passedBy = recorder.runs().filter(({ wallAt, labels }) => labels['who'] === 'a' && wallAt > scheduled && wallAt < beganAt).length;
    found.push({ tookMs, passedBy });
  }
  return found;
}

/** Jain's index over the tenants as long as all of them wait. They come one after the other, while every place is held. */
async function shares(fleet: Fleet): Promise<Figure> {
  const asked = await askAll(fleet, times(PLACES, { plan: 'single', labels: { who: 'holder' }, script: { '*': { held: true } } }));
  await fleet.atOnce(PLACES);
  for (const tenant of TENANTS)
    asked.push(...(await askAll(fleet, times(2, { plan: 'many', tenant, labels: { who: tenant }, script: { '*': { ms: 50 } } }))));
  // Some may have been handed out to wait in the process.
  await waiting(fleet, 2 * MANY * TENANTS.length - PLACES);
  fleet.recorder.release();
  await expectJudged(asked);
  const order = fleet.recorder.runs().map(({ labels }) => labels['who'] ?? '');
  const until = Math.min(...TENANTS.map((tenant) => order.lastIndexOf(tenant))) + 1;
  const had = TENANTS.map((tenant) => order.slice(0, until).filter((who) => who === tenant).length);
  const samples = had.reduce((sum, count) => sum + count, 0);
  return { name: "Jain's index of five equal tenants", value: jain(had), unit: 'x', goal: 0.95, atLeast: true, samples };
}

const waiting = (fleet: Fleet, count: number): Promise<true> =>
  eventually(`${count} critics wait`, async () => ((await backlogOf(fleet, `${fleet.deployment}/${QUEUE}`)) >= count ? true : undefined));
