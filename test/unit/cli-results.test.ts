/** The file of results of a batch: what a second run takes up, and what it leaves alone. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runBatch, type Starter } from '../../src/cli/batch.js';
import { batchProgressText, spanText } from '../../src/cli/batch-progress.js';
import type { BatchSettings } from '../../src/cli/batch.js';
import { Output } from '../../src/cli/output.js';
import { Results } from '../../src/cli/results.js';
import { EvaluationCancelled, RequestRefused, StillRunning } from '../../src/client-errors.js';
import { deferred } from '../../src/deferred.js';
import type { StartRequest } from '../../src/schemas/request.js';
import { fakeIo } from '../support/cli-io.js';
import { makeReport } from '../support/report.js';

let dir: string;
let out: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tribunal-results-'));
  out = join(dir, 'results.jsonl');
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const settings: BatchSettings = { wait: true, timeoutMs: 1_000, concurrency: 3, failOn: new Set(['deny']) };
const plan = { name: 'p', version: 1 };

/** What an evaluation of `down` comes to, until somebody mends it. */
let downIs: 'not_judged' | 'allow' = 'not_judged';

/** A server that judges by the content, and remembers who was started. */
class Server implements Starter {
  readonly started: string[] = [];
  async start({ key = 'none', content }: StartRequest) {
    const evaluationId = `default/${key}`;
    this.started.push(evaluationId);
    return {
      evaluationId,
      async result() {
        if (content === 'slow') throw new StillRunning(evaluationId, 1);
        if (content === 'cancelled') throw new EvaluationCancelled(evaluationId, undefined);
        if (content === 'down') return makeReport({ evaluationId, plan, decision: downIs });
        if (content === 'refused') throw new RequestRefused(['no']);
        return makeReport({ evaluationId, plan, decision: content === 'deny' ? 'deny' : 'allow' });
      },
    };
  }
}

async function batch(contents: readonly (string | StartRequest)[], server = new Server()) {
  const io = fakeIo();
  const results = await Results.open(out, 'p');
  const requests = contents.map((one, index) => ({
    at: `r:${index + 1}`,
    request: typeof one === 'string' ? { plan: 'p', content: one } : one,
  }));
  const exit = await runBatch(server, { total: requests.length, requests, results }, settings, new Output(io, false));
  return { exit, started: server.started, ...io.written };
}

