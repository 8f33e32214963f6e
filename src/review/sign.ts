/** Signs commands of a person: what `domain/review/assertion.ts` verifies. */
import { hashJson } from '../digest.js';
import { ASSERTION_SECONDS, AUDIENCE, ISSUER, MAX_ASSERTION_CHARS, type Claims } from '../domain/review/assertion.js';
import type { Signer } from './keys.js';

/** What is signed of a command; its payload and packet by their digests. */
export interface CommandFields {
  readonly tenant: string;
  readonly reviewId: string;
  /** Name of the update. */
  readonly action: string;
  /** The same for every attempt to send the command. */
  readonly commandId: string;
  /** JSON. */
  readonly payload: unknown;
  /** SHA-256 (hex) of what the person looked at. */
  readonly packetDigest: string;
}

/** Who signs commands: a key file here, or a gateway that has signed the person in. */
export interface CommandSigner {
  /** Of the person in whose name it signs. */
  readonly id: string;
  /** A compact JWS that may be sent for five minutes. */
  sign(fields: CommandFields): Promise<string>;
}

/** Signs with a key of this process. @param now milliseconds since 1970. */
export function localCommandSigner(signer: Signer, now: () => number = Date.now): CommandSigner {
  return { id: signer.id, sign: async (fields) => signCommand(signer, fields, now()) };
}

/**
 * A compact JWS over the command, valid for {@link ASSERTION_SECONDS} from now.
 * @throws Error when the payload is no JSON, or when names are so long that no verifier would read it.
 */
export function signCommand(signer: Signer, fields: CommandFields, nowMs: number): string {
  const iat = Math.floor(nowMs / 1000);
  const claims: Claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: signer.id,
    tid: fields.tenant,
    rid: fields.reviewId,
    act: fields.action,
    cmd: fields.commandId,
    pld: hashJson(fields.payload),
    pkt: fields.packetDigest,
    iat,
    exp: iat + ASSERTION_SECONDS,
  };
  const signed = `${part({ alg: 'EdDSA', kid: signer.id, typ: 'JWT' })}.${part(claims)}`;
  const jws = `${signed}.${Buffer.from(signer.sign(signed)).toString('base64url')}`;
  if (jws.length > MAX_ASSERTION_CHARS) throw new Error(`the signed command would be longer than ${MAX_ASSERTION_CHARS} characters`);
  return jws;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
