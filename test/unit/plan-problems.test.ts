/**
 * Plans that must be refused, each with what people are told. `¦` stands where the problem is: it is taken out before the
 * plan is read, so that lines and columns are counted by the test and not by the code under test.
 */
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/plan-loader.js';
import { GOOD, loadText } from './plan-fixture.js';

interface Row {
  readonly what: string;
  /** Part of the good plan, and what stands there instead. */
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly says: string;
}

const row = (what: string, from: string, to: string, path: string, says: string): Row => ({ what, from, to, path, says });

const THREE = '  three: { uses: anything, stage: deep_analysis }';
const CRITICS = GOOD.slice(GOOD.indexOf('critics:\n'), GOOD.indexOf('verdict:'));
const RULE = '    - { escalate: "findings.exists(f, f.severity > 0.5)", reason: found }';
const GLOBAL = 'timeouts: { global: 60s';
const three = (what: string, fields: string, path: string, says: string): Row =>
  row(
    what,
    THREE,
    `  three: { uses: anything, stage: deep_analysis, ${fields} }`,
    path === '' ? 'critics.three' : `critics.three.${path}`,
    says,
  );
const named = (name: string, says: string): Row =>
  row(
    `a critic called ${name.slice(0, 20)}`,
    THREE,
    `  ¦${name}: { uses: anything, stage: deep_analysis }`,
    `critics.${name.replaceAll(/^"|"$/g, '')}`,
    says,
  );

const FORM: readonly Row[] = [
  row('an unknown field of the plan', 'version: 1', 'version: 1\n¦retries: 3', 'retries', 'unknown field "retries"'),
  row('a misspelt field of the plan', 'version: 1', 'version: 1\n¦bugdet: { maxCost: 3 }', 'bugdet', 'did you mean "budget"?'),
  three('a safety field in wrong case', '¦onfailure: deny', 'onfailure', 'unknown field "onfailure"; did you mean "onFailure"?'),
  three('prices of one critic', '¦prices: {}', 'prices', 'unknown field'),
  three('sandbox', '¦sandbox: process', 'sandbox', 'unknown field'),
  row('a review block without reviewers', 'version: 1', 'version: 1\n¦review: {}', 'review.reviewers', 'is missing: it must be a map'),
  row('no stage', THREE, '  ¦three: { uses: anything }', 'critics.three.stage', 'is missing: it must be one of pre_validation,'),
  row(
    'an unknown stage',
    'stage: deep_analysis',
    'stage: ¦deep_analisis',
    'critics.three.stage',
    'is "deep_analisis"; did you mean "deep_analysis"?',
  ),
  row('no global time-out', `${GLOBAL}, `, '¦timeouts: { ', 'timeouts.global', 'is missing'),
  row('no verdict', GOOD.slice(GOOD.indexOf('verdict:')), '', 'verdict', 'is missing: it must be a map'),
  row('nothing said about otherwise', '  otherwise: allow\n', '', 'verdict.otherwise', 'is missing'),
  row('a version that is a text', 'version: 1', 'version: ¦one', 'version', 'must be a number, is "one"'),
  row('critics that are a list', CRITICS, 'critics: ¦[one]\n', 'critics', 'must be a map, is a list'),
  row('a plan without critics', CRITICS, 'critics: ¦{}\n', 'critics', 'at least one critic'),
  three('half of an onFailure', 'onFailure: { ¦timedout: deny }', 'onFailure.timedout', 'did you mean "timed_out"?'),
  three(
    'an unknown effect',
    'onFailure: { timed_out: ¦allow }',
    'onFailure.timed_out',
    'must be one of ignore, escalate, fail, deny, is "allow"',
  ),
  three('an onFailure that is a number', 'onFailure: ¦7', 'onFailure', 'must be one of ignore, escalate, fail, deny, or a map'),
];

