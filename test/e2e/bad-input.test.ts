/** What people get wrong, to real processes: each time one clear sentence with place and remedy, an exit code, and nothing left running. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, test, type TestContext } from 'vitest';
import { makeHarness, type Harness } from '../support/harness.js';
import { build, run, startWorker, writePlan, type Ended, type ProcessOptions, type Running } from '../support/processes.js';

const PLAN = {
  plan: 'good',
  version: 1,
  timeouts: { global: '30s' },
  critics: { only: { uses: 'scripted', stage: 'core_analysis', dispatch: 'local' } },
  verdict: { otherwise: 'allow' },
};

let harness: Harness;
let worker: Running;
/** Holds what the commands name; nothing runs in it. */
let dir: string;

beforeAll(async () => {
  build();
  harness = await makeHarness({ plans: [], worker: false });
  dir = mkdtempSync(join(tmpdir(), 'tribunal-bad-input-'));
  const good = writePlan(dir, PLAN);
  worker = await startWorker(harness.connection, harness.deployment, ['--plan', good, '--address', inject('server').address]);
  const files: Readonly<Record<string, string>> = {
    'broken.yaml':
      'plan: broken\nversion: 1\ntimeouts: { global: 30s }\ncritics:\n  only: { uses: scripted, stage: core_analisis }\nverdict: { otherwise: allow }\n',
    'unreadable.yaml': 'plan: [\n',
    'wrong-deployment.yaml': 'name: wrong\nplans: [good.yaml]\nplan: good.yaml\n',
    'throws.mjs': 'throw new Error("no licence file");\n',
    'records.jsonl': '{"content":"a"}\n{"content":\n{"content":"b","riskTier":"extreme"}\n',
    'empty.jsonl': '',
    'latin1.jsonl': 'placeholder',
    'broken.toml': '[profile.default\naddress = "secret-host:7233"\n',
    'large.json': JSON.stringify({ key: 'bad-input-large', content: 'x'.repeat(257 * 1024) }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  writeFileSync(join(dir, 'latin1.jsonl'), Buffer.from('{"content":"\xe9"}', 'latin1'));
});

afterAll(async () => {
  await worker.destroy();
  await harness.close();
  rmSync(dir, { recursive: true });
});

interface Row {
  readonly what: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly exit: 1 | 2;
  /** What the sentence names: the place, the value, the remedy. */
  readonly says: readonly (string | RegExp)[];
}

const EVALUATE = ['evaluate', '--plan', 'good'];
const TEXT = [...EVALUATE, '--content', 'x'];

/** Commands that fail before they ask a server. */
const ALONE: readonly Row[] = [
  { what: 'no command of this name', args: ['evalute'], exit: 2, says: ["unknown command 'evalute'", 'Did you mean evaluate?'] },
  { what: 'an unknown option', args: ['worker', '--plam', 'x'], exit: 2, says: ["unknown option '--plam'", 'Did you mean --plan?'] },
  {
    what: 'a setting that does not exist',
    args: ['worker', '--plan', 'good.yaml'],
    env: { TRIBUNAL_X: '1' },
    exit: 2,
    says: ['TRIBUNAL_X', 'known are', 'TRIBUNAL_SHUTDOWN_GRACE'],
  },
  {
    what: 'a duration without a unit in the environment',
    args: ['worker', '--plan', 'good.yaml'],
    env: { TRIBUNAL_SHUTDOWN_GRACE: '30' },
    exit: 2,
    says: ['TRIBUNAL_SHUTDOWN_GRACE', '30', '250ms'],
  },
  { what: 'a duration without a unit', args: [...TEXT, '--timeout', '10'], exit: 2, says: ['--timeout', '10', '250ms'] },
  { what: 'no server anywhere', args: TEXT, exit: 1, says: ['Could not find a Temporal server', 'tribunal dev', 'TEMPORAL_ADDRESS'] },
  {
    what: 'a broken Temporal configuration',
    args: TEXT,
    env: { TEMPORAL_CONFIG_FILE: 'broken.toml' },
    exit: 1,
    says: ['broken.toml', 'TEMPORAL_PROFILE'],
  },
  {
    what: 'an address where nothing listens',
    args: [...TEXT, '--address', '127.0.0.1:1'],
    exit: 1,
    says: ['127.0.0.1:1 (--address)', 'check the address'],
  },
  {
    what: 'such an address in the environment',
    args: TEXT,
    env: { TEMPORAL_ADDRESS: '127.0.0.1:1' },
    exit: 1,
    says: ['127.0.0.1:1 (environment)', 'check the address'],
  },
  {
    what: 'such an address for a worker',
    args: ['worker', '--plan', 'good.yaml', '--address', '127.0.0.1:1'],
    exit: 1,
    says: ['127.0.0.1:1', 'check the address'],
  },
  { what: 'no plan file', args: ['worker', '--plan', 'none.yaml'], exit: 1, says: ['none.yaml', 'there is no such file'] },
  { what: 'no deployment file and no plan', args: ['worker'], exit: 1, says: ['tribunal.yaml', '--plan FILE'] },
  {
    what: 'a plan with a misspelt stage',
    args: ['worker', '--plan', 'broken.yaml'],
    exit: 1,
    says: ['broken.yaml:5:', 'core_analisis', 'core_analysis'],
  },
  { what: 'a plan that is no YAML', args: ['dev', '--plan', 'unreadable.yaml'], exit: 1, says: [/unreadable\.yaml:\d+:\d+/] },
  {
    what: 'a deployment file with an unknown field',
    args: ['worker', '--file', 'wrong-deployment.yaml'],
    exit: 1,
    says: ['wrong-deployment.yaml:3:', 'plan', 'plans'],
  },
  {
    what: 'a critics module that throws',
    args: ['worker', '--plan', 'good.yaml', '--critics', 'throws.mjs'],
    exit: 1,
    says: ['throws.mjs', 'no licence file'],
  },
  { what: 'no critics module', args: ['worker', '--plan', 'good.yaml', '--critics', 'none.mjs'], exit: 1, says: ['none.mjs'] },
  {
    what: 'records with mistakes',
    args: [...EVALUATE, 'records.jsonl'],
    exit: 2,
    says: ['records.jsonl:2: is not JSON', 'records.jsonl:3: riskTier "extreme"', 'nothing was started'],
  },
  { what: 'no file of records', args: [...EVALUATE, 'none.jsonl'], exit: 2, says: ['none.jsonl: there is no such file'] },
  { what: 'an empty file of records', args: [...EVALUATE, 'empty.jsonl'], exit: 2, says: ['empty.jsonl', 'holds no record'] },
  { what: 'a folder as a file of records', args: [...EVALUATE, '.'], exit: 2, says: ['.: cannot be read'] },
  { what: 'records that are not UTF-8', args: [...EVALUATE, 'latin1.jsonl'], exit: 2, says: ['latin1.jsonl', 'UTF-8'] },
];

/** Commands that are given the running server, and what they start on it. */
const ASKED: readonly (Row & { readonly key?: string })[] = [
  {
    what: 'an unknown plan',
    args: ['evaluate', '--plan', 'none', '--content', 'x', '--key', 'bad-input-unknown-plan'],
    key: 'bad-input-unknown-plan',
    exit: 2,
    says: ['none', 'good'],
  },
  { what: '257 KB of content', args: [...EVALUATE, 'large.json'], key: 'bad-input-large', exit: 2, says: [/26\d{4} bytes/, '262144'] },
  {
    what: 'an unknown evaluation',
    args: ['show', 'bad-input-nobody'],
    exit: 1,
    says: ['there is no evaluation default/bad-input-nobody', 'namespace default'],
  },
  {
    what: 'an unknown evaluation to cancel',
    args: ['cancel', 'bad-input-nobody'],
    exit: 1,
    says: ['there is no evaluation default/bad-input-nobody'],
  },
  {
    what: 'an unknown evaluation to watch',
    args: ['watch', 'bad-input-nobody'],
    exit: 1,
    says: ['there is no evaluation default/bad-input-nobody'],
  },
  {
    what: 'a deployment without workers',
    args: [...TEXT, '--deployment', 'nobody-works', '--key', 'bad-input-no-worker'],
    key: 'bad-input-no-worker',
    exit: 1,
    says: ['nobody-works', 'nothing was started', 'tribunal worker'],
  },
  {
    what: 'an unknown namespace',
    args: [...TEXT, '--namespace', 'nowhere', '--key', 'bad-input-no-namespace'],
    key: 'bad-input-no-namespace',
    exit: 1,
    says: ['nowhere', 'tribunal setup'],
  },
  {
    what: 'an unknown namespace for a worker',
    args: ['worker', '--plan', 'good.yaml', '--namespace', 'nowhere'],
    exit: 1,
    says: ['nowhere', 'tribunal setup'],
  },
];

function expectSentence({ exit, stdout, stderr }: Ended, row: Pick<Row, 'exit' | 'says'>): void {
  expect({ exit, stdout }, stderr).toEqual({ exit: row.exit, stdout: '' });
  expect(stderr).toMatch(/^tribunal: \S/);
  for (const part of row.says) expect(stderr).toMatch(part);
  expect(stderr, 'a stack trace is nothing for people').not.toMatch(/^\s+at |node:internal|\[cause\]/m);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
}

const inDir = (args: readonly string[], options: ProcessOptions = {}): Promise<Ended> => run(args, { cwd: dir, ...options });

describe.concurrent('the command line, given', () => {
  for (const row of ALONE) {
    test(`${row.what}: says so and exits ${row.exit}`, async () => {
      expectSentence(await inDir(row.args, { env: row.env ?? {} }), row);
    });
  }

  for (const row of ASKED) {
    test(`${row.what}: says so, exits ${row.exit} and leaves nothing running`, async () => {
      const { address } = inject('server');
      const named = row.args.includes('--deployment') ? [] : ['--deployment', harness.deployment];
      expectSentence(await inDir([...row.args, '--address', address, ...named]), row);
      if (row.key !== undefined) expect(await statusOf(`default/${row.key}`)).not.toBe('RUNNING');
    });
  }

  test('any of it with --json: one JSON object on stderr', async () => {
    const { exit, stdout, stderr } = await inDir([...TEXT, '--json']);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({ error: { code: 'ERROR', message: expect.stringContaining('tribunal dev') } });
  });
});

describe.concurrent('tribunal dev, given', () => {
  const folder = ({ onTestFinished }: TestContext): string => {
    const made = mkdtempSync(join(tmpdir(), 'tribunal-bad-folder-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  };
  const dev = (cwd: string, ...args: readonly string[]): Promise<Ended> => run(['dev', '--plan', join(dir, 'good.yaml'), ...args], { cwd });

  test('a port that is taken, says so and exits 1', async (context) => {
    const holder = createServer();
    await new Promise<void>((settle) => holder.listen(0, '127.0.0.1', settle));
    context.onTestFinished(() => void holder.close());
    const bound = holder.address();
    const port = String(typeof bound === 'object' && bound !== null ? bound.port : 0);
    expectSentence(await dev(folder(context), '--port', port), { exit: 1, says: [`127.0.0.1:${port}`, 'choose another port'] });
  });

  test('a folder in which it cannot write, says so and exits 1', async (context) => {
    const cwd = folder(context);
    // What stands in its way also for an administrator, whom no mode of a folder stops.
    writeFileSync(join(cwd, '.tribunal'), '');
    expectSentence(await dev(cwd), { exit: 1, says: ['.tribunal, which cannot be written', 'start in another folder'] });
  });

  test('a database file that cannot be opened, says so with the end of the log and exits 1', async (context) => {
    const cwd = folder(context);
    mkdirSync(join(cwd, '.tribunal', 'temporal.db'), { recursive: true });
    const { exit, stdout, stderr } = await dev(cwd);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toMatch(/^tribunal: Could not start the Temporal development server: .*\.tribunal\/temporal\.db\.log/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

async function statusOf(workflowId: string): Promise<string | undefined> {
  try {
    return (await harness.temporal.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
