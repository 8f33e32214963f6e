/**
 * Encrypts payloads one by one: AES-256-GCM with a random nonce, so that nobody without the key can read, forge or change one.
 *
 * K1 What a payload belongs to is authenticated with it: namespace, workflow id and, of an activity, its id. Taken out of
 *    one evaluation it is refused in another, and the result of one critic in the place of another's.
 * K2 It stands beside the payload in clear, as it does in the history, so that a payload can be read where the SDK does not
 *    say what it belongs to. One that was made without is bound to nothing, and taken everywhere.
 * K3 Not the run id: a reset takes the payloads of one run into the next.
 * K4 A deployment's own workflow stays in clear: it holds names and limits alone, outlives every key, and must be read by
 *    whoever looks at lanes.
 * K5 Whatever cannot be decrypted throws: the workflow task fails and is tried again until somebody brings the key.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { isDeploymentId } from '../contract.js';
import { CodecError } from './codec-error.js';
import { KEY_ID_FORM, type CodecKey, type CodecKeys } from './keys.js';

export interface CodecOptions {
  readonly keys: CodecKeys;
  /** Take payloads that are not encrypted: while evaluations of the time before are still read. Default: they are refused. */
  readonly acceptPlain?: boolean;
}

const CIPHER = 'aes-256-gcm';
const ENCODING = 'binary/encrypted';
/** Metadata of an encrypted payload beside `encoding`. */
const KEY_ID = 'encryption-key-id';
const BOUND_TO = 'bound-to';
/** Authenticated with every payload; a change of the format is another one. */
const FORMAT = 'tribunal-codec-1';
/** What GCM is made for; any other length is hashed down to it. */
const NONCE_BYTES = 12;
/** The whole tag. */
const TAG_BYTES = 16;
/** Length of the metadata, before them. */
const LENGTH_BYTES = 4;
const NOTHING = '[]';

export function makeAesGcmCodec({ keys, acceptPlain = false }: CodecOptions): PayloadCodec {
  const [current] = keys;
  const byId = new Map(keys.map((one) => [one.id, one]));
  return {
    encode: async (payloads, context) =>
      isOfDeployment(context) ? payloads : payloads.map((payload) => encrypt(payload, current, boundTo(context))),
    decode: async (payloads, context) =>
      payloads.map((payload) => {
        if (textOf(payload, 'encoding') === ENCODING) return decrypt(payload, byId, context);
        if (acceptPlain || isOfDeployment(context)) return payload;
        throw new CodecError('PLAIN_PAYLOAD', 'a payload is not encrypted, and this codec takes none that is not');
      }),
  };
}

const isOfDeployment = (context: SerializationContext | undefined): boolean => isDeploymentId(context?.workflowId ?? '');

function boundTo(context: SerializationContext | undefined): string {
  if (context === undefined) return NOTHING;
  const activity = context.type === 'activity' ? [context.activityId ?? ''] : [];
  return JSON.stringify([context.namespace, context.workflowId ?? '', ...activity]);
}

function encrypt(payload: Payload, { id, key }: CodecKey, bound: string): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(authenticated(id, bound));
  const data = Buffer.concat([nonce, cipher.update(packed(payload)), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: bytesOf(ENCODING), [KEY_ID]: bytesOf(id), [BOUND_TO]: bytesOf(bound) }, data };
}

function decrypt(payload: Payload, keys: ReadonlyMap<string, CodecKey>, context: SerializationContext | undefined): Payload {
  const id = textOf(payload, KEY_ID);
  const bound = textOf(payload, BOUND_TO);
  const known = keys.get(id);
  if (known === undefined) {
    const named = KEY_ID_FORM.test(id) ? `with the key ${id}` : 'with a key without a name';
    throw new CodecError('UNKNOWN_KEY', `a payload is encrypted ${named}, which is not here: add it behind the current one`);
  }
  if (context !== undefined && bound !== NOTHING && bound !== boundTo(context))
    throw new CodecError('WRONG_PLACE', 'a payload stands in a place that it was not made for: somebody has moved it');
  const data = payload.data ?? new Uint8Array();
  try {
    const nonce = data.subarray(0, NONCE_BYTES);
    const cipher = createDecipheriv(CIPHER, known.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(authenticated(id, bound)).setAuthTag(data.subarray(-TAG_BYTES));
    return unpacked(Buffer.concat([cipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()]));
  } catch {
    // No cause: it would say no more, and whatever was decrypted by then is not authentic.
    throw new CodecError('NOT_AUTHENTIC', `a payload was changed, or was encrypted with another key of the name ${id}`);
  }
}

const authenticated = (id: string, bound: string): Buffer => bytesOf(JSON.stringify([FORMAT, id, bound]));

/** The length of the metadata, the metadata, the data. */
function packed({ metadata, data }: Payload): Buffer {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  const head = bytesOf(JSON.stringify(entries));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  // Of a payload without bytes the SDK has an empty list where others have bytes.
  return Buffer.concat([length, head, Uint8Array.from(data ?? [])]);
}

function unpacked(bytes: Buffer): Payload {
  const begin = LENGTH_BYTES + bytes.readUInt32BE();
  const entries = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, begin)) as [string, string][];
  const metadata = Object.fromEntries(entries.map(([name, value]) => [name, Buffer.from(value, 'base64')]));
  return { metadata, data: bytes.subarray(begin) };
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

const textOf = ({ metadata }: Payload, name: string): string => Buffer.from(metadata?.[name] ?? []).toString('utf8');
