/** The lock file: one with which `npm ci` works on all platforms and with every registry. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'tribunal-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<
      string,
      {
        version?: string;
        optional?: boolean;
        os?: string[];
        cpu?: string[];
        resolved?: string;
        optionalDependencies?: Record<string, string>;
      }
    >;
  };

  it('names every optional package of every platform with its version, so that npm ci works on all of them', () => {
    const wanted = Object.entries(lock.packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).map((name) => ({ of: place, name })),
    );
    // A package is looked for in the folder of the one that needs it, then in those above.
    const entryOf = (of: string, name: string) =>
      lock.packages[`${of}/node_modules/${name}`] ??
      lock.packages[`${of.replace(/\/node_modules\/[^/]+(\/[^/]+)?$/, '')}/node_modules/${name}`] ??
      lock.packages[`node_modules/${name}`];
    expect(wanted.length).toBeGreaterThan(50);
    expect(wanted.filter(({ of, name }) => entryOf(of, name)?.version === undefined)).toEqual([]);
    const forOnePlatform = wanted.filter(({ name }) => /(darwin|linux|win32|freebsd|android)/.test(name));
    expect(forOnePlatform.length).toBeGreaterThan(50);
    expect(
      forOnePlatform.filter(({ of, name }) => (entryOf(of, name)?.os ?? []).length === 0 || (entryOf(of, name)?.cpu ?? []).length === 0),
    ).toEqual([]);
  });

  it('fits every registry: it holds no address', () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('is what package.json asks for: npm ci accepts it', () => {
    const folderOfItsOwn = join(folder, 'ci');
    mkdirSync(folderOfItsOwn);
    for (const file of ['package.json', 'package-lock.json']) writeFileSync(join(folderOfItsOwn, file), readFileSync(file));
    execFileSync('npm', ['ci', '--ignore-scripts', '--dry-run', '--offline', '--no-audit', '--no-fund'], {
      cwd: folderOfItsOwn,
      stdio: 'pipe',
    });
  });
});