const NUMBERS: readonly Row[] = [
  row('a time-out with a word', GLOBAL, 'timeouts: { global: ¦10 banana', 'timeouts.global', '"10 banana" is not a duration'),
  row('a negative time-out', GLOBAL, 'timeouts: { global: ¦-5s', 'timeouts.global', '"-5s" is not a duration'),
  row('a time-out without a unit', GLOBAL, 'timeouts: { global: ¦60', 'timeouts.global', '60 is not a duration'),
  row('a time-out of nothing', GLOBAL, 'timeouts: { global: ¦0s', 'timeouts.global', '"0s" leaves no time'),
  row('a time-out of ages', GLOBAL, 'timeouts: { global: ¦999999999d', 'timeouts.global', 'is too long: a duration is at most 30d'),
  three('half a retry', 'maxRetries: ¦1.5', 'maxRetries', 'must be a whole number, is 1.5'),
  three('less than no retry', 'maxRetries: ¦-1', 'maxRetries', 'must be at least 0, is -1'),
  three('endless retries', 'maxRetries: ¦.inf', 'maxRetries', 'must be a finite number, is Infinity'),
  three(
    'a threshold that is no number',
    'executionPolicy: on_uncertainty, uncertaintyThreshold: ¦.nan',
    'uncertaintyThreshold',
    'must be a finite number, is NaN',
  ),
  three(
    'a threshold beyond doubles',
    'executionPolicy: on_uncertainty, uncertaintyThreshold: ¦1e400',
    'uncertaintyThreshold',
    'must be a finite number, is Infinity',
  ),
  three(
    'a threshold in quotes',
    'executionPolicy: on_uncertainty, uncertaintyThreshold: ¦"0.5"',
    'uncertaintyThreshold',
    'must be a number, is "0.5"',
  ),
  three(
    'a threshold above 1',
    'executionPolicy: on_uncertainty, uncertaintyThreshold: ¦1.5',
    'uncertaintyThreshold',
    'must be at most 1, is 1.5',
  ),
  three('a rate of nothing', 'rateLimitPerSecond: ¦0', 'rateLimitPerSecond', 'must be at least 0.001, is 0'),
  three('no place at all', 'maxConcurrent: ¦0', 'maxConcurrent', 'must be at least 1, is 0'),
  three('a priority of 11', 'priority: ¦11', 'priority', 'must be at most 10, is 11'),
  three('a back-off that shrinks', 'retryBackoffBase: ¦0.5', 'retryBackoffBase', 'must be at least 1, is 0.5'),
  three('not a number deep in options', 'with: { a: { b: [1, ¦.nan] } }', 'with.a.b.1', 'must be a finite number, is NaN'),
];

const NAMES: readonly Row[] = [
  named('Three', 'is not a name'),
  named('thrée', 'is not a name'),
  named('a/b', 'is not a name'),
  named('__three', 'is not a name'),
  named('constructor', 'nothing may be called constructor'),
  named('default', 'nothing may be called default'),
  named('in', 'it is a keyword of CEL'),
  named('true', 'it is a keyword of CEL'),
  named('deep_analysis', 'it is the name of a stage'),
  named('x'.repeat(65), 'is not a name'),
  row(
    'a critic called __proto__',
    THREE,
    '  ¦__proto__: { uses: anything, stage: deep_analysis }',
    'critics.__proto__',
    'cannot be the name of anything',
  ),
  row('a plan with a bad name', 'plan: small', 'plan: ¦Small', 'plan', '"Small" is not a name'),
  row('two critics of one name', THREE, '  one: { uses: anything, stage: validation }', '', 'unique'),
];

