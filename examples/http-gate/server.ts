/** `POST /messages` with a text: delivered when the gate allows it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeGate } from './gate.js';

/** Below the limit of 256 KB that a request to tribunal has. */
const MAX_BYTES = 100_000;
/** Like the keys of evaluations; anything else would be refused there, and so held. */
const KEY = /^[A-Za-z0-9._-]{1,128}$/;
/** Seconds after which it is worth asking again with the same key. */
const RETRY_AFTER = '5';

const gate = makeGate({
  plan: process.env['PLAN'] ?? 'polite',
  patienceMs: Number(process.env['PATIENCE_MS'] ?? '10000'),
});

const server = createServer((request, response) => {
  answer(request, response).catch(() => send(response, 500, 'failed'));
});
server.listen(Number(process.env['PORT'] ?? '8080'), '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/messages\n`);
});
process.once('SIGTERM', () => {
  server.close(() => void gate.close());
  server.closeAllConnections();
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/messages') return send(response, 404, 'POST /messages');
  const header = request.headers['idempotency-key'];
  const key = Array.isArray(header) ? header[0] : header;
  if (key !== undefined && !KEY.test(key)) return send(response, 400, `idempotency-key must be of the form ${KEY.source}`);
  const text = await readText(request);
  if (text === undefined) return send(response, 413, `at most ${MAX_BYTES} bytes`, { connection: 'close' });
  const passage = await gate.judge(text, key);
  if (passage.way === 'allow') return deliver(text, response);
  if (passage.way === 'deny') return send(response, 451, 'not allowed');
  // The reason is for the log; it holds nothing of the text.
  process.stdout.write(`held: ${passage.why}\n`);
  return send(response, 503, 'held', { 'retry-after': RETRY_AFTER });
}

/** The handler behind the gate. */
function deliver(text: string, response: ServerResponse): void {
  send(response, 200, `delivered ${text.length} characters`);
}

/** `undefined` when there is more than the gate takes. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}
