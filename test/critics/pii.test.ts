import { describe, expect, it } from 'vitest';
import { isCard, ibanAt } from '../../src/critics/pii-checks.js';
import { pii } from '../../src/critics/pii.js';
import { conformance, expectClean, inputFor, optionsOf, toolsFor } from './conformance.js';

conformance(pii, {
  good: { region: 'US', types: ['credit_card', 'email'], severities: { email: 0.1 } },
  telling: { content: 'Write to jane.roe@example.com.', secret: 'jane' },
});

describe('pii', () => {
  it('refuses a type that it does not know', () => {
    expect(pii.options?.safeParse({ types: ['shoe_size'] }).success).toBe(false);
    expect(pii.options?.safeParse({ severities: { shoe_size: 1 } }).success).toBe(false);
  });

  it('looks for the named types only, with the severities of the plan', async () => {
    const options = optionsOf(pii, { types: ['email'], severities: { email: 1 } });
    const finding = expectClean(await pii.evaluate(inputFor('jane@example.com 4111 1111 1111 1111'), toolsFor(options)));
    expect(finding.violations.map(({ code, severity }) => [code, severity])).toEqual([['email', 1]]);
    expect(finding.severity).toBe(1);
  });

  it('knows a card by its network, its length and its check digit', () => {
    expect(isCard('4111 1111 1111 1111')).toBe(true);
    expect(isCard('3782-822463-10005')).toBe(true);
    expect(isCard('4111 1111 1111 1112')).toBe(false);
    expect(isCard('9111 1111 1111 1111')).toBe(false);
  });

  it('knows an IBAN by the length of its country and its check digits', () => {
    expect(ibanAt('DE89 3704 0044 0532 0130 00 AND')).toBe(27);
    expect(ibanAt('DE89370400440532013001')).toBeUndefined();
    expect(ibanAt('DE8937040044053201300')).toBeUndefined();
    expect(ibanAt('ZZ89370400440532013000')).toBeUndefined();
  });
});
