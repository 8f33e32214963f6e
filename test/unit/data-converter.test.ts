/** Which data converter a command, a client and a deployment file mean, and what is said of one that cannot be used. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { converterFor } from '../../src/cli/connect.js';
import { TribunalClient } from '../../src/client.js';
import { loadDataConverter } from '../../src/codec/load.js';
import { loadDeployment } from '../../src/deployment.js';
import { runCli } from '../support/cli-io.js';

const KEY = Buffer.alloc(32, 5).toString('base64');
const CODEC = '{ payloadCodecs: [{ async encode(payloads) { return payloads; }, async decode(payloads) { return payloads; } }] }';
const MODULES: Readonly<Record<string, string>> = {
  'named.mjs': `export const dataConverter = ${CODEC};`,
  'default.mjs': `export default ${CODEC};`,
  'common.cjs': `exports.dataConverter = ${CODEC};`,
  'typed.mts': `export const dataConverter: object = ${CODEC};`,
  'empty.mjs': 'export const other = 1;',
  'nothing.mjs': 'export default {};',
  'number.mjs': 'export const dataConverter = 7;',
  'halves.mjs': 'export const dataConverter = { payloadCodecs: [{ encode() {} }] };',
  'path.mjs': 'export const dataConverter = { failureConverterPath: new URL(import.meta.url) };',
  'throws.mjs': "throw new Error('not today');",
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tribunal-converter-'));
  for (const [file, text] of Object.entries(MODULES)) writeFileSync(join(dir, file), text);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const written = (text: string): string => {
  const file = join(dir, 'tribunal.yaml');
  writeFileSync(file, text);
  return file;
};

describe('a data converter', () => {
  it.each(['named.mjs', 'default.mjs', 'common.cjs', 'typed.mts'])('is loaded from %s', async (file) => {
    expect((await loadDataConverter(join(dir, file))).payloadCodecs).toHaveLength(1);
  });

  it('is the one of the option, else of the environment, else of the deployment file, whose paths start at its folder', async () => {
    const file = written('plans: [p.yaml]\ndataConverter: named.mjs\n');
    const env = { TRIBUNAL_DATA_CONVERTER: join(dir, 'default.mjs') };
    const nameOf = async (...args: Parameters<typeof converterFor>) => (await converterFor(...args))?.name;
    expect(await nameOf({ dataConverter: join(dir, 'common.cjs'), file }, env)).toBe(join(dir, 'common.cjs'));
    expect(await nameOf({ file }, env)).toBe(join(dir, 'default.mjs'));
    expect(await nameOf({ file }, {})).toBe(join(dir, 'named.mjs'));
    expect(await nameOf({ file: written('dataConverter: tribunal/codec\n') }, { TRIBUNAL_CODEC_KEYS: `k:${KEY}` })).toBe('tribunal/codec');
    expect(await nameOf({ file: written('plans: [p.yaml]\n') }, {})).toBeUndefined();
  });

  it('is never none because its file is broken: content would be sent in clear', async () => {
    await expect(converterFor({ file: written('dataConverter: [named.mjs\n') }, {})).rejects.toThrow(/tribunal\.yaml:\d+:\d+ /);
    await expect(converterFor({ file: written('dataConverter: 7\n') }, {})).rejects.toThrow(
      'dataConverter must be tribunal/codec or the path',
    );
  });

  it('is named by a deployment to its workers', async () => {
    const text = (converter: string): string => written(`plans: [p.yaml]\ndataConverter: ${converter}\n`);
    writeFileSync(
      join(dir, 'p.yaml'),
      'plan: p\nversion: 1\ntimeouts: { global: 1s }\ncritics: { a: { uses: scripted, stage: core_analysis } }\nverdict: { otherwise: allow }\n',
    );
    expect((await loadDeployment({ file: text('named.mjs') })).dataConverter).toBe(join(dir, 'named.mjs'));
    expect((await loadDeployment({ file: text('tribunal/codec') })).dataConverter).toBe('tribunal/codec');
  });

  it('of the environment is the one of a client that asks the environment, which does not connect without it', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    vi.stubEnv('TRIBUNAL_DATA_CONVERTER', join(dir, 'missing.mjs'));
    try {
      await expect(TribunalClient.connect()).rejects.toThrow('missing.mjs: cannot be loaded: there is no such file');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('a command that is given', () => {
  it.each([
    ['a module that is not there', 'missing.mjs', {}, /missing\.mjs: cannot be loaded: there is no such file/],
    [
      'a module that exports none',
      'empty.mjs',
      {},
      /empty\.mjs: must export a data converter, by the name dataConverter or as its default/,
    ],
    ['a data converter that does nothing', 'nothing.mjs', {}, /it has none of payloadCodecs, /],
    ['something else', 'number.mjs', {}, /it is no object/],
    ['half a codec', 'halves.mjs', {}, /payloadCodecs must be a list of codecs with encode and decode/],
    ['a path that is none', 'path.mjs', {}, /failureConverterPath must be a path/],
    ['a module that throws', 'throws.mjs', {}, /throws\.mjs: cannot be loaded: not today/],
    ['the ready codec without keys', 'tribunal/codec', {}, /tribunal\/codec needs keys: set TRIBUNAL_CODEC_KEYS/],
    ['keys without a name', 'tribunal/codec', { TRIBUNAL_CODEC_KEYS: KEY }, /TRIBUNAL_CODEC_KEYS: entry 1 must be id:key/],
    ['a key that is too short', 'tribunal/codec', { TRIBUNAL_CODEC_KEYS: `k:${KEY.slice(4)}` }, /entry 1 must have a key of 32 bytes/],
  ])('%s says so in one sentence and exits 2, whatever command it is', async (_what, name, env, sentence) => {
    const converter = name === 'tribunal/codec' ? name : join(dir, name);
    for (const command of [['worker'], ['dev'], ['list'], ['show', 'any'], ['evaluate', '--plan', 'any', '--content', 'x']]) {
      const address = command[0] === 'dev' ? [] : ['--address', '127.0.0.1:1'];
      const { exit, stdout, stderr } = await runCli([...command, ...address, '--data-converter', converter], { env });
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
      expect(stderr).toMatch(sentence);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(stderr).not.toContain(KEY.slice(4, 40));
    }
  });
});
