/** Signed commands: what a validator takes for genuine, and all that it does not. */
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ASSERTION_CHARS, verifyAssertion, type AssertionRefusal, type ExpectedCommand } from '../../src/domain/review/assertion.js';
import type { People } from '../../src/domain/review/people.js';
import { localCommandSigner, signCommand, type CommandFields } from '../../src/review/sign.js';
import {
  ann,
  base64url,
  bob,
  CLAIMS,
  EXPECTED,
  forged,
  HEADER,
  NOW,
  NOW_MS,
  PAYLOAD,
  PEOPLE,
  peopleOf,
  personOf,
  signerOf,
  withSharedSecret,
} from './review-fixture.js';

const FIELDS: CommandFields = {
  tenant: 'acme',
  reviewId: 'review:acme/order-1',
  action: 'decide',
  commandId: 'c-1',
  payload: PAYLOAD,
  packetDigest: CLAIMS.pkt,
};

const verify = (
  jws: unknown,
  { people = PEOPLE, expected = EXPECTED, now = NOW_MS }: { people?: People; expected?: ExpectedCommand; now?: number } = {},
) => verifyAssertion(jws, people, expected, now);
const codeOf = (...args: Parameters<typeof verify>): AssertionRefusal | undefined => {
  const verified = verify(...args);
  return verified.ok ? undefined : verified.code;
};
const genuine = (): string => signCommand(signerOf('ann', ann), FIELDS, NOW_MS);
const claiming = (more: object): string => forged(HEADER, { ...CLAIMS, ...more });
const heading = (more: object): string => forged({ ...HEADER, ...more }, CLAIMS);
const without = (claim: keyof typeof CLAIMS): object => Object.fromEntries(Object.entries(CLAIMS).filter(([name]) => name !== claim));
/** The same text with one of its parts replaced. */
const withPart = (jws: string, index: number, part: string): string => jws.split('.').with(index, part).join('.');
const partOf = (jws: string, index: number): string => jws.split('.')[index] ?? '';

describe('a signed command', () => {
  it('is verified with the person who signed it and what it claims', () => {
    expect(verify(genuine())).toEqual({ ok: true, person: PEOPLE.persons[0], claims: CLAIMS });
    expect(verify(forged(HEADER, CLAIMS))).toMatchObject({ ok: true });
  });

  it('is the same from a signer behind the interface that a gateway has, too', async () => {
    const signer = localCommandSigner(signerOf('bob', bob), () => NOW_MS);
    expect(signer.id).toBe('bob');
    expect(verify(await signer.sign(FIELDS))).toMatchObject({ ok: true, person: { id: 'bob' }, claims: { ...CLAIMS, sub: 'bob' } });
  });

  it('may carry any JSON as payload and any text as command id: what Node signs, the sandbox verifies', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), (payload, commandId) => {
        const jws = signCommand(signerOf('ann', ann), { ...FIELDS, payload, commandId }, NOW_MS);
        const claims = verify(jws, { expected: { ...EXPECTED, commandId, payloadDigest: String(claimsIn(jws)['pld']) } });
        expect(claims).toMatchObject({ ok: true, claims: { cmd: commandId } });
      }),
      { numRuns: 100 },
    );
  });

  it('leaves the digest of the packet to whoever has looked for duplicates', () => {
    expect(verify(claiming({ pkt: '0'.repeat(64) }))).toMatchObject({ ok: true, claims: { pkt: '0'.repeat(64) } });
  });

  it('is not made where no verifier would read it', () => {
    const tooLong = { ...FIELDS, commandId: 'c'.repeat(MAX_ASSERTION_CHARS) };
    expect(() => signCommand(signerOf('ann', ann), tooLong, NOW_MS)).toThrow(/longer than 4096 characters/);
    expect(() => signCommand(signerOf('ann', ann), { ...FIELDS, payload: undefined }, NOW_MS)).toThrow(/no JSON form/);
  });

  it('needs of the sandbox a decoder that takes the bytes of another realm', () => {
    const run = 'new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0xbc))';
    expect(runInNewContext(run, { TextDecoder })).toBe('\ufeffü');
  });
});

function claimsIn(jws: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(partOf(jws, 1), 'base64url').toString()) as Record<string, unknown>;
}

/** A value whose every property throws when it is read. */
const throwing = (): unknown =>
  new Proxy(
    {},
    {
      get: () => {
        throw new Error('read');
      },
    },
  );

