/** The conformance suite against critics that break one promise each: every one is found, by the name of what it breaks. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runApart, type CheckResult } from '../../src/testing/run-apart.js';
import { runCli } from '../support/cli-io.js';
import { runProgram } from '../support/programs.js';

const BAD = 'test/support/bad-critics/critics.mjs';
/** Shorter than the default, so that what never answers costs little; other answers come at once. */
const TIMEOUT_MS = 1_000;

const found = (results: readonly CheckResult[]): string[] =>
  results.filter(({ status }) => status !== 'passed').map(({ status, check, message }) => `${status}: ${check}: ${message ?? ''}`);

describe('a critic that', () => {
  it.each([
    ['throws_hostile', 'error: judges an ordinary text: threw something that cannot be read'],
    ['returns_nan', "error: judges an ordinary text: the finding's severity must be a finite number"],
    ['ignores_signal', 'error: ends soon when its signal is aborted: it still ran 2000 ms after'],
    ['changes_input', 'error: leaves what it is handed as it is: it changes content, context or findings'],
    [
      'quotes_in_errors',
      'error: tells nothing of content, context and secrets in messages, codes and log lines: the message or code of its CriticError',
    ],
    [
      'quotes_in_findings',
      'error: tells nothing of content, context and secrets in messages, codes and log lines: the message or code of a violation',
    ],
    ['logs_content', 'error: tells nothing of content, context and secrets in messages, codes and log lines: a log line of it'],
    [
      'tells_secrets',
      'error: tells nothing of content, context and secrets in messages, codes and log lines: its answer or its log holds a secret',
    ],
    ['varies', 'warning: gives the same finding for the same content: it gave two findings'],
    ['keeps_state', 'error: remembers nothing of other contents: it judges a content differently'],
    ['points_outside', 'error: gives a clean finding for a structure: the span of violation 0 has a path at which'],
    ['drops_fields', 'warning: gives a clean finding for an empty text: part of what it returned'],
    ['leaves_errors', 'warning: judges an ordinary text: it left an error behind'],
    ['takes_any_option', 'error: refuses an option that it does not know: a misspelt option'],
    ['too_large', 'error: gives a clean finding for a text of 256 KB: the finding must have at most 16384 bytes'],
  ])('%s is found: %s', async (name, expected) => {
    expect(found(await runApart(BAD, { name, timeoutMs: TIMEOUT_MS }))).toContainEqual(expect.stringContaining(expected));
  });

  it('gives no finding passes no check that looks at findings', async () => {
    const results = await runApart(BAD, { name: 'returns_nan', timeoutMs: TIMEOUT_MS });
    expect(results.filter(({ status }) => status === 'not_run').map(({ check, message }) => `${check}: ${message ?? ''}`)).toEqual([
      'remembers nothing of other contents: it gave no finding',
      'tells nothing of content, context and secrets in messages, codes and log lines: it gave no finding',
    ]);
  });

  it.each([
    ['blocks', 'it blocked its process'],
    ['ends_process', 'it ended its process'],
  ])(
    '%s costs its own check: the next one runs in another process, and after three losses the rest is not run',
    async (name, message) => {
      const results = await runApart(BAD, { name, timeoutMs: TIMEOUT_MS });
      const lost = results.filter((result) => result.message?.startsWith(message));
      expect(lost.map(({ check }) => check)).toEqual([
        'judges an ordinary text',
        'ends soon when its signal is aborted',
        'leaves what it is handed as it is',
      ]);
      expect(results.filter(({ status }) => status === 'not_run')).toHaveLength(results.length - 8);
      expect(results.filter(({ status }) => status === 'passed')).toHaveLength(5);
      // Most of it is the patience with a process that says nothing.
    },
    90_000,
  );
});

