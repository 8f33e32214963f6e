/** Loading as a whole: many problems at once, warnings, sizes, plans in TypeScript, and plans that are good. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeRegistry } from '../../src/critics/registry.js';
import { formatProblem, loadPlan } from '../../src/plan-loader.js';
import { definePlan, planJsonSchema } from '../../src/schemas/plan.js';
import { compiled, GOOD, registry } from './plan-fixture.js';

const THREE = '  three: { uses: anything, stage: deep_analysis }';
const withThree = (fields: string): string => GOOD.replace(THREE, `  three: { uses: anything, stage: deep_analysis, ${fields} }`);

async function told(text: string, from = registry): Promise<{ ok: boolean; lines: readonly string[] }> {
  const loaded = await loadPlan({ file: 'plan.yaml', text }, from);
  return { ok: loaded.ok, lines: (loaded.ok ? loaded.warnings : loaded.problems).map(formatProblem) };
}

const manyCritics = (count: number, fieldsOf: (index: number) => string): string =>
  GOOD.replace(
    THREE,
    Array.from({ length: count }, (_, index) => `  c${index}: { uses: anything, stage: validation${fieldsOf(index)} }`).join('\n'),
  );

describe('all problems', () => {
  it('of form and of meaning are told at once, in the order of the file', async () => {
    const text = `plan: Bad
version: 1.5
timeouts: { global: 10 banana }
critics:
  one: { uses: nothing, stage: pre_validation }
  two: { uses: anything, stage: fast_critics, dependsOn: [six, three], onfailure: deny }
  three: { uses: anything, stage: deep_analysis, dependsOn: [four, two] }
  four: { uses: anything, stage: deep_analysis, dependsOn: [three], condition: "true" }
verdict:
  rules:
    - { deny: "scor > 1.0", reason: a }
    - { deny: "true", raeson: b }
    - { escalate: "findings.size()", reason: c }
  otherwise: allow
`;
    expect((await told(text)).lines).toEqual([
      expect.stringMatching(/^plan.yaml:1:7 plan "Bad" is not a name/),
      expect.stringMatching(/^plan.yaml:2:10 version must be a whole number, is 1.5/),
      expect.stringMatching(/^plan.yaml:3:21 timeouts.global "10 banana" is not a duration/),
      expect.stringMatching(/^plan.yaml:5:16 critics.one.uses there is no implementation called "nothing"/),
      expect.stringMatching(/^plan.yaml:6:72 critics.two.onfailure unknown field "onfailure"; did you mean "onFailure"/),
      expect.stringMatching(/^plan.yaml:8:61 critics.four.dependsOn.0 critics wait for each other: three -> four -> three/),
      expect.stringMatching(/^plan.yaml:8:80 critics.four.condition a condition goes with executionPolicy conditional/),
      expect.stringMatching(/^plan.yaml:11:16 verdict.rules.0.deny /),
      expect.stringMatching(/^plan.yaml:12:7 verdict.rules.1.reason is missing/),
      expect.stringMatching(/^plan.yaml:12:23 verdict.rules.1.raeson unknown field "raeson"; did you mean "reason"/),
      expect.stringMatching(/^plan.yaml:13:\d+ verdict.rules.2.escalate /),
    ]);
  });

  it('of several unknown fields in one place are told one by one', async () => {
    const { lines } = await told(withThree('alpha: 1, beta: 2'));
    expect(lines).toEqual([expect.stringContaining('unknown field "alpha"'), expect.stringContaining('unknown field "beta"')]);
  });

  it('are told without echoes: a critic that is refused is still known to the others', async () => {
    const { lines } = await told(GOOD.replace('one: { uses: anything, stage: pre_validation }', 'one: { uses: anything, stage: first }'));
    expect(lines).toEqual([expect.stringMatching(/^plan.yaml:5:33 critics.one.stage /)]);
  });

  it('with all critics in shadow name that nothing would judge', async () => {
    const text = GOOD.replaceAll(/(one|two|three): \{/g, '$1: { mode: shadow,');
    expect((await told(text)).lines).toEqual([expect.stringContaining('critics all critics are in mode shadow')]);
  });
});

describe('a warning', () => {
  it.each(['on_violation', 'on_uncertainty'])('tells of %s where there is nothing to look at', async (policy) => {
    const text = `plan: p\nversion: 1\ntimeouts: { global: 60s }\ncritics:\n  first: { uses: anything, stage: fast_critics, executionPolicy: ${policy} }\n  other: { uses: anything, stage: fast_critics }\nverdict: { otherwise: allow }`;
    expect(await told(text)).toEqual({
      ok: true,
      lines: [expect.stringMatching(/critics.first.executionPolicy warning: first would be gated always/)],
    });
  });

  it.each(['first: { dispatch: local,', 'defaults: { dispatch: local }'])(
    'tells that a critic that asks a service may be asked and paid twice when it is dispatched local: %s',
    async (written) => {
      const critic = `uses: http, stage: fast_critics, with: { url: 'https://critic.example/' } }`;
      const local = written.startsWith('first') ? `critics:\n  ${written} ${critic}` : `${written}\ncritics:\n  first: { ${critic}`;
      const text = `plan: p\nversion: 1\ntimeouts: { global: 60s }\n${local}\nverdict: { otherwise: allow }`;
      expect(await told(text, makeRegistry())).toEqual({
        ok: true,
        lines: [expect.stringMatching(/critics.first warning: first asks a service and is dispatched local/)],
      });
    },
  );

  it('says which retry can never start, and the plan loads', async () => {
    const text = GOOD.replace('maxRetries: 1', 'maxRetries: 3');
    expect(await told(text)).toEqual({
      ok: true,
      lines: ['plan.yaml:6:77 critics.two.maxRetries warning: retry 3 of two can never start: needs 14 s, has 10 s'],
    });
  });

  it('counts inherited retries against the time-out of the critic', async () => {
    const { lines } = await told(withThree('timeout: 6s'));
    expect(lines).toEqual([
      expect.stringMatching(/^plan.yaml:7:3 critics.three.maxRetries warning: retry 2 of three can never start: needs 6 s, has 6 s$/),
    ]);
    expect((await told(withThree('timeout: 6001ms'))).lines).toEqual([]);
    expect((await told(withThree('timeout: 1s, dispatch: local'))).lines).toEqual([]);
  });

  it('says that allow needs a critic that does not always run', async () => {
    const text = withThree('executionPolicy: on_violation').replace(
      'otherwise: allow',
      'otherwise: allow\n  allowNeeds: { critics: [three] }',
    );
    expect(await told(text)).toEqual({
      ok: true,
      lines: [expect.stringMatching(/allowNeeds.critics.0 warning: allow needs three, which runs only on_violation/)],
    });
  });
});

describe('sizes', () => {
  it('let 1,000 critics pass and refuse one more', async () => {
    expect(await told(manyCritics(998, () => ''))).toEqual({ ok: true, lines: [] });
    expect((await told(manyCritics(999, () => ''))).lines).toEqual([expect.stringContaining('at most 1000 critics, this one has 1001')]);
  });

  it('let a chain of 998 dependencies pass and name a cycle of 998', async () => {
    const chain = (last: string): string => manyCritics(998, (index) => `, dependsOn: [${index === 0 ? last : `c${index - 1}`}]`);
    expect(await told(chain('one'))).toEqual({ ok: true, lines: [] });
    expect((await told(chain('c997'))).lines).toEqual([
      expect.stringMatching(/wait for each other: c0 -> c997 -> c996 -> .* … 988 more … -> c0$/),
    ]);
  });

  it('let options of 8 KB pass', async () => {
    expect(await told(withThree(`with: { a: ${'x'.repeat(8184)} }`))).toEqual({ ok: true, lines: [] });
  });

  it('refuse a compiled plan above 512 KB', async () => {
    const { lines } = await told(manyCritics(100, () => `, with: { a: ${'x'.repeat(8000)} }`));
    expect(lines).toEqual([expect.stringMatching(/^plan.yaml:1:1 a compiled plan has at most 524288 bytes as JSON, this one has \d+$/)]);
  });

  it('refuse expressions that may take more than a million steps together, at the dearest', async () => {
    const nested = 'findings.all(a, findings.all(b, findings.exists(c, c.severity > a.severity + b.severity)))';
    const text = manyCritics(120, () => '').replace('findings.exists(f, f.severity > 0.5)', nested);
    expect((await told(text)).lines).toEqual([
      expect.stringMatching(/verdict.rules.0.escalate the expressions of a plan may take 1000000 steps together/),
    ]);
  });
});

describe('a plan in TypeScript', () => {
  const source = definePlan({
    plan: 'typed',
    version: 1,
    timeouts: { global: '10s' },
    critics: { one: { uses: 'regional', with: { region: 'US' }, stage: 'validation', maxRetries: 0 } },
    verdict: { otherwise: 'allow' },
  });

  it('compiles like one in YAML', async () => {
    const loaded = await loadPlan({ object: source, name: 'plan.ts' }, registry);
    const yaml = await compiled(
      'plan: typed\nversion: 1\ntimeouts: { global: 10s }\ncritics: { one: { maxRetries: 0, with: { region: US }, stage: validation, uses: regional } }\nverdict: { otherwise: allow }',
    );
    expect(loaded).toEqual({ ok: true, plan: yaml, warnings: [], advice: [], cases: [], placeOf: expect.any(Function) });
  });

  it('is refused with paths and without lines', async () => {
    const problems = async (object: unknown): Promise<readonly string[]> => {
      const loaded = await loadPlan({ object, name: 'plan.ts' }, registry);
      return loaded.ok ? [] : loaded.problems.map(formatProblem);
    };
    expect(await problems({ ...source, version: 0 })).toEqual(['plan.ts version must be at least 1, is 0']);
    expect(await problems(undefined)).toEqual(['plan.ts is missing: it must be a map']);
    const cyclic: Record<string, unknown> = { ...source };
    cyclic['cases'] = [cyclic];
    expect(await problems(cyclic)).toEqual([expect.stringContaining('is nested more than 64 levels deep')]);
    expect(await problems({ ...source, timeouts: { global: 10n } })).toEqual([expect.stringContaining('timeouts.global is a bigint')]);
    const odd = { uses: 'anything', stage: 'validation', with: { f: () => 1, d: new Date(0), m: new Map(), b: 1n } };
    expect(await problems({ ...source, critics: { ...source.critics, odd } })).toEqual([
      expect.stringContaining('plan.ts critics.odd.with.f is a function, which JSON cannot hold'),
      expect.stringContaining('plan.ts critics.odd.with.d is not a plain object'),
      expect.stringContaining('plan.ts critics.odd.with.m is not a plain object'),
      expect.stringContaining('plan.ts critics.odd.with.b is a bigint, which JSON cannot hold'),
    ]);
  });
});

const GOOD_ONES: readonly (readonly [what: string, text: string])[] = [
  [
    'the least one',
    'plan: p\nversion: 1\ntimeouts: { global: 60s }\ncritics: { a: { uses: plain, stage: validation } }\nverdict: { otherwise: deny }',
  ],
  ['a condition on an earlier stage', withThree(`executionPolicy: conditional, condition: "critics.two.outcome == 'failed'"`)],
  [
    'a condition on its own dependency',
    withThree(`stage_: 1`).replace(
      'stage_: 1',
      `executionPolicy: conditional, dependsOn: [two], condition: "critics.one.outcome == 'failed'"`,
    ),
  ],
  ['a condition over lines', withThree('executionPolicy: conditional, condition: "request.size > 1.0 &&\n    request.size < 9.0"')],
  [
    'dependencies that meet again',
    GOOD.replace(
      THREE,
      `  top: { uses: plain, stage: validation, dependsOn: [left, right] }
  left: { uses: plain, stage: validation, dependsOn: [bottom, one] }
  right: { uses: plain, stage: validation, dependsOn: [bottom, left] }
  bottom: { uses: plain, stage: validation }`,
    ),
  ],
  [
    'a shadow behind a shadow',
    GOOD.replace(
      THREE,
      `  s: { uses: plain, stage: deep_analysis, mode: shadow }\n  t: { uses: plain, stage: validation, mode: shadow, dependsOn: [s] }\n${THREE}`,
    ),
  ],
  [
    'a local critic behind a local one of its stage',
    GOOD.replace(
      THREE,
      `  s: { uses: plain, stage: validation, dispatch: local }\n  t: { uses: plain, stage: validation, dispatch: local, dependsOn: [s] }`,
    ),
  ],
  ['a local critic behind a task of an earlier stage', withThree('dispatch: local, dependsOn: [two]')],
  [
    'local critics by default with inherited limits',
    GOOD.replace(', maxRetries: 1', '').replace(
      'version: 1',
      'version: 1\ndefaults: { dispatch: local, attemptTimeout: 5s, maxRetries: 3 }',
    ),
  ],
  [
    'limits that nest',
    withThree('maxConcurrent: 1').replace(
      'version: 1',
      'version: 1\nlimits: { maxConcurrentCritics: 3, maxConcurrentPerStage: { deep_analysis: 2 } }',
    ),
  ],
  ['half a start a second', withThree('rateLimitPerSecond: 0.5')],
  ['times that touch', withThree('timeout: 60s, attemptTimeout: 60s')],
  ['a name of 64 letters', GOOD.replace('three', 'x'.repeat(64))],
  [
    'a decisive rule',
    GOOD.replace(
      'escalate: "findings.exists(f, f.severity > 0.5)", reason: found',
      'deny: "findings.exists(f, f.severity > 0.5)", reason: found, decisive: true',
    ),
  ],
  ['an output rule', withThree('validateOutput: "output.severity <= 1.0", requiredOutputFields: [score, details]')],
];

describe('a good plan', () => {
  it.each(GOOD_ONES)('with %s loads without a word', async (_, text) => {
    expect(await told(text)).toEqual({ ok: true, lines: [] });
  });

  it('stands in plans/example.yaml, for the critics that are built in', async () => {
    const text = readFileSync('plans/example.yaml', 'utf8');
    const loaded = await loadPlan({ file: 'plans/example.yaml', text }, makeRegistry());
    expect(loaded).toMatchObject({ ok: true, warnings: [], plan: { name: 'chat_safety', version: 3 } });
  });
});

describe('the JSON Schema for editors', () => {
  it('stands beside the plans as it is made', () => {
    expect(JSON.parse(readFileSync('plans/plan.schema.json', 'utf8'))).toEqual(planJsonSchema());
  });

  it('refuses unknown fields and describes those there are', () => {
    expect(planJsonSchema()).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      additionalProperties: false,
      properties: {
        critics: { additionalProperties: { additionalProperties: false, properties: { stage: { description: expect.any(String) } } } },
      },
    });
  });
});