const lines = async (): Promise<Record<string, unknown>[]> =>
  (await readFile(out, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('a file of results', () => {
  it('has one line for each record that has ended, and a second run asks for none of them again', async () => {
    const first = await batch(['a', 'deny', 'b']);
    expect(first.exit).toBe(10);
    expect((await lines()).map(({ at, decision }) => `${String(at)} ${String(decision)}`).toSorted()).toEqual([
      'r:1 allow',
      'r:2 deny',
      'r:3 allow',
    ]);
    const second = await batch(['a', 'deny', 'b']);
    expect(second).toMatchObject({ exit: 10, started: [] });
    expect(second.stderr).toContain('3 of 3 records had their result already');
    expect(second.stdout).toContain('3 records');
    expect(second.stdout).toMatch(/deny\s+1/);
    expect(await lines()).toHaveLength(3);
  });

  it('gives records without a key one that stays the same in the next run of this file, and is another in another file', async () => {
    const first = await batch(['slow', 'slow', 'a']);
    expect(new Set(first.started).size).toBe(3);
    expect(first.exit).toBe(12);
    expect(await lines()).toHaveLength(1);
    const second = await batch(['slow', 'slow', 'a']);
    expect(second.started).toEqual(first.started.filter((id) => second.started.includes(id)));
    expect(second.started).toHaveLength(2);
    // Another place in the file is the same record.
    const moved = await batch(['new', 'a', 'slow', 'slow']);
    expect(moved.started.filter((id) => first.started.includes(id))).toHaveLength(2);
    out = join(dir, 'other.jsonl');
    const other = await batch(['slow', 'slow', 'a']);
    expect(other.started.filter((id) => first.started.includes(id))).toEqual([]);
  });

  it('keeps the name of its batch from before the first result: a kill in between starts nothing twice', async () => {
    const first = await batch(['slow']);
    expect(await lines()).toEqual([]);
    expect(existsSync(`${out}.batch`)).toBe(true);
    const second = await batch(['slow', 'a']);
    expect(second.started).toContain(first.started[0]);
    expect(existsSync(`${out}.batch`)).toBe(false);
    await rm(out);
    expect((await batch(['slow'])).started).not.toEqual(first.started);
  });

  it('asks again for what was refused or not waited for to its end, and not for what was cancelled', async () => {
    expect((await batch(['refused', 'slow', 'cancelled'])).exit).toBe(2);
    expect(await lines()).toEqual([
      expect.objectContaining({ at: 'r:3', error: { code: 'EVALUATION_CANCELLED', message: expect.any(String) } }),
    ]);
    const second = await batch(['refused', 'slow', 'cancelled']);
    expect(second.started).toHaveLength(2);
    // The end of an earlier run counts for the exit code, too.
    expect((await batch(['cancelled'])).exit).toBe(12);
  });

  it('exits by the records of this run alone, whatever else stands there', async () => {
    expect((await batch(['deny', 'a'])).exit).toBe(10);
    expect((await batch(['a'])).exit).toBe(0);
    expect((await batch(['deny'])).exit).toBe(10);
  });

  it('asks again for a record whose content was changed under its key', async () => {
    await batch([{ plan: 'p', key: 'k', content: 'a' }]);
    expect((await batch([{ plan: 'p', key: 'k', content: 'a' }])).started).toEqual([]);
    expect((await batch([{ plan: 'p', key: 'k', content: 'b' }])).started).toEqual(['default/k']);
  });

  it('counts what stood there once: a record that was changed is not summed up with its old result', async () => {
    await batch([{ plan: 'p', key: 'k', content: 'a' }, 'b']);
    const { stdout } = await batch([{ plan: 'p', key: 'k', content: 'refused' }, 'b']);
    expect(stdout).toContain('2 records');
    expect(stdout).toMatch(/allow\s+1/);
    expect(stdout).toMatch(/refused\s+1/);
  });

  it('has what could not be judged looked at again, and a second line when it has come to another end', async () => {
    downIs = 'not_judged';
    expect((await batch(['down'])).exit).toBe(12);
    expect(await batch(['down'])).toMatchObject({ exit: 12, started: [expect.any(String)] });
    expect((await lines()).map(({ decision }) => decision)).toEqual(['not_judged']);
    downIs = 'allow';
    const mended = await batch(['down']);
    expect(mended.exit).toBe(0);
    expect((await lines()).map(({ decision }) => decision)).toEqual(['not_judged', 'allow']);
    const last = await batch(['down']);
    expect(last).toMatchObject({ exit: 0, started: [] });
    expect(last.stdout).toContain('1 records');
    expect(last.stdout).toMatch(/allow\s+1/);
  });

  it('on a disk that is full for a moment keeps whole lines, and the record is asked for again', async () => {
    await batch(['a']);
    const before = await readFile(out, 'utf8');
    // As much room as for a part of the next line: blocks of 1,024 bytes.
    const blocks = Math.ceil((Buffer.byteLength(before) + 1) / 1_024);
    const script = `
      import { Results } from './src/cli/results.js';
      const results = await Results.open(process.env.OUT, 'p');
      const { request, digest } = results.know({ plan: 'p', content: 'b' });
      const error = { code: 'EVALUATION_CANCELLED', message: 'x'.repeat(2_000) };
      try { results.add({ at: 'r:2', evaluationId: 'default/' + request.key, digest, error }); } catch (thrown) { console.log(thrown.message); }
    `;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script].map(
      (word) => `'${word.replaceAll("'", `'\\''`)}'`,
    );
    const said = execFileSync('bash', ['-c', `ulimit -f ${blocks}; exec ${node.join(' ')}`], {
      env: { ...process.env, OUT: out },
      encoding: 'utf8',
    });
    expect(said).toContain('the result cannot be written: EFBIG');
    expect(await readFile(out, 'utf8')).toBe(before);
    expect((await batch(['a', 'b'])).started).toHaveLength(1);
  });

  it('leaves a note of somebody else beside it alone', async () => {
    await writeFile(`${out}.batch`, 'precious');
    await expect(batch(['a'])).rejects.toThrow('is there and is not ours');
    expect(await readFile(`${out}.batch`, 'utf8')).toBe('precious');
  });

  it('loses no more than the line that a kill has torn', async () => {
    await batch(['a', 'b']);
    const text = await readFile(out, 'utf8');
    for (const cut of [1, 20, 200]) {
      await writeFile(out, text.slice(0, -cut));
      const again = await batch(['a', 'b']);
      expect(again.started).toHaveLength(1);
      expect(await lines()).toHaveLength(2);
    }
    // Half of a character is torn, too.
    await appendFile(out, Buffer.from([0x7b, 0x22, 0xe2, 0x82]));
    expect((await batch(['a', 'b'])).started).toEqual([]);
    expect(await lines()).toHaveLength(2);
  });

  it.each([
    ['records', '{"content":"x"}\n{"content":"y"}\n', 'out.jsonl:1: is no result of a batch'],
    ['one record without a line break', '{"content":"x"}', 'is no file of results'],
    ['text', 'hello\nworld', 'out.jsonl:1: is no result of a batch'],
  ])('is never made of %s: such a file is left as it is', async (_, text, says) => {
    out = join(dir, 'out.jsonl');
    await writeFile(out, text);
    await expect(batch(['a'])).rejects.toThrow(says);
    expect(await readFile(out, 'utf8')).toBe(text);
  });

  it('of another plan is refused, and so is a place that cannot be written', async () => {
    await batch(['a']);
    await expect(Results.open(out, 'q')).rejects.toThrow('is a result of plan p, and this batch is judged by q');
    await expect(Results.open(dir, 'p')).rejects.toThrow('is not a file');
    await expect(Results.open(join(dir, 'none', 'x.jsonl'), 'p')).rejects.toThrow('cannot be written: ENOENT');
  });
});

describe('a batch that is larger than memory', () => {
  it('is read no further than there are places', async () => {
    let read = 0;
    let ended = 0;
    const gate = deferred<void>();
    async function* requests() {
      for (; read < 200; read += 1) yield { at: `r:${read}`, request: { plan: 'p', content: 'x' } };
    }
    const client: Starter = {
      async start() {
        return {
          evaluationId: 'default/k',
          async result() {
            await gate.promise;
            ended += 1;
            return makeReport();
          },
        };
      },
    };
    const run = runBatch(client, { total: 200, requests: requests() }, settings, new Output(fakeIo(), false));
    // All that can go on without an end has gone on.
    await new Promise((resolve) => setImmediate(resolve));
    // Those under way, and as many that wait.
    expect(read).toBeLessThanOrEqual(2 * settings.concurrency);
    gate.resolve();
    expect(await run).toBe(0);
    expect(ended).toBe(200);
  });

  it('that cannot be read to its end waits for what runs, and then says so', async () => {
    const server = new Server();
    async function* requests() {
      yield { at: 'r:1', request: { plan: 'p', key: 'k', content: 'a' } };
      throw new Error('the file has changed');
    }
    const run = runBatch(server, { total: 2, requests: requests() }, settings, new Output(fakeIo(), false));
    await expect(run).rejects.toThrow('the file has changed');
    expect(server.started).toEqual(['default/k']);
  });
});

describe('the progress of a batch', () => {
  const some = { total: 10_000, ended: 300, earlier: 700, running: 20, held: 0, without: 3, elapsedMs: 30_000 };

  it('says how much has ended, how fast, and how long it will take', () => {
    expect(batchProgressText(some)).toBe(
      `1,000 of 10,000 ended (10 %), 20 under way, 3 without a report, 10/s, about 15 min 0 s left\n[${'#'.repeat(4)}${'-'.repeat(36)}]`,
    );
  });

  it('says how many are held back because too many wait', () => {
    expect(batchProgressText({ ...some, held: 15 })).toContain('5 under way, 15 held back by overload, 3 without');
  });

  it('guesses no time from too few, and is only full at the end', () => {
    expect(batchProgressText({ ...some, ended: 2, earlier: 0, without: 0 })).toMatch(/^2 of 10,000 ended \(0 %\), 20 under way\n/);
    expect(batchProgressText({ ...some, ended: 9_999, earlier: 0 })).toContain('(99.9 %)');
    expect(batchProgressText({ ...some, ended: 10_000, earlier: 0 })).toContain('(100 %)');
  });

  it('tells spans in the largest two units', () => {
    expect([0, 900, 59_000, 61_000, 3_900_000].map(spanText)).toEqual(['0 s', '1 s', '59 s', '1 min 1 s', '1 h 5 min']);
  });
});
