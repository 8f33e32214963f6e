/**
 * The HTTP port of a worker for whoever watches it: `/metrics` for Prometheus, `/livez` and `/readyz` for a cluster.
 *
 * P1 `/livez` is 200 while no Worker has failed. A process whose event loop is blocked does not answer at all.
 * P2 `/readyz` is 200 only while all Workers poll and the deployment knows this process: not before, and not from the moment
 *    that a stop was asked for.
 * P3 Neither asks the Temporal server: a restart of this process would not bring it back.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../schemas/listen-address.js';
import { CliError, EXIT } from './exit.js';

export interface Watched {
  /** Of each Worker, as the SDK calls them; none before they are made. */
  states(): readonly string[];
  /** Where the SDK's exporter answers. */
  readonly exporter: string;
  /** Called before each answer to `/metrics`. */
  beforeScrape(isReady: boolean): void;
}

export interface Probes {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws CliError when it cannot listen there. */
export async function openProbes(address: ListenAddress, watched: Watched): Promise<Probes> {
  const server = createServer((request, response) => {
    void answer(watched, request).then((told) => send(response, request, told));
  });
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  const host = address.host ?? 'localhost';
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async close() {
      const closed = new Promise((settle) => server.close(settle));
      // A scraper keeps its connection; it must not keep the process.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  await new Promise<void>((settle, fail) => {
    server.once('error', fail);
    server.listen({ port, ...(host !== undefined ? { host } : {}) }, settle);
  }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    const why = code === 'EADDRINUSE' ? 'somebody else listens there' : code;
    throw new CliError(EXIT.error, 'METRICS_ADDRESS', `cannot listen for metrics at ${host ?? ''}:${port}: ${why}; name another address`);
  });
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const PLACES = '/metrics, /livez and /readyz are here\n';

async function answer(watched: Watched, { method, url = '' }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'only GET and HEAD\n' };
  const states = watched.states();
  const polling = states.filter((state) => state === 'RUNNING').length;
  const isReady = states.length > 0 && polling === states.length;
  switch (url.split('?', 1)[0]) {
    case '/livez':
      return states.includes('FAILED') ? { status: 503, body: 'a Worker has failed\n' } : { status: 200, body: 'ok\n' };
    case '/readyz':
      return isReady ? { status: 200, body: 'ok\n' } : { status: 503, body: `${polling} of ${states.length} Workers poll\n` };
    case '/metrics':
      watched.beforeScrape(isReady);
      return await scrape(watched.exporter);
    default:
      return { status: 404, body: PLACES };
  }
}

async function scrape(exporter: string): Promise<Answer> {
  try {
    const response = await fetch(exporter);
    return { status: response.status, body: await response.text(), type: response.headers.get('content-type') ?? 'text/plain' };
  } catch {
    return { status: 502, body: 'the exporter does not answer\n' };
  }
}

function send(response: ServerResponse, { method }: IncomingMessage, { status, body, type = 'text/plain; charset=utf-8' }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : body);
}
