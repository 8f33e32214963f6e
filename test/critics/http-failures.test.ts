/** The http critic against a provider that fails in every way of the table, over real sockets; its signature and its contract. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CriticTools } from '../../src/critics/critic.js';
import { makeGuardedFetch } from '../../src/critics/network/guarded-fetch.js';
import { httpCriticOpenApi, httpCriticSchema } from '../../src/critics/http/contract.js';
import { http, type HttpOptions } from '../../src/critics/http.js';
import { PROVIDER_FAILURES } from '../../src/critics/network/provider-failure.js';
import type { Json } from '../../src/domain/finding.js';
import { CANARY, MOVES, rowPlayedBy, startFakeProvider, type FakeProvider, type Move } from '../support/fake-provider.js';
import { inputFor, optionsOf, thrownBy, toolsFor } from './conformance.js';

let provider: FakeProvider;
let guarded: typeof fetch;
beforeAll(async () => {
  provider = await startFakeProvider();
  guarded = makeGuardedFetch({ hosts: [provider.host] });
});
afterAll(() => provider.close());

const CLEAR = { severity: 0, violations: [] };
const KEY = 'key-of-the-signature';

async function ask(path: string, more: Record<string, Json> = {}, tools: Partial<CriticTools<HttpOptions>> = {}): Promise<unknown> {
  const options = optionsOf(http, { url: `${provider.url}${path}`, ...more });
  return http.evaluate(inputFor('Hello.'), toolsFor(options, { fetch: guarded, ...tools }));
}

/** Of moves that end by themselves, in a way that this critic can see. */
const ENDING = (Object.keys(MOVES) as Move[]).filter((move) => {
  const row = rowPlayedBy(move);
  return row !== undefined && row !== 'slow_drip' && row !== 'wrong_schema' && row !== 'declined' && row !== 'cut_off';
});

describe('a failure of a service', () => {
  it.each(ENDING)('%s is what the table says, asked for once, and nothing of it is quoted', async (move) => {
    const row = PROVIDER_FAILURES[rowPlayedBy(move) ?? 'page'];
    const thrown = await thrownBy(ask(`/${move}/once`));
    expect(thrown).toMatchObject({ name: 'CriticError', kind: row.kind });
    const { code, message, extra } = thrown as { code: string; message: string; extra: { maxAttempts?: number } };
    expect(code).toMatch(new RegExp(`^${row.code.replace('_n', String.raw`_\d{3}`)}$`));
    expect(extra.maxAttempts).toBe(row.maxAttempts);
    expect(message).toContain(provider.host);
    expect(message).not.toContain(CANARY);
    expect(provider.count(`/${move}/once`)).toBe(1);
  });

  it.each(['silent', 'slow_drip'] as const)('%s lasts until the attempt is stopped, and the connection is closed', async (move) => {
    const stop = new AbortController();
    const reason = new Error('time is up');
    const asked = thrownBy(ask(`/${move}/judge`, {}, { signal: stop.signal }));
    await expect.poll(() => provider.count(`/${move}/judge`)).toBe(1);
    stop.abort(reason);
    expect(await asked).toBe(reason);
  });

  it('does not reach where a redirect points', async () => {
    await thrownBy(ask('/redirect/judge'));
    expect(provider.count('/ok/redirected')).toBe(0);
  });

  it('is none when the answer stands in a fence', async () => {
    expect(await ask('/fenced/judge')).toEqual(CLEAR);
  });

  it('is for good when the address is private and nobody named it, and nothing is sent', async () => {
    const before = provider.requests.length;
    await expect(ask('/ok/judge', {}, { fetch: makeGuardedFetch() })).rejects.toMatchObject({ kind: 'permanent', code: 'ADDRESS_REFUSED' });
    expect(provider.requests).toHaveLength(before);
  });

  it('of a name that nobody has is worth another try', async () => {
    const lookup = (_hostname: string, done: (error: Error, addresses: []) => void): void =>
      done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    const options = optionsOf(http, { url: 'https://nobody.example/judge' });
    const asked = http.evaluate(inputFor('Hello.'), toolsFor(options, { fetch: makeGuardedFetch({ lookup }) }));
    expect(await thrownBy(Promise.resolve(asked))).toMatchObject({
      kind: 'transient',
      code: 'HTTP_DNS',
      message: 'nobody.example has no address',
    });
  });
});

