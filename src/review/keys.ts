/** The key pair of a person: made here, and the private half kept in a file that only its owner can read. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { parseWith } from '../schemas/issues.js';
import { PrivateKeySchema } from '../schemas/reviewers.js';

export interface KeyPair {
  /** 32 bytes, base64url without padding: what `reviewers.yaml` has as `key`. */
  readonly publicKey: string;
  /** A key object does not show its bytes when it is printed. */
  readonly privateKey: KeyObject;
}

/** Signs as one person. */
export interface Signer {
  readonly id: string;
  readonly publicKey: string;
  /** Ed25519 over the text in UTF-8: 64 bytes. */
  sign(text: string): Uint8Array;
}

/** A key file that cannot be used; one sentence that names the file and nothing of what stands in it. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  constructor(
    readonly code: 'KEY_EXISTS' | 'KEY_MISSING' | 'KEY_OPEN_TO_OTHERS' | 'KEY_UNUSABLE' | 'KEY_NOT_WRITTEN',
    message: string,
  ) {
    super(message);
  }
}

/** A JWK has 150. */
const MAX_KEY_FILE_BYTES = 4_096;
/** Read and write for the owner, nothing for anybody else. */
const OWNER_ONLY = 0o600;
const FOLDER_OF_OWNER = 0o700;
const OF_OTHERS = 0o077;

export function makeKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: textOf(publicKey) };
}

/** Where a person's key is kept: `$XDG_CONFIG_HOME/tribunal/reviewer.json`, else below `~/.config`. */
export function keyFileOf(env: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME: config = '', HOME: home } = env;
  // A relative one is to be ignored, says its specification.
  return join(isAbsolute(config) ? config : join(home || homedir(), '.config'), 'tribunal', 'reviewer.json');
}

/**
 * Writes the private key as a JWK, with the person's id as `kid`.
 * @param force takes the place of a key that is there, which is gone then.
 * @throws KeyFileError `KEY_EXISTS` when a file is there and `force` is not given, `KEY_NOT_WRITTEN`.
 */
export async function writeKey(file: string, id: string, { privateKey }: KeyPair, force = false): Promise<void> {
  const { kty, crv, x, d } = privateKey.export({ format: 'jwk' });
  const text = `${JSON.stringify({ kty, crv, kid: id, x, d }, undefined, 2)}\n`;
  // Whole or not at all where a key is replaced: half of a new one would have cost the old one.
  const written = force ? `${file}.${randomUUID()}` : file;
  try {
    await mkdir(dirname(file), { recursive: true, mode: FOLDER_OF_OWNER });
    await writeNewFile(written, text);
    if (force) await rename(written, file).catch((error: unknown) => removed(written, error));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' && !force) {
      throw new KeyFileError(
        'KEY_EXISTS',
        `${file}: a key is there already; --force replaces it, and what it signs is refused from then on`,
      );
    }
    throw new KeyFileError('KEY_NOT_WRITTEN', `${file}: cannot be written (${code})`);
  }
}

/** `wx`: never in the place of a file that is there, nor through a link. */
async function writeNewFile(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', OWNER_ONLY);
  try {
    await handle.writeFile(text);
  } catch (error) {
    await removed(file, error);
  } finally {
    await handle.close();
  }
}

/** Nothing half-written stays. */
async function removed(file: string, error: unknown): Promise<never> {
  await rm(file, { force: true });
  throw error;
}

/**
 * The person whose private key the file holds (default: {@link keyFileOf}).
 * @throws KeyFileError `KEY_MISSING`, `KEY_OPEN_TO_OTHERS` when the mode of the file lets others at it (not on Windows,
 * whose modes say nothing), `KEY_UNUSABLE`.
 */
export async function loadSigner(env: NodeJS.ProcessEnv, file: string = keyFileOf(env)): Promise<Signer> {
  const parsed = parseWith(PrivateKeySchema, parseJson(await readKeyFile(file)));
  // What is wrong is not told in detail: any part of the file may be the key.
  if (!parsed.ok) throw unusable(file);
  const { kid, ...jwk } = parsed.value;
  const privateKey = importKey(file, jwk);
  // A public half that belongs to another key would be handed to the operator, and never fit.
  if (textOf(createPublicKey(privateKey)) !== jwk.x) throw unusable(file);
  return { id: kid, publicKey: jwk.x, sign: (text) => sign(undefined, Buffer.from(text, 'utf8'), privateKey) };
}

async function readKeyFile(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    // Of what was opened, not of what has the name a moment later.
    const { mode, size } = await handle.stat();
    if (process.platform !== 'win32' && (mode & OF_OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(3, '0');
      throw new KeyFileError('KEY_OPEN_TO_OTHERS', `${file}: others may get at this private key (mode ${octal}): chmod 600 it`);
    }
    if (size > MAX_KEY_FILE_BYTES) throw unusable(file);
    return await handle.readFile('utf8');
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    const code = codeOf(error);
    if (code === 'ENOENT') throw new KeyFileError('KEY_MISSING', `${file}: there is no key: \`tribunal reviewer init\` makes one`);
    throw new KeyFileError('KEY_UNUSABLE', `${file}: cannot be read (${code})`);
  } finally {
    await handle?.close();
  }
}

const unusable = (file: string): KeyFileError =>
  new KeyFileError('KEY_UNUSABLE', `${file}: is no private key of a reviewer as \`tribunal reviewer init\` writes it`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function importKey(file: string, key: JsonWebKey): KeyObject {
  try {
    return createPrivateKey({ key, format: 'jwk' });
  } catch {
    throw unusable(file);
  }
}

const textOf = (publicKey: KeyObject): string => publicKey.export({ format: 'jwk' }).x ?? '';

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');
