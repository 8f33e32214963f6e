import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cleanFinding, MAX_FINDING_BYTES } from '../../src/critics/clean-finding.js';
import { HOSTILE_RETURNS } from '../../src/critics/scripted/hostile.js';

const clear = { severity: 0, violations: [] };
const violation = { code: 'card', message: 'contains a card' };
const CANARY = 'canary-4111';
const throws = (): never => {
  throw new Error(CANARY);
};
const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}0${']'.repeat(depth)}`);
const withDetails = (details: unknown): unknown => ({ ...clear, details });
const withViolation = (fields: object): unknown => ({ ...clear, violations: [{ ...violation, ...fields }] });

/** Lists that hold themselves ten times over: depth alone does not end them. */
const bush: unknown[] = [];
bush.push(...Array.from({ length: 10 }, () => bush));

class Verdict {
  severity = 0;
  violations = [];
}

/** Whose traps throw, and whose thrown value is as hostile. */
const trap = (): never => {
  throw new Proxy({}, { get: throws, getPrototypeOf: throws });
};

const NOT_A_FINDING: Readonly<Record<string, () => unknown>> = {
  ...HOSTILE_RETURNS,
  'a boolean': () => true,
  'a promise': () => Promise.resolve(clear),
  'a class instance': () => new Verdict(),
  'a finding by inheritance': () => Object.create(clear) as unknown,
  'a boxed number': () => ({ ...clear, severity: Object(0.5) as unknown }),
  'a date in details': () => withDetails(new Date(0)),
  'a buffer in details': () => withDetails(Buffer.from(CANARY)),
  'a function in details': () => withDetails({ [CANARY]: throws }),
  'a symbol in details': () => withDetails([Symbol(CANARY)]),
  'a hole in a list': () => withDetails(Array(3)),
  'a list without end': () => withDetails(new Proxy([], { get: (_, name) => (name === 'length' ? Infinity : 0) })),
  'a bush of lists': () => withDetails(bush),
  'nesting of 65 levels': () => withDetails(nested(65)),
  'a throwing getter in a violation': () => ({
    ...clear,
    violations: [
      {
        code: 'x',
        get message() {
          return throws();
        },
      },
    ],
  }),
  'a proxy with throwing traps': () => new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap, has: trap }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'a proxy in details': () => withDetails(new Proxy({}, { ownKeys: trap })),
  'a list proxy of hostile length': () => withDetails(new Proxy([], { get: (_, name) => (name === 'length' ? { valueOf: throws } : 0) })),
  'toJSON in details': () => withDetails({ toJSON: () => 'allow' }),
  'an own __proto__': () => JSON.parse('{"severity":0,"violations":[],"__proto__":{"severity":1}}') as unknown,
  'an own constructor': () => ({ ...clear, constructor: 1 }),
  'an own prototype in details': () => withDetails({ a: [{ prototype: 1 }] }),
  'no severity': () => ({ violations: [] }),
  'no violations': () => ({ severity: 0 }),
  'severity null': () => ({ ...clear, severity: null }),
  'severity true': () => ({ ...clear, severity: true }),
  'severity below 0': () => ({ ...clear, severity: -0.01 }),
  'severity 1e400': () => JSON.parse('{"severity":1e400,"violations":[]}') as unknown,
  'uncertainty above 1': () => ({ ...clear, uncertainty: 1.01 }),
  'a score of NaN': () => ({ ...clear, score: NaN }),
  'a value as a text': () => ({ ...clear, value: '1' }),
  'violations as an object': () => ({ ...clear, violations: { 0: violation } }),
  'a violation as a text': () => ({ ...clear, violations: [CANARY] }),
  '101 violations': () => ({ ...clear, violations: Array.from({ length: 101 }, () => violation) }),
  'a message of 501 characters': () => withViolation({ message: 'x'.repeat(501) }),
  'a code with a space': () => withViolation({ code: CANARY.replace('-', ' ') }),
  'a code of 65 characters': () => withViolation({ code: 'x'.repeat(65) }),
  'an empty code': () => withViolation({ code: '' }),
  'a span that ends before it starts': () => withViolation({ span: { start: 2, end: 1 } }),
  'a span below 0': () => withViolation({ span: { start: -1, end: 1 } }),
  'a span between characters': () => withViolation({ span: { start: 0.5, end: 1 } }),
  'evidence as a text': () => ({ ...clear, evidence: CANARY }),
  'evidence of numbers': () => ({ ...clear, evidence: [1] }),
  'a negative cost': () => ({ ...clear, cost: { usd: -1 } }),
  'a cost of more than a million': () => ({ ...clear, cost: { usd: 1_000_000.01 } }),
  'a cost of 1.7e308': () => ({ ...clear, cost: { usd: 1.7e308 } }),
  'more than a million million tokens': () => ({ ...clear, cost: { outputTokens: 1e12 + 1 } }),
  'tokens as a text': () => ({ ...clear, cost: { inputTokens: '7' } }),
  'details of 8 KB and a byte': () => withDetails('x'.repeat(8_191)),
  'evidence of 17 KB': () => ({ ...clear, evidence: ['x'.repeat(17_000)] }),
};

describe('cleanFinding refuses', () => {
  // `to_json` is a finding of severity 0.9 with a method that says otherwise: kept as what it is, see below.
  const refused = Object.entries(NOT_A_FINDING).filter(([name]) => name !== 'to_json');

  it.each(refused)('%s, in one sentence without content', (_name, make) => {
    const cleaned = cleanFinding(make());
    expect(cleaned).toEqual({
      ok: false,
      code: expect.stringMatching(/^(NOT_A_FINDING|FINDING_TOO_LARGE)$/),
      message: expect.stringMatching(/^the finding/),
    });
    const text = JSON.stringify(cleaned);
    expect(text).not.toContain(CANARY);
    expect(text.length).toBeLessThan(300);
  });

  it('what is too large as FINDING_TOO_LARGE', () => {
    for (const name of ['huge', 'a list without end', 'details of 8 KB and a byte', 'evidence of 17 KB']) {
      const cleaned = cleanFinding(NOT_A_FINDING[name]?.());
      expect(cleaned, name).toMatchObject({ code: 'FINDING_TOO_LARGE' });
    }
  });

  it('with the place and the rule, as far as the names are its own', () => {
    const messageOf = (value: unknown): string | false => {
      const cleaned = cleanFinding(value);
      return !cleaned.ok && cleaned.message;
    };
    expect(messageOf(withViolation({ severity: '0.9' }))).toBe("the finding's violations/0/severity must be a number from 0 to 1");
    expect(messageOf(withDetails({ [CANARY]: 1n }))).toBe("the finding's details is of type bigint, which JSON does not have");
    expect(messageOf(HOSTILE_RETURNS.throwing_getter?.())).toBe("the finding's severity could not be read: reading it threw an error");
    expect(messageOf([])).toBe('the finding must be an object, is a list');
  });

  it("what breaks the critic's own schema, or makes it throw, without that schema's words", () => {
    const words = z.looseObject({ score: z.number({ error: (issue) => `${CANARY} ${String(issue.input)}` }) });
    expect(cleanFinding(clear, words)).toEqual({
      ok: false,
      code: 'NOT_A_FINDING',
      message: "the finding's score breaks the critic's own output schema",
    });
    expect(cleanFinding(clear, z.custom(throws))).toMatchObject({ ok: false });
    expect(
      cleanFinding(
        clear,
        z.custom(async () => true).refine(async () => true),
      ),
    ).toMatchObject({ ok: false });
  });
});

describe('cleanFinding keeps', () => {
  const full = {
    severity: 0.9,
    violations: [{ ...violation, severity: 1, span: { path: '/output', start: 0, end: 4 } }],
    score: -3,
    value: 1e6,
    uncertainty: 0.25,
    evidence: ['a quote'],
    cost: { usd: 0.01, inputTokens: 10, outputTokens: 2 },
    details: { model: 'm', nested: [null, true, 1.5, 'text'] },
  };

  it('a finding with every field, as a new object', () => {
    const cleaned = cleanFinding(full);
    expect(cleaned).toEqual({ ok: true, finding: full });
    expect(cleaned.ok && cleaned.finding).not.toBe(full);
  });

  it('a finding beside fields that are not known, whatever is in them', () => {
    const cycle: Record<string, unknown> = {
      ...full,
      model: 'm',
      raw: throws,
      big: 'x'.repeat(1_000_000),
      violations: [{ ...violation, rule: 7 }],
    };
    cycle.self = cycle;
    Object.defineProperty(cycle, 'trap', { enumerable: true, get: throws });
    expect(cleanFinding(cycle)).toEqual({ ok: true, finding: { ...full, violations: [violation] } });
  });

  it('what the fields say when toJSON would say something else', () => {
    expect(cleanFinding({ severity: 0.9, violations: [], toJSON: () => clear })).toEqual({
      ok: true,
      finding: { severity: 0.9, violations: [] },
    });
  });

  it('the first answer of a getter that changes its mind', () => {
    let reads = 0;
    const fickle = {
      violations: [],
      get severity() {
        return reads++ === 0 ? 0.9 : 0;
      },
    };
    expect(cleanFinding(fickle)).toEqual({ ok: true, finding: { severity: 0.9, violations: [] } });
    expect(reads).toBe(1);
  });

  it('plain objects without a prototype and from another realm', () => {
    expect(cleanFinding(Object.assign(Object.create(null), clear))).toEqual({ ok: true, finding: clear });
    expect(cleanFinding(runInNewContext('({ severity: 0, violations: [] })'))).toEqual({ ok: true, finding: clear });
  });

  it('fields without a value as absent, and -0 as 0', () => {
    const cleaned = cleanFinding({ ...clear, severity: -0, score: undefined, details: { a: undefined } });
    expect(cleaned).toEqual({ ok: true, finding: { ...clear, details: {} } });
    expect(cleaned.ok && Object.is(cleaned.finding.severity, 0)).toBe(true);
  });

  it('a text with half of a surrogate pair, mended', () => {
    expect(cleanFinding({ ...clear, evidence: ['cut \ud83d'] })).toEqual({ ok: true, finding: { ...clear, evidence: ['cut \ufffd'] } });
  });

  it('everything at its limit', () => {
    expect(cleanFinding({ ...clear, violations: Array.from({ length: 100 }, () => violation) }).ok).toBe(true);
    expect(cleanFinding(withViolation({ code: 'x'.repeat(64), message: 'x'.repeat(500), span: { start: 3, end: 3 } })).ok).toBe(true);
    expect(cleanFinding(withDetails('x'.repeat(8_190))).ok).toBe(true);
    expect(cleanFinding(withDetails(nested(64))).ok).toBe(true);
    const frame = JSON.stringify({ ...clear, evidence: [''] }).length;
    expect(cleanFinding({ ...clear, evidence: ['x'.repeat(MAX_FINDING_BYTES - frame)] }).ok).toBe(true);
    expect(cleanFinding({ ...clear, evidence: ['x'.repeat(MAX_FINDING_BYTES - frame + 1)] })).toMatchObject({ code: 'FINDING_TOO_LARGE' });
    expect(cleanFinding({ ...clear, evidence: ['ü'.repeat(8_190)] })).toMatchObject({ code: 'FINDING_TOO_LARGE' });
  });
});
