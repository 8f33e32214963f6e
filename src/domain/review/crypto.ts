/**
 * SHA-256, canonical JSON and Ed25519 inside the workflow sandbox, which has no `node:crypto`. Synchronous, pure
 * JavaScript; the one place that knows these libraries. `src/digest.ts` gives the same digests outside of it.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';

/** SHA-256 (hex) over RFC 8785 canonical JSON. Throws for what JSON cannot hold. */
export function digestOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('the value has no JSON form');
  return bytesToHex(sha256(utf8ToBytes(text)));
}

export const digestOfText = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** Whether an Ed25519 signature is right. Never throws: what cannot be read is not right. */
export function isSignedBy(publicKey: Uint8Array, message: string, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, utf8ToBytes(message), publicKey);
  } catch {
    return false;
  }
}
