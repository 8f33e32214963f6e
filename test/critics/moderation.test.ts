import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CriticTools } from '../../src/critics/critic.js';
import { makeGuardedFetch } from '../../src/critics/network/guarded-fetch.js';
import { codeOf, uncertaintyOf } from '../../src/critics/moderation/answer.js';
import { moderation, type ModerationOptions } from '../../src/critics/moderation.js';
import { PROVIDER_FAILURES } from '../../src/critics/network/provider-failure.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { CANARY, MOVES, rowPlayedBy, startFakeProvider, type FakeProvider, type Move } from '../support/fake-provider.js';
import { conformance, expectClean, inputFor, optionsOf, thrownBy, toolsFor } from './conformance.js';

/** What the endpoint answers next; `undefined`: nothing is wrong with any input. */
let results: Json | undefined;
let provider: FakeProvider;
let guarded: typeof fetch;
const CALM = { flagged: false, categories: { violence: false }, category_scores: { violence: 0.01 } };

beforeAll(async () => {
  provider = await startFakeProvider({
    moderation: ({ body }) => {
      const { input } = body as { input: string | string[] };
      return { id: 'modr-1', model: 'fake', results: results ?? (Array.isArray(input) ? input : [input]).map(() => CALM) };
    },
  });
  guarded = makeGuardedFetch({ hosts: [provider.host] });
});
afterAll(() => provider.close());

const optionsFor = (more: Record<string, Json> = {}, move = 'ok'): ModerationOptions =>
  optionsOf(moderation, { url: `${provider.url}/${move}/v1/moderations`, ...more });

async function judge(
  content: Json,
  more: Record<string, Json> = {},
  answer?: Json,
  tools: Partial<CriticTools<ModerationOptions>> = {},
): Promise<Finding> {
  results = answer;
  try {
    return expectClean(await moderation.evaluate(inputFor(content), toolsFor(optionsFor(more), { fetch: guarded, ...tools })));
  } finally {
    results = undefined;
  }
}

const scored = (scores: Record<string, number>, more: Record<string, Json> = {}): Json => [
  { flagged: false, categories: Object.fromEntries(Object.keys(scores).map((name) => [name, false])), category_scores: scores, ...more },
];
const lastBody = (): unknown => provider.requests.at(-1)?.body;

conformance(moderation, {
  good: { thresholds: { 'self-harm': 0.5, '*': 0.7 } },
  options: () => ({ ...optionsFor(), url: `${provider.url}/v1/moderations` }),
});

