/** `fallbackFor` and `prices` in the plan language: what is refused, with its place; what is warned of; what is pinned; how it is shown. */
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/plan-loader.js';
import type { FindingCost } from '../../src/domain/finding.js';
import { MAX_TOKENS } from '../../src/domain/finding-problem.js';
import { useOf, type Plan } from '../../src/domain/plan.js';
import { pricedCost } from '../../src/domain/priced-cost.js';
import { planGraph } from '../../src/report/plan-graph.js';
import { showPlan } from '../../src/report/plan-show.js';
import { compiled, loadText } from './plan-fixture.js';

/** A plan of these critics, one a line; `more` stands before them. */
const planOf = (critics: readonly string[], more = '', verdict = 'otherwise: allow'): string => `plan: p
version: 1
timeouts: { global: 60s }
${more}
critics:
${critics.map((line) => `  ${line}`).join('\n')}
verdict: { ${verdict} }
`;

const JUDGE = 'judge: { uses: plain, stage: core_analysis }';
const SPARE = 'spare: { uses: plain, stage: core_analysis, fallbackFor: judge }';

async function told(text: string): Promise<readonly string[]> {
  const loaded = await loadText(text);
  return (loaded.ok ? loaded.warnings : loaded.problems).map(formatProblem);
}

describe('a plan with a fallback', () => {
  it.each([
    ['beside its critic', [JUDGE, SPARE]],
    ['before it in the file', [SPARE, JUDGE]],
    ['in a later stage', [JUDGE, 'spare: { uses: plain, stage: validation, fallbackFor: judge, dispatch: local }']],
    ['for a local critic of its stage', ['judge: { uses: plain, stage: core_analysis, dispatch: local }', SPARE]],
    ['for one that runs only sometimes', [JUDGE.replace(' }', ', executionPolicy: on_high_risk }'), SPARE]],
    ['that has one of its own', [JUDGE, SPARE, 'third: { uses: plain, stage: validation, fallbackFor: spare }']],
    ['with a dependent of its critic behind it', [JUDGE, SPARE, 'after: { uses: plain, stage: core_analysis, dependsOn: [judge] }']],
    [
      'for a shadow that is a shadow',
      [JUDGE.replace(' }', ', mode: shadow }'), SPARE.replace(' }', ', mode: shadow }'), 'x: { uses: plain, stage: validation }'],
    ],
  ])('%s loads without a word', async (_, critics) => {
    expect(await told(planOf(critics))).toEqual([]);
  });

  it.each([
    [
      'for nobody it knows',
      [JUDGE, SPARE.replace('judge', 'juge')],
      '7:60 critics.spare.fallbackFor unknown critic "juge"; did you mean "judge"?',
    ],
    ['for itself', [JUDGE, SPARE.replace('judge', 'spare')], '7:60 critics.spare.fallbackFor spare is its own fallback'],
    [
      'beside another one',
      [JUDGE, SPARE, 'third: { uses: plain, stage: core_analysis, fallbackFor: judge }'],
      '8:60 critics.third.fallbackFor judge has a fallback already, spare, and can have one: third may be the fallback for spare',
    ],
    [
      'in a circle',
      ['judge: { uses: plain, stage: core_analysis, fallbackFor: spare }', SPARE],
      '7:60 critics.spare.fallbackFor critics wait for each other: judge -> spare -> judge',
    ],
    [
      'in a circle through what a critic depends on',
      ['judge: { uses: plain, stage: core_analysis, dependsOn: [spare] }', SPARE],
      'critics.spare.fallbackFor critics wait for each other: judge -> spare -> judge; a fallback waits for its critic',
    ],
    [
      'that depends on a dependent of its critic',
      [JUDGE, 'after: { uses: plain, stage: core_analysis, dependsOn: [judge] }', SPARE.replace(' }', ', dependsOn: [after] }')],
      'critics wait for each other: after -> spare -> after; a fallback waits for its critic, and who depends on a critic waits for its fallback too',
    ],
    [
      'that depends on its critic',
      [JUDGE, SPARE.replace(' }', ', dependsOn: [judge] }')],
      'critics.spare.dependsOn.0 spare stands in for judge and cannot depend on it',
    ],
    [
      'that is a shadow of an enforcing critic',
      [JUDGE, SPARE.replace(' }', ', mode: shadow }')],
      'critics.spare.fallbackFor spare is in mode shadow and stands in for judge, which is in mode enforce: a shadow critic may not change anything',
    ],
    [
      'that enforces for a shadow',
      [JUDGE.replace(' }', ', mode: shadow }'), SPARE],
      'critics.spare.fallbackFor spare is in mode enforce and stands in for judge, which is in mode shadow',
    ],
    [
      'in an earlier stage',
      [JUDGE, SPARE.replace('core_analysis', 'fast_critics')],
      'critics.spare.fallbackFor spare (fast_critics) stands in for judge, which runs in a later stage (core_analysis)',
    ],
    [
      'that is local beside a critic that is not',
      [JUDGE, SPARE.replace(' }', ', dispatch: local }')],
      'critics.spare.fallbackFor spare is dispatched local and stands in for judge of its own stage, which is not: local critics of a stage run first',
    ],
    [
      'with a policy of its own',
      [JUDGE, SPARE.replace(' }', ', executionPolicy: on_high_risk }')],
      'critics.spare.executionPolicy a fallback runs when judge gave no finding: executionPolicy on_high_risk does not go with fallbackFor',
    ],
    [
      'that comes after a dependent of its critic',
      [JUDGE, 'after: { uses: plain, stage: core_analysis, dependsOn: [judge] }', SPARE.replace('core_analysis', 'validation')],
      '7:59 critics.after.dependsOn.0 after depends on judge, whose fallback spare runs in a later stage (validation)',
    ],
    [
      'that is not local as a dependent of its critic is',
      [
        'judge: { uses: plain, stage: core_analysis, dispatch: local }',
        SPARE,
        'after: { uses: plain, stage: core_analysis, dispatch: local, dependsOn: [judge] }',
      ],
      'critics.after.dependsOn.0 after depends on judge, whose fallback spare is not dispatched local as after is',
    ],
  ])('%s is refused once, at its place', async (_, critics, says) => {
    const lines = await told(planOf(critics));
    expect(lines).toEqual([expect.stringContaining(says)]);
    expect(lines[0]).not.toContain('warning');
  });

  it('refuses a condition that names a fallback which has not ended by then', async () => {
    const asked =
      'asked: { uses: plain, stage: core_analysis, executionPolicy: conditional, condition: "critics.spare.outcome == \'gated\'" }';
    expect(await told(planOf([JUDGE, SPARE, asked]))).toEqual([expect.stringContaining('critics.asked.condition')]);
    expect(await told(planOf([JUDGE, SPARE, asked.replace('outcome ==', 'outcome ==').replace(' }', ', dependsOn: [judge] }')]))).toEqual(
      [],
    );
  });

  it('is warned of an allow that needs a fallback, which is gated on every good day', async () => {
    expect(await told(planOf([JUDGE, SPARE], '', 'allowNeeds: { critics: [spare] }, otherwise: allow'))).toEqual([
      expect.stringContaining('warning: allow needs spare, which runs only when judge gave no finding'),
    ]);
  });

  it('is warned of a critic that depends on a fallback instead of what it stands in for', async () => {
    expect(await told(planOf([JUDGE, SPARE, 'after: { uses: plain, stage: validation, dependsOn: [spare] }']))).toEqual([
      expect.stringContaining('critics.after.dependsOn.0 warning: after is gated whenever judge gave a finding'),
    ]);
  });

  it('is warned of a critic that may leave its fallback no time', async () => {
    const slow = planOf([JUDGE, SPARE]).replace('global: 60s', 'global: 60s, stages: { core_analysis: 21s }');
    expect(await told(slow)).toEqual([
      expect.stringContaining('warning: judge may use up the time of its stage core_analysis, and then none is left for its fallback'),
    ]);
    expect(await told(slow.replace('core_analysis }', 'core_analysis, timeout: 10s }'))).toEqual([]);
    expect(await told(slow.replace('21s', '22s'))).toEqual([]);
    expect(await told(slow.replace('stage: core_analysis, fallbackFor', 'stage: validation, fallbackFor'))).toEqual([]);
  });

  it('pins whose fallback a critic is, and shows it', async () => {
    const plan = await compiled(planOf([JUDGE, SPARE]));
    expect(plan.critics.map(({ fallbackFor }) => fallbackFor)).toEqual([undefined, 'judge']);
    expect(showPlan('tribunal', plan)).toContain('  fallback for judge  ');
    expect(planGraph(plan)).toContain('    c_spare["spare<br/>fallback for judge"]');
    expect(planGraph(plan)).toContain('  c_judge -. fallback .-> c_spare');
  });
});