describe('a signature', () => {
  const secret = (name: string): string | undefined => (name === 'SIGNING' ? KEY : undefined);

  it('stands over the time and the very bytes of the body, and the key in nothing that is sent', async () => {
    const begun = Math.floor(Date.now() / 1_000);
    await ask('/ok/signed', { signWith: 'SIGNING' }, { secret });
    const { headers, text } = provider.requests.at(-1) ?? {};
    const timestamp = String(headers?.['tribunal-timestamp']);
    expect(headers?.['tribunal-signature']).toBe(`v1=${createHmac('sha256', KEY).update(`${timestamp}.${text}`).digest('hex')}`);
    expect(Number(timestamp)).toBeGreaterThanOrEqual(begun);
    expect(Number(timestamp)).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(JSON.stringify(provider.requests.at(-1))).not.toContain(KEY);
  });

  it('of the plan cannot be given by its headers', async () => {
    const headers = { 'Tribunal-Signature': 'v1=forged', 'tribunal-timestamp': '1' };
    await ask('/ok/signed', { signWith: 'SIGNING', headers }, { secret });
    expect(provider.requests.at(-1)?.headers['tribunal-signature']).toMatch(/^v1=[0-9a-f]{64}$/);
    expect(provider.requests.at(-1)?.headers['tribunal-timestamp']).not.toBe('1');
  });

  it('without its secret is a permanent error which names it, and nothing is sent', async () => {
    const before = provider.requests.length;
    await expect(ask('/ok/signed', { signWith: 'OTHER' }, { secret })).rejects.toMatchObject({
      kind: 'permanent',
      code: 'HTTP_SECRET',
      message: 'the worker has no secret called OTHER: set TRIBUNAL_SECRET_OTHER where it runs',
    });
    expect(provider.requests).toHaveLength(before);
  });
});

describe('the published contract', () => {
  const published = (name: string): unknown => JSON.parse(readFileSync(`docs/${name}`, 'utf8'));

  it('is that of the code; `node --import tsx scripts/http-contract.mjs` writes it anew', () => {
    expect(published('http-critic.openapi.json')).toEqual(JSON.parse(JSON.stringify(httpCriticOpenApi())));
    expect(published('http-critic.schema.json')).toEqual(JSON.parse(JSON.stringify(httpCriticSchema())));
  });

  it('goes with the package', () => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
    expect(files).toEqual(expect.arrayContaining(['docs']));
  });

  it('accepts what the critic sends and findings as hosts take them, and refuses others', async () => {
    const ajv = new Ajv2020({ strict: false }).addSchema(published('http-critic.schema.json') as object);
    const validates = (name: string, value: unknown): boolean => ajv.validate(`tribunal-http-critic#/$defs/${name}`, value);
    const findings = { pii: { severity: 0.5, violations: [{ code: 'card', message: 'a card number', span: { start: 0, end: 4 } }] } };
    const options = optionsOf(http, { url: `${provider.url}/ok/contract` });
    await http.evaluate(inputFor({ output: ['x'] }, { findings }), toolsFor(options, { fetch: guarded }));
    expect(validates('Request', provider.requests.at(-1)?.body)).toBe(true);
    expect(validates('Request', { content: 'x' })).toBe(false);
    expect(validates('Finding', { ...findings.pii, more: 1 })).toBe(true);
    expect(validates('Finding', { severity: 2, violations: [] })).toBe(false);
    expect(validates('Finding', { verdict: 'allow' })).toBe(false);
  });
});
