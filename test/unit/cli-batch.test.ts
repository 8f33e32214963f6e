/** A batch against a client that answers as each record says: what is printed, counted and returned. */
import { describe, expect, it } from 'vitest';
import { runBatch, type Starter } from '../../src/cli/batch.js';
import type { BatchSettings } from '../../src/cli/batch.js';
import { Output } from '../../src/cli/output.js';
import { KeyConflict, OverloadedError, ServerUnreachable, StillRunning } from '../../src/client-errors.js';
import { deferred } from '../../src/deferred.js';
import { fakeIo } from '../support/cli-io.js';
import { makeReport } from '../support/report.js';

/** Each content is a decision, or the name of what goes wrong. */
const client: Starter = {
  async start({ key = 'k', content }) {
    if (content === 'conflict') throw new KeyConflict(`default/${key}`);
    if (content === 'unreachable') throw new ServerUnreachable('cannot start');
    return {
      evaluationId: `default/${key}`,
      async result() {
        if (content === 'slow') throw new StillRunning(`default/${key}`, 1);
        if (content === 'allow' || content === 'deny' || content === 'escalate' || content === 'not_judged')
          return makeReport({ evaluationId: `default/${key}`, decision: content });
        throw new Error(`the test does not know ${JSON.stringify(content)}`);
      },
    };
  },
};

const settings: BatchSettings = { wait: true, timeoutMs: 1_000, concurrency: 20, failOn: new Set() };

async function batch(contents: readonly string[], changes: Partial<BatchSettings> = {}, json = false) {
  const io = fakeIo();
  const requests = contents.map((content, index) => ({ at: `r:${index + 1}`, request: { plan: 'p', key: `k${index + 1}`, content } }));
  const exit = await runBatch(client, { total: requests.length, requests }, { ...settings, ...changes }, new Output(io, json));
  return { exit, ...io.written };
}

/** A client whose evaluations end when the test says so. */
function waitingClient() {
  const report = deferred<ReturnType<typeof makeReport>>();
  const asked = deferred<void>();
  const waiting: Starter = {
    start: async () => ({
      evaluationId: 'default/k1',
      result: async () => {
        asked.resolve();
        return await report.promise;
      },
    }),
  };
  return { waiting, asked, report };
}

