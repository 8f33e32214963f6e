import fc from 'fast-check';
import validator from 'validator';
import { describe, expect, it, vi } from 'vitest';
import { ibanAt, isCard } from '../../src/critics/pii/checks.js';
import { plainOf } from '../../src/critics/pii/plain.js';
import { pii } from '../../src/critics/pii.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { conformance, expectClean, inputFor, optionsOf, toolsFor } from './conformance.js';

conformance(pii, {
  good: { region: 'US', types: ['credit_card', 'email'], severities: { email: 0.1 } },
  telling: { content: 'Write to jane.roe@example.com.', secret: 'jane' },
});

const judge = async (content: Json, options: Json = {}): Promise<Finding> =>
  expectClean(await pii.evaluate(inputFor(content), toolsFor(optionsOf(pii, options))));
const placesOf = ({ violations }: Finding): unknown[] => violations.map(({ code, span }) => [code, span?.start, span?.end]);

const LONG_CHARS = 262_144;
const fill = (unit: string, chars: number): string => unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars);

describe('pii', () => {
  it('refuses a type and a region that it does not know', () => {
    expect(pii.options?.safeParse({ types: ['shoe_size'] }).success).toBe(false);
    expect(pii.options?.safeParse({ severities: { shoe_size: 1 } }).success).toBe(false);
    expect(pii.options?.safeParse({ region: 'Utopia' }).success).toBe(false);
    expect(pii.options?.safeParse({ region: [] }).success).toBe(false);
    expect(pii.options?.safeParse({ region: ['DE', 'AT', 'CH'] }).success).toBe(true);
  });

  it('looks for the named types only, with the severities of the plan', async () => {
    const finding = await judge('jane@example.com 4111 1111 1111 1111', { types: ['email'], severities: { email: 1 } });
    expect(finding.violations.map(({ code, severity }) => [code, severity])).toEqual([['email', 1]]);
    expect(finding.severity).toBe(1);
  });

  it('knows a card by its network, its length and its check digit', () => {
    expect(isCard('4111 1111 1111 1111')).toBe(true);
    expect(isCard('3782-822463-10005')).toBe(true);
    expect(isCard('4111111111111112')).toBe(false);
    expect(isCard('9111111111111111')).toBe(false);
    expect(isCard('41111111111111')).toBe(false);
  });

  it('knows an IBAN by the length of its country and its check digits', () => {
    expect(ibanAt('DE89 3704 0044 0532 0130 00 AND')).toBe(27);
    expect(ibanAt('DE89370400440532013001')).toBeUndefined();
    expect(ibanAt('DE8937040044053201300')).toBeUndefined();
    expect(ibanAt('ZZ89370400440532013000')).toBeUndefined();
  });
});

describe('plain text', () => {
  it('has every character in its place, whatever the text', () => {
    const parts = fc.constantFrom('a', '4', '４', '٤', '𝟒', '\u200b', '\u00a0', '–', '＠', '😀', '\ud83d', '4\ufe0f\u20e3', '%40', '&#64;');
    fc.assert(
      fc.property(fc.array(parts), (some) => {
        const text = some.join('');
        const { text: plain, original } = plainOf(text);
        for (let index = 0; index < plain.length; index += 1) {
          const { start, end } = original({ start: index, end: index + 1 });
          const { text: again } = plainOf(text.slice(start, end));
          expect(again.includes(plain[index] ?? '')).toBe(true);
        }
      }),
    );
  });

  it('reads digits of any script', () => {
    expect(plainOf('０１２３４５６７８９').text).toBe('0123456789');
    expect(plainOf('٠١٢٣٤٥٦٧٨٩ ०१२३४५६७८९').text).toBe('0123456789 0123456789');
    expect(plainOf('𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗 𝟢𝟣𝟤').text).toBe('0123456789 012');
  });
});

describe('pii in long texts', () => {
  const ITEMS: Readonly<Record<string, string>> = {
    email: 'jane.roe@mail.example.org',
    iban: 'DE89 3704 0044 0532 0130 00',
    credit_card: '4111 1111 1111 1111',
    us_ssn: '123-45-6789',
    ip_address: '203.0.113.7',
    phone: '+49 30 901820',
  };

  it('is found once wherever it stands', async () => {
    const fillers = fc.constantFrom('lorem ipsum ', 'x', '\n', '😀 ');
    const placed = fc.record({ code: fc.constantFrom(...Object.keys(ITEMS)), gap: fc.integer({ min: 1, max: 5_000 }) });
    await fc.assert(
      fc.asyncProperty(fillers, fc.array(placed, { minLength: 5, maxLength: 12 }), async (filler, some) => {
        let text = '';
        const expected: unknown[] = [];
        for (const { code, gap } of some) {
          text += `${fill(filler, gap)} | `;
          expected.push([code, text.length, text.length + (ITEMS[code] ?? '').length]);
          text += `${ITEMS[code]} |`;
        }
        expect(placesOf(await judge(text))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it.each(Object.entries(ITEMS))('%s is found once at every place around the end of the first piece', async (code, item) => {
    for (let before = 4_060; before <= 4_110; before += 1) {
      const finding = await judge(`${fill('lorem ipsum ', before)} ${item} ${fill('lorem ipsum ', 6_000)}`);
      expect(placesOf(finding)).toEqual([[code, before + 1, before + 1 + item.length]]);
    }
  });

  it.each([
    ['digits', '1234567890'],
    ['single digits', '4 1 1 1 1 1 '],
    ['groups of four', '4111 '],
    ['cards with right and wrong check digits', '4111111111111111 4111111111111112 '],
    ['addresses without an end', 'a@'],
    ['plus signs', '+1 '],
    ['phone numbers', '+49 30 901820 '],
    ['grouped numbers', '415 555 26 71-'],
    ['IBANs', 'DE89370400440532013000 '],
    ['beginnings of IBANs', 'DE89 '],
    ['one letter', 'A'],
    ['spaces', ' '],
    ['emoji', '😀'],
    ['wide digits', '４１１１'],
    ['hidden characters', '4\u200b'],
  ])('judges 256 KB of %s, and turns to other work meanwhile', async (_what, unit) => {
    let heartbeats = 0;
    const options = optionsOf(pii, {});
    expectClean(await pii.evaluate(inputFor(fill(unit, LONG_CHARS)), toolsFor(options, { heartbeat: () => void (heartbeats += 1) })));
    expect(heartbeats).toBeGreaterThanOrEqual(Math.floor(LONG_CHARS / 4_096));
  });

  it.each(['4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1, ', '4111 ', '4111111111111111 4111111111111112 ', '4111-1111-1111-1111-'])(
    'computes no more check digits than grow with the text, for a row of "%s"',
    async (unit) => {
      const counted = async (chars: number): Promise<number> => {
        const luhn = vi.spyOn(validator, 'isLuhnNumber');
        await judge(fill(unit, chars));
        const { length } = luhn.mock.calls;
        luhn.mockRestore();
        return length;
      };
      const short = await counted(LONG_CHARS / 8);
      expect(short).toBeGreaterThan(0);
      // The surroundings of pieces are judged twice, in the longer text by more pieces.
      expect(await counted(LONG_CHARS)).toBeLessThanOrEqual(short * 8 * 1.3);
    },
  );
});
