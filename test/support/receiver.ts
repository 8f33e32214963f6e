/** A receiver of webhooks on loopback. Keeps what comes, and answers as it is told. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Notification } from '../../src/domain/review/notification.js';

export interface Taken {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly notification: Notification;
}

export interface Receiver {
  readonly url: string;
  /** `127.0.0.1:<port>`, as a deployment names it. */
  readonly host: string;
  readonly taken: readonly Taken[];
  close(): Promise<void>;
}

/** @param status what every request is answered with; `undefined`: nothing, ever. */
export async function makeReceiver(status: (taken: Taken) => number | undefined = () => 204): Promise<Receiver> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one: Taken = { headers: request.headers, text, notification: JSON.parse(text) as Notification };
      taken.push(one);
      const code = status(one);
      if (code !== undefined) response.writeHead(code).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}/hook`,
    host,
    taken,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Whether the signature is that of the key, over the time and the bytes. */
export function isSigned({ headers, text }: Taken, secret: string): boolean {
  const at = String(headers['tribunal-timestamp']);
  return headers['tribunal-signature'] === `v1=${createHmac('sha256', secret).update(`${at}.${text}`).digest('hex')}`;
}
