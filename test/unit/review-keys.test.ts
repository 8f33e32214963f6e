/** The key file of a person, and the commands that make and show it. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { bytesOfBase64Url } from '../../src/domain/review/base64url.js';
import { isSignedBy } from '../../src/domain/review/crypto.js';
import { keyFileOf, loadSigner, makeKeyPair, writeKey } from '../../src/review/keys.js';
import { loadPeople } from '../../src/review/people.js';
import { runCli } from '../support/cli-io.js';
import { ann, bob } from './review-fixture.js';

let folder = '';
let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tribunal-keys-'));
  env = { XDG_CONFIG_HOME: folder };
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const file = (): string => join(folder, 'tribunal', 'reviewer.json');
/** The private part of the key that is there. */
const secret = (): string => String((JSON.parse(readFileSync(file(), 'utf8')) as { d: string }).d);
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the key file of a person', () => {
  it('stands in the configuration folder of the user', () => {
    expect(keyFileOf(env)).toBe(file());
    expect(keyFileOf({ HOME: '/home/ann' })).toBe('/home/ann/.config/tribunal/reviewer.json');
    expect(keyFileOf({ HOME: '/home/ann', XDG_CONFIG_HOME: 'relative' })).toBe('/home/ann/.config/tribunal/reviewer.json');
    expect(keyFileOf({})).toBe(join(homedir(), '.config/tribunal/reviewer.json'));
  });

  it('gives back the person who signs as the public key says', async () => {
    await writeKey(file(), 'ann', ann);
    const signer = await loadSigner(env);
    expect(signer).toMatchObject({ id: 'ann', publicKey: ann.publicKey });
    expect(isSignedBy(bytesOfBase64Url(ann.publicKey) ?? new Uint8Array(), 'text ü', signer.sign('text ü'))).toBe(true);
    expect(inspect([signer, ann], { depth: 10, showHidden: true })).not.toContain(secret());
  });

  it("is its owner's alone from the beginning, and so is the folder that was made for it", async () => {
    await writeKey(file(), 'ann', ann);
    expect(modeOf(file())).toBe(0o600);
    expect(modeOf(dirname(file()))).toBe(0o700);
    await writeKey(file(), 'bob', bob, true);
    expect(modeOf(file())).toBe(0o600);
  });

  it('is never written over unless that is asked for, and then whole', async () => {
    await writeKey(file(), 'ann', ann);
    await expect(writeKey(file(), 'bob', bob)).rejects.toMatchObject({ code: 'KEY_EXISTS', message: expect.stringContaining(file()) });
    expect((await loadSigner(env)).id).toBe('ann');
    await writeKey(file(), 'bob', bob, true);
    expect(await loadSigner(env)).toMatchObject({ id: 'bob', publicKey: bob.publicKey });
    expect(readdirSync(dirname(file()))).toEqual(['reviewer.json']);
  });

  it('is not written through a link, also one to nowhere', async () => {
    mkdirSync(dirname(file()));
    symlinkSync(join(folder, 'elsewhere'), file());
    await expect(writeKey(file(), 'ann', ann)).rejects.toMatchObject({ code: 'KEY_EXISTS' });
    await writeKey(file(), 'ann', ann, true);
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
    expect((await loadSigner(env)).id).toBe('ann');
  });

  it('leaves nothing behind when it cannot be written', async () => {
    mkdirSync(file(), { recursive: true });
    await expect(writeKey(file(), 'ann', ann, true)).rejects.toMatchObject({ code: 'KEY_NOT_WRITTEN' });
    expect(readdirSync(dirname(file()))).toEqual(['reviewer.json']);
  });

  it.runIf(process.platform !== 'win32').each([0o644, 0o640, 0o604, 0o620, 0o610, 0o601])(
    'is refused when others may get at it: mode %o',
    async (mode) => {
      await writeKey(file(), 'ann', ann);
      chmodSync(file(), mode);
      await expect(loadSigner(env)).rejects.toMatchObject({
        code: 'KEY_OPEN_TO_OTHERS',
        message: `${file()}: others may get at this private key (mode ${mode.toString(8)}): chmod 600 it`,
      });
      chmodSync(file(), 0o400);
      expect((await loadSigner(env)).id).toBe('ann');
    },
  );

  it('is missed by its name', async () => {
    await expect(loadSigner(env)).rejects.toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringContaining('tribunal reviewer init'),
    });
    await expect(loadSigner({}, join(folder, 'other.json'))).rejects.toMatchObject({ message: expect.stringContaining('other.json') });
  });

  it('is refused without a word of what stands in it when it is none', async () => {
    await writeKey(file(), 'ann', ann);
    const key = JSON.parse(readFileSync(file(), 'utf8')) as Record<string, unknown>;
    const others: unknown[] = [
      { ...key, kid: 'a/b' },
      { ...key, x: bob.publicKey },
      { ...key, crv: 'X25519' },
      { ...key, d: secret().slice(1) },
      { ...key, d: `${secret()}=` },
      { ...key, more: 1 },
      { ...key, kid: undefined },
      [key],
      null,
      'a'.repeat(10_000),
    ];
    const padded = `${JSON.stringify(key)}${' '.repeat(4_096)}`;
    for (const text of [...others.map((other) => JSON.stringify(other)), padded, '', '{', secret()]) {
      writeFileSync(file(), text);
      const error: unknown = await loadSigner(env).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'KEY_UNUSABLE',
        message: `${file()}: is no private key of a reviewer as \`tribunal reviewer init\` writes it`,
      });
    }
  });

  it('holds another key each time one is made', () => {
    expect(new Set(Array.from({ length: 20 }, () => makeKeyPair().publicKey)).size).toBe(20);
  });
});

