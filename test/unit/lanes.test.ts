/** Which queue and which limits a critic has. */
import { describe, expect, it } from 'vitest';
import { isShared, lanesOf, rateOf, slotsOf, type NamedLanes } from '../../src/lanes/lanes.js';
import { critic, plan } from '../support/plans.js';

const NAMED: NamedLanes = { openai: { maxConcurrent: 40, rateLimitPerSecond: 8 } };
const limits = (more: object): { maxConcurrentPerStage: object; maxContentBytes: number } => ({
  maxConcurrentPerStage: {},
  maxContentBytes: 262_144,
  ...more,
});
const judge = (name: string, more: object = {}) => critic(name, { stage: 'deep_analysis', lane: 'openai', ...more });

describe('critics that name a lane of the deployment', () => {
  it('share its queue over all plans, as long as their plan does not limit them', () => {
    const plans = ['a', 'b'].map((name) => plan([judge('one')], { name }));
    expect(lanesOf('d', plans, NAMED)).toEqual([
      {
        queue: 'd/l/openai',
        limits: [{ name: '/openai', maxConcurrent: 40, rateLimitPerSecond: 8 }],
        plans: ['a', 'b'],
        uses: ['scripted'],
        single: true,
      },
    ]);
  });

  it('have a lane of their own where their plan is narrower, and take the named one last', () => {
    const critics = [judge('one', { maxConcurrent: 2 }), judge('two'), critic('three', { stage: 'deep_analysis' })];
    const lanes = lanesOf('d', [plan(critics, { name: 'a', limits: limits({ maxConcurrentCritics: 5 }) })], NAMED);
    expect(lanes.map((lane) => [lane.queue, lane.limits.map(({ name }) => name)])).toEqual([
      ['d/p/a/deep_analysis', ['a']],
      ['d/p/a/one', ['a/one', 'a', '/openai']],
      ['d/p/a/two', ['a', '/openai']],
    ]);
    expect(lanes.map((lane) => [slotsOf(lane), rateOf(lane)])).toEqual([
      [5, undefined],
      [2, 8],
      [5, 8],
    ]);
  });
});

describe('a lane', () => {
  it('has no circuit where its named lane says so, also where the plan is narrower; what it allows stays', () => {
    const critics = [judge('one', { maxConcurrent: 2 }), judge('two'), critic('three', { maxConcurrent: 1 })];
    const lanes = lanesOf('d', [plan(critics, { name: 'a' })], { openai: { maxConcurrent: 4, circuit: 'off' } });
    expect(lanes.map(({ queue, circuit }) => [queue, circuit])).toEqual([
      ['d/l/openai', 'off'],
      ['d/p/a/one', 'off'],
      ['d/p/a/three', undefined],
    ]);
    expect(lanes[0]?.limits).toEqual([{ name: '/openai', maxConcurrent: 4 }]);
  });

  it('without a limit is polled by every process, and so is one whose limits hold in each', () => {
    const one = critic('one', { maxConcurrent: 1 });
    const shared = (found: ReturnType<typeof lanesOf>): boolean[] => found.map(isShared);
    expect(shared(lanesOf('d', [plan([critic('one')])]))).toEqual([false]);
    expect(shared(lanesOf('d', [plan([one], { limits: limits({ scope: 'worker' }) })]))).toEqual([false]);
    expect(shared(lanesOf('d', [plan([one])]))).toEqual([true]);
  });
});
