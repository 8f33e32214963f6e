import { describe, expect, it } from 'vitest';
import {
  CEL_MAX_PLAN_COST,
  checkCel,
  compileCel,
  conditionBindings,
  decisiveProblem,
  type CelBindings,
  type CelScope,
} from '../../src/domain/cel.js';
import type { CriticRecord } from '../../src/domain/outcomes.js';

const CONDITIONS: CelScope = { place: 'conditions', critics: ['pii', 'secrets', 'judge'] };
const RISK: CelScope = { place: 'risk', critics: [] };
const OUTPUT: CelScope = { place: 'output', critics: [] };

/** The one problem of an expression whose bad part stands between « and ». */
function problemOf(marked: string, scope: CelScope = CONDITIONS): string {
  const start = marked.indexOf('«');
  const end = marked.indexOf('»') - 1;
  const checked = checkCel(marked.replace(/[«»]/g, ''), scope);
  if (checked.ok) throw new Error(`${marked} was accepted`);
  expect(checked.problems.map((problem) => ({ start: problem.start, end: problem.end }))).toEqual([{ start, end }]);
  return checked.problems[0]?.message ?? '';
}

function costOf(source: string, scope: CelScope = CONDITIONS): number {
  const checked = checkCel(source, scope);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.cost;
}

const record = (name: string, rest: Partial<CriticRecord> = {}): CriticRecord => ({
  name,
  stage: 'fast_critics',
  outcome: 'succeeded',
  attempts: [],
  gate: { open: true, by: 'policy', policy: 'always' },
  finding: { severity: 0, violations: [] },
  ...rest,
});

const FACTS = { tenant: 'acme', riskTier: 'high', size: 512, context: {} } as const;
const bindings = (context: CelBindings['context'] = {}, records: readonly CriticRecord[] = []) =>
  conditionBindings(records, { ...FACTS, context });
const evaluate = (source: string, values: CelBindings, scope: CelScope = CONDITIONS) => compileCel(source, scope)(values);

