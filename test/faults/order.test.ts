/** Who goes first when there is one place in all of a deployment: classes strictly, tenants in turn. */
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { build, eventually } from '../support/processes.js';
import { backlogOf, pendingOf } from '../support/server-state.js';
import { jain, peakOf, type Run } from './support/figures.js';
import { recorded, type Fleet } from './support/fleet.js';
import { askAll, misjudged, scheduledAt, type Ask, type Asked } from './support/load.js';
import { fleetFor } from './support/scene.js';

beforeAll(build);

const PLAN = 'one_place';
/** The critic that holds the place, and one that may wait for it in the same process. */
const HANDED_OUT = 2;
/** Each look at one is a call to the server. */
const LOOKED_AT = 10;
const SCRIPT = { '*': { ms: 30 } };

interface Scarce {
  readonly fleet: Fleet;
  ask(asks: readonly Ask[]): Promise<Asked[]>;
  /** Starts them and waits until all their critics are in the lane's queue. */
  queue(asks: readonly Ask[]): Promise<void>;
  /** Gives the place to those that wait. */
  open(): void;
  /** Of what was asked here, in the order of their beginning; without the one that held the place. */
  starts(): Run[];
  /** All are judged, each critic ran once, and never two of them at once. */
  expectAllJudged(): Promise<void>;
}

/** Two processes, and their only place is taken until it is given. */
async function scarce(context: TestContext): Promise<Scarce> {
  const fleet = await fleetFor(context, {
    plans: [{ plan: PLAN, critics: { one: recorded('one', { maxConcurrent: 1 }) } }],
  });
  await fleet.workers(2);
  const asked = await askAll(fleet, [{ plan: PLAN, labels: { who: 'holder' }, script: { '*': { held: true } } }]);
  await fleet.atOnce(1);
  async function ask(asks: readonly Ask[]): Promise<Asked[]> {
    const more = await askAll(fleet, asks);
    asked.push(...more);
    return more;
  }
  return {
    fleet,
    ask,
    async queue(asks) {
      const ids = (await ask(asks)).slice(-LOOKED_AT).map(({ handle }) => handle.evaluationId);
      await eventually('the last critics wait', async () => {
        const { taken, waiting } = await pendingOf(fleet, ids);
        return taken + waiting === ids.length ? true : undefined;
      });
      const queue = `${fleet.deployment}/p/${PLAN}/one`;
      await eventually('the queue has them', async () => ((await backlogOf(fleet, queue)) >= asked.length - HANDED_OUT ? true : undefined));
    },
    open: () => fleet.recorder.release(),
    starts: () => fleet.recorder.runs().filter(({ labels }) => labels['who'] !== 'holder'),
    async expectAllJudged() {
      expect(await misjudged(asked)).toEqual([]);
      expect(fleet.recorder.runs()).toHaveLength(asked.length);
      expect(peakOf(fleet.recorder.runs())).toBe(1);
    },
  };
}

const of = (who: string, count: number, more: Partial<Ask> = {}): Ask[] =>
  Array.from({ length: count }, () => ({ plan: PLAN, labels: { who }, script: SCRIPT, ...more }));

const namesOf = (runs: readonly Run[]): string[] => runs.map(({ labels }) => labels['who'] ?? '');

describe('with two worker processes and one place for a critic', () => {
  test('no background critic begins while an interactive one waits, and one that comes later is the next', async (context) => {
    const { fleet, ask, queue, open, starts, expectAllJudged } = await scarce(context);
    await queue(of('background', 100, { class: 'background' }));
    await queue(of('interactive', 10));
    open();
    await eventually('half of them have begun', () => (starts().length >= 55 ? true : undefined));
    const late = await ask(of('late', 1));
    expect(await misjudged(late)).toEqual([]);
    const order = namesOf(starts());
    expect(order.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'interactive'));
    // What the queue has handed out when it comes is not called back.
    const [scheduled = 0] = await scheduledAt(fleet, late);
    const before = starts().filter(({ wallAt, labels }) => labels['who'] === 'background' && wallAt > scheduled);
    const begun = starts().find(({ labels }) => labels['who'] === 'late')?.at ?? 0;
    expect(before.filter(({ at }) => at < begun).length).toBeLessThanOrEqual(2);
    await expectAllJudged();
  });

  test('a tenant that asks a hundred times as much does not hold up another', async (context) => {
    const { queue, open, starts, expectAllJudged } = await scarce(context);
    await queue(of('flood', 100, { tenant: 'flood' }));
    await queue(of('small', 1, { tenant: 'small' }));
    open();
    await eventually('the small tenant is served', () =>
      namesOf(starts()).filter((who) => who === 'small').length === 1 ? true : undefined,
    );
    const last = namesOf(starts()).lastIndexOf('small');
    console.log(`figure: the small tenant was the ${last + 1}th of all`);
    // In turn it is the second; what was handed out before it came is not called back.
    expect(last).toBeLessThan(5);
    await expectAllJudged();
  });

  test('five tenants that ask as much are served as much, as long as all of them wait', async (context) => {
    const { queue, open, starts, expectAllJudged } = await scarce(context);
    const tenants = ['t1', 't2', 't3', 't4', 't5'];
    for (const tenant of tenants) await queue(of(tenant, 20, { tenant }));
    open();
    await expectAllJudged();
    const order = namesOf(starts());
    const ends = Math.min(...tenants.map((tenant) => order.lastIndexOf(tenant))) + 1;
    const shares = tenants.map((tenant) => order.slice(0, ends).filter((who) => who === tenant).length);
    console.log(`figure: shares ${shares.join(' ')} while all wait, Jain's index ${jain(shares).toFixed(3)}`);
    expect(jain(shares)).toBeGreaterThan(0.95);
  });
});
