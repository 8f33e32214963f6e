/**
 * The package as others get it: packed, installed into an empty folder, and used from there by the commands of its page.
 * The dependencies come from npm's cache where they are there, else from the registry.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, says } from '../support/processes.js';
import { runProgram, startProgram } from '../support/programs.js';

const INSTALL_MS = 300_000;
/** What a newcomer may type and write until an own critic denies an own record. */
const MAX_COMMANDS = 5;
const MAX_LINES = 40;

let folder = '';
let tarball = '';
/** The commands that were typed, as a person would type them. */
const typed: string[] = [];

/** `npm …` and `npx …`, typed in the empty folder. */
const type = async (line: string) => {
  typed.push(line);
  const [command = '', ...args] = line.split(' ');
  // Faster, and without the network where everything is there; nothing else changes.
  return await runProgram(command, args, { cwd: folder, env: { npm_config_prefer_offline: 'true' } });
};

beforeAll(async () => {
  build();
  const root = mkdtempSync(join(tmpdir(), 'tribunal-package-'));
  folder = join(root, 'empty');
  mkdirSync(folder);
  const packed = await runProgram('npm', ['pack', '--ignore-scripts', '--pack-destination', root]);
  if (packed.exit !== 0) throw new Error(packed.stderr);
  tarball = join(root, readdirSync(root).find((name) => name.endsWith('.tgz')) ?? '');
}, INSTALL_MS);

afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

describe('the package', () => {
  test('holds what it needs and nothing of its tests, and every file that it names', async () => {
    const listed = await runProgram('tar', ['-tzf', tarball]);
    const files = listed.stdout
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, ''));
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'bin/tribunal.mjs',
      'dist/src/workflow-bundle.cjs',
      'dist/src/workflow-bundle-encrypting.cjs',
      'dist/src/codec/failure-converter.cjs',
      'templates/init/tribunal.yaml',
      'plans/plan.schema.json',
    ])
      expect(files).toContain(file);
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, string | Record<string, string>>;
      license: string;
    };
    const named = Object.values(manifest.exports).flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)));
    expect(named.map((file) => file.replace('./', '')).filter((file) => !files.includes(file))).toEqual([]);
    expect(files.filter((file) => /^(test|src|scripts|examples)\/|\.tribunal|\.env/.test(file))).toEqual([]);
    expect(manifest.license).toBe('MIT');
  });

  test.each([
    ['publint', ['publint', 'run', '--strict']],
    ['attw', ['attw', '--profile', 'esm-only']],
  ])('has entries whose code and types resolve, says %s', async (_name, command) => {
    const { exit, stdout, stderr } = await runProgram('npx', ['--no-install', ...command, tarball]);
    expect({ exit, output: exit === 0 ? '' : stdout + stderr }).toEqual({ exit: 0, output: '' });
  });
});

describe('the first hour', () => {
  /** Everything that the newcomer writes. */
  const CRITIC = `export default [
  {
    name: 'promises',
    version: '1.0.0',
    evaluate({ content }) {
      const swears = JSON.stringify(content).includes('darn');
      return { severity: swears ? 1 : 0, violations: swears ? [{ code: 'swears', message: 'swears at a customer' }] : [] };
    },
  },
];
`;
  const RECORD = '{"content": "Where is that darn parcel of yours?"}\n';

  test(
    'takes an empty folder to an own critic that denies an own record, in five commands and 40 lines at most',
    async () => {
      expect(await type(`npm install ${tarball}`)).toMatchObject({ exit: 0 });
      expect(await type('npx tribunal init')).toMatchObject({ exit: 0, stdout: expect.stringContaining('npx tribunal dev') });
      writeFileSync(join(folder, 'critics', 'promises.mjs'), CRITIC);
      writeFileSync(join(folder, 'records', 'own.json'), RECORD);

      typed.push('npx tribunal dev');
      const dev = startProgram('npx', ['tribunal', 'dev'], { cwd: folder });
      try {
        await says(dev, /^Ctrl-C/m);
        const denied = await type('npx tribunal evaluate records/own.json');
        expect(denied).toMatchObject({ exit: 10, stdout: expect.stringContaining('swears') });

        expect(typed.length).toBeLessThanOrEqual(MAX_COMMANDS);
        expect((CRITIC + RECORD).trim().split('\n').length).toBeLessThanOrEqual(MAX_LINES);

        // The records that came along: one is allowed, one is shown to a person, and the promise is no longer looked for.
        const batch = await runProgram('npx', ['tribunal', 'evaluate', 'records/replies.jsonl', '--json'], { cwd: folder });
        expect(batch.exit).toBe(0);
        const decisions = batch.stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { evaluationId?: string; decision?: string });
        expect(
          Object.fromEntries(
            decisions.flatMap(({ evaluationId, decision }) => (evaluationId === undefined ? [] : [[evaluationId, decision]])),
          ),
        ).toEqual({
          'default/news': 'allow',
          'default/promise': 'allow',
          'default/card': 'escalate',
        });
      } finally {
        dev.kill('SIGINT');
        await dev.ended;
      }
    },
    INSTALL_MS,
  );

  test('goes on with a second critic, which passes the suite and its case, and says what one in TypeScript needs', async () => {
    expect(await type('npx tribunal critic new tone_of_voice')).toMatchObject({ exit: 0 });
    expect(await type('npx tribunal critic test critics/tone_of_voice.mjs')).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('finds what its case finds-it expects'),
    });
    expect(await type('npx tribunal plan check')).toMatchObject({ exit: 0, stdout: expect.stringContaining('replies@1 is good') });
    expect(await type('npx tribunal critic new typed --ts')).toMatchObject({ exit: 0 });
    // The optional package is not there.
    expect(await type('npx tribunal critic test critics/typed.mts')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('npm install tsx'),
    });
  });
});