describe('moderation', () => {
  it('asks by default the endpoint that everybody copies, with its model', () => {
    expect(optionsOf(moderation, {})).toMatchObject({ url: 'https://api.openai.com/v1/moderations', model: 'omni-moderation-latest' });
  });

  it('sends model and text, its key as Bearer and the idempotency key', async () => {
    await judge('Hello.', { model: 'm-1', secret: 'OPENAI' }, undefined, { secret: (name) => (name === 'OPENAI' ? 'sk-1' : undefined) });
    expect(lastBody()).toEqual({ model: 'm-1', input: 'Hello.' });
    expect(provider.requests.at(-1)?.headers).toMatchObject({ authorization: 'Bearer sk-1', 'idempotency-key': 'key-1' });
  });

  it('without its secret is a permanent error which names it, and nothing is sent', async () => {
    const before = provider.requests.length;
    expect(await thrownBy(judge('Hello.', { secret: 'OPENAI' }))).toMatchObject({ kind: 'permanent', code: 'HTTP_SECRET' });
    expect(provider.requests).toHaveLength(before);
  });

  it('takes a score for a violation from its threshold on, that of its category before that of all others', async () => {
    const answer = scored({ 'self-harm': 0.5, hate: 0.69, 'violence/graphic': 0.7 });
    const finding = await judge('x', { thresholds: { 'self-harm': 0.5, '*': 0.7 } }, answer);
    expect(finding.violations.map(({ code, severity }) => [code, severity])).toEqual([
      ['self-harm', 0.5],
      ['violence_graphic', 0.7],
    ]);
    expect(finding).toMatchObject({
      severity: 0.7,
      details: {
        scores: [
          { category: 'violence_graphic', score: 0.7 },
          { category: 'hate', score: 0.69 },
          { category: 'self-harm', score: 0.5 },
        ],
      },
    });
  });

  it("takes the plan's threshold instead of the endpoint's word, and its word where the plan has none", async () => {
    const categories = { hate: true, violence: true };
    const answer = scored({ hate: 0.4, violence: 0.4 }, { flagged: true, categories });
    const finding = await judge('x', { thresholds: { hate: 0.9 } }, answer);
    expect(finding.violations.map(({ code }) => code)).toEqual(['violence']);
  });

  it('keeps categories that it has never heard of', async () => {
    const answer = scored({ 'brand new/category': 0.9, constructor: 0.95 });
    const finding = await judge('x', { thresholds: { '*': 0.5 } }, answer);
    expect(finding.violations.map(({ code }) => code)).toEqual(['brand_new_category', 'constructor']);
  });

  it.each([
    ['a word for each category', { flagged: true, categories: { hate: true, violence: false } }, 'hate'],
    ['one word for all', { flagged: true }, 'flagged'],
    ['a word for all beside categories that it does not flag', { flagged: true, categories: { hate: false } }, 'flagged'],
  ])('takes %s without scores for the worst', async (_what, answer, code) => {
    const finding = await judge('x', { thresholds: { '*': 0.9 } }, [answer]);
    expect(finding).toMatchObject({ severity: 1, violations: [{ code, severity: 1 }] });
    expect(finding.uncertainty).toBeUndefined();
  });

  it.each<[string, Record<string, number>, Json]>([
    ['without thresholds', {}, { flagged: true, category_scores: { hate: 0.4 } }],
    ['beside categories that it does not flag', {}, { flagged: true, categories: { hate: false }, category_scores: { hate: 0.4 } }],
    ['beside categories that are null', {}, { flagged: true, categories: { hate: null }, category_scores: { hate: null } }],
    [
      'beside a category without a score',
      { '*': 0.5 },
      { flagged: true, categories: { hate: false, violence: false }, category_scores: { hate: null, violence: 0.1 } },
    ],
    [
      'beside a category that has no score at all',
      { '*': 0.5 },
      { flagged: true, categories: { hate: false, violence: false }, category_scores: { violence: 0.1 } },
    ],
    ['with a score that no threshold covers', { violence: 0.5 }, { flagged: true, category_scores: { hate: 0.4, violence: 0.01 } }],
  ])('never takes a flag for nothing: %s', async (_what, thresholds, answer) => {
    const finding = await judge('x', { thresholds }, [answer]);
    expect(finding).toMatchObject({ severity: 1, violations: [{ code: 'flagged', severity: 1 }] });
  });

  it.each<[string, Record<string, number>, Json]>([
    ['every score has a threshold', { '*': 0.9 }, { flagged: true, category_scores: { hate: 0.4, violence: 0.01 } }],
    [
      'what it flags by name has one',
      { hate: 0.9 },
      { flagged: true, categories: { hate: true, violence: false }, category_scores: { hate: 0.4, violence: 0.01 } },
    ],
  ])("takes the plan's word for a flag where %s", async (_what, thresholds, answer) => {
    expect(await judge('x', { thresholds }, [answer])).toMatchObject({ severity: 0.4, violations: [] });
  });

  it('takes a category that is flagged beside a score of null for a violation', async () => {
    const finding = await judge('x', { thresholds: { '*': 0.9 } }, [
      { categories: { hate: true }, category_scores: { hate: null, a: 0.1 } },
    ]);
    expect(finding).toMatchObject({ severity: 1, violations: [{ code: 'hate', severity: 1 }] });
  });

  it.each<[string, Json]>([
    ['no score but null', { category_scores: { hate: null } }],
    ['no score and no word but null', { categories: { hate: null }, category_scores: {} }],
    ['no flag and not a single score', { flagged: false }],
    ['no flag and no score but null', { flagged: false, category_scores: { hate: null } }],
    ['words alone', { flagged: false, categories: { hate: false } }],
  ])('refuses an answer with %s where the plan has a threshold for all', async (_what, answer) => {
    const thrown = await thrownBy(judge('x', { thresholds: { '*': 0.1 } }, [answer]));
    expect(thrown).toMatchObject({ kind: 'invalid_output', code: 'HTTP_SCHEMA', extra: { maxAttempts: 1 } });
  });

  it('finds nothing where nothing is flagged', async () => {
    expect(await judge('x', {}, [{ flagged: false }])).toMatchObject({ severity: 0, violations: [] });
  });

  it('is as unsure as the nearest threshold is near', async () => {
    const of = async (scores: Record<string, number>): Promise<number | undefined> =>
      (await judge('x', { thresholds: { '*': 0.5 } }, scored(scores))).uncertainty;
    expect(await of({ a: 0.01 })).toBeCloseTo(0.02);
    expect(await of({ a: 0.01, b: 0.49 })).toBeCloseTo(0.98);
    expect(await of({ a: 0.5 })).toBe(1);
    expect(await of({ a: 1, b: 0.49 })).toBe(0);
    expect(await of({ a: 0.75, b: 0.6 })).toBeCloseTo(0.5);
  });

  it('has an uncertainty from 0 to 1 at the ends of scores and thresholds', () => {
    for (const score of [0, 0.5, 1])
      for (const limit of [0, 0.5, 1]) {
        const one = uncertaintyOf([{ score, limit }]);
        expect(one).toBeGreaterThanOrEqual(0);
        expect(one).toBeLessThanOrEqual(1);
      }
    expect(uncertaintyOf([])).toBeUndefined();
  });

  it('judges each text of a structure and says where it stands', async () => {
    const bad = { flagged: true, categories: { hate: true }, category_scores: { hate: 0.9 } };
    const finding = await judge({ input: 'fine', turns: ['also fine', { text: 'bad' }], n: 5, blank: ' ' }, {}, [CALM, CALM, bad, CALM]);
    expect(lastBody()).toMatchObject({ input: ['fine', 'also fine', 'bad', '5'] });
    expect(finding.violations).toEqual([
      { code: 'hate', message: 'hate with a score of 0.90', severity: 0.9, span: { path: '/turns/1/text', start: 0, end: 3 } },
    ]);
  });

  it('sends all texts as one where the plan says so, and where there are too many', async () => {
    const bad = [{ flagged: true, categories: { hate: true }, category_scores: { hate: 0.9 } }];
    const finding = await judge({ a: 'one', b: 'two' }, { texts: 'joined' }, bad);
    expect(lastBody()).toMatchObject({ input: 'one\n\ntwo' });
    expect(finding.violations[0]?.span).toBeUndefined();
    expect(
      (
        await judge(
          Array.from({ length: 101 }, (_, index) => `text ${index}`),
          {},
          bad,
        )
      ).violations,
    ).toHaveLength(1);
    expect(lastBody()).toMatchObject({ input: expect.stringContaining('text 0\n\ntext 1\n\n') });
  });

  it('sends a long text in pieces that cover it', async () => {
    const text = 'All work and no play makes Jack a dull boy. '.repeat(2_000);
    await judge(text);
    const { input } = lastBody() as { input: string[] };
    expect(input.length).toBeGreaterThan(1);
    for (const piece of input) expect(text).toContain(piece);
    expect(text.startsWith(input[0] ?? '?') && text.endsWith(input.at(-1) ?? '?')).toBe(true);
    expect(input.join('').length).toBeGreaterThanOrEqual(text.length);
  });

  it('asks nobody about content without a text', async () => {
    const before = provider.requests.length;
    for (const content of ['', ' \n', {}, [], { a: null, b: '' }]) expect(await judge(content)).toEqual({ severity: 0, violations: [] });
    expect(provider.requests).toHaveLength(before);
  });

  it.each<[string, Json]>([
    ['no results', []],
    ['more results than texts', [CALM, CALM, CALM]],
    ['fewer results than texts', [CALM]],
    ['a result that says nothing', [CALM, {}]],
    ['a result without a single category', [CALM, { categories: {}, category_scores: {} }]],
    ['a fault beside what it says', [CALM, { ...CALM, error: 'time is up' }]],
    ['a score that is a text', [CALM, { flagged: false, category_scores: { violence: '0.9' } }]],
    ['a score above 1', [CALM, { flagged: false, category_scores: { violence: 90 } }]],
    ['a flag that is a text', [CALM, { ...CALM, flagged: 'false' }]],
    ['no word about a category that the plan has a threshold for', [CALM, { flagged: false, category_scores: { hate: 0.1 } }]],
    ['null for a category that the plan has a threshold for', [CALM, { ...CALM, categories: {}, category_scores: { violence: null } }]],
  ])('refuses an answer with %s, and does not ask again', async (_what, answer) => {
    expect(await thrownBy(judge(['x', 'y'], { thresholds: { violence: 0.5 } }, answer))).toMatchObject({
      kind: 'invalid_output',
      code: 'HTTP_SCHEMA',
      extra: { maxAttempts: 1 },
    });
  });

  const ending = (Object.keys(MOVES) as Move[]).filter((move) => {
    const row = rowPlayedBy(move);
    return row !== undefined && row !== 'slow_drip' && row !== 'declined' && row !== 'cut_off';
  });
  it.each(ending)('meets %s as the table says', async (move) => {
    const row = PROVIDER_FAILURES[rowPlayedBy(move) ?? 'page'];
    const thrown = await thrownBy(Promise.resolve(moderation.evaluate(inputFor('x'), toolsFor(optionsFor({}, move), { fetch: guarded }))));
    expect(thrown).toMatchObject({ kind: row.kind });
    expect(String(thrown)).not.toContain(CANARY);
  });

  it.each([
    [{ thresholds: { hate: 1.5 } }, 'must be a number from 0 to 1'],
    [{ thresholds: { hate: '0.5' } }, 'must be a number from 0 to 1'],
    [{ url: '/v1/moderations' }, 'is not an absolute URL'],
    [{ secret: 'sk-live-1234' }, 'must be the name of a secret'],
  ])('refuses the options %j', (written, message) => {
    expect(moderation.options?.safeParse(written).error?.issues[0]?.message).toContain(message);
  });
});

describe('the code of a category', () => {
  it.each([
    ['self-harm/intent', 'self-harm_intent'],
    ['S1: hate', 'S1:_hate'],
    ['暴力', '__'],
    ['', 'unnamed'],
    ['x'.repeat(80), 'x'.repeat(64)],
  ])('%j is %j', (category, code) => {
    expect(codeOf(category)).toBe(code);
  });
});
