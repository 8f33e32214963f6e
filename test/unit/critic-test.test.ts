/** The conformance suite against critics that break one promise each: every one is found, by the name of what it breaks. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { runApart, type CheckResult } from '../../src/testing/run-apart.js';
import { runCli } from '../support/cli-io.js';

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
    expect(lines.at(-1)).toMatchObject({ critic: 'returns_nan', passed: expect.any(Number), notRun: 0 });
  });

  it('ends with exit code 0 when there are warnings alone', async () => {
    const { exit, stdout } = await runCli(['critic', 'test', BAD, '--name', 'varies']);
    expect(stdout).toMatch(/^ {2}warn {2}gives the same finding for the same content$/m);
    expect(exit).toBe(0);
  });

  it('runs the cases beside the module, and says of one that fails what was expected, without its text', async (context) => {
    const module = writeModule(context, 'careful', {
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

  it('hands options to the critic, and names the place of one that its schema refuses', async () => {
    expect(await runCli(['critic', 'test', 'examples/own-critic/critics.mjs', '--with', '{"loud": 1}'])).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('it refuses the options of this test: it takes none'),
    });
  });

  it.each([
    [['nowhere.mjs'], 2, 'nowhere.mjs: there is no such file'],
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

/** A module whose critic finds every "refund", with cases; its findings have no bound. */
function writeModule({ onTestFinished }: TestContext, name: string, cases: Record<string, { input: object; expected: object }>): string {
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
