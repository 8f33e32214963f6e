/** Quotes that a judge copied, looked up in what it judged. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeQuoteFinder } from '../../src/critics/llm-judge-quotes.js';

/** Few characters, so that parts repeat and nearly fit. */
const text = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'ab', '“', '…', ' ', '\n', '\u200b', '😀'), maxLength });

describe('a quote', () => {
  it('of any length that is in the content is met where it first stands', () => {
    fc.assert(
      fc.property(text(900), fc.nat(), fc.nat(700), (content, from, length) => {
        const start = from % (content.length + 1);
        const quote = content.slice(start, start + length);
        fc.pre(quote.trim() !== '');
        const first = content.indexOf(quote);
        expect(makeQuoteFinder(content)(quote)).toEqual({ occurs: true, span: { start: first, end: first + quote.length } });
      }),
    );
  });

  it('with other spaces, marks and nothing unseen is met within the content', () => {
    fc.assert(
      fc.property(text(600), fc.nat(), fc.nat(600), (content, from, length) => {
        const start = from % (content.length + 1);
        const quote = content
          .slice(start, start + length)
          .replace(/\u200b/g, '')
          .replace(/\s+/g, '  ')
          .replace(/“/g, '"')
          .replace(/…/g, '...');
        fc.pre(/[ab😀]/u.test(quote) && !/^[\udc00-\udfff]|[\ud800-\udbff]$/.test(quote));
        const { occurs, span } = makeQuoteFinder(content)(quote);
        expect(occurs).toBe(true);
        expect(span?.end ?? 1).toBeLessThanOrEqual(content.length);
      }),
    );
  });

  it('that differs in a single character is not met', () => {
    fc.assert(
      fc.property(text(900), fc.nat(), (content, at) => {
        const quote = `${content.slice(0, at % (content.length + 1))}c${content.slice(at % (content.length + 1))}`;
        expect(makeQuoteFinder(content)(quote)).toEqual({ occurs: false });
      }),
    );
  });
});