describe('tribunal reviewer init', () => {
  it('writes the key, says where, and prints the entry that reviewers.yaml takes once its groups are filled in', async () => {
    const { exit, stdout, stderr } = await runCli(['reviewer', 'init', '--id', 'ann'], { env });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain(`written  ${file()}`);
    expect(stdout).toContain('where it goes under `people:`');
    expect(stdout).not.toContain(secret());
    const { publicKey } = await loadSigner(env);
    const entry = stdout.slice(stdout.indexOf('  - id:'));
    const reviewers = join(folder, 'reviewers.yaml');
    writeFileSync(reviewers, `people:\n${entry.replace('[]', '[reviewers]')}`);
    expect((await loadPeople(reviewers)).persons).toEqual([
      { id: 'ann', groups: ['reviewers'], key: publicKey, kind: 'human', aliases: [] },
    ]);
    writeFileSync(reviewers, `people:\n${entry}`);
    await expect(loadPeople(reviewers)).rejects.toThrow(/groups must be at least 1 entry long/);
  });

  it.each(['007', '@ann', '-', 'true', '1e3', 'null'])('prints an entry that YAML takes for what it is: %s', async (id) => {
    const { stdout } = await runCli(['reviewer', 'init', `--id=${id}`], { env });
    const reviewers = join(folder, 'reviewers.yaml');
    writeFileSync(reviewers, `people:\n${stdout.slice(stdout.indexOf('  - id:')).replace('[]', '[g]')}`);
    expect((await loadPeople(reviewers)).persons).toMatchObject([{ id }]);
  });

  it('makes an id that says nothing of the person when none is given', async () => {
    const { stdout } = await runCli(['reviewer', 'init', '--json'], { env });
    expect(JSON.parse(stdout)).toEqual({
      id: expect.stringMatching(/^r-[0-9a-f]{8}$/),
      key: (await loadSigner(env)).publicKey,
      file: file(),
    });
  });

  it('leaves a key alone that is there, unless it is told to replace it', async () => {
    await runCli(['reviewer', 'init', '--id', 'ann'], { env });
    const before = readFileSync(file(), 'utf8');
    const again = await runCli(['reviewer', 'init', '--id', 'bob'], { env });
    expect(again).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining('a key is there already') });
    expect(readFileSync(file(), 'utf8')).toBe(before);
    expect(await runCli(['reviewer', 'init', '--id', 'bob', '--force'], { env })).toMatchObject({ exit: 0 });
    expect((await loadSigner(env)).id).toBe('bob');
  });

  it('refuses an id that could not stand in a search attribute, and writes nothing', async () => {
    for (const id of ['', 'a/b', 'a b', 'a'.repeat(129), 'ä']) {
      const { exit, stderr } = await runCli(['reviewer', 'init', `--id=${id}`], { env });
      expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('is not the id of a person') });
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('tribunal reviewer show', () => {
  it('shows the id and the public key, for people and for programs', async () => {
    await writeKey(file(), 'ann', ann);
    const shown = await runCli(['reviewer', 'show'], { env });
    expect(shown).toEqual({ exit: 0, stderr: '', stdout: `id    ann\nkey   ${ann.publicKey}\nfile  ${file()}\n` });
    const { stdout } = await runCli(['reviewer', 'show', '--json'], { env });
    expect(JSON.parse(stdout)).toEqual({ id: 'ann', key: ann.publicKey, file: file() });
  });

  it('says in one sentence what keeps it from doing so', async () => {
    expect(await runCli(['reviewer', 'show'], { env })).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: expect.stringMatching(/^tribunal: .*there is no key.*\n$/),
    });
    await writeKey(file(), 'ann', ann);
    chmodSync(file(), 0o644);
    const { exit, stderr } = await runCli(['reviewer', 'show', '--json'], { env });
    expect(exit).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'KEY_OPEN_TO_OTHERS' } });
  });
});