describe('checkCel', () => {
  it.each([
    'true',
    "request.riskTier == 'high' && request.size > 1000.0",
    'request.size > 1000',
    'findings.exists(f, f.severity >= 0.9)',
    'findings.all(f, f.violations.all(v, v.code != "card"))',
    'findings.exists_one(f, f.name == "pii")',
    'findings.filter(f, f.severity > 0.5).size() >= 2',
    'findings.map(f, f.severity).exists(s, s > 0.5)',
    'double(findings.size()) == 1.0',
    'size(findings) == 1',
    "critics.pii.outcome in ['failed', 'timed_out']",
    "request.tenant.startsWith('eu-') || request.tenant.contains('test')",
    "'domain' in context",
    "has(context.a) && type(context.a) == string && context.a == 'x'",
    'has(context.a) && has(context.a.b) && context.a.b.size() > 3',
    'has(critics.pii) && has(critics.pii.severity)',
  ])('accepts %s', (source) => {
    expect(checkCel(source, CONDITIONS)).toMatchObject({ ok: true });
  });

  it.each([
    ['«contxt».a == 1', '"contxt" is not known; did you mean "context"?'],
    ['«google».protobuf == 1', '"google" is not known; known are context, request, findings, critics'],
    ["request.«riskTer» == 'high'", 'request has no field "riskTer"; did you mean "riskTier"?'],
    ['findings.exists(f, f.«severty» > 0.5)', 'f has no field "severty"; did you mean "severity"?'],
    ['findings.exists(f, has(f.«scor»))', 'f has no field "scor"; did you mean "score"?'],
    [
      'findings.exists(f, f.violations.exists(v, v.«detail» == 1))',
      'v has no field "detail"; its fields are code, message, severity, span',
    ],
    ["critics.«pi».outcome == 'failed'", 'there is no critic "pi" that this place can see; did you mean "pii"?'],
    ['has(critics.«other».score)', 'there is no critic "other" that this place can see'],
    ['findings.«severity» > 0.5', 'findings is a list: use findings.exists(x, …), findings.all(x, …) or findings.size()'],
    ['«critics».exists(c, true)', 'critics is read by name, such as critics.pii.outcome'],
    ['«findings.size()»', 'must be true or false, is int'],
    ['«request.size»', 'must be true or false, is double'],
    ['findings.exists(f, «f.severity == 1»)', 'no such overload: double == int; write 1.0'],
    ['findings.exists(f, «f.severity in [0, 1]»)', 'no such overload: double in list<int>; write 0.0'],
    ['«findings.size() == 1.0»', 'no such overload: int == double; a count is a whole number: write it without a point, or use double(…)'],
    ['findings.exists(f, «f.name > 1»)', 'no such overload: string > int'],
    ['«true && 1»', "Logical operator requires bool operands, got 'int'"],
    ['findings.exists(f, «f» in findings)', 'whole findings cannot be compared; compare their fields'],
    ['has(«findings»)', 'has() asks for a field, such as has(context.domain)'],
    ['request.size >«»', 'cannot be read: Unexpected token: EOF'],
    ["request.tenant == «'acme»", 'cannot be read: Unterminated string'],
    ['«»', 'is empty; write an expression that is true or false'],
  ])('refuses %s', (marked, message) => {
    expect(problemOf(marked)).toBe(message);
  });

  it.each([
    ["«request.tenant.matches('a+')»", 'regular expressions'],
    ["«timestamp('2026-01-01T00:00:00Z')» == «timestamp('2026-01-01T00:00:00Z')»", 'clocks or time zones'],
    ["«duration('1s')» == 1", 'clocks or time zones'],
    ['«now()» == 1', 'there is no function now()'],
    ["«request.tenant.lowerAscii()» == 'a'", 'there is no function lowerAscii()'],
    ['«cel.bind(x, 1, x == 1)»', 'there is no function bind()'],
    ['«size()» == 1', 'size() takes 1 argument(s)'],
    ["«context['domain']» == 'medical'", 'an index can miss'],
    ["«critics['pii']».outcome == 'failed'", 'an index can miss'],
    ['«findings[0]».severity > 0.5', 'exists or all'],
    ["«{'a': 1}» == «{'a': 1}»", 'a map written out'],
  ])('refuses the construct in %s', (marked, part) => {
    const checked = checkCel(marked.replace(/[«»]/g, ''), CONDITIONS);
    if (checked.ok) throw new Error('accepted');
    const start = marked.indexOf('«');
    expect(checked.problems[0]).toMatchObject({ start, end: marked.indexOf('»') - 1 });
    expect(checked.problems[0]?.message).toContain(part);
  });

  it('names every problem of one expression', () => {
    const checked = checkCel("contxt.a == 1 && critics.pii.scor > 0.5 && context.b == 'x'", CONDITIONS);
    expect(checked.ok ? [] : checked.problems.map((problem) => problem.start)).toEqual([0, 29, 43]);
  });

  it('shows findings and critics to conditions only, and output to output rules only', () => {
    expect(problemOf('«findings».size() > 0', RISK)).toContain('"findings" is not known here');
    expect(problemOf("«critics».pii.outcome == 'failed'", OUTPUT)).toContain('"critics" is not known here');
    expect(problemOf('«output».severity > 0.5')).toContain('"output" is not known');
    expect(checkCel('output.severity <= 1.0 && output.violations.size() < 10', OUTPUT)).toMatchObject({ ok: true });
    expect(problemOf('«output.score» > 0.5', OUTPUT)).toContain('guard it: has(output.score) && …');
    expect(checkCel("has(context.domain) && context.domain == 'medical' && request.tenant != ''", RISK)).toMatchObject({ ok: true });
  });

  it('says which static paths an expression reads', () => {
    const guarded = "has(context.a) && has(context.a.b) && context.a.b == 'x'";
    const checked = checkCel(`${guarded} || critics.pii.outcome == 'failed' || findings.exists(f, f.name == request.tenant)`, CONDITIONS);
    expect(checked.ok && checked.paths).toEqual(['context.a', 'context.a.b', 'critics.pii.outcome', 'findings', 'request.tenant']);
  });

  it.each([
    ["'!' 20,000 times", '!'.repeat(20_000) + 'true'],
    ["'!' as often as fits", '!'.repeat(4092) + 'true'],
    ["'-' as often as fits", '-'.repeat(4092) + '1'],
    ['5,000 parentheses', '('.repeat(5000) + 'true' + ')'.repeat(5000)],
    ['2,000 parentheses', '('.repeat(2000) + 'true' + ')'.repeat(2000)],
    ['500 alternatives', 'true' + '||true'.repeat(500)],
    ['1,900 fields', 'context' + '.a'.repeat(1900)],
    ['1,300 open lists', '['.repeat(1300)],
  ])('refuses %s with a problem instead of running out of stack', (_what, source) => {
    const checked = checkCel(source, CONDITIONS);
    expect(checked.ok ? [] : checked.problems).toHaveLength(1);
  });
});

