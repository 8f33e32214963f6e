/** Many reviews: several people work them off while their worker is killed, and lists of them are exact. */
import { beforeAll, describe, expect, test } from 'vitest';
import { chainProblem } from '../../src/domain/review/chain.js';
import type { ReviewFilter } from '../../src/client.js';
import type { ReviewResult } from '../../src/domain/review/review.js';
import type { TimelineEntry } from '../../src/review/read-timeline.js';
import { build, eventually } from '../support/processes.js';
import { makePerson } from '../support/reviews.js';
import type { Fleet } from './support/fleet.js';
import { workOff, type Decision } from './support/person.js';
import { acted, ann, bob, escalating, inParallel, openOne, peopleOf, type Opened } from './support/reviews.js';
import { fleetFor, figure } from './support/scene.js';

beforeAll(build);

/** More, by hand: see `test/README.md`. */
const CASES = Number(process.env['REVIEW_CAMPAIGN_CASES'] ?? 150);
const PEOPLE = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn'].map((id) => makePerson(id, ['moderators']));

describe('six people at one queue of triage', () => {
  test(
    'work it off while their only worker is killed and replaced: every case is decided once, by one of them, and held by one at a time',
    { timeout: 300_000 + CASES * 1_000 },
    async (context) => {
      const fleet = await fleetFor(context, {
        plans: [escalating('campaign', 'triage', { queues: { default: 'campaign' } })],
        reviews: peopleOf(PEOPLE),
      });
      const worker = await fleet.worker();
      const opened = await inParallel(CASES, () => openOne(fleet, 'campaign'));
      const decisions: Decision[] = [];
      const begun = performance.now();
      const work = {
        queue: 'campaign',
        isOver: () => decisions.length >= CASES,
        onDecided: (decision: Decision) => void decisions.push(decision),
      };
      const working = Promise.all(PEOPLE.map((who) => workOff(fleet, who, work)));
      await Promise.race([
        working,
        eventually('half of them are decided', () => (decisions.length >= CASES / 2 ? true : undefined), 600_000),
      ]);
      worker.kill('SIGKILL');
      await worker.ended;
      await fleet.worker();
      await working;
      figure(`${CASES} cases worked off by six people, a kill among them`, performance.now() - begun);
      const wrong = await inParallel(CASES, (index) => wrongCase(fleet, opened[index], decisions));
      expect(wrong.flat()).toEqual([]);
      expect(decisions).toHaveLength(CASES);
    },
  );
});

/** What is wrong with a case that is worked off, sentence by sentence. */
async function wrongCase(fleet: Fleet, opened: Opened | undefined, decisions: readonly Decision[]): Promise<string[]> {
  if (opened === undefined) return ['a case was not opened'];
  const { id } = opened;
  const result = (await fleet.temporal.workflow.getHandle(id).result()) as ReviewResult;
  const [timeline, { reportHash }] = await Promise.all([fleet.client.reviews.timeline(id), fleet.client.reviews.input(id)]);
  const own = decisions.filter(({ receipt }) => receipt.reviewId === id);
  const [decision] = own;
  const wrong: string[] = [];
  if (decision === undefined || own.length > 1) wrong.push(`was decided ${own.length} times, by ${own.map(({ by }) => by).join(', ')}`);
  const problem = chainProblem(timeline, { reviewId: id, reportHash });
  if (problem !== undefined) wrong.push(problem.message);
  if (result.outcome !== 'HALTED') wrong.push(`is ${result.outcome}`);
  const deciders = result.deciders.map(({ by }) => by);
  if (deciders.length !== 1 || deciders[0] !== decision?.by) wrong.push(`decided by ${deciders.join(', ')}, not ${decision?.by}`);
  const votes = timeline.filter(({ entry }) => entry.type === 'decide');
  if (votes.length !== 1 || votes[0]?.entry.commandId !== decision?.commandId || votes[0]?.hash !== decision?.receipt.hash)
    wrong.push('the chain has another decision than the receipt');
  wrong.push(...heldTwice(timeline));
  return wrong.map((what) => `${id} ${what}`);
}

/** Entries by which somebody holds it although somebody else did. */
function heldTwice(timeline: readonly TimelineEntry[]): string[] {
  let holder: string | undefined;
  const twice: string[] = [];
  for (const { entry } of timeline) {
    if (entry.type === 'claim') {
      if (holder !== undefined && holder !== entry.by) twice.push(`is claimed by ${entry.by} while ${holder} holds it`);
      holder = entry.by;
    } else if (entry.to !== 'CLAIMED') holder = undefined;
  }
  return twice;
}

