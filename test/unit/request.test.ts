import { describe, expect, it } from 'vitest';
import { requestDigest } from '../../src/digest.js';
import { MAX_CONTENT_BYTES } from '../../src/domain/plan.js';
import { parseEvaluateInput, parseRecord, toEvaluationRequest, type StartRequest } from '../../src/schemas/request.js';

const problems = (value: unknown): readonly string[] => {
  const checked = parseRecord(value);
  return checked.ok ? [] : checked.problems;
};
const request = (start: StartRequest) => {
  const checked = toEvaluationRequest(start, () => 'k1');
  if (!checked.ok) throw new Error(checked.problems.join('; '));
  return checked.value;
};

describe('a record', () => {
  it('with content alone is accepted as it is', () => {
    expect(parseRecord({ content: 'hello' })).toEqual({ ok: true, value: { content: 'hello' } });
  });

  it('may hold a structure, null or a list as content', () => {
    for (const content of [{ input: 'a', output: 'b' }, null, [1, 2], 0, false]) expect(problems({ content })).toEqual([]);
  });

  it('with several mistakes is told all of them at once', () => {
    const told = problems({ key: 'a b', tenant: '', class: 'urgent', riskTier: 'extreme', colour: 'red' });
    expect(told).toHaveLength(6);
    expect(told.join('\n')).toContain('content is missing');
    expect(told.join('\n')).toContain('key "a b" is not of the form');
    expect(told.join('\n')).toContain('riskTier "extreme" is no risk tier; known are low, medium, high, critical');
    expect(told.join('\n')).toContain('class "urgent" is no class; known are interactive, background');
    expect(told.join('\n')).toContain('the record has unknown fields: "colour"');
  });

  it('that is no object is refused', () => {
    for (const value of ['text', null, 3, undefined]) expect(problems(value)).toEqual(['the record must be an object']);
    expect(problems([{ content: 'x' }])).toEqual(['the record must be an object']);
  });

  it('with an unknown tier in the context is told the known ones', () => {
    expect(problems({ content: 'x', context: { riskTier: 'Extreme' } })).toEqual([
      'context.riskTier "Extreme" is no risk tier; known are low, medium, high, critical',
    ]);
    expect(problems({ content: 'x', context: { riskTier: 3 } })[0]).toContain('a value of type number');
  });

  it('with two different tiers is refused, with the same twice accepted', () => {
    expect(problems({ content: 'x', riskTier: 'low', context: { riskTier: 'high' } })).toEqual([
      'context.riskTier is high and riskTier is low: they must be the same',
    ]);
    expect(problems({ content: 'x', riskTier: 'high', context: { riskTier: 'high' } })).toEqual([]);
  });

  it('with half of a surrogate pair anywhere is refused with a sentence', () => {
    expect(problems({ content: 'a\ud800b' })[0]).toContain('half of a surrogate pair');
    expect(problems({ content: { deep: ['\udc00'] } })[0]).toContain('content holds half');
    expect(problems({ content: { '\ud800': 1 } })[0]).toContain('key with half of a surrogate pair');
    expect(problems({ content: 'x', requester: '\ud800' })[0]).toContain('half of a surrogate pair');
    expect(problems({ content: 'a whole pair: \u{1f600}' })).toEqual([]);
  });

  it('with a key __proto__ anywhere is refused with a sentence', () => {
    expect(problems(JSON.parse('{"content":{"a":{"__proto__":{"x":1}}}}'))[0]).toContain('content has a key __proto__');
    expect(problems(JSON.parse('{"content":"x","context":{"__proto__":1}}'))[0]).toContain('__proto__');
    expect(problems(JSON.parse('{"content":"x","__proto__":{"tenant":"other"}}'))[0]).toContain('__proto__');
  });

  it('that is refused tells the place by numbers: names of fields may be content', () => {
    const canary = 'john.doe@clinic.example HIV positive';
    const place = (content: unknown): string => {
      const told = problems({ content, context: { [canary]: [content] } });
      expect(told).toHaveLength(2);
      expect(told.join()).not.toContain('clinic');
      return told[0] ?? '';
    };
    expect(place({ first: 1, [canary]: ['whole', '\ud800'] })).toBe(
      'content holds half of a surrogate pair, which no UTF-8 text can hold, at entry 2/2 (counted from 1 at each level)',
    );
    expect(place({ [canary]: { [`${canary}\ud800`]: 1 } })).toContain(
      'has a key with half of a surrogate pair, which no UTF-8 text can hold, at entry 1 ',
    );
    expect(place({ [canary]: Number.NaN })).toContain('is NaN');
    expect(place({ [canary]: new Map() })).toContain('is not a plain object');
    expect(place({ [canary]: JSON.parse(`{"${canary}":{"__proto__":1}}`) })).toContain('at entry 1/1 ');
    const deep = Array.from({ length: 200 }).reduce<unknown>((inner) => ({ [canary]: inner }), 1);
    expect(place(deep)).toBe('content is nested deeper than 100 levels, at entry 1/1/1/1/1/1/1/1/… (counted from 1 at each level)');
  });

  it('with unknown fields has them named only when they look like fields', () => {
    const canary = 'john.doe@clinic.example';
    expect(problems({ content: 'x', riskLevel: 1, [canary]: 1, [`${canary} `]: 2, ['a'.repeat(42)]: 3 })).toEqual([
      'the record has unknown fields: "riskLevel", a field',
    ]);
    const parsed = parseEvaluateInput({ v: 1, request: { content: 'x', [canary]: 1 }, requestDigest: '' });
    expect(parsed).toMatchObject({ ok: false, message: expect.stringContaining('request has unknown fields: a field') });
    expect(JSON.stringify(parsed)).not.toContain(canary);
  });

  it('with values that JSON does not have is refused', () => {
    for (const content of [Number.NaN, Number.POSITIVE_INFINITY, () => 1, 10n, new Date(0), new Map(), { a: undefined }]) {
      expect(problems({ content })).toHaveLength(1);
    }
  });

  it('nested without end or in a circle is refused instead of exhausting the stack', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(problems({ content: circle })[0]).toContain('nested deeper than 100 levels');
    expect(problems({ content: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)) })[0]).toContain('nested deeper');
  });

  it('is accepted at 256 KB of content and context and refused one byte above', () => {
    const room = MAX_CONTENT_BYTES - 2 - 2; // the quotes of the text, the braces of the empty context
    expect(problems({ content: 'x'.repeat(room) })).toEqual([]);
    expect(problems({ content: 'x'.repeat(room + 1) })).toEqual([
      `content and context are ${MAX_CONTENT_BYTES + 1} bytes together, at most 262144 are accepted`,
    ]);
    expect(problems({ content: 'é'.repeat(room / 2) })).toEqual([]);
    expect(problems({ content: `x${'é'.repeat(room / 2)}` })).toHaveLength(1);
    expect(problems({ content: 'x'.repeat(room), context: { a: 1 } })).toHaveLength(1);
  });

  it('that is refused never has its content quoted', () => {
    const secret = 'a very secret sentence';
    expect(problems({ content: { secret, bad: undefined }, riskTier: 'none' }).join()).not.toContain(secret);
  });
});