describe('guards', () => {
  it.each([
    'has(context.a) && context.a == 1',
    'has(context.a) && true && context.a == 1',
    'true && (has(context.a) && has(context.b)) && context.a == context.b',
    '!has(context.a) || context.a == 1',
    '!(has(context.a) && has(context.b)) || context.a == context.b',
    '!has(context.a) || !has(context.b) || context.a == context.b',
    'has(context.a) ? context.a == 1 : false',
    '!has(context.a) ? false : context.a == 1',
    'has(context.a) && has(context.b) ? context.a == context.b : true',
    '(has(context.a) && true || has(context.a)) && context.a == 1',
    '(has(context.b) ? has(context.a) : has(context.a)) && context.a == 1',
    '!!has(context.a) && context.a == 1',
    'has(context.a) && findings.exists(f, f.name == context.a)',
    'has(critics.pii.score) && critics.pii.score > 0.5',
    'findings.exists(f, has(f.score) && f.score > 0.5)',
    'findings.map(f, has(f.score), f.score).exists(s, s > 0.5)',
    'findings.exists(f, f.violations.exists(v, has(v.span) && v.span.start > 1.0))',
    'findings.exists(f, has(f.score) && findings.exists(g, has(g.score) && g.score > f.score))',
    'has(context.tags) && context.tags.exists(t, has(t.name) && t.name == "x")',
  ])('accepts %s', (source) => {
    expect(checkCel(source, CONDITIONS)).toMatchObject({ ok: true });
  });

  it.each([
    ["«context.domain» == 'medical'", 'context.domain may be absent; guard it: has(context.domain) && …'],
    ['has(context.a) && «context.a.b» == 1', 'context.a.b may be absent; guard it: has(context.a.b) && …'],
    ['has(«context.a.b»)', 'context.a may be absent; guard it: has(context.a) && …'],
    ['«context.a.b» == 1', 'context.a.b may be absent; guard it: has(context.a) && has(context.a.b) && …'],
    ['«context.a» == 1 && has(context.a)', 'context.a may be absent; guard it: has(context.a) && …'],
    ['has(context.a) || «context.a» == 1', 'guard it'],
    ['!has(context.a) && «context.a» == 1', 'guard it'],
    ['has(context.a) ? true : «context.a» == 1', 'guard it'],
    ['!has(context.a) ? «context.a» == 1 : true', 'guard it'],
    ['(has(context.a) || has(context.b)) && «context.a» == 1', 'guard it'],
    ['!(has(context.a) || has(context.b)) || «context.a» == 1', 'guard it'],
    ['!(has(context.a) && has(context.b)) && «context.a» == 1', 'guard it'],
    ['(has(context.a) ? true : true) && «context.a» == 1', 'guard it'],
    ['has(context.b) && «context.a» == 1', 'guard it'],
    ['(has(context.a) && true) || «context.a» == 1', 'guard it'],
    ['«critics.pii.severity» > 0.5', 'critics.pii.severity may be absent; guard it: has(critics.pii.severity) && …'],
    ['has(critics.judge.score) && «critics.pii.score» > 0.5', 'guard it'],
    ['findings.exists(f, «f.score» > 0.5)', 'f.score may be absent; guard it: has(f.score) && …'],
    ['findings.exists(f, has(f.value) && «f.score» > 0.5)', 'guard it'],
    ['findings.exists(f, has(f.score)) && findings.exists(f, «f.score» > 0.5)', 'guard it'],
    ['findings.exists(f, has(f.score) && findings.exists(f, «f.score» > 0.5))', 'guard it'],
    ['findings.exists(f, f.violations.exists(v, «v.severity» > 0.5))', 'v.severity may be absent'],
    ['findings.exists(f, f.violations.exists(v, «v.span.start» > 0.5))', 'v.span may be absent; guard it: has(v.span) && …'],
    ['has(context.tags) && context.tags.exists(t, «t.name» == "x")', 't.name may be absent'],
    ['«context.tags».exists(t, t == "x")', 'context.tags may be absent'],
    ["'x' in «context.tags»", 'context.tags may be absent'],
    ['findings.map(f, f).exists(f, «f.score» > 0.5)', 'f.score may be absent'],
    [
      'findings.exists(f, («f.severity > 0.5 ? f : f).score» > 0.5)',
      '….score may be absent; no has() can ask for it in this form; name it by a path',
    ],
  ])('refuses %s', (marked, message) => {
    const said = problemOf(marked);
    expect(said).toContain(message);
  });
});

