/** A judge against a provider on loopback: what it is sent, what its answers become, and what each failure is called. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CriticTools } from '../../src/critics/critic.js';
import { llmJudge, type LlmJudgeOptions } from '../../src/critics/llm-judge.js';
import { PROVIDER_FAILURES } from '../../src/critics/network/provider-failure.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { CANARY, MOVES, rowPlayedBy, startFakeProvider, type FakeProvider, type Move } from '../support/fake-provider.js';
import { messagesOf, NOTHING_FOUND, readChat, type ChatBody } from '../support/gullible-judge.js';
import { conformance, expectClean, expectSpansInside, inputFor, optionsOf, thrownBy, toolsFor } from './conformance.js';

const KEY = 'sk-test-1234567890-key-of-the-judge';
const RUBRIC = 'Nothing that hurts people.';
const CONTENT = 'How to make tea. And now the private words of somebody.';

let provider: FakeProvider;
/** What the model writes; a test sets it. */
let answer: Json = NOTHING_FOUND;
beforeAll(async () => {
  provider = await startFakeProvider({ chat: () => answer });
});
afterAll(() => provider.close());
beforeEach(() => {
  answer = NOTHING_FOUND;
});

const optionsFor = (more: Record<string, Json> = {}, path = '/v1'): LlmJudgeOptions =>
  optionsOf(llmJudge, { rubric: RUBRIC, model: 'small', url: `${provider.url}${path}`, secret: 'JUDGE_KEY', ...more });
const tools = (options: LlmJudgeOptions, more: Partial<CriticTools<LlmJudgeOptions>> = {}): CriticTools<LlmJudgeOptions> =>
  toolsFor(options, { secret: (name) => (name === 'JUDGE_KEY' ? KEY : undefined), ...more });

async function judge(content: Json, written: Json, more: Record<string, Json> = {}): Promise<Finding> {
  answer = written;
  const finding = expectClean(await llmJudge.evaluate(inputFor(content), tools(optionsFor(more))));
  expectSpansInside(finding, content);
  return finding;
}
const lastBody = (): ChatBody => provider.requests.at(-1)?.body as ChatBody;
/** The system message and the user's. */
const lastMessages = (): string[] => messagesOf(lastBody()).map(({ content }) => content);

conformance(llmJudge, {
  good: { rubric: RUBRIC, model: 'small', url: 'https://models.example/v1', secret: 'JUDGE_KEY', codes: ['harm'], context: ['domain'] },
  options: () => optionsFor({ context: ['user'] }),
});

