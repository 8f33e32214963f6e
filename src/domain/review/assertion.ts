/**
 * The signed command: who does what to which review, as a compact JWS (Ed25519) that an update's validator verifies
 * before anything is recorded. Synchronous and total, since a validator that throws strangely, waits or takes long
 * fails the workflow task instead of the update. Runs in the sandbox. Pure.
 */
import { bytesOfBase64Url } from './base64url.js';
import { isSignedBy } from './crypto.js';
import { PERSON_ID_FORM, type People, type Person } from './people.js';

export const ISSUER = 'tribunal';
export const AUDIENCE = 'tribunal-review';
/** Longest life of an assertion: whoever is removed can act for so long. */
export const ASSERTION_SECONDS = 300;
/** How far the clock of who signs may be ahead. */
const SKEW_SECONDS = 60;
/** Looked at before anything else, so that the work is bounded whatever is sent. */
export const MAX_ASSERTION_CHARS = 4_096;

const HEX_DIGEST = /^[0-9a-f]{64}$/;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export interface Claims {
  readonly iss: typeof ISSUER;
  readonly aud: typeof AUDIENCE;
  /** Id of the person who signed. */
  readonly sub: string;
  readonly tid: string;
  readonly rid: string;
  /** Name of the update. */
  readonly act: string;
  /** Command id: the same for every attempt to send the command. */
  readonly cmd: string;
  /** SHA-256 (hex) of the canonical payload. */
  readonly pld: string;
  /** Digest (hex) of what the person looked at. */
  readonly pkt: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly exp: number;
}

/** What the command that carries the assertion says, computed by whoever verifies. */
export interface ExpectedCommand {
  readonly tenant: string;
  readonly reviewId: string;
  readonly action: string;
  readonly commandId: string;
  readonly payloadDigest: string;
}

export type AssertionRefusal = 'BAD_REQUEST' | 'KEY_UNKNOWN' | 'BAD_SIGNATURE' | 'ASSERTION_EXPIRED' | 'ASSERTION_MISMATCH';

export type VerifiedAssertion =
  | { readonly ok: true; readonly person: Person; readonly claims: Claims }
  | { readonly ok: false; readonly code: AssertionRefusal };

/**
 * Verifies a signed command; never throws, whatever it is given. Does not compare `pkt`: the caller does, after it has
 * looked for duplicates, since an honest retry may come after the packet has changed.
 *
 * `BAD_REQUEST`: no compact JWS of at most {@link MAX_ASSERTION_CHARS}, or other claims than these. `BAD_SIGNATURE`: a
 * header that says more or other than `alg: EdDSA` and `kid`, or a wrong signature. `KEY_UNKNOWN`: nobody has this `kid`;
 * may be sent again once when people were loaded anew. `ASSERTION_EXPIRED`: too old, from the future, or valid for
 * longer than {@link ASSERTION_SECONDS}. `ASSERTION_MISMATCH`: signed by this person, for another command.
 */
export function verifyAssertion(jws: unknown, people: People, expected: ExpectedCommand, nowMs: number): VerifiedAssertion {
  try {
    return verify(jws, people, expected, nowMs);
  } catch {
    // Bytes that are not UTF-8, text that is not JSON: whatever it was, nothing was verified.
    return refused('BAD_REQUEST');
  }
}

/** What an assertion says that was verified when it came; `undefined` for what no validator would have let pass. */
export function readAssertion(jws: string): Pick<Claims, 'sub' | 'pkt'> | undefined {
  try {
    const bytes = bytesOfBase64Url(jws.split('.')[1] ?? '');
    return bytes === undefined ? undefined : claimsOf(fieldsOf(bytes));
  } catch {
    return undefined;
  }
}

const refused = (code: AssertionRefusal): VerifiedAssertion => ({ ok: false, code });

