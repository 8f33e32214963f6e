/** Notifications through real channels: a receiver on loopback that is the one of the papers, a file, the log. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeGuardedFetch } from '../../src/critics/network/guarded-fetch.js';
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import type { Notification } from '../../src/domain/review/notification.js';
import { makeNotifier, NotifyError, type Notifier, type NotifierOptions } from '../../src/review/notify.js';

const NOW_MS = Date.parse('2026-11-28T14:07:19.703Z');
const SECRET = 'the-key-of-the-hook';
/** Stands in the path of the webhook, as keys of others do. */
const PATH_KEY = 'T00-key-in-the-path';

const NOTICE: Notification = {
  id: 'default/k/review#3',
  event: 'review_ladder',
  at: '2026-11-28T14:07:19.703Z',
  tenant: 'default',
  evaluationId: 'default/k',
  reviewId: 'review:default/k',
  tier: 'determination',
  queue: 'medical',
  to: ['leads', 'änne'],
  due: '2026-11-29T14:07:19.703Z',
  outcome: 'expired',
  rung: 2,
};

interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Answer = (response: ServerResponse, taken: Taken) => void;
type Receive = (headers: IncomingHttpHeaders, body: Buffer, secret: string) => Notification | undefined;

let server: Server;
let host: string;
let receive: Receive;
let folder: string;
let answer: Answer;
let taken: Taken[];
const at = (name: string): string => join(folder, name);
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end('words-of-the-receiver');

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      taken.push(one);
      answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'notify-'));
  taken = [];
  answer = status(204);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function notifierOf(channels: NotifyChannels, more: Partial<NotifierOptions> = {}): Notifier {
  return makeNotifier({
    channels,
    secrets: (name) => (name === 'HOOK_SECRET' ? SECRET : undefined),
    fetch: makeGuardedFetch({ hosts: [host] }),
    log: () => undefined,
    ...more,
  });
}

const hook = (): NotifyChannels => ({ oncall: { webhook: `http://${host}/hook/${PATH_KEY}?key=${PATH_KEY}`, secretEnv: 'HOOK_SECRET' } });

async function failureOf(sending: Promise<void>): Promise<NotifyError> {
  const error: unknown = await sending.catch((reason: unknown) => reason);
  if (!(error instanceof NotifyError)) throw new Error('it was taken', { cause: error });
  for (const secret of [SECRET, PATH_KEY, 'words-of-the-receiver'])
    expect(JSON.stringify([error.message, error.code])).not.toContain(secret);
  return error;
}

