/** Changes that may let more pass although they look like the opposite, and their plain relatives that do not. */
import { describe, expect, it } from 'vitest';
import { diffPlans } from '../../src/domain/plan-diff.js';
import { decisionOf, type Case } from './plan-diff-fixture.js';
import { compiled } from './plan-fixture.js';

const BASE = `plan: chat
version: 1
risk: { default: low }
limits: { maxConcurrentCritics: 9, maxConcurrentPerStage: { core_analysis: 5 }, maxContentBytes: 5000 }
timeouts: { global: 60s, stages: { core_analysis: 30s } }
critics:
  sure: { uses: plain, stage: pre_validation }
  judge: { uses: plain, stage: core_analysis, timeout: 20s, maxRetries: 5 }
  after: { uses: plain, stage: deep_analysis }
verdict:
  rules:
    - { deny: "findings.exists(f, f.severity >= 0.9)", reason: severe }
  otherwise: allow
`;
type Step = readonly [from: string, to: string];

/** The base with these parts changed. */
const text = (...steps: readonly Step[]): string =>
  steps.reduce((sum, [from, to]) => {
    if (!sum.includes(from)) throw new Error(`there is no ${from}`);
    return sum.replace(from, to);
  }, BASE);

/** Each once. */
const directions = async (a: string, b: string): Promise<string[]> => [
  ...new Set(diffPlans(await compiled(a), await compiled(b)).changes.map((change) => change.direction)),
];

const JUDGE = 'maxRetries: 5';
const own = (more: string): Step => [JUDGE, `${JUDGE}, ${more}`];
const critic = (line: string): Step => ['  after:', `  ${line}\n  after:`];
const IGNORED = own('onFailure: ignore');
const SPARE = critic('spare: { uses: plain, stage: core_analysis, fallbackFor: judge }');
const BUDGET: Step = ['critics:\n', 'budget: { maxCost: 3 }\ncritics:\n'];
const COVERAGE: Step = ['  otherwise:', '  allowNeeds: { coverage: 0.8 }\n  otherwise:'];
/** Not enough for all three. */
const TIGHT: Step = ['critics:\n', 'budget: { maxCost: 2 }\ncritics:\n'];
const MORE = critic('more: { uses: plain, stage: core_analysis }');
const LOW = "request.riskTier == 'low'";
const AT_LEAST: Step = ['default: low', `default: low, atLeast: [{ high: "${LOW}" }]`];
const conditional = (condition: string): Step => [
  'stage: deep_analysis',
  `stage: deep_analysis, executionPolicy: conditional, condition: "${condition}"`,
];
const always = 'executionPolicy: always';

describe('the same case, stopped by the one plan and allowed by the other, is', () => {
  const severe = { severity: 0.95 };
  const failed = { outcomes: { judge: 'failed' } } as const;
  const ROWS: readonly (readonly [what: string, given: readonly Step[], change: Step, ends: Case['given']])[] = [
    ['a fallback that goes whose critic may fail', [IGNORED, SPARE], [SPARE[1], SPARE[0]], { findings: { spare: severe }, ...failed }],
    [
      'a heavy critic that thins the coverage',
      [IGNORED, COVERAGE],
      critic('more: { uses: plain, stage: validation, costWeight: 100 }'),
      failed,
    ],
    [
      'an earlier critic that takes the budget of an ignored one',
      [BUDGET, ['stage: deep_analysis', 'stage: deep_analysis, onFailure: { over_budget: ignore }']],
      ['  judge:', '  more: { uses: plain, stage: pre_validation }\n  judge:'],
      { findings: { after: severe } },
    ],
    [
      'an open gate that takes the budget of an ignored one',
      [TIGHT, own('executionPolicy: on_high_risk'), ['stage: deep_analysis', 'stage: deep_analysis, onFailure: { over_budget: ignore }']],
      ['executionPolicy: on_high_risk', always],
      { findings: { after: severe } },
    ],
    ['a higher tier that closes a condition', [conditional(LOW)], ['default: low', 'default: critical'], { findings: { after: severe } }],
  ];

  it.each(ROWS.map(([what, given, change, ends]) => ({ what, given, change, ends })))(
    'not ranked: $what',
    async ({ given, change, ends }) => {
      const [one, other] = [text(...given), text(...given, change)];
      const [a, b] = [await compiled(one), await compiled(other)];
      const run: Case = { given: ends, context: {}, gating: 'on' };
      const decisions = [await decisionOf(a, run), await decisionOf(b, run)];
      expect(decisions[0]).not.toBe('allow');
      expect(decisions[1]).toBe('allow');
      expect(diffPlans(a, b).changes.map((found) => found.direction)).toEqual(['unranked']);
      expect(diffPlans(b, a).changes.map((found) => found.direction)).toEqual(['unranked']);
    },
  );
});

