/** The lines of a worker. */
import { expect, it } from 'vitest';
import { openLog } from '../../src/cli/log.js';
import { Output } from '../../src/cli/output.js';
import { fakeIo, runCli } from '../support/cli-io.js';

const CANARY = 'canary-7f3a';

/** Every property throws. */
const hostile = new Proxy(new Error(CANARY), {
  get() {
    throw new Error(CANARY);
  },
});

it('a JSON line holds level, time, message and the fields that are known, and nothing else that came along', async () => {
  const io = fakeIo();
  const log = await openLog('json', new Output(io, false), io.stderr);
  log.tell('warn', 'an activity failed', {
    workflowId: 'acme/1',
    run_id: 'r',
    activityType: 'deep',
    attempt: 2,
    error: new TypeError(CANARY),
    failure: { message: CANARY },
    task: CANARY,
    text: CANARY,
    taskToken: CANARY,
    [Symbol('secret')]: CANARY,
    plan: { name: CANARY },
    critic: 'x'.repeat(300),
  });
  log.tell('error', 'hostile', { error: hostile });
  log.tell('error', 'named after content', { error: Object.assign(new Error('x'), { name: `${CANARY} ` }) });
  log.note('stopping\u202e\u001b[2J\n{"level":"error"}');
  const lines = io.written.stderr.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      workflowId: 'acme/1',
      runId: 'r',
      activityType: 'deep',
      attempt: 2,
      critic: 'x'.repeat(250),
      error: 'TypeError',
      msg: 'an activity failed',
    },
    { level: 'error', time: expect.any(String), msg: 'hostile' },
    { level: 'error', time: expect.any(String), msg: 'named after content' },
    { level: 'info', time: expect.any(String), msg: String.raw`stopping\u202e\u001b[2J\n{"level":"error"}` },
  ]);
  expect(io.written.stderr).not.toContain(CANARY);
  expect(io.written.stdout).toBe('');
});

it('a line of text is what it was, and tells the level of others alone', async () => {
  const io = fakeIo();
  const log = await openLog('text', new Output(io, false), io.stderr);
  log.note('stopping');
  log.tell('warn', 'no answer', { workflowId: 'acme/1' });
  expect(io.written.stderr).toBe('stopping\nwarn: no answer\n');
});

it.each([
  ['a malformed address', ['worker', '--metrics', '9464'], {}, /^--metrics "9464" is no address to listen at/],
  ['settings that are wrong', ['worker'], { TRIBUNAL_METRICS: 'x' }, /^TRIBUNAL_METRICS: "x" is no address to listen at/],
])('%s is told as a JSON line where JSON lines are asked for, and exits 2', async (_, args, env, message) => {
  const told = await runCli(args, { env: { TRIBUNAL_LOG_FORMAT: 'json', ...env } });
  expect(told).toMatchObject({ exit: 2, stdout: '' });
  expect(JSON.parse(told.stderr)).toMatchObject({ level: 'error', code: 'USAGE', msg: expect.stringMatching(message) });
  const text = await runCli(args, { env });
  expect(text).toMatchObject({ exit: 2, stderr: expect.stringMatching(/^tribunal: [^\n]+\n$/) });
});
