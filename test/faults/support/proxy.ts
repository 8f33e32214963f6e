/**
 * A wire between one worker process and the server that can be cut: bytes stop in both directions, connections stay open,
 * new ones are accepted and hear nothing. When it is mended, what was sent meanwhile arrives.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  readonly address: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startProxy(to: string): Promise<Proxy> {
  const [host = '', port = ''] = to.split(':');
  const sockets = new Set<Socket>();
  let waiting: Socket[] = [];
  let isCut = false;

  function keep(socket: Socket, other: () => Socket | undefined): void {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      other()?.destroy();
    });
  }

  function join(near: Socket): void {
    const far = connect(Number(port), host);
    keep(far, () => near);
    near.once('close', () => far.destroy());
    // Not `pipe`, which goes on by itself when the other side drains.
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => near.write(bytes));
  }

  const server = createServer((near) => {
    keep(near, () => undefined);
    if (!isCut) return join(near);
    near.pause();
    waiting.push(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    address: `127.0.0.1:${address.port}`,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      isCut = false;
      for (const near of waiting.splice(0)) if (!near.destroyed) join(near);
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