const PRICES = 'prices: { small: { inputPerMillion: 0.15, outputPerMillion: 0.6 } }';
const PAID = 'judge: { uses: anything, stage: core_analysis, with: { model: small } }';

describe('prices', () => {
  it('are pinned with the critics whose model they name, and travel to where these run', async () => {
    const plan = await compiled(planOf([PAID, 'other: { uses: anything, stage: validation, with: { model: [small] } }'], PRICES));
    const price = { inputPerMillion: 0.15, outputPerMillion: 0.6 };
    expect(plan.critics.map((critic) => [critic.price, useOf(critic).price])).toEqual([
      [price, price],
      [undefined, undefined],
    ]);
    expect(Object.keys(plan)).not.toContain('prices');
    expect(showPlan('tribunal', plan)).toContain('judge costs 0.15 USD a million tokens read, 0.6 written');
  });

  it('leave no trace in a plan that has none', async () => {
    const plan: Plan = await compiled(planOf([PAID]));
    expect(JSON.stringify(plan)).not.toMatch(/price|fallback/);
    for (const critic of plan.critics) expect(Object.keys(useOf(critic))).not.toContain('price');
  });

  it('of a model that no critic has are warned of, with the name that was meant', async () => {
    expect(await told(planOf([PAID.replace('small', 'smal')], PRICES))).toEqual([
      'plan.yaml:4:11 prices.small warning: no critic uses this price: none has it as model in its options; did you mean "smal"?',
    ]);
    expect(await told(planOf([JUDGE], PRICES))).toEqual([expect.stringContaining('none has a model in its options')]);
  });

  it.each([
    ['half a price', 'prices: { small: { inputPerMillion: 1 } }', 'prices.small.outputPerMillion is missing'],
    ['a price below nothing', 'prices: { small: { inputPerMillion: -1, outputPerMillion: 1 } }', 'must be at least 0, is -1'],
    ['a price that is a text', 'prices: { small: { inputPerMillion: "1", outputPerMillion: 1 } }', 'must be a number, is "1"'],
    [
      'a misspelt field',
      'prices: { small: { inputPerMillon: 1, inputPerMillion: 1, outputPerMillion: 1 } }',
      'did you mean "inputPerMillion"?',
    ],
  ])('with %s are refused', async (_, more, says) => {
    expect(await told(planOf([PAID], more))).toEqual([expect.stringContaining(says)]);
  });

  const price = { inputPerMillion: 3, outputPerMillion: 15 };
  it.each<[string, FindingCost | undefined, FindingCost | undefined]>([
    ['tokens of both kinds', { inputTokens: 1_000_000, outputTokens: 200_000 }, { inputTokens: 1_000_000, outputTokens: 200_000, usd: 6 }],
    ['input alone', { inputTokens: 500_000 }, { inputTokens: 500_000, usd: 1.5 }],
    ['no token', { inputTokens: 0, outputTokens: 0 }, { inputTokens: 0, outputTokens: 0, usd: 0 }],
    ['money of its own', { inputTokens: 10, usd: 0.5 }, { inputTokens: 10, usd: 0.5 }],
    ['nothing known', {}, {}],
    ['no cost at all', undefined, undefined],
    ['more than an attempt can cost', { inputTokens: MAX_TOKENS }, { inputTokens: MAX_TOKENS }],
  ])('of %s come out right', (_, cost, expected) => {
    expect(pricedCost(cost, price)).toEqual(expected);
  });

  it('that are not there change nothing', () => {
    expect(pricedCost({ inputTokens: 10 }, undefined)).toEqual({ inputTokens: 10 });
  });
});
