/** The wire and the recorder of the fault tests, on real sockets. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../faults/support/proxy.js';
import { startRecorder } from '../faults/support/recorder.js';
import { eventually } from '../support/processes.js';

/** A server that sends back what it hears. */
async function startEcho(): Promise<{ readonly address: string; heard(): number }> {
  let heard = 0;
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      heard += bytes.length;
      socket.write(bytes);
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { address: `127.0.0.1:${portOf(server.address())}`, heard: () => heard };
}

const portOf = (address: ReturnType<ReturnType<typeof createServer>['address']>): number =>
  typeof address === 'object' && address !== null ? address.port : 0;

async function open(port: number): Promise<{ readonly socket: Socket; text(): string }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (bytes) => (text += String(bytes)));
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return { socket, text: () => text };
}

describe('a wire', () => {
  it('carries nothing while it is cut, keeps old and new connections open, and delivers when it is mended', async () => {
    const echo = await startEcho();
    const wire = await startProxy(echo.address);
    onTestFinished(() => wire.close());
    const port = Number(wire.address.split(':')[1]);
    const old = await open(port);
    old.socket.write('one');
    await eventually('the first answer', () => (old.text() === 'one' ? true : undefined));
    wire.cut();
    const young = await open(port);
    old.socket.write('two');
    young.socket.write('new');
    // A connection beside the wire has been there and back: whatever the wire would carry had its time.
    const beside = await open(Number(echo.address.split(':')[1]));
    beside.socket.write('beside');
    await eventually('the answer beside it', () => (beside.text() === 'beside' ? true : undefined));
    expect({ old: old.text(), young: young.text(), heard: echo.heard() }).toEqual({ old: 'one', young: '', heard: 'onebeside'.length });
    expect([old.socket.readyState, young.socket.readyState]).toEqual(['open', 'open']);
    wire.mend();
    await eventually('all answers', () => (old.text() === 'onetwo' && young.text() === 'new' ? true : undefined));
  });
});

describe('the recorder', () => {
  it('knows a call from its line to the end of its connection, whoever ends it', async () => {
    const recorder = await startRecorder();
    onTestFinished(() => recorder.close());
    const line = (name: string): string => `${JSON.stringify({ name, key: name, attempt: 1, pid: 1, labels: {}, at: 1, wallAt: 1 })}\n`;
    const [polite, killed] = [await open(recorder.port), await open(recorder.port)];
    polite.socket.write(line('polite'));
    await eventually('the first is counted', () => (polite.text() === 'counted\n' ? true : undefined));
    killed.socket.write(line('killed'));
    await eventually('the second is counted', () => (killed.text() === 'counted\n' ? true : undefined));
    expect(recorder.open().map(({ name }) => name)).toEqual(['polite', 'killed']);
    polite.socket.end();
    await once(polite.socket, 'close');
    expect(recorder.open().map(({ name }) => name)).toEqual(['killed']);
    recorder.release();
    await eventually('what is held is let go', () => (killed.text() === 'counted\ngo\n' ? true : undefined));
    killed.socket.resetAndDestroy();
    await eventually('nothing runs', () => (recorder.open().length === 0 ? true : undefined));
    expect(recorder.runs().map(({ name, opened, closed }) => ({ name, opened, closed }))).toEqual([
      { name: 'polite', opened: 1, closed: 3 },
      { name: 'killed', opened: 2, closed: 4 },
    ]);
  });
});