describe('what a judge is sent', () => {
  it('is one request for structured output at temperature 0, with the key, the idempotency key and the limit', async () => {
    await judge('Hello.', NOTHING_FOUND, { maxOutputTokens: 300, codes: ['harm', 'spam'] });
    const request = provider.requests.at(-1);
    expect(request?.path).toBe('/v1/chat/completions');
    expect(request?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'idempotency-key': 'key-1' });
    expect(request?.body).toMatchObject({ model: 'small', temperature: 0, max_tokens: 300 });
    expect(lastBody().response_format).toMatchObject({
      type: 'json_schema',
      json_schema: {
        strict: true,
        schema: {
          required: ['reasons', 'violations', 'severity', 'uncertainty'],
          properties: { violations: { items: { properties: { code: { enum: ['harm', 'spam'] } } } } },
        },
      },
    });
    expect(request?.text).not.toContain(KEY);
  });

  it('has no temperature and the other name of the limit for a model that thinks first', async () => {
    await judge('Hello.', NOTHING_FOUND, { maxOutputTokens: 300, reasoningModel: true });
    expect(lastBody()).toMatchObject({ model: 'small', max_completion_tokens: 300, response_format: { type: 'json_schema' } });
    expect(Object.keys(lastBody())).not.toEqual(expect.arrayContaining(['temperature']));
    expect(Object.keys(lastBody())).not.toEqual(expect.arrayContaining(['max_tokens']));
  });

  it('is the same for all attempts of one critic, and has another mark for the next one', async () => {
    const sent = async (more: Partial<CriticTools<LlmJudgeOptions>>): Promise<string[]> => {
      await llmJudge.evaluate(inputFor('Hello.'), tools(optionsFor(), more));
      return lastMessages();
    };
    const first = await sent({ attempt: 1, idempotencyKey: 'key-1' });
    expect(await sent({ attempt: 2, idempotencyKey: 'key-1' })).toEqual(first);
    const [system, user] = await sent({ attempt: 1, idempotencyKey: 'key-2' });
    expect(user).not.toBe(first[1]);
    // Providers keep a prefix that they have read before: all but the mark is the same.
    expect(system?.slice(0, -32)).toBe(first[0]?.slice(0, -32));
  });

  it('holds rubric, codes and examples in the system message, and the content in the other one alone', async () => {
    const example = { content: 'Boil <water>.', answer: { violations: [], severity: 0, uncertainty: 0 } };
    await judge(CONTENT, NOTHING_FOUND, { codes: ['harm'], examples: [example] });
    const [system, user] = lastMessages();
    expect(system).toContain(RUBRIC);
    expect(system).toContain('is one of these words: harm');
    expect(system).toContain(String.raw`Content: "Boil \u003cwater\u003e."`);
    expect(system).not.toContain('tea');
    expect(JSON.parse(readChat(messagesOf(lastBody())).parts['content'] ?? '')).toBe(CONTENT);
    expect(user).toContain('Judge the content by the rubric');
  });

  it('holds of the context the fields that the plan names, and of other findings nothing unless the plan says so', async () => {
    const input = inputFor('Hello.', {
      context: { domain: 'chat', note: 'the-callers-note' },
      findings: { pii: { severity: 0.5, violations: [{ code: 'card', message: 'a card' }], details: { note: 'details-of-pii' } } },
    });
    await llmJudge.evaluate(input, tools(optionsFor()));
    expect(Object.keys(readChat(messagesOf(lastBody())).parts)).toEqual(['content']);
    await llmJudge.evaluate(input, tools(optionsFor({ context: ['domain', 'absent'], findings: true })));
    const { parts } = readChat(messagesOf(lastBody()));
    expect(JSON.parse(parts['context'] ?? '')).toEqual({ domain: 'chat' });
    expect(JSON.parse(parts['findings'] ?? '')).toEqual({ pii: { severity: 0.5, violations: [{ code: 'card', message: 'a card' }] } });
    expect(provider.requests.at(-1)?.text).not.toMatch(/the-callers-note|details-of-pii/);
  });
});