const LATE = own('onFailure: { timed_out: ignore }');
const FAILED = own('onFailure: { failed: ignore }');
const UNREACHED = own('onFailure: { not_reached: ignore }');
const on = (policy: string): Step => own(`executionPolicy: ${policy}`);
const after = (more: string): Step => ['stage: deep_analysis', `stage: deep_analysis, ${more}`];
const needs = (name: string): Step => ['  otherwise:', `  allowNeeds: { critics: [${name}] }\n  otherwise:`];
const rule = (when: string): Step => ['  otherwise:', `    - { escalate: "${when}", reason: other }\n  otherwise:`];
/** No critic is left that always succeeds or says why not. */
const UNSURE: Step = ['stage: pre_validation', 'stage: pre_validation, onFailure: ignore'];
const LATER_UNSURE: Step = after('onFailure: ignore');
const MISSING = 'findings.size() < 2';
const DENY: Step = ['otherwise: allow', 'otherwise: deny'];

/** A change, what it is called, and what takes that away when it stands in both plans. */
type Row = readonly [change: Step, plain: string, ...beside: readonly (readonly Step[])[]];

const ROWS: readonly Row[] = [
  // ends without success more often, which may be ignored or covered
  [['timeout: 20s', 'timeout: 1ms'], 'neither', [IGNORED], [SPARE], [LATE]],
  [['timeout: 20s', 'timeout: 20s, attemptTimeout: 1ms'], 'neither', [IGNORED], [SPARE], [LATE]],
  [own('requiredOutputFields: [score]'), 'stricter', [IGNORED], [SPARE]],
  [own('validateOutput: "output.severity < 2.0"'), 'stricter', [IGNORED], [SPARE]],
  [[JUDGE, 'maxRetries: 0'], 'neither', [LATE], [FAILED], [SPARE]],
  [own('retryOnTimeout: false'), 'neither', [LATE], [FAILED], [SPARE]],
  [own('retryBackoffBase: 3'), 'neither', [LATE], [SPARE]],
  [own('maxConcurrent: 1'), 'neither', [UNREACHED], [LATE], [SPARE]],
  [own('rateLimitPerSecond: 0.1'), 'neither', [UNREACHED], [LATE], [SPARE]],
  [own('priority: 1'), 'neither', [UNREACHED], [SPARE], [LATER_UNSURE]],
  [['sure: { uses: plain', 'sure: { uses: plain, dispatch: local'], 'neither', [UNSURE], [UNREACHED]],
  [['core_analysis: 5', 'core_analysis: 1'], 'neither', [UNREACHED], [LATE], [SPARE]],
  [['maxConcurrentCritics: 9', 'maxConcurrentCritics: 5'], 'neither', [UNREACHED], [LATE], [SPARE]],
  [['core_analysis: 30s', 'core_analysis: 20s'], 'neither', [UNREACHED], [LATE], [SPARE]],
  [['global: 60s', 'global: 40s'], 'neither', [UNREACHED], [LATE], [SPARE], [LATER_UNSURE]],
  // content that is refused
  [['maxContentBytes: 5000', 'maxContentBytes: 6000'], 'looser'],
  [['maxContentBytes: 5000', 'maxContentBytes: 4000'], 'stricter'],
  // one more critic, of which others pay the price, or by which something that was missing is there
  [MORE, 'stricter', [BUDGET], [IGNORED, COVERAGE], [IGNORED], [SPARE], [rule(MISSING)], [conditional(MISSING)]],
  [own('mode: shadow'), 'looser', [IGNORED, COVERAGE], [rule(MISSING)], [conditional(MISSING)], [UNSURE, LATER_UNSURE]],
  [critic('more: { uses: plain, stage: core_analysis, mode: shadow }'), 'neither', [BUDGET], [LATER_UNSURE]],
  [critic('spare: { uses: plain, stage: core_analysis, fallbackFor: judge }'), 'looser', [FAILED], [IGNORED], [BUDGET]],
  // runs in fewer cases
  [on('on_high_risk'), 'looser', [TIGHT], [needs('judge')], [rule("critics.judge.outcome == 'gated'")], [UNSURE, LATER_UNSURE]],
  [on('on_high_risk'), 'looser', [conditional("critics.judge.outcome == 'gated'")], [conditional(MISSING)]],
  [on('on_high_risk'), 'looser', [after('executionPolicy: on_violation'), needs('after')]],
  [on('on_high_risk'), 'looser', [after('dependsOn: [judge]'), needs('after')]],
  [
    on('on_high_risk'),
    'looser',
    [after('executionPolicy: on_violation'), critic('last: { uses: plain, stage: validation, dependsOn: [after] }'), needs('last')],
  ],
  [
    MORE,
    'stricter',
    [['pre_validation }', 'pre_validation, executionPolicy: on_high_risk }'], on('on_high_risk'), after('executionPolicy: on_high_risk')],
  ],
  [['global: 60s', 'global: 40s'], 'neither', [TIGHT, critic('quiet: { uses: plain, stage: validation, mode: shadow }')]],
  [on('on_high_risk'), 'looser', [critic('spare: { uses: plain, stage: deep_analysis, fallbackFor: sure, dependsOn: [judge] }')]],
  // a failure that is ignored opens no gate
  [IGNORED, 'looser', [after('executionPolicy: on_violation'), needs('after')], [after('executionPolicy: on_uncertainty'), rule(MISSING)]],
  // the tier
  [['default: low', 'default: critical'], 'stricter', [conditional(LOW)], [rule(LOW)], [own(`validateOutput: "${LOW}"`)], [AT_LEAST]],
  [['default: low', 'default: low, floor: high'], 'stricter', [conditional(LOW)], [on('on_high_risk'), needs('judge')]],
  [['default: low', 'default: low, atLeast: [{ high: "has(context.n)" }]'], 'stricter', [rule(LOW)], [on('on_high_risk'), TIGHT]],
  // weights
  [own('costWeight: 2'), 'neither', [BUDGET], [COVERAGE]],
  [['critics:\n', 'budget: { maxCost: 4 }\ncritics:\n'], 'neither', [critic('more: { uses: plain, stage: validation, costWeight: 2 }')]],
  // where nothing that is said is a deny
  [rule('request.size > 1.0'), 'stricter', [DENY]],
  [MORE, 'stricter', [DENY]],
  [needs('judge'), 'stricter', [DENY]],
];

