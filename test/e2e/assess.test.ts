/** `tribunal assess` as a real process that is killed, with a real service that counts what it is asked. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, eventually, start } from '../support/processes.js';

const RECORDS = 40;
const ANSWERED = 25;

/** Answers so many calls, then leaves the others open. */
class Service {
  readonly asked: string[] = [];
  readonly answered: string[] = [];
  answers = Infinity;
  readonly #open: ServerResponse[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { content } = JSON.parse(Buffer.concat(chunks).toString()) as { content: string };
      this.asked.push(content);
      if (this.answered.length >= this.answers) {
        this.#open.push(response);
        return;
      }
      this.answered.push(content);
      const violations = content.includes('bad') ? [{ code: 'rude', message: content }] : [];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ severity: violations.length / 2, violations, evidence: [content] }));
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const response of this.#open) response.destroy();
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

const service = new Service();
let host = '';
beforeAll(async () => {
  build();
  host = await service.listen();
});
afterAll(async () => service.close());

describe('an assessment that was killed', () => {
  it('goes on where it was: no answer that had arrived is asked for again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assess-killed-'));
    const rows = Array.from({ length: RECORDS }, (_, index) => ({
      text: `${index % 2 === 0 ? 'bad' : 'good'} words ${index}`,
      labels: { rude: index % 2 === 0 },
    }));
    writeFileSync(join(folder, 'set.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const options = `http={"url":"http://${host}/judge"}`;
    const args = [
      'assess',
      '--critics',
      'http',
      '--with',
      options,
      '--judges',
      'http=rude',
      '--allow-host',
      host,
      '--set',
      'set.jsonl',
      '--json',
    ];

    service.answers = ANSWERED;
    const first = start(args, { cwd: folder });
    const kept = (): string[] => {
      const [file] = readdirSync(join(folder, '.tribunal', 'assess'));
      return file === undefined
        ? []
        : readFileSync(join(folder, '.tribunal', 'assess', file), 'utf8')
            .split('\n')
            .filter(Boolean);
    };
    await eventually('all answers are kept, and others are waited for', () => {
      if (service.answered.length < ANSWERED || service.asked.length === service.answered.length) return undefined;
      return kept().length === ANSWERED ? true : undefined;
    });
    first.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const paid = new Set(service.answered);
    expect(kept().join('')).not.toContain('words');

    service.answers = Infinity;
    service.asked.length = 0;
    const { exit, stdout, stderr } = await start(args, { cwd: folder }).ended;
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(service.asked).toHaveLength(RECORDS - ANSWERED);
    expect(service.asked.filter((content) => paid.has(content))).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({
      records: RECORDS,
      critics: [
        {
          kept: ANSWERED,
          outcomes: { succeeded: RECORDS },
          families: [{ hits: RECORDS / 2, misses: 0, falseAlarms: 0, clean: RECORDS / 2 }],
        },
      ],
    });
  });

  it('by SIGINT says so, ends without figures, and keeps what it had', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assess-stopped-'));
    writeFileSync(
      join(folder, 'set.jsonl'),
      Array.from({ length: 10 }, (_, index) => JSON.stringify({ text: `words ${index}` })).join('\n'),
    );
    const options = `http={"url":"http://${host}/judge"}`;
    const args = ['assess', '--critics', 'http', '--with', options, '--allow-host', host, '--set', 'set.jsonl'];
    service.answers = service.answered.length + 3;
    const asked = service.asked.length;
    const running = start(args, { cwd: folder });
    await eventually('three answers and a call that waits', () => (service.asked.length > asked + 3 ? true : undefined));
    running.kill('SIGINT');
    const { exit, stdout, stderr } = await running.ended;
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toContain('the same command goes on from there');
  });
});