describe('tribunal critic test', () => {
  it('passes the critic of the examples, check by check, with exit code 0', async () => {
    const { exit, stdout, stderr } = await runCli(['critic', 'test', 'examples/own-critic/critics.mjs']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(/^shouting 1\.0\.0$/m);
    expect(stdout).toMatch(/^ {2}ok {4}gives a clean finding for a text of 256 KB$/m);
    expect(stdout).toMatch(/^shouting: \d+ passed$/m);
  });

  it('ends with exit code 1 when a check failed and says which, one object a check with --json', async () => {
    const { exit, stdout } = await runCli(['critic', 'test', BAD, '--name', 'returns_nan', '--json']);
    expect(exit).toBe(1);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toContainEqual({
      critic: 'returns_nan',
      version: '1.0.0',
      check: 'judges an ordinary text',
      status: 'error',
      message: "the finding's severity must be a finite number",
    });
    expect(lines.at(-1)).toMatchObject({ critic: 'returns_nan', passed: expect.any(Number), notRun: 2 });
  });

  it('names the fields that no finding has, once and harmless to show', async () => {
    const { stdout } = await runCli(['critic', 'test', BAD, '--name', 'drops_fields']);
    expect(stdout.split('\n').filter((line) => line.includes('part of what it returned'))).toEqual([
      '        part of what it returned is no part of a finding, and is dropped or changed: ' +
        String.raw`violations/weight, verdict, quiet\u001b[2J`,
    ]);
  });

  it('ends with exit code 0 when there are warnings alone', async () => {
    const { exit, stdout } = await runCli(['critic', 'test', BAD, '--name', 'varies']);
    expect(stdout).toMatch(/^ {2}warn {2}gives the same finding for the same content$/m);
    expect(exit).toBe(0);
  });

  it('runs the cases beside the module, and says of one that fails what was expected, without its text', async () => {
    const module = writeModule('careful', {
      good: { input: { content: 'please refund' }, expected: { violations: [{ code: 'refund', text: 'refund' }] } },
      wrong: { input: { content: 'please refund canary' }, expected: { violations: [{ code: 'promise' }] } },
    });
    const { exit, stdout } = await runCli(['critic', 'test', module]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^ {2}ok {4}finds what its case good expects$/m);
    expect(stdout).toMatch(/^ {2}FAIL {2}finds what its case wrong expects\n {8}expected the violations promise; found refund$/m);
    expect(stdout).toMatch(/^ {2}FAIL {2}gives a clean finding for its case good, repeated up to 256 KB$/m);
    expect(stdout).not.toContain('canary');
  });

  it('goes on with the other critics behind one that never answers, and says in one line what of that one was not run', async () => {
    const critics = ['() => new Promise(() => setInterval(() => {}, 1000))', '() => ({ severity: 0, violations: [] })'];
    const entries = critics.map((evaluate, index) => `{ name: 'critic_${index}', version: '1.0.0', evaluate: ${evaluate} }`);
    const module = writeText(`export default [${entries.join(', ')}];`);
    const { exit, stdout } = await runCli(['critic', 'test', module, '--timeout', '1s']);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^ {2}- {5}13 more checks\n {8}not run, because 3 of its checks before took all their time or their process/m);
    expect(stdout.match(/^ {2}- /gm)).toHaveLength(1);
    expect(stdout).toMatch(/^critic_0: 5 passed, 3 failed, 13 not run$/m);
    expect(stdout).toMatch(/^critic_1: 21 passed$/m);
  });

  it('hands options to the critic, and names the place of one that its schema refuses', async () => {
    expect(await runCli(['critic', 'test', 'examples/own-critic/critics.mjs', '--with', '{"loud": 1}'])).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('it refuses the options of this test: it takes none'),
    });
  });

  it.each([
    [['nowhere.mjs'], 2, 'nowhere.mjs: there is no such file'],
    [['test/support'], 2, 'test/support: cannot be loaded: a folder is no module: name a file in it'],
    [[BAD, '--name', 'unheard_of'], 2, 'there is no critic called unheard_of; the module has throws_hostile,'],
    [[BAD, '--with', '{canary'], 2, '--with is not JSON: write an object such as'],
    [[BAD, '--with', '[1]'], 2, '--with must be an object'],
    [[BAD, '--timeout', '5'], 2, '--timeout'],
    [['package.json'], 2, 'package.json: '],
  ])('refuses %j with exit code %i and one sentence', async (args, exit, message) => {
    const run = await runCli(['critic', 'test', ...args]);
    expect(run).toMatchObject({ exit, stdout: '', stderr: expect.stringContaining(message) });
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
    expect(run.stderr).not.toContain('canary');
  });
});