const DEPENDENCIES: readonly Row[] = [
  row('an unknown dependency', '[one]', '[¦ona]', 'critics.two.dependsOn.0', 'unknown critic "ona"; did you mean "one"?'),
  row('a dependency like nothing known', '[one]', '[¦something]', 'critics.two.dependsOn.0', 'known are one, two, three'),
  row('itself', '[one]', '[¦two]', 'critics.two.dependsOn.0', 'two depends on itself'),
  row(
    'a later stage',
    '[one]',
    '[¦three]',
    'critics.two.dependsOn.0',
    'two (fast_critics) depends on three, which runs in a later stage (deep_analysis)',
  ),
  row('a dependency twice', '[one]', '[one, ¦one]', 'critics.two.dependsOn.1', 'one is named twice'),
  row(
    'a cycle of two',
    THREE,
    '  a: { uses: plain, stage: validation, dependsOn: [b] }\n  b: { uses: plain, stage: validation, dependsOn: [¦a] }',
    'critics.b.dependsOn.0',
    'critics wait for each other: a -> b -> a',
  ),
  row(
    'a cycle of three behind another critic',
    THREE,
    `  x: { uses: plain, stage: validation, dependsOn: [a] }
  a: { uses: plain, stage: validation, dependsOn: [one, b] }
  b: { uses: plain, stage: validation, dependsOn: [c] }
  c: { uses: plain, stage: validation, dependsOn: [two, ¦a] }`,
    'critics.c.dependsOn.1',
    'critics wait for each other: a -> b -> c -> a',
  ),
  row(
    'an enforcing critic behind a shadow',
    THREE,
    '  three: { uses: plain, stage: deep_analysis, mode: shadow }\n  four: { uses: plain, stage: validation, dependsOn: [¦three] }',
    'critics.four.dependsOn.0',
    'a shadow critic may not change anything',
  ),
  row(
    'a local critic that waits for a task of its stage',
    THREE,
    '  three: { uses: plain, stage: fast_critics, dispatch: local, dependsOn: [¦two] }',
    'critics.three.dependsOn.0',
    'local critics of a stage run first',
  ),
];

const LIMITS: readonly Row[] = [
  row(
    'a stage above its plan',
    'version: 1',
    'version: 1\nlimits: { maxConcurrentCritics: 2, maxConcurrentPerStage: { deep_analysis: ¦3 } }',
    'limits.maxConcurrentPerStage.deep_analysis',
    'deep_analysis may run 3 at once, but the plan only 2',
  ),
  row(
    'a critic above its plan',
    THREE,
    '  three: { uses: plain, stage: deep_analysis, maxConcurrent: ¦4 }\nlimits: { maxConcurrentCritics: 3 }',
    'critics.three.maxConcurrent',
    'three may run 4 times at once, but the plan only 3',
  ),
  row(
    'a critic above its stage',
    THREE,
    '  three: { uses: plain, stage: deep_analysis, maxConcurrent: ¦2 }\nlimits: { maxConcurrentPerStage: { deep_analysis: 1 } }',
    'critics.three.maxConcurrent',
    'but its stage deep_analysis only 1',
  ),
  ...['maxConcurrent: ¦1', 'rateLimitPerSecond: ¦1', 'maxRetries: ¦0', 'retryBackoffBase: ¦2', 'retryOnTimeout: ¦false'].map((field) =>
    three(
      `a local critic with ${field.split(':')[0]}`,
      `dispatch: local, ${field}`,
      field.split(':')[0] ?? '',
      'does not go with dispatch local',
    ),
  ),
  three('a local critic in a thread', 'dispatch: local, isolation: ¦thread', 'isolation', 'isolation thread goes with dispatch activity'),
  row(
    'a critic in a thread that no thread can load',
    THREE,
    '  three: { uses: regional, with: { region: US }, stage: deep_analysis, isolation: ¦thread }',
    'critics.three.isolation',
    'regional cannot run in a thread: it was handed over as an object',
  ),
  three(
    'a local critic with long attempts',
    'dispatch: local, attemptTimeout: ¦1001ms',
    'attemptTimeout',
    'dispatched local has at most 1 s, not 1001 ms',
  ),
  row(
    'a stage longer than the whole',
    'fast_critics: 10s',
    'fast_critics: ¦61s',
    'timeouts.stages.fast_critics',
    'fast_critics has 61 s, but the whole evaluation only 60 s',
  ),
  row(
    'a critic longer than its stage',
    'maxRetries: 1',
    'maxRetries: 1, timeout: ¦11s',
    'critics.two.timeout',
    'two has 11 s, but its stage fast_critics only 10 s',
  ),
  three('a critic longer than the whole', 'timeout: ¦2m', 'timeout', 'three has 120 s, but the whole evaluation only 60 s'),
  three(
    'an attempt longer than all attempts',
    'timeout: 7s, maxRetries: 0, attemptTimeout: ¦8s',
    'attemptTimeout',
    'an attempt of three has 8 s, but all its attempts together only 7 s',
  ),
  row(
    'default attempts longer than the whole',
    'version: 1',
    'version: 1\ndefaults: { attemptTimeout: ¦61s }',
    'defaults.attemptTimeout',
    'but the whole evaluation only 60 s',
  ),
];

