/**
 * A critic as a service, with the standard library alone: finds shouting. `node service.ts` needs Node 24, or `--import tsx`.
 * Takes only what is signed with the key in SIGNING_KEY, and answers a repeated request from what it knows.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const KEY = process.env['SIGNING_KEY'] ?? '';
/** Clocks differ; what was overheard is worth nothing after this. */
const PATIENCE_S = 300;
/** Content, context and findings together have less. */
const MAX_BYTES = 2_000_000;
/** Answers that are remembered, the oldest is forgotten first. */
const REMEMBERED = 10_000;

interface Finding {
  readonly severity: number;
  readonly violations: readonly { readonly code: string; readonly message: string }[];
}

const answers = new Map<string, Finding>();

function isSigned(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const timestamp = String(headers['tribunal-timestamp'] ?? '');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1_000 - Number(timestamp)) > PATIENCE_S) return false;
  const expected = Buffer.from(`v1=${createHmac('sha256', KEY).update(`${timestamp}.`).update(body).digest('hex')}`);
  const given = Buffer.from(String(headers['tribunal-signature'] ?? ''));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function judge(content: unknown): Finding {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const letters = text.match(/\p{L}/gu) ?? [];
  const share = letters.filter((letter) => /\p{Lu}/u.test(letter)).length / Math.max(1, letters.length);
  const violations = share > 0.5 ? [{ code: 'shouting', message: 'mostly capital letters' }] : [];
  return { severity: share, violations };
}

function answer(headers: IncomingHttpHeaders, body: Buffer): { status: number; answer: unknown } {
  if (!isSigned(headers, body)) return { status: 401, answer: { error: 'not signed by whom I know, or too long ago' } };
  let request: unknown;
  try {
    request = JSON.parse(body.toString('utf8'));
  } catch {
    return { status: 400, answer: { error: 'not JSON' } };
  }
  if (typeof request !== 'object' || request === null || !('content' in request) || !('idempotencyKey' in request))
    return { status: 400, answer: { error: 'content and idempotencyKey are needed' } };
  const key = String(request.idempotencyKey);
  const finding = answers.get(key) ?? judge(request.content);
  answers.set(key, finding);
  const [oldest] = answers.keys();
  if (answers.size > REMEMBERED && oldest !== undefined) answers.delete(oldest);
  return { status: 200, answer: finding };
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return void response.writeHead(413).end();
    chunks.push(chunk);
  }
  const { status, answer: said } = answer(request.headers, Buffer.concat(chunks));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
}

if (KEY === '') throw new Error('SIGNING_KEY is not set: it is the secret that the plan names under signWith');
const server = createServer((request, response) => {
  handle(request, response).catch(() => response.destroy());
});
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/judge`);
});
