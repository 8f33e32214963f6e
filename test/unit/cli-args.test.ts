/** Arguments, help and errors of the command line, as far as no server is needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli-io.js';

let dir: string;
const file = (name: string): string => join(dir, name);
const PLAN =
  'plan: good\nversion: 1\ntimeouts: { global: 10s }\ncritics:\n  one: { uses: scripted, stage: core_analysis }\nverdict: { otherwise: allow }\n';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tribunal-cli-'));
  await writeFile(file('good.yaml'), PLAN);
  await writeFile(file('bad.yaml'), PLAN.replace('core_analysis', 'core_analisis'));
  await writeFile(file('two.yaml'), `plans: [good.yaml, other.yaml]\n`);
  await writeFile(file('other.yaml'), PLAN.replace('good', 'other'));
  await writeFile(file('records.jsonl'), '{"content":"a"}\n\n{"content":\n{"content":"b","riskTier":"extreme"}\n');
  await writeFile(file('ok.jsonl'), '{"content":"a"}\n{"content":"b"}\n');
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('help', () => {
  it('is shown by --help with exit code 0, and names every command and the exit codes', async () => {
    const { exit, stdout } = await runCli(['--help']);
    expect(exit).toBe(0);
    for (const command of ['dev', 'worker', 'setup', 'doctor', 'evaluate', 'show', 'list', 'watch', 'cancel', 'lanes', 'plan'])
      expect(stdout).toContain(`\n  ${command}`);
    expect(stdout).toContain('12 not judged');
  });

  it('of a command lists the global options too', async () => {
    const { exit, stdout } = await runCli(['evaluate', '--help']);
    expect(exit).toBe(0);
    for (const option of ['--plan <name>', '--context <key=value>', '--no-wait', '--fail-on', '--json', '--address'])
      expect(stdout).toContain(option);
  });

  it('is shown without a command, with the exit code of wrong usage', async () => {
    const { exit, stderr } = await runCli([]);
    expect(exit).toBe(2);
    expect(stderr).toContain('Usage: tribunal');
  });
});

describe('wrong usage', () => {
  const cases: readonly (readonly [situation: string, args: string[], says: string])[] = [
    ['an unknown command is told the nearest one', ['evalute'], 'Did you mean evaluate?'],
    ['an unknown option is told', ['list', '--plam', 'x'], "unknown option '--plam'"],
    ['nothing to judge', ['evaluate', '--plan', 'p'], 'nothing to judge'],
    ['a file and --content together', ['evaluate', 'x.json', '--content', 'x', '--plan', 'p'], 'exclude each other'],
    ['an unknown tier is told the known ones', ['evaluate', '--content', 'x', '--risk', 'extreme'], 'low, medium, high, critical'],
    ['a context without =', ['evaluate', '--content', 'x', '--plan', 'p', '--context', 'domain'], 'key=value'],
    [
      'a concurrency of 0',
      ['evaluate', '--content', 'x', '--plan', 'p', '--concurrency', '0'],
      '--concurrency must be a whole number from 1',
    ],
    ['a time-out without a unit', ['evaluate', '--content', 'x', '--plan', 'p', '--timeout', '10'], '--timeout'],
    ['an unknown decision in --fail-on', ['evaluate', '--content', 'x', '--plan', 'p', '--fail-on', 'deny,allow'], 'deny, escalate'],
    ['a file that is not there', ['evaluate', 'none.json', '--plan', 'p'], 'none.json: there is no such file'],
    ['no plan and no deployment file', ['evaluate', '--content', 'x'], '--plan NAME is needed'],
    ['show without an id', ['show'], "missing required argument 'id'"],
    ['list with a limit of words', ['list', '--limit', 'many'], '--limit must be a whole number'],
    ['dev with the address of another server', ['dev', '--address', 'example:7233'], 'use `tribunal worker`'],
    ['a deployment file where its name belongs', ['list', '--deployment', 'tribunal.yaml'], 'is given with --file'],
  ];
  it.each(cases)('%s: exit code 2 and one sentence on stderr', async (_, args, says) => {
    const { exit, stdout, stderr } = await runCli(args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/^tribunal: /);
    expect(stderr).toContain(says);
  });

  it('of --archive: a folder that is not there or is a file is told before a server is asked', async () => {
    for (const args of [
      ['release', 'k'],
      ['show', 'k'],
      ['review', 'verify', 'review/default/k/098bd18de8d7'],
    ]) {
      const missing = await runCli([...args, '--archive', file('none')]);
      expect(missing).toMatchObject({
        exit: 2,
        stdout: '',
        stderr: expect.stringContaining(`--archive ${file('none')}: there is no such folder`),
      });
      const ofFile = await runCli([...args, '--archive', file('good.yaml')]);
      expect(ofFile).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining('good.yaml: is a file; name the folder') });
    }
    const worker = await runCli(['worker', '--plan', file('good.yaml'), '--archive', file('good.yaml')]);
    expect(worker).toMatchObject({ exit: 2, stderr: expect.stringContaining('is a file') });
  });

  it('with --json is one JSON object on stderr', async () => {
    for (const args of [
      ['evalute', '--json'],
      ['--json', 'evaluate', '--plan', 'p'],
      ['show', '--json'],
    ]) {
      const { exit, stdout, stderr } = await runCli(args);
      expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
      expect(JSON.parse(stderr)).toEqual({ error: { code: 'USAGE', message: expect.any(String) } });
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  it('of the environment is told before anything is done', async () => {
    const { exit, stderr } = await runCli(['worker', '--plan', file('good.yaml')], {
      env: { TRIBUNAL_SHUTDOWN_GRACE: 'soon', TRIBUNAL_LGO: 'x' },
    });
    expect(exit).toBe(2);
    expect(stderr).toContain('TRIBUNAL_SHUTDOWN_GRACE');
    expect(stderr).toContain('TRIBUNAL_LGO');
  });
});

describe('records', () => {
  it('with mistakes are told by file and line, all at once, and nothing is started', async () => {
    const { exit, stderr } = await runCli(['evaluate', file('records.jsonl'), '--plan', 'p']);
    expect(exit).toBe(2);
    expect(stderr).toContain('records.jsonl:3: is not JSON');
    expect(stderr).toContain('records.jsonl:4: riskTier "extreme" is no risk tier');
    expect(stderr).toContain('nothing was started');
  });

  it('from stdin are named so', async () => {
    const { exit, stderr } = await runCli(['evaluate', '-', '--plan', 'p'], { stdin: '{"content":1}\nnope}\n' });
    expect(exit).toBe(2);
    expect(stderr).toContain('stdin:2: is not JSON');
  });

  it('in a batch cannot share one key', async () => {
    const { exit, stderr } = await runCli(['evaluate', file('ok.jsonl'), '--plan', 'p', '--key', 'k']);
    expect(exit).toBe(2);
    expect(stderr).toContain('--key is for a single record');
  });

  it('of a deployment with two plans need --plan', async () => {
    const { exit, stderr } = await runCli(['evaluate', '--content', 'x', '--file', file('two.yaml')]);
    expect(exit).toBe(2);
    expect(stderr).toContain('the deployment has the plans good, other');
  });
});

describe('plan', () => {
  it('check says that a good plan is good', async () => {
    expect(await runCli(['plan', 'check', file('good.yaml')])).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('good@1 is good: 1 critics'),
    });
  });

  it('check tells what is wrong with a bad one, with its place, and fails', async () => {
    const { exit, stdout } = await runCli(['plan', 'check', file('bad.yaml')]);
    expect(exit).toBe(1);
    expect(stdout).toContain('bad.yaml:5:');
    expect(stdout).toContain('core_analysis');
    const json = await runCli(['plan', 'check', file('bad.yaml'), '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ line: 5, severity: 'error' });
  });

  it('show, graph and schema print the plan, its flowchart and the schema of plan files', async () => {
    expect((await runCli(['plan', 'show', file('good.yaml')])).stdout).toContain('good@1, hash');
    expect((await runCli(['plan', 'graph', file('good.yaml')])).stdout).toMatch(/^flowchart LR/);
    expect(JSON.parse((await runCli(['plan', 'schema'])).stdout)).toMatchObject({ type: 'object' });
  });
});