const EXPRESSIONS: readonly Row[] = [
  three(
    'a condition without its policy',
    'condition: ¦"true"',
    'condition',
    'a condition goes with executionPolicy conditional, not with always',
  ),
  three('a policy without its condition', 'executionPolicy: ¦conditional', 'executionPolicy', 'conditional needs a condition'),
  three('a threshold without its policy', 'uncertaintyThreshold: ¦0.5', 'uncertaintyThreshold', 'goes with executionPolicy on_uncertainty'),
  three('a condition that is not a boolean', `executionPolicy: conditional, condition: "¦'yes'"`, 'condition', ''),
  three('a condition that does not parse', 'executionPolicy: conditional, condition: "request.size >¦"', 'condition', ''),
  three(
    'a condition on an unknown name',
    `executionPolicy: conditional, condition: "request.size > 1.0 && ¦scor > 1.0"`,
    'condition',
    'scor',
  ),
  three(
    'a condition in single quotes',
    `executionPolicy: conditional, condition: 'request.size > 1.0 && ¦scor > 1.0'`,
    'condition',
    'scor',
  ),
  row(
    'a condition on a sibling',
    THREE,
    `  three: { uses: plain, stage: fast_critics, executionPolicy: conditional, condition: "critics.¦two.outcome == 'failed'" }`,
    'critics.three.condition',
    'two',
  ),
  row(
    'a condition on a shadow critic',
    THREE,
    `  sh: { uses: plain, stage: pre_validation, mode: shadow }\n  three: { uses: plain, stage: fast_critics, executionPolicy: conditional, condition: "critics.¦sh.outcome == 'failed'" }`,
    'critics.three.condition',
    'sh',
  ),
  three('an output rule on findings', 'validateOutput: "¦findings.size() > 0"', 'validateOutput', 'findings'),
  row(
    'a risk rule on findings',
    'version: 1',
    'version: 1\nrisk: { atLeast: [{ high: "¦findings.size() > 0" }] }',
    'risk.atLeast.0.high',
    'findings',
  ),
  row(
    'a risk rule of two tiers',
    'version: 1',
    'version: 1\nrisk: { atLeast: [¦{ high: "true", critical: "true" }] }',
    'risk.atLeast.0',
    'exactly one of medium, high and critical',
  ),
  row('a rule without an effect', RULE, '    - ¦{ reason: found }', 'verdict.rules.0', 'exactly one of deny and escalate'),
  row(
    'a rule of two effects',
    RULE,
    '    - ¦{ deny: "true", escalate: "true", reason: found }',
    'verdict.rules.0',
    'exactly one of deny and escalate',
  ),
  row(
    'a decisive escalate',
    'reason: found',
    'reason: found, decisive: ¦true',
    'verdict.rules.0.decisive',
    'only a deny rule can be decisive',
  ),
  row(
    'a decisive rule that more findings unsay',
    RULE,
    '    - { deny: "findings.all(f, f.severity > 0.9)", reason: bad, decisive: true }',
    'verdict.rules.0.deny',
    '',
  ),
  row('a rule without a reason', ', reason: found', '', 'verdict.rules.0.reason', 'is missing'),
];