describe('cost', () => {
  const many = (count: number): CelScope => ({
    place: 'conditions',
    critics: Array.from({ length: count }, (_, index) => `critic_${index}`),
  });

  it('of a simple condition is about its length', () => {
    expect(costOf("has(context.domain) && context.domain == 'medical'")).toBeLessThan(12);
  });

  it('of a loop grows with the critics that the place sees', () => {
    const rule = 'findings.exists(f, f.severity >= 0.9)';
    expect(costOf(rule, many(100))).toBe(502);
    expect(costOf(rule, many(1000))).toBe(5002);
  });

  it('of nested loops multiplies, also over violations and lists of the context', () => {
    const inner = 'findings.exists(c, c.severity > a.severity)';
    expect(costOf(`findings.all(a, findings.all(b, ${inner}))`, many(100))).toBeGreaterThan(100 ** 3);
    expect(costOf('findings.exists(f, f.violations.exists(v, v.code == "card"))', many(100))).toBeGreaterThan(100 * 100);
    expect(costOf('has(context.a) && context.a.exists(x, context.a.exists(y, x == y))', RISK)).toBeGreaterThan(CEL_MAX_PLAN_COST);
    expect(costOf('has(context.a) && context.a.map(x, context.a).exists(l, l.exists(y, y == 1))', RISK)).toBeGreaterThan(CEL_MAX_PLAN_COST);
  });

  it('counts joined lists as the sum of both', () => {
    expect(costOf('(findings + findings).exists(f, f.severity > 0.5)', many(100))).toBeGreaterThan(
      costOf('findings.exists(f, f.severity > 0.5)', many(200)),
    );
  });

  it('stays a finite number however deep loops are nested', () => {
    let source = 'true';
    for (let depth = 0; depth < 45; depth += 1) source = `findings.all(x${depth}, ${source})`;
    expect(costOf(source, many(1000))).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('compileCel', () => {
  const PII = record('pii', {
    finding: { severity: 0.95, score: 0.7, violations: [{ code: 'card', message: 'a card number', span: { start: 3, end: 9 } }] },
  });
  const DEAD = record('secrets', { outcome: 'failed', finding: { severity: 1, violations: [] } });
  const values = bindings({ domain: 'medical', nested: { deep: 2 }, tags: ['x'], flag: 'yes', nothing: null }, [
    PII,
    DEAD,
    record('judge'),
  ]);

  it.each([
    ['findings.exists(f, f.severity >= 0.9 && f.name == "pii")', true],
    ['findings.size() == 2', true],
    ['findings.exists(f, has(f.score) && f.score > 0.5)', true],
    ['findings.exists(f, has(f.uncertainty))', false],
    ["findings.exists(f, f.violations.exists(v, v.code == 'card' && has(v.span) && v.span.end == 9.0 && !has(v.severity)))", true],
    ["critics.secrets.outcome == 'failed' && !has(critics.secrets.severity)", true],
    ['has(critics.pii.severity) && critics.pii.severity > 0.9', true],
    ["has(critics.pii.violations) && critics.pii.violations.exists(v, v.code == 'card')", true],
    ["has(context.domain) && context.domain == 'medical'", true],
    ['has(context.nested) && has(context.nested.deep) && context.nested.deep > 1', true],
    ["has(context.tags) && 'x' in context.tags", true],
    ['has(context.missing) && context.missing == 1', false],
    ['has(context.nothing) && context.nothing == null', true],
    ["request.riskTier == 'high' && request.tenant == 'acme' && request.size == 512.0", true],
  ])('evaluates %s to %s', (source, expected) => {
    expect(evaluate(source, values)).toEqual({ ok: true, value: expected });
  });

  it('gives an error as a value when a field of the context is of another kind', () => {
    const result = evaluate('has(context.domain) && context.domain > 5', values);
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.message).toContain('no such overload');
  });

  it('takes only a boolean for true', () => {
    expect(evaluate('has(context.flag) ? context.flag : false', values)).toEqual({
      ok: false,
      message: 'must be true or false, is string',
    });
    expect(evaluate('has(context.nothing) ? context.nothing : false', values)).toEqual({
      ok: false,
      message: 'must be true or false, is null',
    });
  });

  it('never shows the content of the context in an error', () => {
    const secret = 'the-secret-of-the-caller';
    const held = { a: secret, b: { [secret]: secret }, c: [secret], constructor: { name: secret } };
    for (const context of [held, { a: { constructor: { name: secret } }, b: { constructor: secret }, c: { constructor: [secret] } }]) {
      for (const rest of ['context.a > 5', 'context.b > 5', 'context.c > 5', 'int(context.a) > 5', 'context.c.all(x, x > 1)']) {
        const result = evaluate(`has(context.a) && has(context.b) && has(context.c) && ${rest}`, bindings(context));
        expect(result).toMatchObject({ ok: false });
        expect(JSON.stringify(result)).not.toContain(secret);
      }
    }
  });

  it('cuts messages to 200 characters', () => {
    const result = evaluate(`contxt${'x'.repeat(300)} == 1`, values);
    expect(!result.ok && result.message).toHaveLength(200);
  });

  it('turns what the check refuses into a program whose value is an error', () => {
    expect(evaluate('context.domain ==', values)).toMatchObject({ ok: false });
    expect(evaluate("critics.other.outcome == 'failed'", values)).toMatchObject({ ok: false });
    expect(evaluate('findings.size()', values)).toMatchObject({ ok: false });
  });

  it('gives an error when a critic or the output is missing from the bindings', () => {
    expect(evaluate("critics.pii.outcome == 'failed'", bindings())).toMatchObject({ ok: false });
    expect(evaluate('output.severity > 0.5', bindings(), OUTPUT)).toMatchObject({ ok: false });
  });

  it('sees the finding as `output` in output rules, without its details', () => {
    const output = { severity: 0.4, violations: [], score: 0.1, details: { hidden: true } };
    expect(evaluate('output.severity <= 1.0 && has(output.score)', { ...bindings(), output }, OUTPUT)).toEqual({ ok: true, value: true });
    expect(checkCel('has(output.details)', OUTPUT)).toMatchObject({ ok: false });
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])('does not see the inherited property %s', (name) => {
    for (const context of [{}, JSON.parse('{"a":{}}'), Object.create(null)]) {
      expect(evaluate(`has(context.${name})`, bindings(context))).toEqual({ ok: true, value: false });
      expect(evaluate(`has(context.a) && has(context.a.${name})`, bindings(context))).toEqual({ ok: true, value: false });
      expect(evaluate(`'${name}' in context`, bindings(context))).toEqual({ ok: true, value: false });
    }
    expect(checkCel(`has(critics.pii.${name})`, CONDITIONS)).toMatchObject({ ok: false });
    expect(checkCel(`findings.exists(f, has(f.${name}))`, CONDITIONS)).toMatchObject({ ok: false });
    expect(checkCel(`has(request.${name})`, CONDITIONS)).toMatchObject({ ok: false });
  });

  it('reads objects without a prototype like any other', () => {
    const context = Object.assign(Object.create(null), { a: Object.assign(Object.create(null), { b: 'x' }) });
    expect(evaluate("has(context.a) && has(context.a.b) && context.a.b == 'x'", bindings(context))).toEqual({ ok: true, value: true });
  });

  it('reads a critic called constructor like any other', () => {
    const scope: CelScope = { place: 'conditions', critics: ['constructor'] };
    expect(evaluate("critics.constructor.outcome == 'succeeded'", bindings({}, [record('constructor')]), scope)).toEqual({
      ok: true,
      value: true,
    });
    expect(evaluate("critics.constructor.outcome == 'succeeded'", bindings(), scope)).toMatchObject({ ok: false });
  });

  it('treats content that looks like an expression as text', () => {
    const context = { domain: '") || true || ("' };
    expect(evaluate("has(context.domain) && context.domain == 'medical'", bindings(context))).toEqual({ ok: true, value: false });
  });

  it('refuses to look through a list of the context that is longer than the cost counts with', () => {
    const source = "has(context.tags) && context.tags.exists(t, t == 'x')";
    const tags = (count: number) => Array.from({ length: count }, () => 'x');
    expect(evaluate(source, bindings({ tags: tags(1000) }))).toEqual({ ok: true, value: true });
    expect(evaluate(source, bindings({ tags: tags(1001) }))).toMatchObject({ ok: false });
    expect(evaluate("has(context.tags) && 'x' in context.tags", bindings({ tags: tags(1001) }))).toMatchObject({ ok: false });
    expect(evaluate("has(context.tags) && ['x'].exists(t, t in context.tags + ['y'])", bindings({ tags: tags(1001) }))).toMatchObject({
      ok: false,
    });
    expect(evaluate('has(context.tags)', bindings({ tags: tags(1001) }))).toEqual({ ok: true, value: true });
  });

  it('gives the same program for the same source', () => {
    const other: CelScope = { place: 'conditions', critics: ['pii'] };
    expect(compileCel('findings.size() > 3', CONDITIONS)).toBe(compileCel('findings.size() > 3', other));
  });
});

describe('decisiveProblem', () => {
  it.each([
    'findings.exists(f, f.severity >= 0.9)',
    'findings.exists(f, f.severity >= 0.9) && (findings.exists(f, f.name == "a") || findings.exists(g, true))',
    "findings.exists(f, has(context.domain) && context.domain == 'a' && request.riskTier == 'high' && !(f.severity < 0.1))",
    "findings.exists(f, f.violations.all(v, v.code == 'a'))",
  ])('allows %s', (source) => {
    expect(decisiveProblem(source)).toBeUndefined();
  });

  it.each([
    '«findings.all(f, f.severity > 0.9)»',
    '«!findings.exists(f, true)»',
    'findings.exists(f, true) && «findings.size() > 3»',
    'findings.exists(f, true) || «has(context.a)»',
    '«findings.exists_one(f, true)»',
    '«findings.filter(f, true).exists(f, true)»',
    'findings.exists(f, «findings».size() < 3)',
    "findings.exists(f, f.violations.exists(v, «critics».pii.outcome == 'failed'))",
    'findings.exists(f, f.violations.exists(v, true) && «v».code == "a")',
    'findings.exists(f, has(«critics».pii.score))',
    '«findings.exists(f, true) ? true : false»',
    'findings.exists(f,«»',
  ])('refuses %s', (marked) => {
    const problem = decisiveProblem(marked.replace(/[«»]/g, ''));
    expect(problem).toMatchObject({ start: marked.indexOf('«'), end: marked.indexOf('»') - 1 });
  });
});