describe('the answer of a judge', () => {
  const violation = (quote: string | null, severity: number | null = 0.6): Json => ({
    code: 'harm',
    message: 'It hurts.',
    severity,
    quote,
  });
  const withQuotes = (...quotes: (string | null)[]): Json => ({
    violations: quotes.map((quote) => violation(quote)),
    severity: 0.6,
    uncertainty: 0.2,
  });

  it('becomes a finding with its reasons, its tokens and the hashes of what was asked', async () => {
    const written = { reasons: ['It names a person.'], violations: [violation('private words')], severity: 0.6, uncertainty: 0.2 };
    const finding = await judge(CONTENT, written);
    expect(finding).toEqual({
      severity: 0.6,
      violations: [{ code: 'harm', message: 'It hurts.', severity: 0.6, span: { start: 29, end: 42 } }],
      uncertainty: 0.2,
      evidence: ['It names a person.'],
      cost: { inputTokens: 100, outputTokens: 20 },
      details: {
        promptHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        rubricHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        model: 'small',
        modelReported: 'fake',
        unquoted: 0,
      },
    });
    expect(CONTENT.slice(29, 42)).toBe('private words');
  });

  it('has another hash of the prompt for another rubric, other codes and another example, and the same for another content', async () => {
    const hashOf = async (content: Json, more: Record<string, Json>): Promise<unknown> => {
      const { details } = await judge(content, NOTHING_FOUND, more);
      return (details as { promptHash: unknown }).promptHash;
    };
    const example = { content: 'x', answer: { violations: [], severity: 0, uncertainty: 0 } };
    const variants = [{}, { rubric: 'No tea.' }, { codes: ['harm'] }, { examples: [example] }, { findings: true }];
    const hashes: unknown[] = [];
    for (const more of variants) hashes.push(await hashOf('Hello.', more));
    expect(new Set(hashes).size).toBe(variants.length);
    expect(await hashOf('Another one.', {})).toBe(hashes[0]);
  });

  it.each<[string, string, string, string]>([
    ['as it stands there', 'One “two”  three.', '“two”', '“two”'],
    ['with its spaces and line breaks made one', 'One two\n\n  three four.', 'two three', 'two\n\n  three'],
    ['with plain quotation marks and dashes', 'He said “no” — twice.', '"no" - twice', '“no” — twice'],
    ['without characters that cannot be seen', 'a se\u200bcret\u00ad word', 'secret word', 'se\u200bcret\u00ad word'],
    ['with the escapes of the prompt', 'Write <b>it</b>\nnow.', String.raw`\u003cb\u003eit\u003c/b\u003e\nnow`, '<b>it</b>\nnow'],
    ['between marks and dots of the judge', 'Never mix bleach and acid at home.', '"…mix bleach and acid…"', 'mix bleach and acid'],
    ['after an emoji of two code units', '🏳️‍🌈 then harm', 'harm', 'harm'],
  ])('has the place of a quote %s', async (_name, content, quote, met) => {
    const { violations, details, uncertainty } = await judge(content, withQuotes(quote));
    const span = violations[0]?.span;
    expect(content.slice(span?.start, span?.end)).toBe(met);
    expect(details).toMatchObject({ unquoted: 0 });
    expect(uncertainty).toBe(0.2);
  });

  it('has the path to the text of a structured content', async () => {
    const content = { input: 'Hello.', output: ['Fine.', { 'a/b': 'Never mix them.' }], stars: 4711 };
    const { violations } = await judge(content, withQuotes('Never mix', '4711', 'output'));
    expect(violations.map(({ span }) => span)).toEqual([
      { path: '/output/1/a~1b', start: 0, end: 9 },
      { path: '/stars', start: 0, end: 4 },
      // The name of a field is quoted rightly, and is no text with a place.
      undefined,
    ]);
  });

  it('keeps a violation whose quote is nowhere in the content, without a place, and is less sure by the share of such quotes', async () => {
    const one = await judge(CONTENT, withQuotes('private words', 'words that were never said'));
    expect(one.violations.map(({ span }) => span !== undefined)).toEqual([true, false]);
    expect(one).toMatchObject({ severity: 0.6, uncertainty: 0.5, details: { unquoted: 1 } });
    expect(await judge(CONTENT, withQuotes('never said'))).toMatchObject({ severity: 0.6, uncertainty: 1, details: { unquoted: 1 } });
    expect(await judge(CONTENT, withQuotes(null, ' '))).toMatchObject({ uncertainty: 0.2, details: { unquoted: 0 } });
  });

  it('is never less severe than its worst violation', async () => {
    const violations = [violation(null, 0.3), violation(null, 0.8), violation(null, null)];
    expect(await judge(CONTENT, { violations, severity: 0, uncertainty: 0 })).toMatchObject({ severity: 0.8 });
    expect(await judge(CONTENT, { violations, severity: 0.9, uncertainty: 0 })).toMatchObject({ severity: 0.9 });
  });

  it('has codes of the right form and messages of at most 500 characters, whatever the judge writes', async () => {
    const violations = [
      { code: ' Hate speech!! ', message: 'x'.repeat(499) + '🏳️‍🌈'.repeat(9) },
      { code: '', message: '' },
      { code: '日本', message: ' ok ' },
    ];
    const finding = await judge(CONTENT, { violations, severity: 1, uncertainty: 0 });
    expect(finding.violations.map(({ code }) => code)).toEqual(['hate_speech', 'violation', 'violation']);
    expect(finding.violations.map(({ message }) => message.length)).toEqual([499, 24, 2]);
  });

  it('has the codes that the plan lists as they stand there: its rules name them', async () => {
    const codes = ['Hate', 'Self-Harm', 'A_'];
    const violations = codes.map((code) => ({ code, message: 'm' }));
    const finding = await judge(CONTENT, { violations, severity: 1, uncertainty: 0 }, { codes });
    expect(finding.violations.map(({ code }) => code)).toEqual(codes);
    expect(lastMessages()[0]).toContain('letter by letter, is one of these words: Hate, Self-Harm, A_');
  });

  it('keeps the worst of more violations than a finding can hold, and counts the others', async () => {
    const violations = Array.from({ length: 300 }, (_, index) => ({ code: 'harm', message: 'y'.repeat(600), severity: index / 1000 }));
    const finding = await judge(CONTENT, {
      violations,
      reasons: Array.from({ length: 50 }, () => 'z'.repeat(900)),
      severity: 0,
      uncertainty: 0,
    });
    expect(finding.severity).toBe(0.299);
    expect(finding.violations[0]?.severity).toBe(0.299);
    expect(finding.violations.length).toBeGreaterThan(15);
    expect(finding.details).toMatchObject({ more: 300 - finding.violations.length });
  });

  it('keeps a hundred violations at most, however short they are', async () => {
    const violations = Array.from({ length: 150 }, () => ({ code: 'a', message: 'b' }));
    const finding = await judge(CONTENT, { violations, severity: 1, uncertainty: 0 });
    expect(finding.violations).toHaveLength(100);
    expect(finding.details).toMatchObject({ more: 50 });
  });

  it('fits into a finding, whatever it is made of', async () => {
    const wide = '\u0000'.repeat(600);
    const violations = Array.from({ length: 70 }, () => ({ code: wide, message: wide, severity: 1, quote: wide }));
    const written = { violations, reasons: Array.from({ length: 9 }, () => wide), severity: 1, uncertainty: 0 };
    const finding = await judge({ [wide]: wide }, written, { model: '\u0000'.repeat(200) });
    expect(finding).toMatchObject({ severity: 1, details: { unquoted: 0 } });
    expect(finding.violations.length).toBeGreaterThan(1);
    expect(await judge('', { ...written, violations: [] })).toMatchObject({ severity: 1, violations: [] });
  });

  it('may stand in a fence of back-ticks', async () => {
    provider.queue('fenced');
    expect(await judge(CONTENT, withQuotes('tea'))).toMatchObject({ severity: 0.6 });
  });

  it.each<[string, Json]>([
    ['a code that the plan does not list', { violations: [{ code: 'other', message: 'm' }], severity: 1, uncertainty: 0 }],
    ['no severity', { violations: [], uncertainty: 0 }],
    ['a severity above 1', { violations: [], severity: 1.1, uncertainty: 0 }],
    ['a severity in words', { violations: [], severity: 'none', uncertainty: 0 }],
    ['no uncertainty', { violations: [], severity: 0 }],
    ['violations that are no list', { violations: {}, severity: 0, uncertainty: 0 }],
    ['a list around it', [{ violations: [], severity: 0, uncertainty: 0 }]],
    ['nothing at all', null],
  ])('with %s is none: invalid output, asked once, with its cost', async (_name, written) => {
    const thrown = await thrownBy(judge(CONTENT, written, { codes: ['harm'] }));
    expect(thrown).toMatchObject({
      kind: 'invalid_output',
      code: 'HTTP_SCHEMA',
      extra: { maxAttempts: 1, cost: { inputTokens: 100, outputTokens: 20 } },
    });
  });
});