describe('a command that nobody signed', () => {
  it.each([
    ['a number', 42],
    ['nothing', null],
    ['undefined', undefined],
    ['a list', [genuine()]],
    ['a text object', Object(genuine()) as unknown],
    ['an object whose getters throw', throwing()],
    ['an object with the parts', { header: HEADER, payload: CLAIMS }],
    ['a symbol', Symbol('jws')],
    ['an empty text', ''],
    ['10 MB', 'a'.repeat(10_000_000)],
    ['10 MB of dots', '.'.repeat(10_000_000)],
    ['10 MB behind a genuine one', `${genuine()}${'A'.repeat(10_000_000)}`],
    ['two parts', genuine().split('.').slice(0, 2).join('.')],
    ['four parts', `${genuine()}.AAAA`],
    ['no signature', withPart(genuine(), 2, '')],
    ['padding', `${genuine()}==`],
    ['a line break', `${genuine()}\n`],
    ['a blank', ` ${genuine()}`],
    ['letters of plain base64', genuine().replaceAll(/[-_]/g, '+') + '/'],
    ['a part of a length that no bytes have', withPart(genuine(), 2, 'AAAAA')],
    ['a header that is no JSON', forged('{"alg":"EdDSA"', CLAIMS)],
    ['claims that are no JSON', forged(HEADER, 'ann decides')],
    ['claims behind a byte order mark', forged(HEADER, `\ufeff${JSON.stringify(CLAIMS)}`)],
    ['claims that are a list', forged(HEADER, [CLAIMS])],
    ['claims that are null', forged(HEADER, null)],
    ['claims nested as deep as fits', forged(HEADER, `{"a":${'['.repeat(1_200)}${']'.repeat(1_200)}}`)],
    ['claims nested 10,000 deep', forged(HEADER, '['.repeat(10_000) + ']'.repeat(10_000))],
  ])('is a bad request: %s', (_, jws) => {
    expect(codeOf(jws)).toBe('BAD_REQUEST');
  });

  it('is a bad request when its bytes are not UTF-8, which a lenient decoder would take for another text', () => {
    const bytes = Buffer.from(JSON.stringify({ ...CLAIMS, cmd: '#' })).map((byte) => (byte === 0x23 ? 0xff : byte));
    expect(codeOf(forgedBytes(bytes), { expected: { ...EXPECTED, commandId: '\ufffd' } })).toBe('BAD_REQUEST');
  });

  it('is refused in its second spelling: bits behind the last byte of the signature', () => {
    const jws = genuine();
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes are 86 digits, of which the last holds two bits.
    const last = digits.indexOf(jws.at(-1) ?? '');
    const other = jws.slice(0, -1) + (digits[last + 1] ?? '');
    expect(Buffer.from(partOf(other, 2), 'base64url')).toEqual(Buffer.from(partOf(jws, 2), 'base64url'));
    expect(codeOf(other)).toBe('BAD_REQUEST');
  });

  it.each([
    ['alg none', withPart(forged({ alg: 'none', kid: 'ann' }, CLAIMS), 2, 'AA')],
    ['alg none in other letters', heading({ alg: 'nOnE' })],
    ['HS256 with the public key as the secret', withSharedSecret({ alg: 'HS256', kid: 'ann' }, CLAIMS)],
    ['EdDSA with a code made of the public key', withSharedSecret(HEADER, CLAIMS)],
    ['alg in other letters', heading({ alg: 'eddsa' })],
    ['alg as a list', heading({ alg: ['EdDSA'] })],
    ['Ed448', heading({ alg: 'Ed448' })],
    ['no alg', forged({ kid: 'ann' }, CLAIMS)],
    ['no kid', forged({ alg: 'EdDSA' }, CLAIMS)],
    ['a kid that is a number', heading({ kid: 7 })],
    ['a kid that is a path', heading({ kid: '../../dev/null' })],
    ['a kid of 129 characters', heading({ kid: 'a'.repeat(129) })],
    ['another typ', heading({ typ: 'at+jwt' })],
    ['a typ that is null', heading({ typ: null })],
    ['crit', heading({ crit: ['exp'] })],
    ['a key of its own', forged({ ...HEADER, jwk: { kty: 'OKP', crv: 'Ed25519', x: bob.publicKey } }, CLAIMS, bob.privateKey)],
    ['the address of a key', heading({ jku: 'https://example.com/keys' })],
    ['certificates', heading({ x5c: ['AAAA'] })],
    ['a payload that is not encoded', heading({ b64: false })],
    ['__proto__ in the header', forged('{"alg":"EdDSA","kid":"ann","__proto__":{"x":1}}', CLAIMS)],
    ['all of the header in a __proto__', forged('{"__proto__":{"alg":"EdDSA","kid":"ann"}}', CLAIMS)],
    ['a header that is a list', forged([HEADER], CLAIMS)],
    ['a header that is a text', forged('"EdDSA"', CLAIMS)],
  ])('has a bad signature: %s', (_, jws) => {
    expect(codeOf(jws)).toBe('BAD_SIGNATURE');
  });

  it('has a bad signature: by another key, of another command, cut, or of nothing but zeros', () => {
    expect(codeOf(forged(HEADER, CLAIMS, bob.privateKey))).toBe('BAD_SIGNATURE');
    expect(codeOf(withPart(genuine(), 2, partOf(claiming({ cmd: 'c-2' }), 2)))).toBe('BAD_SIGNATURE');
    expect(codeOf(withPart(genuine(), 1, partOf(claiming({ cmd: 'c-2' }), 1)))).toBe('BAD_SIGNATURE');
    expect(codeOf(withPart(genuine(), 0, base64url(JSON.stringify({ ...HEADER, kid: 'bob' }))))).toBe('BAD_SIGNATURE');
    expect(codeOf(withPart(genuine(), 2, partOf(genuine(), 2).slice(0, 80)))).toBe('BAD_SIGNATURE');
    expect(codeOf(withPart(genuine(), 2, base64url(new Uint8Array(64))))).toBe('BAD_SIGNATURE');
    // Header and claims change places: the header is then one without alg.
    const [header = '', claims = '', signature = ''] = genuine().split('.');
    expect(codeOf([claims, header, signature].join('.'))).toBe('BAD_SIGNATURE');
  });

  it('has a bad signature when any one of its letters was changed', () => {
    const jws = forged(HEADER, CLAIMS);
    fc.assert(
      fc.property(fc.nat(jws.length - 1), fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_'), (index, letter) => {
        fc.pre(jws[index] !== letter && jws[index] !== '.');
        expect(verify(jws.slice(0, index) + letter + jws.slice(index + 1)).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('has a key that nobody knows', () => {
    expect(codeOf(genuine(), { people: peopleOf(personOf('bob', bob)) })).toBe('KEY_UNKNOWN');
    expect(codeOf(genuine(), { people: peopleOf() })).toBe('KEY_UNKNOWN');
    expect(codeOf(heading({ kid: '__proto__' }))).toBe('KEY_UNKNOWN');
    expect(codeOf(heading({ kid: 'constructor' }))).toBe('KEY_UNKNOWN');
  });

  it('has a bad signature when the key of the person is none, or the one that everything fits', () => {
    const neutral = base64url(Uint8Array.of(1, ...new Uint8Array(31)));
    for (const publicKey of ['', 'AAAA', '!', `${ann.publicKey}=`, neutral, base64url(new Uint8Array(32))]) {
      const people = peopleOf(personOf('ann', { publicKey }));
      expect(codeOf(genuine(), { people })).toBe('BAD_SIGNATURE');
      // With the neutral point as key, R of the neutral point and S of nothing fit every message.
      expect(codeOf(withPart(genuine(), 2, base64url(Uint8Array.of(1, ...new Uint8Array(63)))), { people })).toBe('BAD_SIGNATURE');
    }
  });
});

/** Signed by ann. */
function forgedBytes(claims: Uint8Array): string {
  const signed = `${base64url(JSON.stringify(HEADER))}.${base64url(claims)}`;
  return `${signed}.${base64url(signerOf('ann', ann).sign(signed))}`;
}

describe('a command that was signed', () => {
  it.each(Object.keys(CLAIMS) as (keyof typeof CLAIMS)[])(
    'is a bad request without %s, with another kind of it, or with nothing',
    (claim) => {
      expect(codeOf(forged(HEADER, without(claim)))).toBe('BAD_REQUEST');
      for (const value of [null, '', true, [], {}, -1, -2, 0.5, ['x']]) expect(codeOf(claiming({ [claim]: value }))).toBe('BAD_REQUEST');
    },
  );

  it.each([
    ['a further claim', claiming({ nbf: NOW })],
    ['another person to act for', claiming({ del: 'bob' })],
    ['__proto__', forged(HEADER, `${JSON.stringify(CLAIMS).slice(0, -1)},"__proto__":{"sub":"bob"}}`)],
    ['__proto__ in the place of a claim', forged(HEADER, `${JSON.stringify(without('sub')).slice(0, -1)},"__proto__":{"sub":"ann"}}`)],
    ['times as texts', claiming({ iat: String(NOW), exp: String(NOW + 300) })],
    ['times beyond all numbers', forged(HEADER, JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e400'))],
    ['audiences as a list', claiming({ aud: ['tribunal-review'] })],
    ['a digest that is none', claiming({ pkt: 'abc' })],
    ['a digest in capitals', claiming({ pld: EXPECTED.payloadDigest.toUpperCase() })],
  ])('is a bad request with %s', (_, jws) => {
    expect(codeOf(jws)).toBe('BAD_REQUEST');
  });

  it.each([
    ['for another issuer', { iss: 'other' }],
    ['for another audience', { aud: 'critic-review' }],
    ['for another tenant', { tid: 'rival' }],
    ['for another review', { rid: 'review:acme/order-2' }],
    ['for another action', { act: 'withdraw' }],
    ['for another command', { cmd: 'c-2' }],
    ['for another payload', { pld: '0'.repeat(64) }],
    ['by somebody in the name of another', { sub: 'bob' }],
    ['by somebody in the name of nobody', { sub: 'ANN' }],
  ])('is a mismatch: %s', (_, more) => {
    expect(codeOf(claiming(more))).toBe('ASSERTION_MISMATCH');
  });

  it('is for one command alone: the same text with another review, action, tenant, command or payload is a mismatch', () => {
    for (const field of ['tenant', 'reviewId', 'action', 'commandId', 'payloadDigest'] as const)
      expect(codeOf(genuine(), { expected: { ...EXPECTED, [field]: 'other' } })).toBe('ASSERTION_MISMATCH');
  });

  it.each([
    ['that has just expired', { exp: NOW }, 'ASSERTION_EXPIRED'],
    ['of long ago', { iat: NOW - 10_000, exp: NOW - 9_700 }, 'ASSERTION_EXPIRED'],
    ['from a clock that is more than a minute ahead', { iat: NOW + 61, exp: NOW + 100 }, 'ASSERTION_EXPIRED'],
    ['that lives for longer than five minutes', { exp: NOW + 301 }, 'ASSERTION_EXPIRED'],
    ['that was over before it began', { iat: NOW + 2, exp: NOW + 1 }, 'ASSERTION_EXPIRED'],
    ['of no life', { iat: NOW + 1, exp: NOW + 1 }, 'ASSERTION_EXPIRED'],
    ['that lives for ever', { iat: 0, exp: Number.MAX_SAFE_INTEGER }, 'ASSERTION_EXPIRED'],
    ['in its last second', { iat: NOW - 299, exp: NOW + 1 }, undefined],
    ['from a clock that is a minute ahead', { iat: NOW + 60, exp: NOW + 360 }, undefined],
  ])('counts by its times: one %s', (_, times, code) => {
    expect(codeOf(claiming(times))).toBe(code);
  });

  it('is over in the moment that it names', () => {
    expect(codeOf(genuine(), { now: CLAIMS.exp * 1_000 - 1 })).toBeUndefined();
    expect(codeOf(genuine(), { now: CLAIMS.exp * 1_000 })).toBe('ASSERTION_EXPIRED');
  });

  it('is timely on no clock that is none', () => {
    for (const now of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(codeOf(genuine(), { now })).toBe('ASSERTION_EXPIRED');
  });
});

describe('verifyAssertion', () => {
  const isRefusal = (value: unknown): void => {
    const verified = verify(value);
    expect(verified).toEqual({ ok: false, code: expect.stringMatching(/^[A-Z_]+$/) });
  };

  it('throws for nothing and takes nothing that was not signed, whatever text or JSON it is given', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true }), isRefusal), { numRuns: 500 });
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isRefusal), { numRuns: 500 });
    const part = fc.oneof(fc.json(), fc.string()).map(base64url);
    fc.assert(
      fc.property(part, part, part, (...parts) => isRefusal(parts.join('.'))),
      { numRuns: 500 },
    );
  });

  it('throws for nothing and takes nothing when ann signs whatever is no command of hers', () => {
    const header = fc.oneof(
      fc.constant<unknown>(HEADER),
      fc.json(),
      fc.record({ alg: fc.constantFrom('EdDSA', 'none'), kid: fc.jsonValue(), x: fc.jsonValue() }),
    );
    const claims = fc.oneof(fc.json(), fc.jsonValue(), fc.record({ sub: fc.constant('ann'), iat: fc.integer(), exp: fc.integer() }));
    fc.assert(
      fc.property(header, claims, (...parts) => isRefusal(forged(...parts))),
      { numRuns: 300 },
    );
  });

  it('refuses also when the people are not what they should be', () => {
    expect(verifyAssertion(genuine(), throwing() as People, EXPECTED, NOW_MS)).toEqual({ ok: false, code: 'BAD_REQUEST' });
  });
});