describe('a webhook', () => {
  beforeAll(async () => {
    const paper = await readFile('docs/operations.md', 'utf8');
    const [, example = ''] = /```js\n(import \{ createHmac[^]*?)```/.exec(paper) ?? [];
    const dir = await mkdtemp(join(tmpdir(), 'receiver-'));
    await writeFile(join(dir, 'receiver.mjs'), example);
    ({ receive } = (await import(pathToFileURL(join(dir, 'receiver.mjs')).href)) as { receive: Receive });
    await rm(dir, { recursive: true });
  });

  it('is believed by the receiver of the papers, which sees from the bytes that it is whole and from the id that it is new', async () => {
    await notifierOf(hook()).send('oncall', NOTICE);
    await notifierOf(hook()).send('oncall', NOTICE);
    await notifierOf(hook()).send('oncall', { ...NOTICE, id: 'another' });
    expect(taken.map(({ headers, body }) => receive(headers, body, SECRET)?.id)).toEqual([NOTICE.id, undefined, 'another']);
    expect(JSON.parse(taken[0]?.body.toString() ?? '')).toEqual(NOTICE);
    expect(taken[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(taken[0]?.path).toBe(`/hook/${PATH_KEY}?key=${PATH_KEY}`);
  });

  it('that somebody changed, signed with another key or kept for long is refused by that receiver', async () => {
    await notifierOf(hook()).send('oncall', { ...NOTICE, id: 'changed' });
    await notifierOf(hook(), { secrets: () => 'another key' }).send('oncall', NOTICE);
    await notifierOf(hook(), { now: () => Date.now() - 301_000 }).send('oncall', NOTICE);
    const [one, other, old] = taken;
    if (one === undefined || other === undefined || old === undefined) throw new Error('they did not come');
    expect(() => receive(one.headers, Buffer.from(one.body.toString().replace('expired', 'decided')), SECRET)).toThrow('not signed by us');
    expect(() => receive({ ...one.headers, 'tribunal-timestamp': '1' }, one.body, SECRET)).toThrow('not signed by us');
    expect(() => receive(other.headers, other.body, SECRET)).toThrow('not signed by us');
    expect(() => receive({}, one.body, SECRET)).toThrow('not signed by us');
    expect(() => receive(old.headers, old.body, SECRET)).toThrow('older than five minutes');
  });

  it('has the same id on each attempt and a signature of its own', async () => {
    const codes = [503, 500, 204];
    answer = (response, one) => status(codes.shift() ?? 204)(response, one);
    let clock = 1_000_000;
    const notifier = notifierOf(hook(), { now: () => clock });
    clock += 60_000;
    await failureOf(notifier.send('oncall', NOTICE));
    clock += 60_000;
    await failureOf(notifier.send('oncall', NOTICE));
    clock += 60_000;
    await notifier.send('oncall', NOTICE);
    expect(taken.map(({ headers }) => headers['tribunal-delivery'])).toEqual([NOTICE.id, NOTICE.id, NOTICE.id]);
    expect(new Set(taken.map(({ body }) => body.toString())).size).toBe(1);
    expect(taken.map(({ headers }) => headers['tribunal-timestamp'])).toEqual(['1060', '1120', '1180']);
    expect(new Set(taken.map(({ headers }) => headers['tribunal-signature'])).size).toBe(3);
  });

  it('holds no field beyond those of a notification', async () => {
    const more = { ...NOTICE, content: 'the text under review', reason: 'because', details: { a: 1 } };
    await notifierOf(hook()).send('oncall', more);
    expect(JSON.parse(taken[0]?.body.toString() ?? '')).toEqual(NOTICE);
    const { id, event, at: when } = NOTICE;
    await notifierOf(hook()).send('oncall', { id, event, at: when, content: 'the text' } as Notification);
    expect(Object.keys(JSON.parse(taken[1]?.body.toString() ?? '') as object)).toEqual(['id', 'event', 'at']);
  });

  it.each([
    ['outcome', { text: 'the text under review' }],
    ['to', 'everybody'],
    ['to', [{ name: 'a person' }]],
    ['rung', 1.5],
    ['id', 'two\r\nlines'],
    ['id', ''],
    ['event', 'The Text'],
    ['at', undefined],
    ['outcome', 'x'.repeat(1_001)],
  ])('with a field %s of another form is not sent', async (field, value) => {
    const error = await failureOf(notifierOf(hook()).send('oncall', { ...NOTICE, [field]: value }));
    expect(error).toMatchObject({ code: 'BAD_NOTIFICATION', extra: { isFinal: true } });
    expect(error.message).toContain(field);
    expect(taken).toEqual([]);
  });

  it.each([400, 401, 403, 404, 409, 410, 413, 422])('that is answered with %i is lost', async (code) => {
    answer = status(code);
    expect(await failureOf(notifierOf(hook()).send('oncall', NOTICE))).toMatchObject({
      code: `HTTP_${code}`,
      message: `channel oncall: ${host} answered ${code}`,
      extra: { isFinal: true },
    });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('that is answered with %i is worth another try, when the receiver says so', async (code) => {
    answer = status(code, { 'retry-after': '7' });
    const { extra } = await failureOf(notifierOf(hook()).send('oncall', NOTICE));
    expect(extra).toEqual({ isFinal: false, retryAfterMs: 7_000 });
    answer = status(code);
    expect((await failureOf(notifierOf(hook()).send('oncall', NOTICE))).extra).toEqual({ isFinal: false });
  });

  it('waits an hour at most, whatever the receiver says', async () => {
    answer = status(503, { 'retry-after': '999999' });
    expect((await failureOf(notifierOf(hook()).send('oncall', NOTICE))).extra.retryAfterMs).toBe(3_600_000);
  });

  it.each([301, 302, 307, 308])('does not follow a redirect of %i', async (code) => {
    answer = status(code, { location: `http://${host}/elsewhere` });
    expect(await failureOf(notifierOf(hook()).send('oncall', NOTICE))).toMatchObject({ code: 'HTTP_REDIRECT', extra: { isFinal: false } });
    expect(taken.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it('is worth another try when nobody answers in time, when the connection breaks and when nobody listens', async () => {
    answer = () => undefined;
    expect(await failureOf(notifierOf(hook(), { timeoutMs: 50 }).send('oncall', NOTICE))).toMatchObject({
      code: 'HTTP_TIMEOUT',
      message: `channel oncall: ${host} did not answer within 0.05 s`,
      extra: {},
    });
    answer = (response) => void response.socket?.resetAndDestroy();
    expect(await failureOf(notifierOf(hook()).send('oncall', NOTICE))).toMatchObject({ code: 'HTTP_RESET', extra: { isFinal: false } });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const nobody: NotifyChannels = { oncall: { webhook: `http://127.0.0.1:${port}/${PATH_KEY}`, secretEnv: 'HOOK_SECRET' } };
    const fetch = makeGuardedFetch({ hosts: ['127.0.0.1'] });
    expect(await failureOf(notifierOf(nobody, { fetch }).send('oncall', NOTICE))).toMatchObject({
      code: 'HTTP_CONNECT',
      extra: { isFinal: false },
    });
  });

  it('was taken when it is answered with 2xx, whatever else is said', async () => {
    for (const code of [200, 201, 202]) {
      answer = status(code);
      await notifierOf(hook()).send('oncall', NOTICE);
    }
    answer = (response) => void response.writeHead(200).write('and on and ');
    await notifierOf(hook()).send('oncall', NOTICE);
    expect(taken).toHaveLength(4);
  });

  it('at a private address that the deployment does not name is not asked', async () => {
    const error = await failureOf(notifierOf(hook(), { fetch: makeGuardedFetch() }).send('oncall', NOTICE));
    expect(error).toMatchObject({ code: 'ADDRESS_REFUSED', extra: { isFinal: true } });
    expect(error.message).toContain(`hosts: ['${host}'] in tribunal.yaml`);
    expect(taken).toEqual([]);
  });

  it('is not sent without its secret, which another worker may have', async () => {
    expect(await failureOf(notifierOf(hook(), { secrets: () => undefined }).send('oncall', NOTICE))).toMatchObject({
      code: 'HTTP_SECRET',
      message: 'channel oncall: the worker has no secret called HOOK_SECRET: set TRIBUNAL_SECRET_HOOK_SECRET where it runs',
      extra: { isFinal: false },
    });
    expect(taken).toEqual([]);
  });
});

describe('a file', () => {
  it('has one line for each notification, without a field that is none of it', async () => {
    const notifier = notifierOf({ leads: { file: at('notices.jsonl') } });
    await notifier.send('leads', NOTICE);
    await notifier.send('leads', { ...NOTICE, id: 'second', content: 'the text' } as Notification);
    const lines = (await readFile(at('notices.jsonl'), 'utf8')).split('\n');
    expect(lines.map((line) => (line === '' ? '' : (JSON.parse(line) as unknown)))).toEqual([NOTICE, { ...NOTICE, id: 'second' }, '']);
  });

  it('loses and mixes no line of four processes that append at once', async () => {
    const each = 200;
    const source = pathToFileURL(join(process.cwd(), 'src/review/notify.ts')).href;
    const script = `
      const { makeNotifier } = await import(${JSON.stringify(source)});
      const [file, who] = process.argv.slice(1);
      const notifier = makeNotifier({ channels: { leads: { file } }, secrets: () => undefined, fetch, log: () => undefined });
      process.stdout.write('ready');
      await new Promise((resolve) => process.stdin.once('data', resolve));
      const to = Array.from({ length: 150 }, (_, index) => who.repeat(60) + index);
      await Promise.all(Array.from({ length: ${each} }, (_, index) =>
        notifier.send('leads', { id: who + index, event: 'verdict', at: '2026-11-28T14:07:19.703Z', to })));
      process.exit(0);
    `;
    const writers = ['a', 'b', 'c', 'd'].map((who) =>
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, at('notices.jsonl'), who], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    const ended = writers.map((child) => new Promise<number | null>((resolve) => child.once('close', resolve)));
    await Promise.all(writers.map((child) => new Promise((resolve) => child.stdout.once('data', resolve))));
    for (const child of writers) child.stdin.write('go');
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);
    const lines = (await readFile(at('notices.jsonl'), 'utf8')).trimEnd().split('\n');
    const notices = lines.map((line) => JSON.parse(line) as Notification);
    expect(notices.every(({ id, to = [] }) => to.length === 150 && to.every((one) => one.startsWith(id.charAt(0).repeat(60))))).toBe(true);
    const wanted = ['a', 'b', 'c', 'd'].flatMap((who) => Array.from({ length: each }, (_, index) => `${who}${index}`));
    expect(notices.map(({ id }) => id).toSorted()).toEqual(wanted.toSorted());
  });

  it('whose folder is not there is not made, and no path is told', async () => {
    const error = await failureOf(notifierOf({ leads: { file: at('nowhere/notices.jsonl') } }).send('leads', NOTICE));
    expect(error).toMatchObject({ code: 'FILE', message: 'channel leads: its file cannot be written (ENOENT: there is no folder)' });
    expect(error.extra.isFinal ?? false).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('on a full disk is worth another try', async () => {
    expect(await failureOf(notifierOf({ leads: { file: '/dev/full' } }).send('leads', NOTICE))).toMatchObject({
      code: 'FILE',
      message: 'channel leads: its file cannot be written (ENOSPC)',
    });
  });
});

describe('what is not taken', () => {
  it('is told in the log once for each channel and cause in ten minutes, without its content and address', async () => {
    const lines: string[] = [];
    let now = NOW_MS;
    const notifier = notifierOf(
      { ...hook(), other: { webhook: `http://${host}/other`, secretEnv: 'HOOK_SECRET' }, leads: { file: at('no/such.jsonl') } },
      { log: (level, message) => lines.push(`${level} ${message}`), now: () => now, timeoutMs: 50 },
    );
    const send = async (code: string, channel = 'oncall'): Promise<void> => {
      expect((await failureOf(notifier.send(channel, NOTICE))).code).toBe(code);
    };
    for (const code of [401, 401, 404, 503]) {
      answer = status(code);
      await send(`HTTP_${code}`);
    }
    await send('HTTP_503', 'other');
    answer = () => undefined;
    await send('HTTP_TIMEOUT');
    await send('FILE', 'leads');
    now += 599_999;
    answer = status(401);
    await send('HTTP_401');
    now += 1;
    await send('HTTP_401');
    expect(lines).toEqual([
      'warn channel oncall: refused with 401, the notification is lost: check its secret',
      'warn channel oncall: refused with 404, the notification is lost: check its address',
      'warn channel oncall: answers 503, tried again',
      'warn channel other: answers 503, tried again',
      'warn channel oncall: does not answer, tried again',
      'warn channel leads: its file cannot be written, tried again',
      'warn channel oncall: refused with 401, the notification is lost: check its secret',
    ]);
  });
});

describe('the log', () => {
  it('has one line for each notification, which a terminal can show', async () => {
    const lines: string[] = [];
    const notifier = notifierOf({ console: { log: true } }, { log: (level, message) => lines.push(`${level} ${message}`) });
    await notifier.send('console', { ...NOTICE, queue: 'a\nb\u009b1m\u202e', content: 'the text' } as Notification);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^info console: \{"id":"default\/k\/review#3",[ -~ä]*\}$/);
    expect(lines[0]).not.toContain('the text');
  });
});

describe('channels', () => {
  const channels: NotifyChannels = {
    a: { log: true, events: ['verdict', 'review_decided'] },
    b: { log: true },
    c: { log: true, events: ['review_decided'] },
  };

  it('hear of every review and evaluation what they ask for', () => {
    const notifier = notifierOf(channels);
    expect(notifier.channelsFor('verdict')).toEqual(['a']);
    expect(notifier.channelsFor('review_decided')).toEqual(['a', 'c']);
    expect(notifier.channelsFor('review_opened')).toEqual([]);
    expect([notifier.has('b'), notifier.has('d'), notifier.has('constructor')]).toEqual([true, false, false]);
  });

  it('that are not there are told in the log, and what should go through them is lost', async () => {
    const lines: string[] = [];
    const notifier = notifierOf(channels, { log: (level, message) => lines.push(`${level} ${message}`) });
    for (const name of ['gone', 'constructor'])
      expect(await failureOf(notifier.send(name, NOTICE))).toMatchObject({
        code: 'UNKNOWN_CHANNEL',
        message: `there is no channel "${name}" in the deployment`,
        extra: { isFinal: true },
      });
    expect(lines[0]).toBe('error a notification is lost: there is no channel "gone" in the deployment');
  });
});
