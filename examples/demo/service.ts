/**
 * A stand-in for a model endpoint: answers like one, by rule of thumb, over a real socket. Its doors:
 * `/judge` answers; `/hangs-twice` leaves the first two requests without an answer; every door is shut while `down` is true.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the rule of thumb looks for: orders to forget orders, and requests for what should stay hidden. */
const SUSPICIOUS =
  /\b(forget|ignore|disregard|override)\b[^.]{0,40}\b(instructions?|rules?|orders?)\b|\b(secret|password|credentials?)\b/gi;
/** As long as a quick model takes. */
const THINKING_MS = 60;

export interface Service {
  readonly url: string;
  down: boolean;
  close(): Promise<void>;
}

export async function startService(): Promise<Service> {
  let hangs = 2;
  const service = { url: '', down: false, close: async () => undefined };
  const server = createServer((request, response) => {
    if (service.down) return void request.socket.destroy();
    if (request.url === '/hangs-twice' && hangs > 0) {
      hangs -= 1;
      return;
    }
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(service, {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { content } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { content: unknown };
  const found = new Set((JSON.stringify(content).match(SUSPICIOUS) ?? []).map((one) => one.toLowerCase()));
  const finding = {
    severity: Math.min(0.8, found.size * 0.4),
    uncertainty: found.size === 1 ? 0.4 : 0.1,
    violations: [...found].map((_, index) => ({ code: 'suspicious_request', message: `suspicious passage ${index + 1}` })),
    cost: { usd: 0.0021, inputTokens: 420, outputTokens: 38 },
  };
  setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(finding)), THINKING_MS);
}
