/**
 * A provider on loopback that fails in every way of the table on command: over real sockets, for chat completions
 * (`…/chat/completions`), moderations (`…/moderations`) and plain critics (any other path).
 *
 * What it does is told by the first step of the path (`<url>/prose/v1/chat/completions`), else by the moves that were
 * queued, else it answers as it should. Every request is kept.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { PROVIDER_FAILURES } from '../../src/critics/network/provider-failure.js';
import type { Json } from '../../src/domain/finding.js';

export type Row = keyof typeof PROVIDER_FAILURES;

export interface FakeRequest {
  readonly path: string;
  readonly move: Move;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; the text where it is not JSON. */
  readonly body: unknown;
  readonly text: string;
}

export interface FakeProvider {
  readonly url: string;
  /** `127.0.0.1:<port>`, as a deployment names it. */
  readonly host: string;
  readonly requests: readonly FakeRequest[];
  /** Requests whose path begins so. */
  count(path: string): number;
  /** For the next requests whose path names no move, one each. */
  queue(...moves: readonly Move[]): void;
  close(): Promise<void>;
}

export interface FakeAnswers {
  /** What the model writes; a value is written as JSON. Default: a clean finding. */
  readonly chat?: (request: FakeRequest) => Json;
  readonly moderation?: (request: FakeRequest) => Json;
  readonly plain?: (request: FakeRequest) => Json;
  /** Instead of the queue, for requests whose path names no move. */
  readonly choose?: (request: Omit<FakeRequest, 'move'>) => Move;
}

/** Stands in every body that is no proper answer: it must not come out in any message. */
export const CANARY = 'words-of-the-provider';

const CLEAR = { severity: 0, violations: [] };
const CLEAR_MODERATION = { flagged: false, categories: { violence: false }, category_scores: { violence: 0.01 } };
/** Between two bytes of an answer that never ends. */
const DRIP_MS = 20;

interface Reply {
  readonly response: ServerResponse;
  /** The proper answer, as text. */
  readonly good: string;
  /** What of the answer is the model's: the whole of it, or the text inside a chat completion. */
  wrap(text: string, more?: { readonly finish?: string; readonly refusal?: string }): string;
  json(status: number, body: string, headers?: Record<string, string>): void;
}

interface MoveRow {
  /** Absent: a success. */
  readonly row?: Row;
  play(reply: Reply): void;
}

const status = (row: Row, code: number, after?: () => string): MoveRow => ({
  row,
  play: ({ json }) => json(code, `{"error":"${CANARY}"}`, after === undefined ? {} : { 'retry-after': after() }),
});
const body = (row: Row, text: (good: string) => string): MoveRow => ({ row, play: ({ json, wrap, good }) => json(200, wrap(text(good))) });
/** Of the whole body, whatever the path. */
const raw = (row: Row, text: (whole: string) => string): MoveRow => ({
  row,
  play: ({ json, wrap, good }) => json(200, text(wrap(good))),
});

