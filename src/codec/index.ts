/**
 * `tribunal/codec`: encryption of everything that Temporal records of an evaluation, ready to be given to workers and
 * clients. Loads no native module.
 */
import type { DataConverter } from '@temporalio/common';
import { loadSettings } from '../settings.js';
import { makeAesGcmCodec } from './aes-gcm.js';
import { withFailures } from './failures.js';
import { parseKeys } from './keys.js';

export { CodecError, type CodecCode } from './codec-error.js';

export interface EncryptionOptions {
  /** `id:key,id2:key2`, keys of 32 bytes in base64: the first encrypts, all decrypt. */
  readonly keys: string;
  /** Take payloads that are not encrypted: while evaluations of the time before are still read. Default: they are refused. */
  readonly acceptPlain?: boolean;
}

/**
 * A data converter for the workers and clients of tribunal, and for workers of one's own whose workflows call `evaluateAsChild`.
 * @throws Error in one sentence without any part of a key.
 */
export function encryption({ keys: text, acceptPlain = false }: EncryptionOptions): DataConverter {
  const parsed = parseKeys(text);
  if (!parsed.ok) throw new Error(`keys: ${parsed.problem}`);
  return withFailures({ payloadCodecs: [makeAesGcmCodec({ keys: parsed.keys, acceptPlain })] });
}

/**
 * The same with the keys of `TRIBUNAL_CODEC_KEYS`, and `TRIBUNAL_CODEC_ACCEPT_PLAIN=yes` for `acceptPlain`.
 * @throws Error with everything that is wrong with the environment, without any part of a key.
 */
export function environmentEncryption(env?: NodeJS.ProcessEnv): DataConverter {
  const loaded = loadSettings(env);
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  const { codecKeys, codecAcceptsPlain } = loaded.settings;
  if (codecKeys === undefined)
    throw new Error('tribunal/codec needs keys: set TRIBUNAL_CODEC_KEYS to id:key, where `openssl rand -base64 32` makes a key');
  return withFailures({ payloadCodecs: [makeAesGcmCodec({ keys: codecKeys, acceptPlain: codecAcceptsPlain })] });
}