describe('500 reviews of three tenants', () => {
  const COUNT = 500;
  const TENANTS = ['north', 'south', 'west'] as const;
  const PLANS = [
    { plan: 'quick', tier: 'triage', queue: 'quick_ones' },
    { plan: 'usual', tier: 'acknowledgement', queue: 'reviews' },
    { plan: 'grave', tier: 'determination', queue: 'board_room' },
  ] as const;

  interface Known extends Opened {
    readonly tenant: string;
    readonly tier: string;
    readonly queue: string;
    readonly holder?: string;
  }

  test('are listed and filtered exactly: by tier, tenant, queue, assignee and age, alone and together', async (context) => {
    const fleet = await fleetFor(context, {
      plans: PLANS.map(({ plan, tier, queue }) => escalating(plan, tier, { queues: { default: queue } })),
      reviews: peopleOf([ann, bob]),
    });
    await fleet.worker();
    const first = await openSome(fleet, 0, COUNT / 2);
    const listedOld = await listed(fleet, {}, new Set(first.map(({ id }) => id)));
    const newestOld = Math.max(...listedOld.map(({ openedAt }) => openedAt.getTime()));
    const second = await openSome(fleet, COUNT / 2, COUNT / 2);
    const known = await held(fleet, [...first, ...second]);
    const filters: readonly (readonly [ReviewFilter, (one: Known) => boolean])[] = [
      [{}, () => true],
      ...TENANTS.map((tenant) => [{ tenant }, (one: Known) => one.tenant === tenant] as const),
      ...PLANS.map(({ tier }) => [{ tier }, (one: Known) => one.tier === tier] as const),
      ...PLANS.map(({ queue }) => [{ queue }, (one: Known) => one.queue === queue] as const),
      ...['ann', 'bob', 'nobody'].map((assignee) => [{ assignee }, (one: Known) => one.holder === assignee] as const),
      [{ states: ['CLAIMED'] }, ({ holder }) => holder !== undefined],
      [{ olderThanMs: 0 }, () => true],
      [
        { tenant: 'west', tier: 'determination', assignee: 'bob' },
        ({ tenant, tier, holder }) => tenant === 'west' && tier === 'determination' && holder === 'bob',
      ],
    ];
    for (const [filter, isMeant] of filters) await listed(fleet, filter, new Set(known.filter(isMeant).map(({ id }) => id)));
    const old = new Set(first.map(({ id }) => id));
    expect(idsOf(await fleet.client.reviews.list({ olderThanMs: Date.now() - newestOld - 1, limit: COUNT }))).toEqual(old);
  });

  async function openSome(fleet: Fleet, from: number, count: number): Promise<Known[]> {
    return await inParallel(count, async (index) => {
      const { plan, tier, queue } = at(PLANS, Math.floor((from + index) / TENANTS.length));
      const tenant = at(TENANTS, from + index);
      return { ...(await openOne(fleet, plan, tenant)), tenant, tier, queue };
    });
  }

  /** Every tenth that they may hold is held by one of two. */
  const held = (fleet: Fleet, known: readonly Known[]): Promise<Known[]> =>
    inParallel(known.length, async (index) => {
      const one = at(known, index);
      if (index % 10 > 1 || one.tier === 'triage') return one;
      const who = index % 10 === 0 && one.tier === 'acknowledgement' ? ann : bob;
      await acted(fleet, one, who, 'claim', {});
      return { ...one, holder: who.id };
    });

  const idsOf = (found: readonly { readonly reviewId: string }[]): ReadonlySet<string> => new Set(found.map(({ reviewId }) => reviewId));

  /** Once the index has seen what was done; then it is these and no others, each once. */
  async function listed({ client }: Fleet, filter: ReviewFilter, wanted: ReadonlySet<string>) {
    const list = () => client.reviews.list({ limit: COUNT, ...filter });
    await eventually(`${wanted.size} reviews of ${JSON.stringify(filter)}`, async () =>
      (await list()).length === wanted.size ? true : undefined,
    );
    const found = await list();
    expect(idsOf(found)).toEqual(wanted);
    return found;
  }

  function at<T>(list: readonly T[], index: number): T {
    const found = list[index % list.length];
    if (found === undefined) throw new Error('there is nothing to choose from');
    return found;
  }
});
