/** The keys of the codec as they are written down: `id:base64,id2:base64`, the first one for what is encrypted now. */
import { createSecretKey, type KeyObject } from 'node:crypto';

export interface CodecKey {
  /** Stands in clear beside every payload. */
  readonly id: string;
  /** Of 256 bits. A key object does not show its bytes when it is printed. */
  readonly key: KeyObject;
}

/** Shorter than a key in base64, so that a key that was written in the place of its id is not taken for one. */
export const KEY_ID_FORM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;
/** AES-256. */
export const KEY_BYTES = 32;

/** The first encrypts, all decrypt. */
export type CodecKeys = readonly [CodecKey, ...CodecKey[]];

export type ParsedKeys = { readonly ok: true; readonly keys: CodecKeys } | { readonly ok: false; readonly problem: string };

/** What is wrong is told by the number of the entry: any part of the text may be a key. */
export function parseKeys(text: string): ParsedKeys {
  const keys: CodecKey[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const [id = '', base64 = '', ...more] = entry.trim().split(':');
    const bytes = Buffer.from(base64, 'base64');
    const problem =
      more.length > 0 || !KEY_ID_FORM.test(id)
        ? `must be id:key, with an id of the form ${KEY_ID_FORM.source}`
        : !/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64) || bytes.length !== KEY_BYTES
          ? `must have a key of ${KEY_BYTES} bytes in base64: openssl rand -base64 ${KEY_BYTES} makes one`
          : keys.some((other) => other.id === id)
            ? 'has the id of an earlier one'
            : undefined;
    if (problem !== undefined) return { ok: false, problem: `entry ${index + 1} ${problem}` };
    keys.push({ id, key: createSecretKey(bytes) });
  }
  const [first, ...others] = keys;
  return first === undefined ? { ok: false, problem: 'there is no key' } : { ok: true, keys: [first, ...others] };
}
