/** The command line in this process against a real server and worker: exit codes, what is printed, and where. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeHarness, type Harness } from '../support/harness.js';
import { runCli, type CliRun } from '../support/cli-io.js';

/** A plan whose only critic finds what `finding` says, or fails. */
const plan = (name: string, options: object) => ({
  plan: name,
  version: 1,
  timeouts: { global: '30s' },
  critics: { only: { uses: 'scripted', with: options, stage: 'core_analysis', dispatch: 'local' } },
  verdict: {
    rules: [
      { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' },
      { escalate: 'findings.exists(f, f.severity >= 0.5)', reason: 'doubtful' },
    ],
    otherwise: 'allow',
  },
});

let harness: Harness;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tribunal-cli-'));
  harness = await makeHarness({
    plans: (own) => [
      plan('fine', {}),
      plan('severe', { finding: { severity: 1 } }),
      plan('doubtful', { finding: { severity: 0.5 } }),
      plan('broken', { throw: 'permanent' }),
      {
        ...plan('endless', {}),
        critics: { waits: { uses: 'scripted', with: { waitFor: join(own, 'never') }, stage: 'core_analysis', attemptTimeout: '30s' } },
      },
    ],
  });
});
afterAll(async () => {
  await harness.close();
  await rm(dir, { recursive: true, force: true });
});

const cli = (...args: string[]): Promise<CliRun> =>
  runCli([...args, '--address', inject('server').address, '--namespace', inject('server').namespace, '--deployment', harness.deployment]);

describe('evaluate', () => {
  it('exits 0 allow, 10 deny, 11 escalate, 12 not judged, and shows the report', async () => {
    for (const [name, exit, head] of [
      ['fine', 0, 'ALLOW'],
      ['severe', 10, 'DENY'],
      ['doubtful', 11, 'ESCALATE'],
      ['broken', 12, 'NOT JUDGED'],
    ] as const) {
      const run = await cli('evaluate', '--plan', name, '--content', 'x');
      expect(run).toMatchObject({ exit, stderr: '' });
      expect(run.stdout).toContain(head);
    }
  });

  it('exits 14 without waiting and names how to go on', async () => {
    expect(await cli('evaluate', '--plan', 'fine', '--content', 'x', '--key', 'unwaited', '--no-wait')).toMatchObject({
      exit: 14,
      stdout: expect.stringContaining('tribunal watch default/unwaited'),
    });
  });

  it('exits 2 for a key of another content, and tells it as JSON where asked', async () => {
    await cli('evaluate', '--plan', 'fine', '--content', 'x', '--key', 'taken');
    const { exit, stdout, stderr } = await cli('evaluate', '--plan', 'fine', '--content', 'y', '--key', 'taken', '--json');
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'KEY_CONFLICT' } });
  });

  it('exits 2 for a plan that the deployment does not have, naming those that it has', async () => {
    const { exit, stderr } = await cli('evaluate', '--plan', 'missing', '--content', 'x');
    expect(exit).toBe(2);
    expect(stderr).toContain('broken, doubtful, endless, fine, severe');
  });

  it('exits 12 when the report is not there in time: it is not allowed', async () => {
    const { exit, stderr } = await cli('evaluate', '--plan', 'endless', '--content', 'x', '--timeout', '50ms');
    expect(exit).toBe(12);
    expect(stderr).toContain('not judged, still running');
  });

  it('takes context, tenant, class and tier of options where the record says nothing, and never over what it says', async () => {
    const file = join(dir, 'one.json');
    await writeFile(file, JSON.stringify({ key: 'merged', tenant: 'own', content: 'x', context: { riskTier: 'high', domain: 'own' } }));
    const { exit, stdout } = await cli(
      'evaluate',
      file,
      '--plan',
      'fine',
      '--tenant',
      'other',
      '--risk',
      'low',
      '--context',
      'domain=other',
      '--context',
      'n=1',
      '--json',
    );
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ evaluationId: 'own/merged' });
    const started = (await harness.history('own/merged'))[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    expect(JSON.parse(Buffer.from(started ?? []).toString())).toMatchObject({
      request: { context: { riskTier: 'high', domain: 'own', n: 1 }, riskTier: 'high' },
    });
  });

  it('judges a batch and sums it up', async () => {
    const file = join(dir, 'many.jsonl');
    await writeFile(file, Array.from({ length: 40 }, (_, index) => JSON.stringify({ content: `text ${index}` })).join('\n'));
    const run = await cli('evaluate', file, '--plan', 'severe', '--concurrency', '10', '--fail-on', 'deny');
    expect(run.exit).toBe(10);
    expect(run.stdout).toMatch(/deny\s+40/);
    const json = await cli('evaluate', file, '--plan', 'fine', '--json');
    expect(json.exit).toBe(0);
    const lines = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.pop()).toMatchObject({ summary: { records: 40, decisions: { allow: 40 } } });
    expect(lines.map(({ decision }) => decision)).toEqual(Array.from({ length: 40 }, () => 'allow'));
  });
});

