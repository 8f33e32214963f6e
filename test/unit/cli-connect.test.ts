/** Which deployment a command asks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deploymentName } from '../../src/cli/connect.js';

describe('the deployment that a command asks', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-name-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const written = (text: string): string => {
    const file = join(dir, 'tribunal.yaml');
    writeFileSync(file, text);
    return file;
  };

  it('is the one of the file, or the default one when the file names none', () => {
    expect(deploymentName({ file: written('name: strict\nplans: []\n') }, {})).toBe('strict');
    expect(deploymentName({ file: written('plans: []\n') }, {})).toBe('tribunal');
  });

  it('is never the default one because its file is broken: that one may have laxer plans', () => {
    expect(() => deploymentName({ file: written('name: [strict\n') }, {})).toThrow(/tribunal\.yaml:\d+:\d+ /);
    expect(() => deploymentName({ file: written('name: Not A Name\n') }, {})).toThrow(/is not the name of a deployment/);
    expect(() => deploymentName({ file: join(dir, 'missing.yaml') }, {})).toThrow(/there is no such file/);
  });

  it('is what the option or the environment says before any file', () => {
    const file = written('name: from-file\n');
    expect(deploymentName({ deployment: 'option', file }, { TRIBUNAL_DEPLOYMENT: 'environment' })).toBe('option');
    expect(deploymentName({ file }, { TRIBUNAL_DEPLOYMENT: 'environment' })).toBe('environment');
  });
});
