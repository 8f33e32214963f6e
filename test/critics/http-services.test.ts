/** The two services of the examples as real processes: they answer what is signed, and nothing else. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeGuardedFetch } from '../../src/critics/network/guarded-fetch.js';
import { http } from '../../src/critics/http.js';
import type { Json } from '../../src/domain/finding.js';
import { expectClean, inputFor, optionsOf, toolsFor } from './conformance.js';

const KEY = 'key-of-this-test';
const guarded = makeGuardedFetch({ hosts: ['127.0.0.1'] });

interface Service {
  readonly url: string;
  readonly child: ChildProcess;
}

async function start(command: string, args: readonly string[]): Promise<Service> {
  const env = { ...process.env, SIGNING_KEY: KEY, PORT: '0' };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = /listening on (\S+)\n/.exec(said)?.[1];
      if (url !== undefined) resolve({ url, child });
    });
  });
}

const hash = (content: Json): string => createHash('sha256').update(JSON.stringify(content)).digest('hex');

/** The key is one for each content, as in a run. */
const judge = (url: string, content: Json, secret: string, idempotencyKey = hash(content)): unknown =>
  http.evaluate(
    inputFor(content),
    toolsFor(optionsOf(http, { url, signWith: 'SHOUTING' }), { fetch: guarded, idempotencyKey, secret: () => secret }),
  );

/** A request as an attacker would write it. */
async function post(url: string, body: string, headers: Record<string, string>): Promise<number> {
  const answer = await guarded(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  await answer.text();
  return answer.status;
}

const signed = (timestamp: string, body: string, key = KEY): Record<string, string> => ({
  'tribunal-timestamp': timestamp,
  'tribunal-signature': `v1=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`,
});

const now = (): number => Math.floor(Date.now() / 1_000);
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Where there is no Python, its service is nobody's either. */
const SERVICES: readonly (readonly [language: string, command: string, args: readonly string[]])[] = [
  ['TypeScript', process.execPath, ['--import', 'tsx', 'examples/http-critic/service.ts']],
  ...(hasPython ? [['Python', 'python3', ['examples/http-critic/service.py']] as const] : []),
];

describe.each(SERVICES)('the service in %s', (_language, command, args) => {
  let service: Service;
  beforeAll(async () => {
    service = await start(command, args);
  });
  afterAll(() => service.child.kill());

  it('judges what the critic sends', async () => {
    expect(expectClean(await judge(service.url, 'STOP SHOUTING', KEY))).toMatchObject({ severity: 1, violations: [{ code: 'shouting' }] });
    expect(expectClean(await judge(service.url, { output: 'quiet, äöü 𝕬' }, KEY)).violations).toEqual([]);
    expect(expectClean(await judge(service.url, 'a\ud800b \u2028 🏳️‍🌈', KEY)).violations).toEqual([]);
  });

  it('answers the same key from what it knows', async () => {
    const first = await judge(service.url, 'LOUD', KEY, 'one-key');
    expect(await judge(service.url, 'quiet', KEY, 'one-key')).toEqual(first);
  });

  it('refuses another key, for good', async () => {
    await expect(judge(service.url, 'Hello.', 'another key')).rejects.toMatchObject({ kind: 'permanent', code: 'HTTP_401' });
  });

  it('refuses what was signed too long ago, ahead of time, over another body, or not at all', async () => {
    const body = JSON.stringify({ content: 'Hello.', idempotencyKey: 'k' });
    const at = (seconds: number): Record<string, string> => signed(String(now() + seconds), body);
    expect(await post(service.url, body, at(0))).toBe(200);
    expect(await post(service.url, body, at(-240))).toBe(200);
    for (const headers of [at(-310), at(310), signed('', body), signed('1e9', body), signed(String(now()), `${body} `), {}])
      expect(await post(service.url, body, headers)).toBe(401);
    expect(await post(service.url, body, { ...at(0), 'tribunal-timestamp': String(now() - 1) })).toBe(401);
    expect(await post(service.url, body, { ...at(0), 'tribunal-signature': 'v1=' })).toBe(401);
  });

  it('refuses what is signed and no request', async () => {
    for (const body of ['{', '[]', '"x"', '{"content":"x"}']) expect(await post(service.url, body, signed(String(now()), body))).toBe(400);
  });
});
