import { describe, expect, it } from 'vitest';
import { conditionBindings, seenValues, type CelBindings } from '../../src/domain/cel.js';
import type { CriticRecord } from '../../src/domain/outcomes.js';

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

describe('conditionBindings', () => {
  it('keeps the order of the records, and only succeeded critics as findings', () => {
    const values = bindings({}, [record('b'), record('x', { outcome: 'invalid_output' }), record('a')]);
    expect(values.findings?.map((finding) => finding.name)).toEqual(['b', 'a']);
    expect(values.critics).toEqual({
      b: { outcome: 'succeeded', name: 'b', stage: 'fast_critics', severity: 0, violations: [] },
      x: { outcome: 'invalid_output' },
      a: { outcome: 'succeeded', name: 'a', stage: 'fast_critics', severity: 0, violations: [] },
    });
  });

  it('hands on declared fields only', () => {
    const finding = {
      severity: 0.5,
      violations: [],
      score: 1,
      value: 2,
      uncertainty: 0.1,
      evidence: ['quoted'],
      details: 'free',
      cost: { usd: 1 },
    };
    const values = bindings({}, [record('a', { finding })]);
    expect(values.findings).toEqual([
      { name: 'a', stage: 'fast_critics', severity: 0.5, violations: [], score: 1, value: 2, uncertainty: 0.1 },
    ]);
  });
});

describe('seenValues', () => {
  const context = { a: { b: 'x' }, long: 'y'.repeat(300), pair: `${'z'.repeat(199)}😀tail`, on: false, none: null };
  const values = bindings(context, [record('pii', { finding: { severity: 0.4, violations: [] } })]);

  it('shows scalars, and lists as their length', () => {
    const paths = ['context.a.b', 'context.on', 'critics.pii.severity', 'critics.pii.violations', 'findings', 'request.size'];
    expect(seenValues(paths, values)).toEqual({
      'context.a.b': 'x',
      'context.on': false,
      'critics.pii.severity': 0.4,
      'critics.pii.violations.size()': 0,
      'findings.size()': 1,
      'request.size': 512,
    });
  });

  it('leaves out what is absent, null, an object or inherited', () => {
    const paths = ['context.a', 'context.none', 'context.gone.b', 'context.a.constructor', 'critics.other.score', 'context.__proto__'];
    expect(seenValues(paths, values)).toEqual({});
  });

  it('cuts long texts to 200 characters, never through a character', () => {
    const seen = seenValues(['context.long', 'context.pair'], values);
    expect(seen['context.long']).toHaveLength(200);
    expect(seen['context.pair']).toBe('z'.repeat(199));
  });
});
