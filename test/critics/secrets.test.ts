import { describe, expect, it } from 'vitest';
import { secrets } from '../../src/critics/secrets.js';
import { conformance, expectClean, inputFor, toolsFor } from './conformance.js';

conformance(secrets, {
  good: {},
  telling: { content: { output: `Use ghp_${'a1B2'.repeat(9)} for it.` }, secret: 'a1B2' },
});

describe('secrets', () => {
  // Each of these made an earlier or a naive form try every length from every place.
  it.each([
    ['begin marks without an end', '-----BEGIN RSA PRIVATE KEY-----\n'],
    ['beginnings of tokens', 'eyJhbGciOiJ-'],
    ['halves of tokens', 'eyJhbGciOiJ.'],
    ['schemes', 'postgres://a:b'],
    ['assignments without an end', 'password="'],
    ['characters of a key', 'A'],
  ])('judges 256 KB of %s in time linear to its length', async (_what, text) => {
    const judged = async (chars: number): Promise<number> => {
      const content = text.repeat(Math.ceil(chars / text.length));
      const startMs = performance.now();
      expectClean(await secrets.evaluate(inputFor(content), toolsFor({})));
      return performance.now() - startMs;
    };
    await judged(16_384);
    const shortMs = await judged(16_384);
    // Sixteen times the text; quadratic time would be 256 times as long.
    expect(await judged(262_144)).toBeLessThan(Math.max(100 * shortMs, 500));
  });
});
