/** The table of what can go wrong with a provider: what each error, status and body means. Played over sockets: `critics/http.test.ts`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  PROVIDER_FAILURES,
  answerFailure,
  networkFailure,
  parseRetryAfter,
  readCapped,
  statusFailure,
} from '../../src/critics/network/provider-failure.js';
import { parseStrictJson, stripFence } from '../../src/critics/network/strict-json.js';
import { MOVES, rowPlayedBy, type Move } from '../support/fake-provider.js';

const HOST = 'judge.example';
const of = (status: number, headers: Record<string, string> = {}) => statusFailure(status, new Headers(headers), HOST);
const withCode = (code: string, cause?: Error): Error => Object.assign(new Error('quotes the body', { cause }), { code });

describe('the table of provider failures', () => {
  it('stands in the paper of the contract as it is', () => {
    const paper = readFileSync('docs/http-critic.md', 'utf8');
    for (const [row, { kind, code, maxAttempts }] of Object.entries(PROVIDER_FAILURES))
      expect(paper).toContain(`| \`${row}\` | ${kind} | \`${code}\` | ${maxAttempts ?? 'as the plan says'} |`);
  });

  it('allows one attempt to what is final, and more to nothing that was answered whole', () => {
    for (const { kind, maxAttempts } of Object.values(PROVIDER_FAILURES))
      if (kind === 'permanent' || kind === 'invalid_output') expect(maxAttempts).toBe(1);
  });

  it('is played by the fake provider, row by row, but for what needs no provider', () => {
    const played = new Set(Object.keys(MOVES).map((move) => rowPlayedBy(move as Move)));
    expect(Object.keys(PROVIDER_FAILURES).filter((row) => !played.has(row as keyof typeof PROVIDER_FAILURES))).toEqual([
      'unreachable',
      'no_address',
      'silent',
      'certificate',
      'other_network',
    ]);
  });
});

describe('a status', () => {
  it.each([
    [301, 'permanent', 'HTTP_REDIRECT'],
    [400, 'permanent', 'HTTP_400'],
    [401, 'permanent', 'HTTP_401'],
    [402, 'permanent', 'HTTP_402'],
    [403, 'permanent', 'HTTP_403'],
    [404, 'permanent', 'HTTP_404'],
    [408, 'transient', 'HTTP_408'],
    [422, 'permanent', 'HTTP_422'],
    [425, 'transient', 'HTTP_425'],
    [429, 'rate_limited', 'HTTP_429'],
    [500, 'transient', 'HTTP_500'],
    [503, 'transient', 'HTTP_503'],
    [529, 'transient', 'HTTP_529'],
  ])('of %i is %s, %s', (status, kind, code) => {
    expect(of(status)).toMatchObject({ kind, code, message: expect.stringContaining(`${HOST} answered ${status}`) });
  });

  it('of success is no failure', () => {
    expect([of(200), of(204), of(299)]).toEqual([undefined, undefined, undefined]);
  });

  it('of 503 that says when to come back is rate limited', () => {
    expect(of(503, { 'retry-after': '7' })).toMatchObject({ kind: 'rate_limited', code: 'HTTP_503', extra: { retryAfterMs: 7_000 } });
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2030, 0, 1);
  it.each([
    ['2', 2_000],
    ['0', 0],
    [' 3 ', 3_000],
    ['99999999999999999999999', 2_592_000_000],
    ['Tue, 01 Jan 2030 00:00:05 GMT', 5_000],
    ['Tue, 01 Jan 2999 00:00:00 GMT', 2_592_000_000],
    ['Mon, 31 Dec 2029 23:59:59 GMT', undefined],
    ['2030-01-01', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('of %j means %j ms', (header, wait) => {
    expect(parseRetryAfter(header, nowMs)).toBe(wait);
  });
});

describe('an error of the network', () => {
  it.each([
    [withCode('ECONNREFUSED'), 'transient', 'HTTP_CONNECT'],
    [withCode('ENOTFOUND'), 'transient', 'HTTP_DNS'],
    [withCode('EAI_AGAIN'), 'transient', 'HTTP_DNS'],
    [withCode('ECONNRESET'), 'transient', 'HTTP_RESET'],
    [withCode('UND_ERR_BODY_TIMEOUT'), 'transient', 'HTTP_TIMEOUT'],
    [withCode('CERT_HAS_EXPIRED'), 'permanent', 'HTTP_TLS'],
    [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'permanent', 'HTTP_TLS'],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'permanent', 'HTTP_TLS'],
    [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'permanent', 'HTTP_TLS'],
    [withCode('OUTER', withCode('MIDDLE', withCode('ECONNRESET'))), 'transient', 'HTTP_RESET'],
    [new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') }), 'transient', 'HTTP_CONNECT'],
    [new Error('who knows'), 'transient', 'HTTP_NETWORK'],
    ['not an error', 'transient', 'HTTP_NETWORK'],
  ])('%s is %s, %s, and not quoted', (error, kind, code) => {
    const failure = networkFailure(error, HOST);
    expect(failure).toMatchObject({ kind, code, message: expect.stringMatching(/^judge\.example [a-z ,:]+$/) });
    expect(failure.message).not.toContain('quotes');
  });
});

describe('an answer that cannot be used', () => {
  it('carries what it cost all the same', () => {
    expect(answerFailure('cut_off', HOST, { cost: { usd: 0.1 } })).toMatchObject({
      kind: 'invalid_output',
      code: 'HTTP_CUT_OFF',
      extra: { cost: { usd: 0.1 }, maxAttempts: 1 },
    });
  });

  it('that is too long is not read to its end', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(10));
      },
    });
    expect(await readCapped({ body }, 25)).toBeUndefined();
    expect(pulled).toBeLessThan(6);
    expect(await readCapped(new Response('12345'), 5)).toHaveLength(5);
    expect(await readCapped({ body: null }, 5)).toHaveLength(0);
  });
});

describe('strict JSON', () => {
  it.each([
    ['{"a":{"b":1},"c":{"b":2}}', { a: { b: 1 }, c: { b: 2 } }],
    ['[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    [' 7 ', 7],
    [`${'['.repeat(100)}${']'.repeat(100)}`, JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`)],
    ['"[[[ {\\"a\\":1,\\"a\\":2} __proto__"', '[[[ {"a":1,"a":2} __proto__'],
    ['{"constructor":1,"proto":2}', { constructor: 1, proto: 2 }],
  ])('takes %s', (text, value) => {
    expect(parseStrictJson(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 'empty'],
    [' \n', 'empty'],
    ['I think that', 'prose'],
    ['Here it is: {"a":1}', 'prose'],
    ['{"a":1} and so on', 'prose'],
    ['{"a":1,}', 'prose'],
    ['{"a":1 /* why */}', 'prose'],
    ["{'a':1}", 'prose'],
    ['{"a":NaN}', 'prose'],
    ['{"a":1', 'cut_in_transit'],
    ['{"a":"b', 'cut_in_transit'],
    ['[1,2,', 'cut_in_transit'],
    ['{"a":1,"a":1}', 'duplicate_keys'],
    ['{"a":1,"\\u0061":2}', 'duplicate_keys'],
    ['[{"b":{"a":1,"x":{},"a":2}}]', 'duplicate_keys'],
    ['{"__proto__":{}}', 'forbidden_key'],
    ['[{"\\u005f_proto__":1}]', 'forbidden_key'],
    [`${'['.repeat(101)}${']'.repeat(101)}`, 'too_deep'],
  ])('refuses %s as %s', (text, problem) => {
    expect(parseStrictJson(text)).toEqual({ ok: false, problem });
  });
});

it('strict JSON of a depth that no reader survives is refused without reading it by recursion', () => {
  expect(parseStrictJson('{"a":'.repeat(200_000))).toEqual({ ok: false, problem: 'too_deep' });
});

describe('a fence', () => {
  it.each([
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['```\n{"a":1}\n```', '{"a":1}'],
    [' \n```JSON\r\n{"a":1}\r\n```\n', '{"a":1}'],
    ['{"a":"```json\\n1\\n```"}', '{"a":"```json\\n1\\n```"}'],
    ['Here: ```json\n1\n```', 'Here: ```json\n1\n```'],
    ['```json\n1\n``` as you see', '```json\n1\n``` as you see'],
  ])('around %j gives %j', (text, inside) => {
    expect(stripFence(text)).toBe(inside);
  });

  // With an expression that goes back and forth this takes minutes.
  it('that is never closed takes no longer for what it holds', () => {
    const open = `\`\`\`json\n${' '.repeat(262_144)}x`;
    expect(stripFence(open)).toBe(open);
  });
});
