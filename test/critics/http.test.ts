import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http } from '../../src/critics/http.js';
import type { CriticTools } from '../../src/critics/critic.js';
import type { HttpOptions } from '../../src/critics/http.js';
import { deferred } from '../../src/deferred.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { loadPlan } from '../../src/plan-loader.js';
import { conformance, inputFor, optionsOf, toolsFor, thrownBy } from './conformance.js';

const CLEAR = JSON.stringify({ severity: 0, violations: [] });
const CANARY = 'body-of-the-service';
const SECRET = 'Bearer key-of-the-service';

interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}
const seen: Seen[] = [];
/** Resolved when a request to `/slow` has come, and when its client has gone. */
const slow = { came: deferred<void>(), gone: deferred<void>() };

const json = (response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
};

/** By path: what the service does. `/status/<n>?after=<x>` answers with that status. */
const ROUTES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/clear': (response) => json(response, 200, CLEAR),
  '/problem-json': (response) => json(response, 200, CLEAR, { 'content-type': 'application/finding+json; charset=utf-8' }),
  '/not-a-finding': (response) => json(response, 200, '{"verdict":"allow"}'),
  '/html': (response) => json(response, 200, `<html>${CANARY}</html>`, { 'content-type': 'text/html' }),
  '/html-as-json': (response) => json(response, 200, `<html>${CANARY}</html>`),
  '/cut-json': (response) => json(response, 200, `{"severity":0,"${CANARY}`),
  '/bad-utf8': (response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(Buffer.from('{"severity":0,"violations":[],"evidence":["\xff"]}', 'latin1')),
  '/empty': (response) => void response.writeHead(204).end(),
  '/redirect': (response) => json(response, 302, CANARY, { location: '/clear' }),
  '/reset': (response) => void response.socket?.resetAndDestroy(),
  '/reset-in-body': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"severity":0,');
    setImmediate(() => response.destroy());
  },
  '/huge': (response) => json(response, 200, `"${'x'.repeat(70_000)}"`),
  '/bomb': (response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(gzipSync(`"${'x'.repeat(5_000_000)}"`)),
  '/largest': (response) => json(response, 200, CLEAR.padEnd(65_536)),
  '/one-more': (response) => json(response, 200, CLEAR.padEnd(65_537)),
  '/slow': (response) => {
    slow.came.resolve();
    response.on('close', () => slow.gone.resolve());
  },
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
    seen.push({ path: pathname, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    const after = searchParams.get('after');
    const status = /^\/status\/(\d+)$/.exec(pathname)?.[1];
    if (status !== undefined) json(response, Number(status), CANARY, after === null ? {} : { 'retry-after': after });
    else ROUTES[pathname]?.(response);
  });
});

