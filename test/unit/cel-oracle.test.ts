/** The CEL library against a second implementation, and the guards against what happens when an expression runs. */
import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkCel,
  compileCel,
  type CelBindings,
  type CelCritic,
  type CelFinding,
  type CelScope,
  type CelValue,
} from '../../src/domain/cel.js';
import { CRITIC_OUTCOMES } from '../../src/domain/outcomes.js';
import { RISK_TIERS, STAGES } from '../../src/domain/plan.js';

const SCOPE: CelScope = { place: 'conditions', critics: ['pii', 'judge'] };

const POLICIES = [
  "has(context.domain) && context.domain == 'medical'",
  "has(context.domain) && context.domain in ['medical', 'legal']",
  "!has(context.domain) || context.domain != 'chat'",
  "has(context.domain) ? context.domain.startsWith('med') : request.riskTier == 'high'",
  "has(context.domain) && context.domain.contains('e') && context.domain.size() > 3",
  'has(context.count) && context.count > 3.5',
  'has(context.count) && context.count == 1',
  'has(context.count) && context.count * 2.0 - 1.0 >= 1.0',
  'has(context.flag) && context.flag',
  'has(context.flag) ? context.flag : false',
  'has(context.user) && has(context.user.age) && context.user.age < 18.0',
  "has(context.tags) && context.tags.exists(t, t == 'beta')",
  "has(context.tags) && 'beta' in context.tags",
  'has(context.tags) && context.tags.size() > 1',
  "'domain' in context",
  'has(context.domain) && type(context.domain) == string',
  'findings.exists(f, f.severity >= 0.9)',
  'findings.all(f, f.violations.size() == 0)',
  'findings.exists_one(f, f.severity > 0.5)',
  'findings.exists(f, has(f.score) && f.score < 0.3)',
  'findings.filter(f, f.severity > 0.2).size() >= 2',
  'findings.map(f, has(f.uncertainty), f.uncertainty).exists(u, u > 0.7)',
  "findings.exists(f, f.violations.exists(v, v.code == 'card' && (!has(v.severity) || v.severity > 0.5)))",
  'findings.all(f, findings.exists(g, g.severity >= f.severity))',
  "critics.pii.outcome == 'failed' || has(critics.pii.severity) && critics.pii.severity > 0.5",
  "has(critics.judge.violations) && critics.judge.violations.exists(v, v.code == 'card')",
  "request.riskTier in ['high', 'critical'] && request.size > 100.0 && double(findings.size()) > 1.0",
];

const share = fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const violation = fc.record(
  { code: fc.constantFrom('card', 'iban'), message: fc.constant('found'), severity: share, span: fc.constant({ start: 1, end: 2 }) },
  { requiredKeys: ['code', 'message'], noNullPrototype: true },
);
const judged = {
  name: fc.constantFrom('pii', 'judge'),
  stage: fc.constantFrom(...STAGES),
  severity: share,
  violations: fc.array(violation, { maxLength: 2 }),
  score: share,
  value: share,
  uncertainty: share,
};
const finding: fc.Arbitrary<CelFinding> = fc.record(judged, {
  requiredKeys: ['name', 'stage', 'severity', 'violations'],
  noNullPrototype: true,
});
const critic: fc.Arbitrary<CelCritic> = fc.record(
  { ...judged, outcome: fc.constantFrom(...CRITIC_OUTCOMES) },
  { requiredKeys: ['outcome'], noNullPrototype: true },
);

const word = fc.constantFrom('medical', 'legal', 'beta', '');
const loose = <T extends Record<string, unknown>>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true });
const rightContext = loose({
  domain: word,
  count: fc.constantFrom(0, 1, 4, 2.5),
  flag: fc.boolean(),
  user: loose({ age: share }),
  tags: fc.array(word, { maxLength: 3 }),
});
// Without null: for the other implementation a field that is null is absent, which is not what the language says.
const json = fc.oneof(word, share, fc.boolean(), fc.array(word, { maxLength: 2 }), loose({ age: word }));
const anyContext = loose({ domain: json, count: json, flag: json, user: json, tags: json });