const REST: readonly Row[] = [
  row(
    'an unknown implementation',
    'uses: anything, stage: deep_analysis',
    'uses: ¦regionl, stage: deep_analysis',
    'critics.three.uses',
    'no implementation called "regionl"; did you mean "regional"?',
  ),
  row(
    'an implementation like nothing known',
    'uses: anything, stage: deep_analysis',
    'uses: ¦judge, stage: deep_analysis',
    'critics.three.uses',
    'known are anything, regional, plain',
  ),
  row(
    'options for one that takes none',
    'uses: anything, stage: deep_analysis',
    'uses: plain, stage: deep_analysis, with: ¦{ a: 1 }',
    'critics.three.with',
    'plain takes no options',
  ),
  row(
    'an unknown option',
    'uses: anything, stage: deep_analysis',
    'uses: regional, stage: deep_analysis, with: { region: US, ¦zone: 1 }',
    'critics.three.with.zone',
    'zone',
  ),
  row(
    'a bad option',
    'uses: anything, stage: deep_analysis',
    'uses: regional, stage: deep_analysis, with: { region: ¦UK }',
    'critics.three.with.region',
    'must be one of US, EU, is "UK"',
  ),
  row(
    'a bad option in a list',
    'uses: anything, stage: deep_analysis',
    'uses: regional, stage: deep_analysis, with: { region: US, limits: [1, ¦a] }',
    'critics.three.with.limits.1',
    'must be a number, is "a"',
  ),
  three(
    'options of 8 KB and a byte',
    `with: ¦{ a: ${'x'.repeat(8185)} }`,
    'with',
    'the options of a critic have at most 8192 bytes as JSON, these have 8193',
  ),
  row(
    'an unknown critic that allow needs',
    'otherwise: allow',
    'otherwise: allow\n  allowNeeds: { critics: [¦tree] }',
    'verdict.allowNeeds.critics.0',
    'did you mean "three"?',
  ),
  row(
    'a shadow that allow needs',
    `${THREE}\nverdict:`,
    '  three: { uses: plain, stage: validation, mode: shadow }\nverdict:\n  allowNeeds: { critics: [¦three] }',
    'verdict.allowNeeds.critics.0',
    'it is in mode shadow',
  ),
  row(
    'an allow that needs nothing',
    'otherwise: allow',
    'otherwise: allow\n  allowNeeds: ¦{}',
    'verdict.allowNeeds',
    'must name critics or a coverage',
  ),
  row(
    'an unknown critic in a case',
    'version: 1',
    'version: 1\ncases: [{ name: c, given: { outcomes: { ¦tree: failed } }, expect: { decision: deny } }]',
    'cases.0.given.outcomes.tree',
    'did you mean "three"?',
  ),
  row(
    'an unknown critic that a case expects',
    'version: 1',
    'version: 1\ncases: [{ name: c, expect: { decision: deny, gated: [¦tree] } }]',
    'cases.0.expect.gated.0',
    'unknown critic "tree"',
  ),
  row(
    'an unknown decision in a case',
    'version: 1',
    'version: 1\ncases: [{ name: c, expect: { decision: ¦maybe } }]',
    'cases.0.expect.decision',
    'must be one of allow, deny, escalate, not_judged',
  ),
  row(
    'a finding out of range in a case',
    'version: 1',
    'version: 1\ncases: [{ name: c, given: { findings: { one: { severity: ¦2 } } }, expect: { decision: deny } }]',
    'cases.0.given.findings.one.severity',
    'must be at most 1, is 2',
  ),
  row(
    'two cases of one name',
    'version: 1',
    'version: 1\ncases: [{ name: c, expect: { decision: deny } }, { name: ¦c, expect: { decision: deny } }]',
    'cases.1.name',
    'stands above already',
  ),
];

/** Line and column of the marker, both from 1. */
function marked(text: string): { readonly text: string; readonly place: string } | undefined {
  const before = text.split('¦')[0] ?? '';
  const lines = before.split('\n');
  return before.length === text.length
    ? undefined
    : { text: text.replace('¦', ''), place: `${lines.length}:${(lines.at(-1) ?? '').length + 1}` };
}

describe.each([
  ['form', FORM],
  ['numbers', NUMBERS],
  ['names', NAMES],
  ['dependencies', DEPENDENCIES],
  ['limits', LIMITS],
  ['expressions', EXPRESSIONS],
  ['the rest', REST],
])('a plan with a problem of %s', (_, rows) => {
  it.each(rows)('$what is refused once, at its place', async ({ from, to, path, says }) => {
    expect(GOOD).toContain(from);
    const written = GOOD.replace(from, () => to);
    const { text, place } = marked(written) ?? { text: written, place: '\\d+:\\d+' };
    const loaded = await loadText(text);
    const problems = loaded.ok ? [] : loaded.problems.map(formatProblem);
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^plan\\.yaml:${place} `))]);
    expect(problems[0]).toContain(path === '' ? '' : ` ${path} `);
    expect(problems[0]).toContain(says);
  });
});