export const MOVES = {
  ok: { play: ({ json, wrap, good }) => json(200, wrap(good)) },
  fenced: { play: ({ json, wrap, good }) => json(200, wrap(`\`\`\`json\n${good}\n\`\`\``)) },
  redirect: { row: 'redirect', play: ({ json }) => json(302, CANARY, { location: '/ok/redirected' }) },
  bad_request: status('bad_request', 400),
  unauthorized: status('unauthorized', 401),
  forbidden: status('forbidden', 403),
  not_found: status('other_client_error', 404),
  too_early: status('too_early_or_slow', 425),
  rate_limited: status('rate_limited', 429),
  rate_limited_seconds: status('rate_limited', 429, () => '1'),
  rate_limited_date: status('rate_limited', 429, () => new Date(Date.now() + 2_000).toUTCString()),
  rate_limited_huge: status('rate_limited', 429, () => '99999999999999999999'),
  rate_limited_negative: status('rate_limited', 429, () => '-5'),
  rate_limited_nonsense: status('rate_limited', 429, () => 'soon'),
  overloaded: status('overloaded', 503, () => '1'),
  server_error: status('server_error', 500),
  bad_gateway: { row: 'server_error', play: ({ json }) => json(502, `<html>${CANARY}</html>`, { 'content-type': 'text/html' }) },
  reset: { row: 'reset', play: ({ response }) => void response.socket?.resetAndDestroy() },
  truncated: {
    row: 'reset',
    play: ({ response, wrap, good }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write(wrap(good).slice(0, 20));
      setImmediate(() => response.destroy());
    },
  },
  /** Takes the request and says nothing. */
  silent: { row: 'slow_drip', play: () => undefined },
  slow_drip: { row: 'slow_drip', play: ({ response }) => drip(response) },
  page: { row: 'page', play: ({ json }) => json(200, `<html>${CANARY}</html>`, { 'content-type': 'text/html' }) },
  page_as_json: { row: 'page', play: ({ json }) => json(200, `<!doctype html><html>${CANARY}</html>`) },
  no_content: { row: 'empty', play: ({ response }) => void response.writeHead(204).end() },
  empty: { row: 'empty', play: ({ json }) => json(200, ' ') },
  cut_in_transit: raw('cut_in_transit', (whole) => whole.slice(0, -3)),
  prose: body('prose', () => `I think that it is all right, and no violation of ${CANARY}.`),
  too_large: raw('too_large', () => `"${'x'.repeat(2_000_000)}"`),
  gzip_bomb: {
    row: 'too_large',
    play: ({ response }) =>
      void response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(`"${'x'.repeat(50_000_000)}"`)),
  },
  too_deep: body('too_deep', () => `{"severity":0,"violations":[],"details":${'['.repeat(5_000)}${']'.repeat(5_000)}}`),
  duplicate_keys: body('duplicate_keys', (good) => `{${/"\w+"/.exec(good)?.[0] ?? ''}:1,${good.slice(1)}`),
  forbidden_key: body('forbidden_key', (good) => `{"__proto__":{"severity":0},${good.slice(1)}`),
  wrong_schema: body('wrong_schema', () => `{"verdict":"allow","why":"${CANARY}"}`),
  declined: { row: 'declined', play: ({ json, wrap }) => json(200, wrap('', { refusal: `I cannot help with ${CANARY}.` })) },
  declined_by_filter: { row: 'declined', play: ({ json, wrap }) => json(200, wrap('', { finish: 'content_filter' })) },
  cut_off: { row: 'cut_off', play: ({ json, wrap, good }) => json(200, wrap(good.slice(0, -3), { finish: 'length' })) },
} as const satisfies Record<string, MoveRow>;

export type Move = keyof typeof MOVES;

const rowOf = (move: Move): MoveRow => MOVES[move];
/** The row of the table that a move plays; `undefined` for a success. */
export const rowPlayedBy = (move: Move): Row | undefined => rowOf(move).row;

function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"severity":0,"evidence":["');
  const timer = setInterval(() => response.write('.'), DRIP_MS);
  response.on('close', () => clearInterval(timer));
}

export async function startFakeProvider(answers: FakeAnswers = {}): Promise<FakeProvider> {
  const requests: FakeRequest[] = [];
  const queued: Move[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const path = new URL(incoming.url ?? '/', 'http://provider').pathname;
      const text = Buffer.concat(chunks).toString();
      const seen = { path, headers: incoming.headers, body: parsed(text), text };
      const first = path.split('/')[1] ?? '';
      const move = Object.hasOwn(MOVES, first) ? (first as Move) : (answers.choose?.(seen) ?? queued.shift() ?? 'ok');
      const request = { ...seen, move };
      requests.push(request);
      rowOf(move).play(replyTo(request, response, answers));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    count: (path) => requests.filter((request) => request.path.startsWith(path)).length,
    queue: (...moves) => void queued.push(...moves),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function replyTo(request: FakeRequest, response: ServerResponse, answers: FakeAnswers): Reply {
  const isChat = request.path.endsWith('/chat/completions');
  return {
    response,
    good: JSON.stringify(answerTo(request, answers)),
    wrap: (text, { finish = 'stop', refusal } = {}) => (isChat ? JSON.stringify(completion(text, finish, refusal)) : text),
    json: (code, text, headers = {}) => void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(text),
  };
}

function answerTo(request: FakeRequest, { chat, moderation, plain }: FakeAnswers): Json {
  if (request.path.endsWith('/chat/completions')) return chat?.(request) ?? CLEAR;
  if (!request.path.endsWith('/moderations')) return plain?.(request) ?? CLEAR;
  const given: unknown = typeof request.body === 'object' && request.body !== null && 'input' in request.body ? request.body.input : '';
  const count = Array.isArray(given) ? given.length : 1;
  return moderation?.(request) ?? { id: 'modr-1', model: 'fake', results: Array.from({ length: count }, () => CLEAR_MODERATION) };
}

const completion = (content: string, finish: string, refusal?: string): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'fake',
  choices: [
    {
      index: 0,
      finish_reason: finish,
      message: { role: 'assistant', content: refusal === undefined ? content : null, refusal: refusal ?? null },
    },
  ],
  usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
