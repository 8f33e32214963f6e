/**
 * The critic of the fault tests. It holds a connection to the recorder for as long as it runs, so that the kernel tells
 * its end however its process goes, and does what the content says of it: `{ "*": { ms, severity, … }, name: { … } }`.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const PORT = Number(process.env['FAULTS_RECORDER']);
/** A bug that a test has put in here, which the checks must find. */
const PLANTED = process.env['FAULTS_PLANT'];

/** All processes of a machine share this clock, so that their times can be compared. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

const critics = [
  {
    name: 'recorded',
    version: '1.0.0',
    options: z.strictObject({ name: z.string() }),
    async evaluate({ content, context }, { options: { name }, signal: given, attempt, idempotencyKey: key }) {
      const begun = { at: now(), wallAt: Date.now() };
      const signal = PLANTED === 'deaf' ? new AbortController().signal : given;
      const { ms = 0, severity = 0, fails = 0, held = false } = content[name] ?? content['*'] ?? {};
      const { labels = {} } = context;
      const socket = connect(PORT, '127.0.0.1');
      const lines = linesOf(socket);
      try {
        await once(socket, 'connect', { signal });
        socket.write(`${JSON.stringify({ name, key, attempt, pid: process.pid, labels, ...begun })}\n`);
        // From here on the recorder counts it.
        await lines.next(signal);
        if (held) await lines.next(signal);
        // The last number is for all attempts that have none of their own.
        else await sleep([ms].flat()[attempt - 1] ?? [ms].flat().at(-1), undefined, { signal });
      } finally {
        await closed(socket);
      }
      if (attempt <= fails) throw new Error('as it was told to');
      return { severity: PLANTED === 'forgetful' && attempt > 1 ? 0 : severity, violations: [] };
    },
  },
];
export default critics;

/** The recorder's lines carry nothing: that they come is what they say. */
function linesOf(socket) {
  let unread = 0;
  let wake = () => undefined;
  socket.on('data', (bytes) => {
    unread += String(bytes).split('\n').length - 1;
    wake();
  });
  return {
    async next(signal) {
      while (unread === 0) {
        if (socket.readableEnded || socket.destroyed) throw new Error('the recorder is gone');
        await new Promise((resolve, reject) => {
          wake = resolve;
          socket.once('close', resolve);
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      }
      unread -= 1;
    },
  };
}

/** Waits for the recorder's half of the end: only then may the next critic begin. */
async function closed(socket) {
  if (socket.destroyed) return;
  const end = once(socket, 'close').catch(() => undefined);
  socket.resume();
  socket.end();
  await end;
}
