/** Quotes that a judge copied, looked up in what it judged. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findingOf } from '../../src/critics/llm-judge/answer.js';
import { LOOKED_THROUGH_PER_TURN, makeQuoteFinder, type MetQuote } from '../../src/critics/llm-judge/quotes.js';
import type { Json } from '../../src/domain/finding.js';

const met = (content: Json, quote: string): Promise<MetQuote> => makeQuoteFinder(content, async () => undefined)(quote);

/** Few characters, so that parts repeat and nearly fit. */
const text = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'ab', '“', '…', ' ', '\n', '\u200b', '😀'), maxLength });

describe('a quote', () => {
  it('of any length that is in the content is met where it first stands', async () => {
    await fc.assert(
      fc.asyncProperty(text(900), fc.nat(), fc.nat(700), async (content, from, length) => {
        const start = from % (content.length + 1);
        const quote = content.slice(start, start + length);
        fc.pre(quote.trim() !== '');
        const first = content.indexOf(quote);
        expect(await met(content, quote)).toEqual({ occurs: true, span: { start: first, end: first + quote.length } });
      }),
    );
  });

  it('with other spaces, marks and nothing unseen is met within the content', async () => {
    await fc.assert(
      fc.asyncProperty(text(600), fc.nat(), fc.nat(600), async (content, from, length) => {
        const start = from % (content.length + 1);
        const quote = content
          .slice(start, start + length)
          .replace(/\u200b/g, '')
          .replace(/\s+/g, '  ')
          .replace(/“/g, '"')
          .replace(/…/g, '...');
        fc.pre(/[ab😀]/u.test(quote) && !/^[\udc00-\udfff]|[\ud800-\udbff]$/.test(quote));
        const { occurs, span } = await met(content, quote);
        expect(occurs).toBe(true);
        expect(span?.end ?? 1).toBeLessThanOrEqual(content.length);
      }),
    );
  });

  it('that differs in a single character is not met', async () => {
    await fc.assert(
      fc.asyncProperty(text(900), fc.nat(), async (content, at) => {
        const quote = `${content.slice(0, at % (content.length + 1))}c${content.slice(at % (content.length + 1))}`;
        expect(await met(content, quote)).toEqual({ occurs: false });
      }),
    );
  });

  it('is met in the first of several texts that hold it, short and long ones, as they are before folded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text(30), { maxLength: 20 }), fc.nat(), fc.nat(30), async (texts, which, from) => {
        const whole = texts[which % Math.max(1, texts.length)] ?? '';
        const quote = whole.slice(from % (whole.length + 1)).slice(0, 12);
        fc.pre(quote.trim() !== '');
        const first = texts.findIndex((one) => one.includes(quote));
        const start = texts[first]?.indexOf(quote) ?? 0;
        expect(await met(texts, quote)).toEqual({ occurs: true, span: { path: `/${first}`, start, end: start + quote.length } });
      }),
    );
  });

  it('with three dots is met in a text of a single character', async () => {
    expect(await met(['a', '…'], '...')).toEqual({ occurs: true, span: { path: '/1', start: 0, end: 1 } });
    expect(await met(['a', '—…'], '-...x')).toEqual({ occurs: false });
  });

  it('that is longer than any content is not looked for', async () => {
    expect(await met('a', 'a'.repeat(300_000))).toEqual({ occurs: false });
  });
});

describe('looking for quotes', () => {
  const MANY: [string, Json][] = [
    ['empty texts', Array<Json>(85_000).fill('')],
    ['texts of a character', Array<Json>(60_000).fill('a')],
    ['texts of a character that is folded', Array<Json>(50_000).fill('—')],
    ['numbers', Array<Json>(131_000).fill(0)],
    ['lists', Array<Json>(87_000).fill([])],
    ['fields', Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [index.toString(36), 0]))],
    ['spaces in one text', ' '.repeat(262_000)],
    ['characters in one text that are folded', '…'.repeat(87_000)],
  ];

  it.each(MANY)('lets others have their turn within a single quote in very many %s', async (_name, content) => {
    const steps: number[] = [];
    const find = makeQuoteFinder(content, async (chars) => void steps.push(chars));
    expect(await find('日')).toEqual({ occurs: false });
    expect(steps.length).toBeGreaterThan(5);
    expect(Math.max(...steps)).toBeLessThan(2.5 * LOOKED_THROUGH_PER_TURN);
  });

  it.each(MANY)('takes those turns while a finding is made of very many %s', async (_name, content) => {
    let beats = 0;
    const tools = { heartbeat: () => void (beats += 1) };
    const answer = { violations: [{ code: 'harm', message: 'm', quote: '日' }], severity: 1, uncertainty: 0 };
    const notes = { promptHash: '', rubricHash: '', model: '', modelReported: '' };
    expect(await findingOf(answer, { content, cost: {}, tools }, notes)).toMatchObject({ uncertainty: 1, details: { unquoted: 1 } });
    expect(beats).toBeGreaterThan(3);
  });

  it('finds all of a hundred quotes in thousands of numbers', async () => {
    const content = Array.from({ length: 10_000 }, (_, index) => 1_000_000 + index);
    const find = makeQuoteFinder(content, async () => undefined);
    for (let index = 0; index < 100; index += 1) {
      const at = (index * 97) % content.length;
      expect(await find(String(content[at]))).toEqual({ occurs: true, span: { path: `/${at}`, start: 0, end: 7 } });
    }
  });

  it('ends when it takes too long: what is not looked for counts as not found', async () => {
    const content = 'a'.repeat(250_000);
    let worked = 0;
    const find = makeQuoteFinder(content, async (chars) => void (worked += chars));
    for (let index = 0; index < 100; index += 1) await find(`b${index}`);
    expect(await find('a')).toEqual({ occurs: false });
    const before = worked;
    expect(await find('aa')).toEqual({ occurs: false });
    expect(worked).toBe(before);
  });
});