describe('a critics module that', () => {
  it('never ends to load is given up after the time for that, though its process is alive', async () => {
    const module = writeText('await new Promise(() => setInterval(() => {}, 1000));\nexport default [];');
    await expect(runApart(module, { timeoutMs: TIMEOUT_MS, loadMs: 300 })).rejects.toThrow(
      /critics\.mjs: cannot be loaded: it was not loaded after 0\.3 s: look for an await at its top level that never ends$/,
    );
  });

  it('blocks its process while it is loaded is given up, too', async () => {
    const module = writeText('for (;;);');
    await expect(runApart(module, { timeoutMs: 60_000, loadMs: 2_000 })).rejects.toThrow('blocked its process while it was loaded');
  });

  it('waits for nothing that can come is told in a process that has nothing else to do', async () => {
    const module = writeText('await new Promise(() => {});\nexport default [];');
    const program = `import { loadCriticsModule } from './src/critics/module.ts';
      await loadCriticsModule(${JSON.stringify(module)}, 300).catch(({ message }) => console.log(message));`;
    const ended = await runProgram(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
    expect(ended).toMatchObject({ exit: 0, stdout: expect.stringContaining('was not loaded after 0.3 s') });
  });

  it('sends results of its own is not believed', async () => {
    const module = writeText(
      `const check = { critic: 'faked', version: '1.0.0', check: 'everything' };
      const all = [{ type: 'planned', checks: [check] }, { type: 'ended', index: 0, status: 'passed' }, { type: 'done' }];
      Object.prototype.toJSON = function () { if (this.token !== undefined) globalThis.stolen = this.token; return this; };
      for (const tell of [process.send, process._send])
        for (const one of all) for (const form of [one, JSON.stringify(one), (globalThis.stolen ?? '') + JSON.stringify(one)]) tell?.call(process, form);
      delete Object.prototype.toJSON;
      await new Promise((resolve) => setTimeout(resolve, 200));
      export default [{ name: 'faked', version: '1.0.0', evaluate: () => 7 }];`,
    );
    const results = await runApart(module, { timeoutMs: TIMEOUT_MS });
    expect(results.map(({ check }) => check)).not.toContain('everything');
    expect(found(results)).toContainEqual(expect.stringContaining('error: judges an ordinary text'));
  });

  it('ends the process makes no command of the command line pass', async () => {
    const module = writeText('process.exit(0);');
    const plan = ['plan', 'check', 'plans/example.yaml', '--critics', module];
    const assess = ['assess', '--no-cache', '--set', 'examples/sets/support-chat.jsonl', '--critics', 'own', '--module', module];
    for (const args of [plan, [...plan, '--json'], assess]) {
      const { exit, stdout, stderr } = await runProgram(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...args]);
      expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
      expect(stderr).toContain('the process was ended before the command had come to its end');
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  it.each([
    [
      'critics.mjs',
      'export default [\n  { name: "a" version: 3 },\n];',
      `Unexpected identifier 'version' (line 2: { name: "a" version: 3 },)`,
    ],
    ['critics.mjs', 'export default [\n', 'Unexpected end of input (line 2)'],
    ['critics.mjs', 'const none = undefined;\nexport default none.list;', "Cannot read properties of undefined (reading 'list') (line 2)"],
    ['critics.mjs', "import './other.mjs';", "Unexpected token ';' (in a module that it imports)"],
    ['critics.ts', 'const list: string = ;', 'Unexpected ";" (line 1)'],
    ['critics.mjs', 'throw new Proxy({}, { getPrototypeOf() { throw 1; } });', 'it threw something that cannot be read'],
  ])('cannot be loaded (%s: %j) is refused with the place where that shows', async (name, text, message) => {
    const module = writeText(text, name);
    writeFileSync(join(module, '..', 'other.mjs'), 'export const a = ;');
    const { exit, stderr } = await runCli(['critic', 'test', module]);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: `tribunal: ${module}: cannot be loaded: ${message}\n` });
  });

  it('has several entries that are no critics is told of all that is wrong with them', async () => {
    const module = writeText(
      `export default [{ name: 'A' }, { name: 'b', version: '1.0.0', evaluate() {} }, 7, { name: 'c', version: '1' }];`,
    );
    const form = 'has no version of the form 1.0.0, has no function evaluate';
    expect((await runCli(['critic', 'test', module])).stderr).toBe(
      `tribunal: ${module}: entry 0 of the default export has no name of the form [a-z][a-z0-9_]{0,63}, ${form}; ` +
        `entry 2 of the default export is not a critic; entry 3 of the default export (c) ${form}\n`,
    );
  });

  it('is TypeScript and read as CommonJS says so, and loads under the name that it is told', async () => {
    const text = `import { list } from 'esm-only';\nexport default list as unknown[];`;
    const module = writeText(text, 'critics.ts');
    const folder = join(module, '..');
    const installed = join(folder, 'node_modules', 'esm-only');
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{}');
    writeFileSync(join(installed, 'package.json'), '{"type": "module", "exports": {"import": "./main.js"}}');
    writeFileSync(
      join(installed, 'main.js'),
      `export const list = [{ name: 'one', version: '1.0.0', evaluate: () => ({ severity: 0, violations: [] }) }];`,
    );
    expect(await runCli(['critic', 'test', module])).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/; it was read as CommonJS: name it critics\.mts, or set "type": "module" in its package\.json\n$/),
    });
    renameSync(module, join(folder, 'critics.mts'));
    expect(await runCli(['critic', 'test', join(folder, 'critics.mts')])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^one: 21 passed$/m),
    });
  });
});

/** A module in a folder of its own. @returns its path. */
function writeText(text: string, name = 'critics.mjs'): string {
  const folder = mkdtempSync(join(tmpdir(), 'critic-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** A module whose critic finds every "refund", with cases; its findings have no bound. */
function writeModule(name: string, cases: Record<string, { input: object; expected: object }>): string {
  const folder = mkdtempSync(join(tmpdir(), 'critic-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const module = join(folder, 'critics.mjs');
  writeFileSync(
    module,
    `export default [{ name: '${name}', version: '1.0.0', evaluate: ({ content }) => {
      const text = typeof content === 'string' ? content : '';
      const violations = [...text.matchAll(/refund/g)].map(({ index }) => ({ code: 'refund', message: 'a refund', span: { start: index, end: index + 6 } }));
      return { severity: violations.length > 0 ? 1 : 0, violations };
    } }];`,
  );
  for (const [one, files] of Object.entries(cases)) {
    const at = join(folder, 'cases', name, one);
    mkdirSync(at, { recursive: true });
    for (const [file, value] of Object.entries(files)) writeFileSync(join(at, `${file}.json`), JSON.stringify(value));
  }
  return module;
}
