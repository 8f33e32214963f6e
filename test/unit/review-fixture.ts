/** A reviewer with a key, and commands that they sign or that somebody forged. */
import { createHash, createHmac, sign, type KeyObject } from 'node:crypto';
import { hashJson } from '../../src/digest.js';
import type { Claims, ExpectedCommand } from '../../src/domain/review/assertion.js';
import type { People, Person } from '../../src/domain/review/people.js';
import { makeKeyPair, type KeyPair, type Signer } from '../../src/review/keys.js';

export const NOW_MS = 1_800_000_000_500;
export const NOW = Math.floor(NOW_MS / 1000);

export const PAYLOAD = { disposition: 'proceed', claimEpoch: 3, note: 'ü' };

export const ann: KeyPair = makeKeyPair();
export const bob: KeyPair = makeKeyPair();

export const personOf = (id: string, { publicKey }: Pick<KeyPair, 'publicKey'>, more: Partial<Person> = {}): Person => ({
  id,
  groups: ['reviewers'],
  key: publicKey,
  kind: 'human',
  aliases: [],
  ...more,
});

export const peopleOf = (...persons: readonly Person[]): People => ({ persons, digest: hashJson(persons) });

export const PEOPLE = peopleOf(personOf('ann', ann), personOf('bob', bob));

export const signerOf = (id: string, { publicKey, privateKey }: KeyPair): Signer => ({
  id,
  publicKey,
  sign: (text) => sign(undefined, Buffer.from(text), privateKey),
});

export const EXPECTED: ExpectedCommand = {
  tenant: 'acme',
  reviewId: 'review:acme/order-1',
  action: 'decide',
  commandId: 'c-1',
  payloadDigest: hashJson(PAYLOAD),
};

export const CLAIMS: Claims = {
  iss: 'tribunal',
  aud: 'tribunal-review',
  sub: 'ann',
  tid: 'acme',
  rid: 'review:acme/order-1',
  act: 'decide',
  cmd: 'c-1',
  pld: EXPECTED.payloadDigest,
  pkt: createHash('sha256').update('packet').digest('hex'),
  iat: NOW,
  exp: NOW + 300,
};

export const HEADER = { alg: 'EdDSA', kid: 'ann' };

export const base64url = (part: string | Uint8Array): string => Buffer.from(part).toString('base64url');
/** JSON of a value, or the text as it is. */
const partOf = (part: unknown): string => base64url(typeof part === 'string' ? part : JSON.stringify(part));

/** Signed by ann, whatever it says. */
export function forged(header: unknown, claims: unknown, key: KeyObject = ann.privateKey): string {
  const signed = `${partOf(header)}.${partOf(claims)}`;
  return `${signed}.${base64url(sign(undefined, Buffer.from(signed), key))}`;
}

/** A shared secret in the place of a key pair: ann's public key, which everybody knows. */
export function withSharedSecret(header: unknown, claims: unknown): string {
  const signed = `${partOf(header)}.${partOf(claims)}`;
  return `${signed}.${createHmac('sha256', Buffer.from(ann.publicKey, 'base64url')).update(signed).digest('base64url')}`;
}