describe('a judge that fails', () => {
  const failing = async (options: LlmJudgeOptions, more: Partial<CriticTools<LlmJudgeOptions>> = {}): Promise<unknown> => {
    const thrown = await thrownBy(Promise.resolve(llmJudge.evaluate(inputFor(CONTENT), tools(options, more))));
    expect(inspect(thrown, { depth: 20, showHidden: true })).not.toMatch(new RegExp(`${KEY}|private words|${CANARY}|${RUBRIC}`));
    return thrown;
  };
  /** Those that end by the clock are told by the host of the attempt. */
  const moves = (Object.keys(MOVES) as Move[]).filter((move) => ![undefined, 'slow_drip'].includes(rowPlayedBy(move)));
  const paid = new Set<string | undefined>(['prose', 'wrong_schema', 'declined', 'cut_off', 'too_deep', 'duplicate_keys', 'forbidden_key']);

  it.each(moves)('tells %s by the class, the code and the attempts of its row', async (move) => {
    const before = provider.requests.length;
    const row = rowPlayedBy(move);
    const { kind, code, maxAttempts } = PROVIDER_FAILURES[row ?? 'page'];
    const thrown = await failing(optionsFor({}, `/${move}/v1`));
    expect(thrown).toMatchObject({ kind, code: code.includes('_n') ? expect.stringMatching(/^HTTP_\d{3}$/) : code });
    const { extra } = thrown as { extra: { maxAttempts?: number; cost?: object } };
    expect(extra.maxAttempts).toBe(maxAttempts);
    // The words of a model have been paid for; a page of a proxy has not.
    expect(extra.cost).toEqual(paid.has(row) ? { inputTokens: 100, outputTokens: 20 } : undefined);
    expect(provider.requests).toHaveLength(before + 1);
  });

  it('takes an answer that is no completion for invalid output, with the tokens that it names', async () => {
    const answers: Json[] = [{ ok: true }, { choices: [], usage: { prompt_tokens: 5, completion_tokens: 0 } }, ['x'], 'x', null];
    for (const one of answers) {
      const thrown = await failing(optionsFor(), { fetch: async () => Response.json(one) });
      expect(thrown).toMatchObject({ kind: 'invalid_output', code: 'HTTP_SCHEMA', extra: { maxAttempts: 1 } });
    }
    const thrown = await failing(optionsFor(), { fetch: async () => Response.json(answers[1]) });
    expect(thrown).toMatchObject({ extra: { cost: { inputTokens: 5, outputTokens: 0 } } });
  });

  it('does not judge by an answer that was cut off, though it can be read', async () => {
    const choice = { index: 0, finish_reason: 'length', message: { role: 'assistant', content: JSON.stringify(NOTHING_FOUND) } };
    const thrown = await failing(optionsFor(), { fetch: async () => Response.json({ choices: [choice] }) });
    expect(thrown).toMatchObject({ kind: 'invalid_output', code: 'HTTP_CUT_OFF' });
  });

  const written = { role: 'assistant', content: JSON.stringify(NOTHING_FOUND) };
  const completionOf = (choice: Record<string, Json | undefined>, more: Record<string, Json> = {}): object => ({
    model: 'fake',
    choices: [{ index: 0, finish_reason: 'stop', message: written, ...choice }],
    usage: { prompt_tokens: 5, completion_tokens: 2 },
    ...more,
  });
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  const calm = { index: 0, finish_reason: 'stop', message: written };
  const harsh = { ...calm, message: { role: 'assistant', content: JSON.stringify({ violations: [], severity: 1, uncertainty: 0 }) } };

  it.each<[string, object]>([
    ['a fault for its end', completionOf({ finish_reason: 'error' })],
    ['a call of a tool for its end', completionOf({ finish_reason: 'tool_calls' })],
    ['an end that nobody knows', completionOf({ finish_reason: 'insufficient_system_resource' })],
    ['an end without a name', completionOf({ finish_reason: '' })],
    ['an end that is no text', completionOf({ finish_reason: false })],
    ['a call of a tool in it', completionOf({ message: { ...written, tool_calls: [call] } })],
    ['a call of a tool in it and no end', completionOf({ finish_reason: null, message: { ...written, tool_calls: [call] } })],
    ['a call of the old form in it', completionOf({ message: { ...written, function_call: { name: 'f', arguments: '{}' } } })],
    ['an error beside it', completionOf({}, { error: { message: CANARY, code: 502 } })],
    ['an error beside its text', completionOf({ error: { message: CANARY, code: 502 } })],
    ['two choices that disagree', completionOf({}, { choices: [calm, harsh] })],
    ['two choices that agree', completionOf({}, { choices: [calm, calm] })],
  ])('does not believe an answer with %s, though it can be read', async (_name, completion) => {
    const thrown = await failing(optionsFor(), { fetch: async () => Response.json(completion) });
    expect(thrown).toMatchObject({
      kind: 'invalid_output',
      code: 'HTTP_SCHEMA',
      extra: { maxAttempts: 1, cost: { inputTokens: 5, outputTokens: 2 } },
    });
  });

  it.each<[string, object]>([
    ['null for its end', completionOf({ finish_reason: null })],
    ["another server's word for its end", completionOf({ finish_reason: 'eos_token' })],
    ['its end in capitals', completionOf({ finish_reason: 'STOP' })],
    [
      'thoughts in front of it',
      completionOf({ message: { role: 'assistant', content: `<think>Is {"severity":1} right?</think>\n${written.content}` } }),
    ],
    ['a byte order mark in front of it', completionOf({ message: { role: 'assistant', content: `\ufeff${written.content}` } })],
    ['no end', completionOf({ finish_reason: undefined })],
    [
      'null and empty lists for what there is none of',
      completionOf({ message: { ...written, tool_calls: [], function_call: null } }, { error: null }),
    ],
    ['a refusal that is no text', completionOf({ message: { ...written, refusal: false } })],
  ])('believes a whole answer with %s', async (_name, completion) => {
    const finding = await llmJudge.evaluate(inputFor(CONTENT), tools(optionsFor(), { fetch: async () => Response.json(completion) }));
    expect(finding).toMatchObject({ severity: 0, cost: { inputTokens: 5, outputTokens: 2 } });
  });

  it.each([null, 'stop'])('is cut off without a whole answer, whatever it names as its end: %s', async (reason) => {
    const message = { role: 'assistant', content: JSON.stringify(NOTHING_FOUND).slice(0, -2) };
    const completion = completionOf({ finish_reason: reason, message });
    expect(await failing(optionsFor(), { fetch: async () => Response.json(completion) })).toMatchObject({ code: 'HTTP_CUT_OFF' });
  });

  it.each([null, 'stop', 'length'])('takes a refusal for one, whatever it names as its end: %s', async (reason) => {
    const completion = completionOf({ finish_reason: reason, message: { role: 'assistant', content: null, refusal: CANARY } });
    expect(await failing(optionsFor(), { fetch: async () => Response.json(completion) })).toMatchObject({ code: 'HTTP_DECLINED' });
  });

  it('reads an answer to its end when the attempt is stopped after it came: it has been paid for', async () => {
    const stop = new AbortController();
    const content = 'Some words that are not much to read. '.repeat(3_000);
    const violations = Array.from({ length: 100 }, (_, index) => ({
      code: 'harm',
      message: 'hurts',
      severity: 0.5,
      quote: `no such words ${index}`,
    }));
    answer = { reasons: [], violations, severity: 0.5, uncertainty: 0 };
    const heartbeat = (): void => stop.abort(new Error('time is up'));
    const finding = await llmJudge.evaluate(inputFor(content), tools(optionsFor(), { signal: stop.signal, heartbeat }));
    expect(stop.signal.aborted).toBe(true);
    expect(finding.violations.length).toBeGreaterThan(0);
    expect(finding).toMatchObject({ severity: 0.5, uncertainty: 1, cost: { inputTokens: expect.any(Number) } });
  });

  it('hands on what the network guard refuses', async () => {
    const { makeGuardedFetch } = await import('../../src/critics/network/guarded-fetch.js');
    const before = provider.requests.length;
    expect(await failing(optionsFor(), { fetch: makeGuardedFetch() })).toMatchObject({ kind: 'permanent', code: 'ADDRESS_REFUSED' });
    expect(provider.requests).toHaveLength(before);
  });

  it('asks nobody without its key, or with one that no header can hold', async () => {
    const before = provider.requests.length;
    expect(await failing(optionsFor({ secret: 'OTHER' }))).toMatchObject({
      kind: 'permanent',
      message: 'the worker has no secret called OTHER: set TRIBUNAL_SECRET_OTHER where it runs',
    });
    expect(await failing(optionsFor(), { secret: () => `${KEY}\r\nx-evil: 1` })).toMatchObject({ kind: 'permanent', code: 'HTTP_SECRET' });
    expect(provider.requests).toHaveLength(before);
  });

  it('sends no authorization when the plan names no secret', async () => {
    const { secret: _, ...rest } = optionsFor();
    await llmJudge.evaluate(inputFor('Hello.'), tools(rest));
    expect(provider.requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  it.each(['silent', 'slow_drip'])('leaves a %s provider when its signal is aborted, with the reason of the signal', async (move) => {
    const stop = new AbortController();
    const reason = new Error('time is up');
    const before = provider.requests.length;
    const asked = failing(optionsFor({}, `/${move}/v1`), { signal: stop.signal });
    while (provider.requests.length === before) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(reason);
    expect(await asked).toBe(reason);
  });
});

describe('the options of a judge', () => {
  const good = { rubric: RUBRIC, model: 'small', url: 'https://models.example/v1' };
  const issueOf = (more: Record<string, Json>): unknown => llmJudge.options?.safeParse({ ...good, ...more }).error?.issues[0];

  it.each<[string, Record<string, Json>, string]>([
    ['an empty rubric', { rubric: ' \n' }, 'must say what to judge by'],
    ['an address with a query', { url: 'https://models.example/v1?api-version=1' }, 'must be the base of an API, without ? and #'],
    ['a key in the place of its name', { secret: KEY }, 'must be the name of a secret, of the form ^[A-Z][A-Z0-9_]{0,63}$'],
    ['a code that findings cannot have', { codes: ['two words'] }, 'must be a word of the form [a-zA-Z0-9_.:-]{1,64}'],
    [
      'an example with a code that is not listed',
      {
        codes: ['harm'],
        examples: [{ content: '', answer: { violations: [{ code: 'spam', message: '' }], severity: 0, uncertainty: 0 } }],
      },
      'has a violation with a code that is not among `codes`',
    ],
  ])('do not accept %s', (_name, more, message) => {
    expect(issueOf(more)).toMatchObject({ message });
    expect(inspect(issueOf(more))).not.toContain(KEY);
  });
});