describe('a batch', () => {
  it('shows at once on a terminal that it is under way', async () => {
    const io = fakeIo({ tty: true });
    const { waiting, asked, report } = waitingClient();
    const requests = [{ at: 'r:1', request: { plan: 'p', key: 'k1', content: 'x' } }];
    const ended = runBatch(waiting, { total: 1, requests }, settings, new Output(io, false));
    await asked.promise;
    expect(io.written.stderr + io.written.stdout).toContain('0 of 1 ended (0 %), 1 under way');
    report.resolve(makeReport({ decision: 'allow' }));
    expect(await ended).toBe(0);
  });

  it('whose records were all judged exits 0, whatever the decisions', async () => {
    const { exit, stdout } = await batch(['allow', 'deny', 'escalate']);
    expect(exit).toBe(0);
    expect(stdout).toContain('3 records');
  });

  it('with --fail-on exits with the gravest decision that was asked for', async () => {
    expect((await batch(['allow', 'deny', 'escalate'], { failOn: new Set(['deny', 'escalate']) })).exit).toBe(10);
    expect((await batch(['allow', 'deny', 'escalate'], { failOn: new Set(['escalate']) })).exit).toBe(11);
    expect((await batch(['allow'], { failOn: new Set(['deny']) })).exit).toBe(0);
  });

  it('tells not judged before decisions, refusals before that, and a broken server before all', async () => {
    const failOn = new Set(['deny']);
    expect((await batch(['deny', 'not_judged'], { failOn })).exit).toBe(12);
    expect((await batch(['deny', 'slow'], { failOn })).exit).toBe(12);
    expect((await batch(['deny', 'not_judged', 'conflict'], { failOn })).exit).toBe(2);
    expect((await batch(['conflict', 'unreachable'], { failOn })).exit).toBe(1);
  });

  it('says how many records were judged before under keys of their own, and how to judge them anew', async () => {
    const io = fakeIo();
    const before: Starter = { start: async (request) => ({ ...(await client.start(request)), wasStartedBefore: true }) };
    const requests = [
      { at: 'r:1', request: { plan: 'p', key: 'k1', content: 'allow' } },
      { at: 'r:2', request: { plan: 'p', content: 'allow' } },
    ];
    expect(await runBatch(before, { total: 2, requests }, settings, new Output(io, false))).toBe(0);
    expect(io.written.stderr).toContain(
      '1 of 2 records were judged before under their keys, and not again; --key-suffix TEXT judges them anew',
    );
    expect((await batch(['allow'])).stderr).not.toContain('judged before');
  });

  it('that is told to stop says what it waits for', async () => {
    const io = fakeIo();
    const { waiting, asked, report } = waitingClient();
    const requests = ['x', 'y'].map((content, index) => ({ at: `r:${index + 1}`, request: { plan: 'p', key: `k${index}`, content } }));
    const ended = runBatch(waiting, { total: 2, requests }, { ...settings, concurrency: 1 }, new Output(io, false));
    await asked.promise;
    process.emit('SIGINT');
    await new Promise((resolve) => setImmediate(resolve));
    expect(io.written.stderr).toContain('stopping: 1 under way is waited for, and once more ends at once');
    report.resolve(makeReport({ decision: 'allow' }));
    expect(await ended).toBe(12);
    expect(io.written.stderr).toContain('stopped: 1 of 2 records were not started');
  });

  /** Lets nobody in for so many times, then everybody. */
  const busy = (times: number, retryAfterMs: number): Starter & { calls: number } => ({
    calls: 0,
    async start(request) {
      this.calls += 1;
      if (this.calls <= times) throw new OverloadedError(`default/${request.key ?? ''}`, 'p', 5, 9, retryAfterMs);
      return await client.start(request);
    },
  });
  const three = ['allow', 'deny', 'allow'].map((content, index) => ({
    at: `r:${index}`,
    request: { plan: 'p', key: `k${index}`, content },
  }));

  it('holds records back while too many wait, says so once, and judges them all', async () => {
    const io = fakeIo({ tty: true });
    const full = busy(5, 1);
    expect(await runBatch(full, { total: 3, requests: three }, settings, new Output(io, false))).toBe(0);
    expect(full.calls).toBe(8);
    expect(io.written.stdout).toMatch(/allow\s+2/);
    expect(io.written.stderr.match(/held back and tried again/g)).toHaveLength(1);
    expect(io.written.stderr).toContain('k0 was not started: 9 wait for plan p, which lets 5 wait (limits.maxQueueSize): try again in 1 s');
    const json = fakeIo();
    await runBatch(busy(5, 1), { total: 3, requests: three }, settings, new Output(json, true));
    expect(json.written.stderr).toBe('');
    expect(json.written.stdout).not.toContain('OVERLOADED');
  });

  it('that is told to stop starts nothing of what it holds back, and says that it is left', async () => {
    const io = fakeIo();
    const full = busy(Infinity, 3_600_000);
    const ended = runBatch(full, { total: 3, requests: three }, settings, new Output(io, false));
    while (full.calls < 3) await new Promise((resolve) => setImmediate(resolve));
    process.emit('SIGINT');
    expect(await ended).toBe(12);
    expect(io.written.stderr).toContain('stopping: 0 under way are waited for');
    expect(io.written.stderr).toContain('stopped: 3 of 3 records were not started');
  });

  it('names the line of a record that was refused, and goes on with the others', async () => {
    const { stdout, stderr } = await batch(['allow', 'conflict', 'allow']);
    expect(stderr).toContain('r:2: default/k2 was started with another');
    expect(stdout).toMatch(/allow\s+2/);
    expect(stdout).toMatch(/refused\s+1/);
  });

  it('with --json prints one object a record and the summary last, and nothing else', async () => {
    const { stdout, stderr } = await batch(['allow', 'conflict'], {}, true);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.pop()).toEqual({
      summary: expect.objectContaining({
        total: 2,
        notStarted: 0,
        records: 2,
        decisions: { allow: 1, deny: 0, escalate: 0, not_judged: 0 },
        refused: 1,
        errors: 0,
        failures: [{ what: 'refused KEY_CONFLICT', times: 1 }],
      }),
    });
    expect(lines.toSorted((a, b) => (a.at < b.at ? -1 : 1))).toEqual([
      expect.objectContaining({ at: 'r:1', evaluationId: 'default/k1', decision: 'allow' }),
      expect.objectContaining({ at: 'r:2', error: expect.objectContaining({ code: 'KEY_CONFLICT' }) }),
    ]);
    expect(stderr).toBe('');
  });

  it('without waiting exits 14 and names what it started', async () => {
    const { exit, stdout } = await batch(['allow', 'deny'], { wait: false });
    expect(exit).toBe(14);
    expect(stdout).toContain('r:2 started default/k2');
  });

  it('has never more under way than its concurrency', async () => {
    let running = 0;
    let most = 0;
    const gate = deferred<void>();
    const counting: Starter = {
      async start() {
        running += 1;
        most = Math.max(most, running);
        if (running === 3) gate.resolve();
        await gate.promise;
        return {
          evaluationId: 'default/k',
          async result() {
            running -= 1;
            return makeReport();
          },
        };
      },
    };
    const requests = Array.from({ length: 30 }, (_, index) => ({ at: `r:${index}`, request: { plan: 'p', content: 'x' } }));
    expect(
      await runBatch(counting, { total: requests.length, requests }, { ...settings, concurrency: 3 }, new Output(fakeIo(), false)),
    ).toBe(0);
    expect(most).toBe(3);
  });

  it('that is told to stop starts nothing more, waits for what runs and says what is left', async () => {
    const io = fakeIo();
    const finish = deferred<void>();
    const stopping: Starter = {
      async start({ key = '' }) {
        process.emit('SIGTERM');
        return {
          evaluationId: `default/${key}`,
          async result() {
            await finish.promise;
            return makeReport({ evaluationId: `default/${key}` });
          },
        };
      },
    };
    const requests = Array.from({ length: 5 }, (_, index) => ({
      at: `r:${index}`,
      request: { plan: 'p', key: `k${index}`, content: 'x' },
    }));
    const ended = runBatch(stopping, { total: requests.length, requests }, { ...settings, concurrency: 1 }, new Output(io, false));
    finish.resolve();
    expect(await ended).toBe(12);
    expect(io.written.stderr).toContain('4 of 5 records were not started');
    expect(io.written.stdout).toContain('1 records');
  });
});