describe('a batch with --out', () => {
  it('keeps a line for each record, and a second run asks for what has none', async () => {
    const [file, out] = [join(dir, 'kept.jsonl'), join(dir, 'kept-results.jsonl')];
    const records = Array.from({ length: 10 }, (_, index) => JSON.stringify({ content: `text ${index % 5}` }));
    await writeFile(file, records.slice(0, 6).join('\n'));
    const args = ['evaluate', file, '--plan', 'severe', '--out', out, '--fail-on', 'deny'];
    expect((await cli(...args)).exit).toBe(10);
    await writeFile(file, records.join('\n'));
    const second = await cli(...args);
    expect(second.exit).toBe(10);
    expect(second.stderr).toContain('6 of 10 records had their result already');
    expect(second.stdout).toMatch(/deny\s+10/);
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
    const ids = lines.map((line): string => JSON.parse(line).evaluationId);
    expect(new Set(ids).size).toBe(10);
    // What stands in the file is what the server has.
    for (const id of ids) expect((await cli('show', id, '--json')).exit).toBe(10);
  });

  it('of a single record exits with its decision, now and when it stands there already', async () => {
    const out = join(dir, 'single.jsonl');
    const args = ['evaluate', '--plan', 'severe', '--content', 'x', '--out', out];
    expect(await cli(...args)).toMatchObject({ exit: 10, stdout: expect.stringMatching(/deny\s+1/) });
    expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({ at: '--content', decision: 'deny' });
    expect((await cli(...args)).exit).toBe(10);
  });
});

describe('an evaluation that runs', () => {
  it('is shown with its progress, cancelled, and shown with what was judged; watch tells its end', async () => {
    await cli('evaluate', '--plan', 'endless', '--content', 'x', '--key', 'running', '--no-wait');
    const running = await cli('show', 'running');
    expect(running.exit).toBe(14);
    expect(running.stdout).toContain('default/running is running');
    expect(JSON.parse((await cli('show', 'default/running', '--json')).stdout)).toMatchObject({ status: 'running' });
    const watching = cli('watch', 'running');
    expect(await cli('cancel', 'running')).toMatchObject({ exit: 0 });
    expect(await watching).toMatchObject({ exit: 12, stdout: expect.stringContaining('cancelled before it had a verdict') });
    expect(await cli('show', 'running')).toMatchObject({ exit: 12, stdout: expect.stringContaining('cancelled before it had a verdict') });
    expect(await cli('cancel', 'running')).toMatchObject({ exit: 1, stderr: expect.stringContaining('has ended already (cancelled)') });
  });

  it('that is unknown is an error', async () => {
    expect(await cli('show', 'unknown')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('there is no evaluation default/unknown'),
    });
  });
});

describe('the server', () => {
  it('is looked at by doctor and made ready by setup, which may run twice', async () => {
    const { exit, stdout } = await cli('doctor', '--json');
    expect(exit).toBe(0);
    const checks = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual([
      'server',
      'version',
      'retention',
      'search attributes',
      'worker',
      'lanes',
      'priority levels',
      'fairness',
      'clean shutdown',
      'partitions',
    ]);
    expect(await cli('setup')).toMatchObject({ exit: 0, stdout: expect.stringContaining('all search attributes were there') });
  });

  it('lists evaluations as a table or as lines of JSON', async () => {
    await cli('evaluate', '--plan', 'severe', '--content', 'x', '--tenant', 'cli', '--key', 'listed');
    await expect
      .poll(async () => (await cli('list', '--tenant', 'cli', '--decision', 'deny')).stdout, { timeout: 10_000 })
      .toContain('cli/listed');
    expect(JSON.parse((await cli('list', '--tenant', 'cli', '--json')).stdout)).toMatchObject({
      evaluationId: 'cli/listed',
      plan: 'severe@1',
      decision: 'deny',
    });
  });
});
