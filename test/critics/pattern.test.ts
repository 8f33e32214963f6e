import { describe, expect, it } from 'vitest';
import { pattern } from '../../src/critics/pattern.js';
import { conformance, expectClean, inputFor, optionsOf, toolsFor } from './conformance.js';
import type { Finding, Json } from '../../src/domain/finding.js';

conformance(pattern, {
  good: {
    words: [{ word: 'forbidden', severity: 0.8 }],
    patterns: [{ re: String.raw`\bproject [a-z]+\b`, severity: 0.5, code: 'project' }],
  },
  telling: { content: 'About project thunderbird: it is forbidden.', secret: 'thunderbird' },
});

const judge = async (options: Json, content: Json): Promise<Finding> =>
  expectClean(await pattern.evaluate(inputFor(content), toolsFor(optionsOf(pattern, options))));

describe('pattern', () => {
  it('refuses a pattern that is not RE2, with its text and the reason', () => {
    const refused = pattern.options?.safeParse({ patterns: [{ re: '(?<=a)b', severity: 1, code: 'x' }] });
    expect(refused?.error?.issues[0]?.message).toMatch(/^"\(\?<=a\)b" is not a pattern in RE2 syntax: /);
  });

  it('refuses a pattern that every content would match', () => {
    const refused = pattern.options?.safeParse({ patterns: [{ re: 'a*', severity: 1, code: 'x' }] });
    expect(refused?.error?.issues[0]?.message).toBe('"a*" matches the empty text, and so every content');
  });

  it('judges a pattern that makes backtracking engines hang, on a text that makes them hang', async () => {
    const finding = await judge({ patterns: [{ re: '(a+)+b$', severity: 1, code: 'hang' }] }, `${'a'.repeat(50_000)}c`);
    expect(finding).toEqual({ severity: 0, violations: [], details: { longestMatchChars: 16_384 } });
  });

  it('lists 100 violations and counts the rest', async () => {
    const finding = await judge({ words: [{ word: 'no', severity: 0.2 }] }, 'no '.repeat(130));
    expect(finding.violations).toHaveLength(100);
    expect(finding.details).toEqual({ more: 30 });
  });

  it('lists the worst and each code, however many harmless matches come before', async () => {
    const words = [
      { word: 'no', severity: 0.2 },
      { word: 'bomb', severity: 1, code: 'weapon' },
      { word: 'hm', severity: 0.1, code: 'hesitation' },
    ];
    const finding = await judge({ words }, `${'no '.repeat(300)} hm bomb`);
    expect(finding.severity).toBe(1);
    expect(finding.violations.slice(-2).map(({ code }) => code)).toEqual(['hesitation', 'weapon']);
  });

  it('leaves out a place that is too long to tell, not the violation', async () => {
    const finding = await judge({ words: [{ word: 'no', severity: 0.2 }] }, { ['k'.repeat(5_000)]: 'no' });
    expect(finding.violations).toEqual([{ code: 'word', message: 'contains a listed word', severity: 0.2 }]);
  });

  it('gives a finding within its limit for messages and places of the greatest length', async () => {
    const patterns = Array.from({ length: 12 }, (_, index) => ({
      re: `no|n${index}`,
      severity: 0.2,
      code: `c${index}`,
      message: '🙈'.repeat(250),
    }));
    const finding = await judge({ patterns }, { ['ü'.repeat(390)]: 'no\n'.repeat(20) });
    expect(finding.violations.length).toBeGreaterThan(0);
    expect(finding.details).toEqual({ more: 240 - finding.violations.length });
  });

  it('points at the match in UTF-16 code units', async () => {
    const finding = await judge({ patterns: [{ re: 'a.b', severity: 0.2, code: 'x' }] }, '😀\na😀b\n');
    expect(finding.violations[0]?.span).toEqual({ start: 3, end: 7 });
  });
});
