/** `tribunal dev` as people use it: one process that brings server, UI and worker, judges for other processes, and ends whole. */
import { readFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { answers, findRunningServer } from '../../temporal/running.js';
import { build, callsOf, eventually, run, says, start, writePlan, type Ended, type Running } from '../support/processes.js';

beforeAll(build);

interface Folder {
  readonly path: string;
  /** `tribunal dev` that says it is ready, and the address it says. */
  dev(options?: { readonly group?: boolean; readonly cwd?: string }): Promise<Running & { readonly address: string }>;
  tribunal(...args: readonly string[]): Promise<Ended>;
}

/** Plans by the decision they come to; the critic of `waits` is under way until the file `gate` is there. */
function makeFolder({ onTestFinished }: TestContext): Folder {
  const path = mkdtempSync(join(tmpdir(), 'tribunal-dev-'));
  const started: Running[] = [];
  onTestFinished(async () => {
    for (const one of started) await one.destroy();
    // What a killed one leaves behind ends by itself; the folder must stay until then.
    const left = await findRunningServer(path);
    if (left !== undefined) await gone(left.address);
    rmSync(path, { recursive: true });
  });
  const plan = (name: string, critic: object): string =>
    writePlan(path, {
      plan: name,
      version: 1,
      timeouts: { global: '60s' },
      critics: { only: { uses: 'scripted', stage: 'core_analysis', ...critic } },
      verdict: {
        rules: [
          { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' },
          { escalate: 'findings.exists(f, f.severity >= 0.5)', reason: 'doubtful' },
        ],
        otherwise: 'allow',
      },
    });
  plan('fine', {});
  plan('severe', { with: { finding: { severity: 1 } } });
  plan('doubtful', { with: { finding: { severity: 0.5 } } });
  plan('broken', { with: { throw: 'permanent' } });
  plan('waits', { with: { record: join(path, 'calls'), waitFor: join(path, 'gate') }, attemptTimeout: '50s', retryBackoffBase: 1 });
  writeFileSync(join(path, 'tribunal.yaml'), 'plans: [fine.yaml, severe.yaml, doubtful.yaml, broken.yaml, waits.yaml]\n');
  return {
    path,
    async dev({ group = false, cwd = path } = {}) {
      const running = start(['dev', '--file', join(path, 'tribunal.yaml'), '--metrics', '127.0.0.1:0'], { cwd, group });
      started.push(running);
      const [, address = ''] = await says(running, /^server {2}(\S+)$[^]*^Ctrl-C/m);
      return { ...running, address };
    },
    tribunal: (...args) => run(args, { cwd: path }),
  };
}

const gone = (address: string): Promise<true> =>
  eventually(`nothing listens at ${address}`, async () => ((await answers(address)) ? undefined : true));

const recordOf = (folder: Folder): unknown => JSON.parse(readFileSync(join(folder.path, '.tribunal', 'server.json'), 'utf8'));

function pidIn(record: unknown): number {
  if (typeof record === 'object' && record !== null && 'pid' in record && typeof record.pid === 'number') return record.pid;
  throw new Error('server.json names no process');
}

describe('tribunal dev', () => {
  test('says where server, UI and worker are and how to go on, and another process gets every exit code from it', async (context) => {
    const folder = makeFolder(context);
    const dev = await folder.dev();
    const ui = /^UI {6}(\S+)$/m.exec(dev.stdout())?.[1] ?? '';
    const metrics = /^metrics (\S+)$/m.exec(dev.stdout())?.[1] ?? '';
    await eventually('its worker is ready', async () => ((await fetch(new URL('/readyz', metrics))).ok ? true : undefined));
    expect((await fetch(ui)).status).toBe(200);
    expect(dev.stdout()).toContain('worker  tribunal: plans broken, doubtful, fine, severe, waits');
    expect(dev.stdout()).toContain('tribunal evaluate --plan broken --content');

    for (const [plan, exit, decision] of [
      ['fine', 0, 'allow'],
      ['severe', 10, 'deny'],
      ['doubtful', 11, 'escalate'],
      ['broken', 12, 'not_judged'],
    ] as const) {
      const ended = await folder.tribunal('evaluate', '--plan', plan, '--content', 'Is this all right?', '--key', plan, '--json');
      expect(ended).toMatchObject({ exit, stderr: '' });
      expect(JSON.parse(ended.stdout)).toMatchObject({
        evaluationId: `default/${plan}`,
        decision,
        ui: expect.stringContaining(`${ui}/namespaces/default/workflows/`),
      });
    }
    expect(await folder.tribunal('evaluate', '--plan', 'waits', '--content', 'x', '--key', 'waits', '--no-wait')).toMatchObject({
      exit: 14,
      stdout: expect.stringContaining('tribunal watch default/waits'),
      stderr: '',
    });
    expect(await folder.tribunal('evaluate', '--plan', 'none', '--content', 'x')).toMatchObject({ exit: 2, stdout: '' });
    expect(await folder.tribunal('show', 'none')).toMatchObject({ exit: 1, stdout: '' });
    expect(dev.stderr()).toBe('');
  });

  test('ends with exit code 0 by Ctrl-C, takes its server along, and finds what was judged when it starts again', async (context) => {
    const folder = makeFolder(context);
    const dev = await folder.dev({ group: true });
    expect(await folder.tribunal('evaluate', '--plan', 'severe', '--content', 'x', '--key', 'kept')).toMatchObject({ exit: 10 });
    expect(await folder.tribunal('evaluate', '--plan', 'waits', '--content', 'x', '--key', 'cut', '--no-wait')).toMatchObject({ exit: 14 });
    await callsOf(join(folder.path, 'calls'), 'start', 1);
    // As a terminal sends it: to every process of the group.
    dev.kill('SIGINT');
    expect(await dev.ended).toMatchObject({ exit: 0, signal: null, stderr: expect.stringMatching(/^stopping: .*\n$/) });
    expect(await answers(dev.address)).toBe(false);
    expect(await folder.tribunal('show', 'kept')).toMatchObject({ exit: 1, stderr: expect.stringContaining('none runs in this project') });

    writeFileSync(join(folder.path, 'gate'), '');
    await folder.dev();
    expect(await folder.tribunal('show', 'kept')).toMatchObject({ exit: 10, stdout: expect.stringContaining('DENY') });
    // What was cut by the end goes on.
    expect(await folder.tribunal('watch', 'cut')).toMatchObject({ exit: 0, stdout: expect.stringContaining('ALLOW') });
  });

  test('uses the server that runs already in the project, and leaves it running when it ends', async (context) => {
    const folder = makeFolder(context);
    const first = await folder.dev();
    const below = join(folder.path, 'below');
    mkdirSync(below);
    const second = await folder.dev({ cwd: below });
    expect(second.address).toBe(first.address);
    expect(second.stderr()).toContain(`using the server that runs already at ${first.address}`);
    second.kill('SIGINT');
    expect(await second.ended).toMatchObject({ exit: 0, signal: null });
    expect(await folder.tribunal('evaluate', '--plan', 'fine', '--content', 'x')).toMatchObject({ exit: 0 });
  });

  test('that uses the server of another one ends with it, with exit code 1: it would come back at another port', async (context) => {
    const folder = makeFolder(context);
    const first = await folder.dev();
    const second = await folder.dev();
    first.kill('SIGINT');
    expect(await first.ended).toMatchObject({ exit: 0 });
    const { exit, stderr } = await second.ended;
    expect(exit).toBe(1);
    expect(stderr).toContain(
      `tribunal: the server at ${first.address} has ended with the process that had started it: start this one again`,
    );
  });

  test('that is killed leaves no server; the next one takes up what was under way', async (context) => {
    const folder = makeFolder(context);
    const killed = await folder.dev();
    expect(await folder.tribunal('evaluate', '--plan', 'waits', '--content', 'x', '--key', 'waits', '--no-wait')).toMatchObject({
      exit: 14,
    });
    await callsOf(join(folder.path, 'calls'), 'start', 1);
    killed.kill('SIGKILL');
    await killed.ended;
    await gone(killed.address);
    expect(await folder.tribunal('show', 'waits')).toMatchObject({ exit: 1, stderr: expect.stringContaining('none runs in this project') });
    writeFileSync(join(folder.path, 'gate'), '');
    await folder.dev();
    expect(await folder.tribunal('watch', 'waits')).toMatchObject({ exit: 0, stdout: expect.stringContaining('ALLOW') });
  });

  test('whose server dies ends with exit code 1 and says where to look', async (context) => {
    const folder = makeFolder(context);
    const dev = await folder.dev();
    process.kill(pidIn(recordOf(folder)), 'SIGKILL');
    const { exit, stderr } = await dev.ended;
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^tribunal: the server ended by itself: the end of \.tribunal\/temporal\.db\.log says why$/m);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
