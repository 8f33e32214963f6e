import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { structure } from '../../src/critics/structure.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { conformance, expectClean, inputFor, optionsOf, thrownBy, toolsFor } from './conformance.js';

conformance(structure, {
  good: { schema: { type: ['string', 'object'], maxLength: 100 }, maxDepth: 5 },
  telling: { content: 'hunter2'.repeat(20), secret: 'hunter2' },
});

const judge = async (options: Json, content: Json): Promise<Finding> =>
  expectClean(await structure.evaluate(inputFor(content), toolsFor(optionsOf(structure, options))));
const refusal = (options: Json): string | undefined => structure.options?.safeParse(options).error?.issues[0]?.message;
const codesOf = ({ violations }: Finding): string[] => violations.map(({ code }) => code);

describe('options of structure', () => {
  it.each<[string, Json, RegExp]>([
    ['a type that there is not', { type: 'strnig' }, /^is not a JSON Schema that can be used: .*type/],
    ['an unknown keyword', { maxLenght: 3 }, /^is not a JSON Schema that can be used: .*unknown keyword: "maxLenght"/],
    ['a reference that leads nowhere', { $ref: '#/$defs/lost' }, /can't resolve reference #\/\$defs\/lost/],
    ['a reference to another place', { $ref: 'http://127.0.0.1:1/schema.json' }, /can't resolve reference/],
    ['a pattern that RE2 cannot take', { pattern: '(?=a)b' }, /is not a pattern in RE2 syntax/],
    ['a pattern for names that RE2 cannot take', { patternProperties: { '(a)\\1': true } }, /is not a pattern in RE2 syntax/],
    ['a format', { format: 'email' }, /^has the format "email", which is not checked here: write a pattern$/],
    ['an asynchronous schema', { $async: true }, /\$async is not known here/],
  ])('refuse a schema with %s, in one sentence', (_what, schema, sentence) => {
    expect(refusal({ schema })).toMatch(sentence);
  });

  it('take a schema of draft-07 that says so', async () => {
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'number' }], additionalItems: false };
    expect(codesOf(await judge({ schema }, [1, 2]))).toEqual(['schema:additionalItems']);
  });

  it('take a reference to the schema itself', async () => {
    const schema = { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false };
    expect(codesOf(await judge({ schema }, { next: { next: { last: true } } }))).toEqual(['schema:additionalProperties']);
  });
});

describe('structure', () => {
  it('keeps each of several patterns apart', async () => {
    const schema = { properties: { a: { pattern: '^a+$' }, b: { pattern: '^b+$' } } };
    expect(codesOf(await judge({ schema }, { a: 'aa', b: 'bb' }))).toEqual([]);
    expect(codesOf(await judge({ schema }, { a: 'bb', b: 'aa' }))).toEqual(['schema:pattern', 'schema:pattern']);
  });

  it('ends on a pattern and a text that make backtracking engines hang', async () => {
    const finding = await judge({ schema: { pattern: '^(a+)+$' } }, `${'a'.repeat(50_000)}!`);
    expect(codesOf(finding)).toEqual(['schema:pattern']);
  });

  it('fails, and does not pass the content, when alternatives that refer to each other double at each level', async () => {
    const branch = { properties: { n: { $ref: '#' } } };
    const schema = { anyOf: [branch, { ...branch, minProperties: 0 }], allOf: [branch, branch] };
    let content: Json = { n: 7 };
    for (let level = 0; level < 60; level += 1) content = { n: content };
    const options = optionsOf(structure, { schema });
    const thrown = await thrownBy(Promise.resolve(structure.evaluate(inputFor(content), toolsFor(options))));
    expect(thrown).toMatchObject({ kind: 'permanent', code: 'SCHEMA_TOO_COSTLY' });
    // Nothing of it is left over for the next content.
    expect(codesOf(expectClean(await structure.evaluate(inputFor({ n: 1 }), toolsFor(options))))).toEqual([]);
  });

  it('finds entries that are there twice, whatever the order of their fields, in any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), async (list) => {
        const content = JSON.parse(JSON.stringify(list)) as Json[];
        const finding = await judge({ schema: { uniqueItems: true } }, [...content, ...content.slice(0, 1).map(withFieldsTurned)]);
        expect(codesOf(finding)).toEqual(content.length === 0 ? [] : ['schema:uniqueItems']);
      }),
      { numRuns: 60 },
    );
  });

  it('judges a list of 43,000 entries that must differ', async () => {
    const list = Array.from({ length: 43_000 }, (_, index) => [index]);
    expect(codesOf(await judge({ schema: { uniqueItems: true } }, list))).toEqual([]);
  });

  it('lists at most 100 problems and counts the rest', async () => {
    const finding = await judge(
      { schema: { items: { type: 'string' } } },
      Array.from({ length: 150 }, (_, index) => index),
    );
    expect(finding.violations).toHaveLength(100);
    expect(finding.details).toEqual({ more: 50 });
  });

  it('lists the first problem of a large content, and says so', async () => {
    const finding = await judge(
      { schema: { items: { type: 'string' } } },
      Array.from({ length: 20_000 }, (_, index) => index),
    );
    expect(codesOf(finding)).toEqual(['schema:type']);
    expect(finding.details).toMatchObject({ firstOnly: true });
  });

  it('tells no name of a field that the content brought', async () => {
    const finding = await judge({ schema: { additionalProperties: false, propertyNames: { maxLength: 3 } } }, { hunter2: 1 });
    expect(finding.violations.length).toBeGreaterThan(0);
    for (const { message } of finding.violations) expect(message).not.toContain('hunter2');
  });

  it('points into the JSON of a text, also behind a fence', async () => {
    const text = 'ä\n```json\n{ "n": "x" }\n```';
    const fenced = text.slice(2);
    const finding = await judge({ parse: true, allowFence: true, schema: { properties: { n: { type: 'number' } } } }, { output: fenced });
    expect(finding.violations).toEqual([expect.objectContaining({ code: 'not_json' })]);
    const inside = await judge(
      { at: '/output', parse: true, allowFence: true, schema: { properties: { n: { type: 'number' } } } },
      { output: fenced },
    );
    const span = inside.violations[0]?.span;
    expect(span?.path).toBe('/output');
    expect(fenced.slice(span?.start, span?.end)).toBe('"x"');
  });

  it('refuses what is no text where JSON is to be read', async () => {
    expect(codesOf(await judge({ parse: true }, { ok: true }))).toEqual(['not_json']);
  });
});

/** The same value, written the other way round. */
function withFieldsTurned(value: Json): Json {
  if (Array.isArray(value)) return value.map((entry: Json) => withFieldsTurned(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, withFieldsTurned(inner)]),
  );
}