const bindingsOver = (context: fc.Arbitrary<CelBindings['context']>): fc.Arbitrary<CelBindings> =>
  fc.record(
    {
      context,
      request: fc.record({ tenant: word, riskTier: fc.constantFrom(...RISK_TIERS), size: fc.nat(1000) }, { noNullPrototype: true }),
      findings: fc.array(finding, { maxLength: 4 }),
      critics: fc.record({ pii: critic, judge: critic }, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  );

const oracles = new Map<string, (bindings: CelBindings) => CelValue>();

function oracle(source: string): (bindings: CelBindings) => CelValue {
  const known = oracles.get(source);
  if (known !== undefined) return known;
  const run = plan(celEnv({}), parse(source));
  const made = (bindings: CelBindings): CelValue => {
    const value: unknown = run(JSON.parse(JSON.stringify(bindings)));
    return typeof value === 'boolean' ? { ok: true, value } : { ok: false, message: isCelError(value) ? String(value) : typeof value };
  };
  oracles.set(source, made);
  return made;
}

const outcome = (value: CelValue): boolean | 'error' => (value.ok ? value.value : 'error');

const ALWAYS = ['request.size'];
const MAYBE = ['context.count', 'context.user.age', 'critics.pii.score', 'critics.judge.severity'];
const OTHER = ["context.domain == 'legal'", 'context.flag', "request.tenant == 'beta'", 'true', 'false'];

/** Random conditions over the right kinds, some guarded, some not. `locals` are loop variables over findings. */
function condition(depth: number, locals: readonly string[]): fc.Arbitrary<string> {
  const maybe = [...MAYBE, ...locals.flatMap((name) => [`${name}.score`, `${name}.uncertainty`])];
  const number = fc.constantFrom(...ALWAYS, ...locals.map((name) => `${name}.severity`), ...maybe);
  const compared = fc.tuple(number, fc.constantFrom('<', '>=', '=='), fc.constantFrom('0.5', '1.0')).map((parts) => parts.join(' '));
  const asked = fc
    .constantFrom(...maybe, 'context.user', 'context.flag', 'context.domain')
    .map((path) => (path === 'context.user.age' ? 'has(context.user) && has(context.user.age)' : `has(${path})`));
  const leaf = fc.oneof(compared, asked, fc.constantFrom(...OTHER));
  if (depth === 0) return leaf;
  const inner = condition(depth - 1, locals);
  const forms = [
    leaf,
    inner.map((a) => `!(${a})`),
    fc.tuple(inner, fc.constantFrom('&&', '||'), inner).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    fc.tuple(asked, inner).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(asked, inner).map(([a, b]) => `(!(${a}) || ${b})`),
    fc.tuple(asked, inner, inner).map(([a, b, c]) => `((${a}) ? ${b} : ${c})`),
  ];
  if (locals.length === 2) return fc.oneof(...forms);
  const local = `x${locals.length}`;
  const loop = fc.tuple(fc.constantFrom('exists', 'all', 'exists_one'), condition(depth - 1, [...locals, local]));
  return fc.oneof(
    ...forms,
    loop.map(([macro, body]) => `findings.${macro}(${local}, ${body})`),
  );
}

describe('the CEL library', () => {
  it('agrees with a second implementation on typical policies over any input, missing fields and wrong kinds included', () => {
    fc.assert(
      fc.property(bindingsOver(fc.oneof(rightContext, anyContext)), (bindings) => {
        for (const source of POLICIES) {
          expect([source, outcome(compileCel(source, SCOPE)(bindings))]).toEqual([source, outcome(oracle(source)(bindings))]);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('accepts every one of the typical policies', () => {
    for (const source of POLICIES) expect([source, checkCel(source, SCOPE)]).toMatchObject([source, { ok: true }]);
  });
});

describe('guards', () => {
  it('leave no accepted expression that errs over values of the right kind, and both implementations agree on it', () => {
    let accepted = 0;
    fc.assert(
      fc.property(condition(3, []), fc.array(bindingsOver(rightContext), { minLength: 5, maxLength: 5 }), (source, inputs) => {
        if (!checkCel(source, SCOPE).ok) return;
        accepted += 1;
        for (const bindings of inputs) {
          const value = compileCel(source, SCOPE)(bindings);
          expect(value).toMatchObject({ ok: true });
          expect(outcome(value)).toBe(outcome(oracle(source)(bindings)));
        }
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(60);
  });
});