describe('a change is', () => {
  const rows = ROWS.map(([change, plain, ...beside]) => ({ change, what: change[1].trim(), plain, beside }));

  it.each(rows)('$plain, but not ranked beside what may turn it: $what', async ({ change, plain, beside }) => {
    const turned = { looser: 'stricter', stricter: 'looser' }[plain] ?? plain;
    const of = async (...given: readonly Step[]): Promise<string[][]> => {
      const [one, other] = [text(...given), text(...given, change)];
      return [await directions(one, other), await directions(other, one)];
    };
    expect(await of()).toEqual([[plain], [turned]]);
    for (const given of beside) expect([given, ...(await of(...given))]).toEqual([given, ['unranked'], ['unranked']]);
  });

  it('stays ranked beside what has nothing to do with it', async () => {
    const plain = [rule("critics.after.outcome == 'gated'"), COVERAGE, ['critics:\n', 'budget: { maxCost: 9 }\ncritics:\n']] as const;
    const [one, other] = [text(...plain), text(...plain, MORE)];
    // Nobody can be over budget, and whatever lowers the coverage is heard by itself.
    expect([await directions(one, other), await directions(other, one)]).toEqual([['stricter'], ['looser']]);
  });

  it('told with the reason why it has no direction', async () => {
    const { changes } = diffPlans(await compiled(text(IGNORED, SPARE)), await compiled(text(IGNORED)));
    expect(changes.map((change) => change.text)).toEqual([
      'spare: removed (plain in core_analysis, fallback for judge; a failure of judge may be ignored)',
    ]);
  });

  it('one of all that comes: a critic and its fallback together are stricter', async () => {
    const both = critic('more: { uses: plain, stage: validation }\n  less: { uses: plain, stage: validation, fallbackFor: more }');
    expect([await directions(text(), text(both)), await directions(text(both), text())]).toEqual([['stricter'], ['looser']]);
  });

  it('not ranked: a fallback that becomes a critic of its own', async () => {
    const [one, other] = [text(SPARE), text(SPARE, [', fallbackFor: judge', ''])];
    expect([await directions(one, other), await directions(other, one)]).toEqual([['unranked'], ['unranked']]);
  });

  it('not ranked: an order of critics that an expression may look at', async () => {
    const [one, other] = ['sure, more', 'more, sure'].map((names) => {
      const lines = names.split(', ').map((name) => `${name}: { uses: plain, stage: pre_validation }`);
      return text(['sure: { uses: plain, stage: pre_validation }', lines.join('\n  ')]);
    });
    const looks = (of: string | undefined): string => (of ?? '').replace(...rule('findings.map(f, f.severity) == [0.1, 0.2]'));
    expect(await directions(one ?? '', other ?? '')).toEqual(['neither']);
    expect(await directions(looks(one), looks(other))).toEqual(['unranked']);
  });
});
