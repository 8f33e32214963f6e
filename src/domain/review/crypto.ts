/**
 * SHA-256, canonical JSON and Ed25519 inside the workflow sandbox, which has no `node:crypto`. Synchronous, pure
 * JavaScript; the one place that knows these libraries. `src/digest.ts` gives the same digests outside of it.
 */
import { hashes, Point, verify } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';

// The library brings none of its own; without it only its asynchronous half works.
hashes.sha512 = sha512;

/** SHA-256 (hex) over RFC 8785 canonical JSON. Throws for what JSON cannot hold. */
export function digestOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('the value has no JSON form');
  return bytesToHex(sha256(utf8ToBytes(text)));
}

export const digestOfText = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** Of an Ed25519 public key, and of the point that a signature begins with. */
export const POINT_BYTES = 32;

/**
 * Whether an Ed25519 signature is right. Never throws: what cannot be read is not right. As strict as the strictest
 * verifier: RFC 8032 leaves open whether points of small order count, and whoever signed could say later that another
 * program refuses the signature.
 */
export function isSignedBy(publicKey: Uint8Array, message: string, signature: Uint8Array): boolean {
  try {
    return verify(signature, utf8ToBytes(message), publicKey, { zip215: false }) && isPrimeOrder(signature.subarray(0, POINT_BYTES));
  } catch {
    return false;
  }
}

/** Whether these are the bytes of a key that can be trusted: a point in its one form, without a part of small order. Never throws. */
export function isPublicKey(bytes: Uint8Array): boolean {
  try {
    return isPrimeOrder(bytes);
  } catch {
    return false;
  }
}

/** Throws where the bytes are no point. The neutral point has prime order by the letter, and is the key of everybody. */
function isPrimeOrder(bytes: Uint8Array): boolean {
  const point = Point.fromBytes(bytes, false);
  return !point.isSmallOrder() && point.isTorsionFree();
}
