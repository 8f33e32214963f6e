/** What the sandbox computes, against what Node computes; and which keys and signatures count. */
import { createPublicKey, verify as verifyWithNode } from 'node:crypto';
import { Point, utils, verify } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashJson, sha256 } from '../../src/digest.js';
import { bytesOfBase64Url } from '../../src/domain/review/base64url.js';
import { digestOf, digestOfText, isPublicKey, isSignedBy } from '../../src/domain/review/crypto.js';
import { makeKeyPair } from '../../src/review/keys.js';
import { ann, bob, base64url, signerOf } from './review-fixture.js';

const keyOf = (text: string): Uint8Array => bytesOfBase64Url(text) ?? new Uint8Array();
const ORDER = Point.CURVE().n;
/** Of order 8: added to any point it gives one of mixed order. */
const TORSION = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');

describe('digests of the sandbox', () => {
  it('are those of Node, of any JSON', () => {
    const values = [
      null,
      0,
      -0,
      1e21,
      1e-7,
      '',
      'ü€😀',
      [],
      {},
      { b: 1, a: [true, { z: null }] },
      { '\u20ac': 1, '\r': 2, '1': 3, '😀': 4, '\ufb33': 5 },
    ];
    for (const value of values) expect(digestOf(value)).toBe(hashJson(value));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(digestOf(value)).toBe(hashJson(value));
      }),
      { numRuns: 500 },
    );
  });

  it('are those of Node, of any text, also one with half a surrogate pair and one of many blocks', () => {
    for (const text of ['', 'a'.repeat(55), 'a'.repeat(56), 'a'.repeat(64), 'ü'.repeat(100_000), '\ud800', 'a\udfffb'])
      expect(digestOfText(text)).toBe(sha256(text));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(digestOfText(text)).toBe(sha256(text));
      }),
    );
  });

  it('are refused where Node refuses them', () => {
    for (const value of [undefined, Number.NaN, Infinity, '\ud800', Symbol('x')]) {
      expect(() => hashJson(value)).toThrow(/./);
      expect(() => digestOf(value)).toThrow(/./);
    }
  });
});

describe('base64url', () => {
  it('gives the bytes that Node gives, and takes one spelling of them alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(bytesOfBase64Url(base64url(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', 'B', 'C', 'Q', 'g', 'w', 'Z', '0', '9', '-', '_'), maxLength: 12 }), (text) => {
        const bytes = Buffer.from(text, 'base64url');
        expect(bytesOfBase64Url(text)).toEqual(base64url(bytes) === text ? new Uint8Array(bytes) : undefined);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'AA=', 'A+', 'A/AA', 'AA A', 'AAA\n', 'ÄAAA', '😀A'])('refuses %j', (text) => {
    expect(bytesOfBase64Url(text)).toBeUndefined();
  });
});

describe('a signature', () => {
  it('that Node makes is right, for its text and its key alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const signature = signerOf('ann', ann).sign(text);
        expect(isSignedBy(keyOf(ann.publicKey), text, signature)).toBe(true);
        expect(isSignedBy(keyOf(ann.publicKey), `${text}.`, signature)).toBe(false);
        expect(isSignedBy(keyOf(bob.publicKey), text, signature)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('is none when it has another length or its number is larger than the order of the curve', () => {
    const signature = signerOf('ann', ann).sign('text');
    expect(isSignedBy(keyOf(ann.publicKey), 'text', signature.subarray(0, 63))).toBe(false);
    expect(isSignedBy(keyOf(ann.publicKey), 'text', Uint8Array.of(...signature, 0))).toBe(false);
    expect(isSignedBy(keyOf(ann.publicKey), 'text', plusOrder(signature))).toBe(false);
  });

  it('is none when its point has a part of small order, which Node refuses and others take: nobody shall disown it later', () => {
    const { publicKey, signature } = signedWithTorsion('text');
    expect(verify(signature, Buffer.from('text'), publicKey)).toBe(true);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(publicKey) }, format: 'jwk' });
    expect(verifyWithNode(undefined, Buffer.from('text'), key, signature)).toBe(false);
    expect(isSignedBy(publicKey, 'text', signature)).toBe(false);
  });
});

/** The same number modulo the order: what a lenient verifier takes for a second signature. */
function plusOrder(signature: Uint8Array): Uint8Array {
  let sum = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`) + ORDER;
  const bytes = Uint8Array.from(signature);
  for (let index = 32; index < 64; index += 1) {
    bytes[index] = Number(sum & 0xffn);
    sum >>= 8n;
  }
  return bytes;
}

/** As somebody would sign who wants to be able to show a verifier that refuses it. */
function signedWithTorsion(text: string): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
  const { scalar, pointBytes } = utils.getExtendedPublicKey(utils.randomSecretKey());
  const nonce = 123_456_789n;
  const point = Point.BASE.multiply(nonce).add(TORSION).toBytes();
  const hash = sha512(Uint8Array.of(...point, ...pointBytes, ...Buffer.from(text)));
  const challenge = BigInt(`0x${Buffer.from(hash.toReversed()).toString('hex')}`) % ORDER;
  const answer = littleEndian((nonce + challenge * scalar) % ORDER);
  return { publicKey: pointBytes, signature: Uint8Array.of(...point, ...answer) };
}

const littleEndian = (number: bigint): Uint8Array =>
  Uint8Array.from(Buffer.from(number.toString(16).padStart(64, '0'), 'hex').toReversed());

describe('a public key', () => {
  it('is one when Node made it', () => {
    for (let count = 0; count < 20; count += 1) expect(isPublicKey(keyOf(makeKeyPair().publicKey))).toBe(true);
  });

  it.each([
    ['too short', new Uint8Array(31)],
    ['too long', new Uint8Array(33)],
    ['nothing', new Uint8Array()],
    ['no point', Uint8Array.of(2, ...new Uint8Array(31))],
    ['the neutral point', Point.ZERO.toBytes()],
    ['of small order', TORSION.toBytes()],
    ['of mixed order', Point.fromBytes(keyOf(ann.publicKey)).add(TORSION).toBytes()],
    ['not in its one form', new Uint8Array(32).fill(0xff)],
  ])('is none when it is %s', (_, bytes) => {
    expect(isPublicKey(bytes)).toBe(false);
  });
});