describe('a request made from a record', () => {
  it('has key, tenant, context, class and gating filled in', () => {
    expect(request({ plan: 'chat', content: 'x' })).toEqual({
      plan: 'chat',
      key: 'k1',
      tenant: 'default',
      content: 'x',
      context: {},
      class: 'interactive',
      gating: 'on',
    });
  });

  it('takes its tier from the context when the record names none', () => {
    expect(request({ plan: 'chat', content: 'x', context: { riskTier: 'high' } }).riskTier).toBe('high');
  });

  it('is told problems of the plan name and of the record together', () => {
    const checked = toEvaluationRequest({ plan: 'plans/chat.yaml', content: 'x', key: '' }, () => 'k1');
    expect(checked).toMatchObject({ ok: false });
    if (!checked.ok) expect(checked.problems).toHaveLength(2);
  });
});

describe('the input of an evaluation', () => {
  const good = request({ plan: 'chat', content: 'x', context: { riskTier: 'high' } });
  const input = { v: 1, request: good, requestDigest: requestDigest(good) };

  it('as a client makes it is accepted', () => {
    expect(parseEvaluateInput(input)).toEqual({ ok: true, input });
  });

  it('made by hand is refused with one sentence for each problem', () => {
    const parsed = parseEvaluateInput({ v: 2, request: { content: 'x' } });
    expect(parsed).toMatchObject({ ok: false });
    if (!parsed.ok)
      for (const part of ['v must be 1', 'request.plan', 'request.tenant', 'requestDigest']) expect(parsed.message).toContain(part);
    for (const value of [undefined, null, 'x', []]) expect(parseEvaluateInput(value)).toMatchObject({ ok: false });
  });

  it('with a tier only in the context is refused, so that a high tier is never overlooked', () => {
    const { riskTier: _, ...without } = good;
    expect(parseEvaluateInput({ ...input, request: without })).toMatchObject({ ok: false });
  });
});
