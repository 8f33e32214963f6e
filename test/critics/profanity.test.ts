import { describe, expect, it } from 'vitest';
import { profanity } from '../../src/critics/profanity.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { conformance, expectClean, inputFor, optionsOf, toolsFor } from './conformance.js';

conformance(profanity, {
  good: { words: [{ word: 'frobnicate', severity: 0.3 }] },
  telling: { content: 'Please frobnicate it, you bastard.', secret: 'frobnicate' },
});

const judge = async (options: Json, content: Json): Promise<Finding> =>
  expectClean(await profanity.evaluate(inputFor(content), toolsFor(optionsOf(profanity, options))));

describe('profanity', () => {
  it('finds each word once, wherever it stands in a long text', async () => {
    for (const before of [0, 8_100, 8_190, 8_192, 16_380, 50_000]) {
      const text = `${'so '.repeat(before / 3)}f u c k and ${'so '.repeat(20_000)}`;
      const { violations } = await judge({}, text);
      expect(violations.map(({ span }) => text.slice(span?.start, span?.end))).toEqual(['f u c k']);
    }
  });

  it('points at the word in the original text, in UTF-16 units', async () => {
    const text = '😀 ｆ\u200bｕｃｋ 😀';
    const { violations } = await judge({}, text);
    expect(violations.map(({ span }) => text.slice(span?.start, span?.end))).toEqual(['ｆ\u200bｕｃｋ']);
  });

  it('takes the severity of a class from the plan', async () => {
    expect(await judge({ severities: { mild: 0.9 } }, 'a bastard')).toMatchObject({ severity: 0.9 });
  });

  it('never reports a class that the plan leaves out', async () => {
    expect((await judge({ classes: ['slur'] }, 'a bastard, a slut and a shit')).violations).toEqual([]);
  });

  it('finds in a short text what it finds in a long one', async () => {
    const texts = ['f u c k', 'b@st4rd', '$h!t', 'ＦＵＣＫ', 'niiiggger', 'bitch', 'a55', 'fu\u200bck', 'pass it', 'so', 'n12345'];
    const found = async (padding: string): Promise<number[]> => {
      const findings = await Promise.all(texts.map(async (text) => judge({}, `${text}${padding}`)));
      return findings.map(({ violations }) => violations.length);
    };
    expect(await found('')).toEqual(await found(` ${'so '.repeat(40)}`));
    expect(await found('')).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
  });

  it('refuses a class that there is not', () => {
    expect(profanity.options?.safeParse({ classes: ['rude'] }).success).toBe(false);
  });
});