function verify(jws: unknown, people: People, expected: ExpectedCommand, nowMs: number): VerifiedAssertion {
  if (typeof jws !== 'string' || jws.length > MAX_ASSERTION_CHARS || !COMPACT.test(jws)) return refused('BAD_REQUEST');
  const [header = '', body = '', tail = ''] = jws.split('.');
  const [headerBytes, bodyBytes, signature] = [header, body, tail].map(bytesOfBase64Url);
  if (headerBytes === undefined || bodyBytes === undefined || signature === undefined) return refused('BAD_REQUEST');

  const kid = kidOf(fieldsOf(headerBytes));
  if (kid === undefined) return refused('BAD_SIGNATURE');
  const person = people.persons.find(({ id }) => id === kid);
  if (person === undefined) return refused('KEY_UNKNOWN');
  const key = bytesOfBase64Url(person.key);
  if (key === undefined || !isSignedBy(key, `${header}.${body}`, signature)) return refused('BAD_SIGNATURE');

  const claims = claimsOf(fieldsOf(bodyBytes));
  if (claims === undefined) return refused('BAD_REQUEST');
  if (claims.sub !== kid) return refused('ASSERTION_MISMATCH');
  if (!isTimely(claims, nowMs / 1000)) return refused('ASSERTION_EXPIRED');
  if (!isFor(claims, expected)) return refused('ASSERTION_MISMATCH');
  return { ok: true, person, claims: { ...claims, iss: ISSUER, aud: AUDIENCE } };
}

/** As a map, in which `__proto__` is a name like any other. A byte order mark stays, so that it is no JSON. Throws for other bytes. */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}

const HEADER_FIELDS: readonly string[] = ['alg', 'kid', 'typ'];

/**
 * The key's name, of a header that asks for nothing else. One algorithm: a header that could choose would choose `none`,
 * or take the public key for a shared secret; nor may it bring a key (`jwk`, `jku`) or conditions (`crit`) along.
 */
function kidOf(header: ReadonlyMap<string, unknown>): string | undefined {
  const kid = header.get('kid');
  const isPlain = [...header.keys()].every((name) => HEADER_FIELDS.includes(name)) && (!header.has('typ') || header.get('typ') === 'JWT');
  return isPlain && header.get('alg') === 'EdDSA' && typeof kid === 'string' && PERSON_ID_FORM.test(kid) ? kid : undefined;
}

/** As they were written: of whom and for whom is compared later. */
type WrittenClaims = Omit<Claims, 'iss' | 'aud'> & { readonly iss: string; readonly aud: string };

/** Exactly the claims that are known: one that was not looked at might narrow what the others allow. */
function claimsOf(fields: ReadonlyMap<string, unknown>): WrittenClaims | undefined {
  const text = (name: keyof Claims): string => textOf(fields.get(name));
  const seconds = (name: keyof Claims): number => secondsOf(fields.get(name));
  const claims: WrittenClaims = {
    iss: text('iss'),
    aud: text('aud'),
    sub: text('sub'),
    tid: text('tid'),
    rid: text('rid'),
    act: text('act'),
    cmd: text('cmd'),
    pld: text('pld'),
    pkt: text('pkt'),
    iat: seconds('iat'),
    exp: seconds('exp'),
  };
  const isWhole = fields.size === Object.keys(claims).length && Object.values(claims).every((value) => value !== '' && value !== -1);
  return isWhole && HEX_DIGEST.test(claims.pld) && HEX_DIGEST.test(claims.pkt) ? claims : undefined;
}

/** Nothing where it is no text: no claim may be empty. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const secondsOf = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : -1);

/** Written so that a clock that is no number is never timely. */
const isTimely = ({ iat, exp }: WrittenClaims, now: number): boolean =>
  iat <= now + SKEW_SECONDS && now < exp && exp > iat && exp - iat <= ASSERTION_SECONDS;

const isFor = (claims: WrittenClaims, expected: ExpectedCommand): boolean =>
  claims.iss === ISSUER &&
  claims.aud === AUDIENCE &&
  claims.act === expected.action &&
  claims.rid === expected.reviewId &&
  claims.tid === expected.tenant &&
  claims.cmd === expected.commandId &&
  claims.pld === expected.payloadDigest;