describe('an entry of the installed package', () => {
  /** Throws on everything native and on the worker; lists what was loaded. */
  const BLOCKER = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(\`
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        if (/core-bridge|@temporalio.worker|@temporalio.activity|\\\\.node$/.test(found.url)) throw new Error('blocked: ' + found.url);
        return found;
      }\`));
  `;

  test.each(['tribunal', 'tribunal/client', 'tribunal/testing', 'tribunal/workflow', 'tribunal/codec'])(
    '%s loads without a native module',
    async (entry) => {
      rmSync(join(folder, 'node_modules', '@temporalio', 'core-bridge'), { recursive: true, force: true });
      writeFileSync(join(folder, 'block.mjs'), BLOCKER);
      writeFileSync(
        join(folder, 'load.mjs'),
        `const loaded = await import('${entry}');
      const { createRequire } = await import('node:module');
      const native = Object.keys(createRequire(import.meta.url).cache).filter((file) => /core-bridge|temporalio.worker|temporalio.activity|\\.node$/.test(file));
      console.log(JSON.stringify({ names: Object.keys(loaded).length, native }));`,
      );
      const { exit, stdout, stderr } = await runProgram(process.execPath, ['--import', './block.mjs', 'load.mjs'], { cwd: folder });
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({ names: expect.any(Number), native: [] });
    },
  );

  test('tribunal/worker does not: the guard of the test above works', async () => {
    writeFileSync(join(folder, 'load.mjs'), "await import('tribunal/worker');");
    const { exit, stderr } = await runProgram(process.execPath, ['--import', './block.mjs', 'load.mjs'], { cwd: folder });
    expect(exit).toBe(1);
    expect(stderr).toContain('blocked: ');
  });

  test('has types that a strict project compiles with', async () => {
    writeFileSync(join(folder, 'use.mts'), TYPES_IN_USE);
    const compiler = join(process.cwd(), 'node_modules', 'typescript', 'bin', 'tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--skipLibCheck',
      '--typeRoots',
      join(process.cwd(), 'node_modules', '@types'),
      '--types',
      'node',
    ];
    const { exit, stdout } = await runProgram(process.execPath, [compiler, ...options, 'use.mts'], { cwd: folder });
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '' });
  });
});

const TYPES_IN_USE = `
import { TribunalClient, prepareEvaluation, type PreparedEvaluation } from 'tribunal/client';
import { defineCritic, definePlan, type Finding } from 'tribunal';
import { evaluateAsChild } from 'tribunal/workflow';
import { conformanceChecks, type Check } from 'tribunal/testing';
import { loadDeployment } from 'tribunal/worker';
import { encryption } from 'tribunal/codec';

const critic = defineCritic({ name: 'own', version: '1.0.0', evaluate: (): Finding => ({ severity: 0, violations: [] }) });
export const checks: readonly Check[] = conformanceChecks(critic, { good: {} });
export const prepared: PreparedEvaluation = prepareEvaluation({ plan: 'p', content: 'text' });
export async function main(): Promise<string> {
  const client = await TribunalClient.connect({ address: 'localhost:7233', dataConverter: encryption({ keys: 'k:key' }) });
  const report = await client.evaluate({ plan: 'p', content: { output: 'text' } });
  return report.decision === 'allow' ? report.evaluationId : (await evaluateAsChild(prepared)).decision;
}
export { definePlan, loadDeployment };
// @ts-expect-error severity is a number
export const wrong: Finding = { severity: 'high', violations: [] };
`;