let origin = '';
beforeAll(async () => {
  const listening = deferred<void>();
  server.listen(0, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const optionsFor = (path: string): HttpOptions =>
  optionsOf(http, { url: `${origin}${path}`, maxBytes: 65_536, headers: { 'x-team': 'safety' } });
const ask = async (path: string, tools: Partial<CriticTools<HttpOptions>> = {}): Promise<unknown> =>
  http.evaluate(inputFor('Hello.'), toolsFor(optionsFor(path), tools));

/** What the critic threw, with proof that nothing of a body stands in it. */
async function failureOf(path: string): Promise<{ kind: unknown; code: unknown; message: string; retryAfterMs?: unknown }> {
  const error: unknown = await ask(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ kind: expect.any(String), code: expect.stringMatching(/^[A-Z][A-Z0-9_]{0,63}$/) });
  const { kind, code, message, extra } = error as { kind: string; code: string; message: string; extra: object };
  expect(message).toContain('127.0.0.1');
  expect(message).not.toContain(CANARY);
  return { kind, code, message, ...extra };
}

conformance(http, { good: { url: 'https://critic.example/judge' }, options: () => optionsFor('/clear') });

describe('http', () => {
  it('posts what there is to judge, with the key, and takes the answer', async () => {
    const input = inputFor({ output: 'Hello.' }, { context: { domain: 'chat' }, findings: { pii: { severity: 0, violations: [] } } });
    const finding = await http.evaluate(input, toolsFor(optionsFor('/problem-json'), { attempt: 2, idempotencyKey: 'key-7' }));
    expect(finding).toEqual({ severity: 0, violations: [] });
    const request = seen.findLast(({ path }) => path === '/problem-json');
    expect(request?.body).toEqual({ ...input, idempotencyKey: 'key-7', attempt: 2 });
    expect(request?.headers).toMatchObject({ 'idempotency-key': 'key-7', 'content-type': 'application/json', 'x-team': 'safety' });
  });

  it.each([
    ['/status/408', 'transient', 'HTTP_408'],
    ['/status/425', 'transient', 'HTTP_425'],
    ['/status/500', 'transient', 'HTTP_500'],
    ['/status/503', 'transient', 'HTTP_503'],
    ['/status/503?after=soon', 'transient', 'HTTP_503'],
    ['/status/400', 'permanent', 'HTTP_400'],
    ['/status/401', 'permanent', 'HTTP_401'],
    ['/status/404', 'permanent', 'HTTP_404'],
    ['/redirect', 'permanent', 'HTTP_REDIRECT'],
    ['/html', 'transient', 'HTTP_MALFORMED'],
    ['/html-as-json', 'transient', 'HTTP_MALFORMED'],
    ['/cut-json', 'transient', 'HTTP_TRUNCATED'],
    ['/bad-utf8', 'invalid_output', 'HTTP_NOT_JSON'],
    ['/empty', 'transient', 'HTTP_MALFORMED'],
    ['/reset', 'transient', 'HTTP_RESET'],
    ['/reset-in-body', 'transient', 'HTTP_RESET'],
    ['/huge', 'invalid_output', 'HTTP_TOO_LARGE'],
    ['/bomb', 'invalid_output', 'HTTP_TOO_LARGE'],
    ['/one-more', 'invalid_output', 'HTTP_TOO_LARGE'],
  ])('takes %s for %s, %s', async (path, kind, code) => {
    expect(await failureOf(path)).toMatchObject({ kind, code });
  });

  it('reads an answer of just the greatest size', async () => {
    expect(await ask('/largest')).toEqual({ severity: 0, violations: [] });
  });

  it.each([
    ['/status/429?after=2', 2_000],
    ['/status/429?after=0', 0],
    ['/status/503?after=999999', 999_999_000],
    ['/status/429?after=-1', undefined],
    ['/status/429?after=soon', undefined],
    ['/status/429', undefined],
  ])('takes %s for rate limited, to be tried again in %s ms', async (path, retryAfterMs) => {
    const failure = await failureOf(path);
    expect(failure.kind).toBe('rate_limited');
    expect(failure.retryAfterMs).toBe(retryAfterMs);
  });

  it('never follows a redirect', async () => {
    const before = seen.filter(({ path }) => path === '/clear').length;
    await failureOf('/redirect');
    expect(seen.filter(({ path }) => path === '/clear')).toHaveLength(before);
  });

  it('hands on an answer that is no finding, for the host to refuse', async () => {
    expect(await ask('/not-a-finding')).toEqual({ verdict: 'allow' });
  });

  it('takes a port on which nobody listens for worth another try', async () => {
    const unused = createServer();
    const listening = deferred<void>();
    unused.listen(0, '127.0.0.1', () => listening.resolve());
    await listening.promise;
    const { port } = unused.address() as AddressInfo;
    const closed = deferred<void>();
    unused.close(() => closed.resolve());
    await closed.promise;
    const options = optionsOf(http, { url: `http://127.0.0.1:${port}/` });
    await expect(http.evaluate(inputFor('Hello.'), toolsFor(options))).rejects.toMatchObject({ kind: 'transient', code: 'HTTP_CONNECT' });
  });

  it('leaves a slow service when its signal is aborted, and hangs up', async () => {
    const stop = new AbortController();
    const reason = new Error('time is up');
    const asked = thrownBy(ask('/slow', { signal: stop.signal }));
    await slow.came.promise;
    stop.abort(reason);
    expect(await asked).toBe(reason);
    await slow.gone.promise;
  });

  it.each(['Authorization', 'PROXY-AUTHORIZATION', 'cookie', 'X-Api-Key', 'api-key'])(
    'refuses %s among its headers, and says where secrets are named',
    (name) => {
      const refused = http.options?.safeParse({ url: origin, headers: { [name]: SECRET } });
      expect(refused?.error?.issues).toMatchObject([
        { path: ['headers', name], message: expect.stringContaining(`secretHeaders: { ${name}: NAME_OF_A_SECRET }`) },
      ]);
      expect(refused?.error?.message).not.toContain(SECRET);
    },
  );

  it('refuses the secret itself where its name belongs, without quoting it', () => {
    for (const secretHeaders of [{ authorization: SECRET }, { authorization: [SECRET] }, { 'not a name': 'TONE_API_KEY' }]) {
      const refused = http.options?.safeParse({ url: origin, secretHeaders });
      expect(refused?.error?.issues).toHaveLength(1);
      expect(refused?.error?.message).not.toContain(SECRET);
    }
  });

  it.each([
    ['/judge', 'is not an absolute URL'],
    ['file:///etc/passwd', 'must begin with http:// or https://'],
    ['https://user:hunter2@critic.example/', 'must not hold a user name or password: write the name of a secret under secretHeaders'],
  ])('refuses the address %s', (url, message) => {
    expect(http.options?.safeParse({ url }).error?.issues[0]?.message).toBe(message);
  });
});

describe('a secret of http', () => {
  const PLAN = {
    plan: 'p',
    version: 1,
    timeouts: { global: '10s' },
    critics: {
      tone: {
        uses: 'http',
        stage: 'core_analysis',
        with: { url: 'https://critic.example/', secretHeaders: { authorization: 'TONE_API_KEY' } },
      },
    },
    verdict: { otherwise: 'allow' },
  };
  const optionsWith = (secretHeaders: Record<string, string>, path = '/clear'): HttpOptions =>
    optionsOf(http, { url: `${origin}${path}`, headers: { 'X-Tone': 'literal' }, secretHeaders });
  const secret = (name: string): string | undefined => ({ TONE_API_KEY: SECRET, EMPTY: '', BROKEN: `${SECRET}\r\nx-evil: 1` })[name];
  const askWith = async (options: HttpOptions): Promise<unknown> => http.evaluate(inputFor('Hello.'), toolsFor(options, { secret }));

  it('arrives at the service in its header, before one of the same name that was written out', async () => {
    await askWith(optionsWith({ authorization: 'TONE_API_KEY', 'x-tone': 'TONE_API_KEY' }));
    expect(seen.at(-1)?.headers).toMatchObject({ authorization: SECRET, 'x-tone': SECRET, 'content-type': 'application/json' });
    expect(JSON.stringify(seen.at(-1)?.body)).not.toContain(SECRET);
  });

  it('stands in the plan by its name', async () => {
    const loaded = await loadPlan({ object: PLAN, name: 'test' }, makeRegistry());
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.plan.critics[0]?.with).toMatchObject({ secretHeaders: { authorization: 'TONE_API_KEY' } });
  });

  it('that the worker does not have is a permanent error which names it, and nothing is sent', async () => {
    const before = seen.length;
    for (const name of ['OTHER', 'EMPTY']) {
      await expect(askWith(optionsWith({ authorization: name }))).rejects.toMatchObject({
        kind: 'permanent',
        code: 'HTTP_SECRET',
        message: `the worker has no secret called ${name}: set TRIBUNAL_SECRET_${name} where it runs`,
      });
    }
    expect(seen).toHaveLength(before);
  });

  it('that no header can hold is a permanent error which names it and does not quote it', async () => {
    const thrown = await thrownBy(askWith(optionsWith({ authorization: 'BROKEN' })));
    expect(thrown).toMatchObject({ kind: 'permanent', code: 'HTTP_SECRET', message: expect.stringContaining('BROKEN') });
    expect(String(thrown)).not.toContain(SECRET);
  });

  it('stands in no message when the service fails', async () => {
    for (const path of ['/status/401', '/status/503', '/redirect', '/reset', '/html']) {
      const thrown = await thrownBy(askWith(optionsWith({ authorization: 'TONE_API_KEY' }, path)));
      expect(thrown).toMatchObject({ kind: expect.any(String) });
      expect(inspect(thrown, { depth: 10 })).not.toContain(SECRET);
    }
  });
});
