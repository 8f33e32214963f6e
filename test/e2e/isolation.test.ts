/** Critics in threads of the built command line: found where it is built, and no hindrance when the worker is told to stop. */
import { beforeAll, expect, test } from 'vitest';
import { criticOf, outcomesOf } from '../support/harness.js';
import { build, callsOf } from '../support/processes.js';
import { makeScene, moduleOf } from '../support/scene.js';

beforeAll(build);

const LOOP = "note('start'); if (existsSync(gate)) return { severity: 0, violations: [] }; for (;;);";
const inThread = (more: object) => ({ stage: 'core_analysis', isolation: 'thread', retryBackoffBase: 1, ...more });

test('a loop of a critics module is cut by its time-out in the built worker, and a built-in critic in a thread answers beside it', async (context) => {
  const scene = await makeScene(
    context,
    () => ({
      critics: {
        looping: inThread({ uses: 'looping', attemptTimeout: '2s', maxRetries: 0 }),
        beside: inThread({ uses: 'pattern', with: { words: [{ word: 'spam', severity: 0.5 }] }, attemptTimeout: '30s' }),
      },
    }),
    (file) => moduleOf(file, 'looping', LOOP),
  );
  await scene.worker();
  const report = await scene.client.evaluate({ plan: 'scene', content: 'spam' });
  expect(report.decision).toBe('not_judged');
  expect(outcomesOf(report)).toEqual({ looping: 'timed_out', beside: 'succeeded' });
  expect(criticOf(report, 'beside').finding?.severity).toBe(0.5);
});

test('a worker that is told to stop ends although a critic loops in a thread, and the next one takes the critic up', async (context) => {
  const scene = await makeScene(
    context,
    () => ({ critics: { looping: inThread({ uses: 'looping', attemptTimeout: '50s' }) } }),
    (file) => moduleOf(file, 'looping', LOOP),
  );
  const first = await scene.worker({ TRIBUNAL_SHUTDOWN_GRACE: '1s' });
  const handle = await scene.client.start({ plan: 'scene', content: 'x' });
  await callsOf(scene.file('looping'), 'start', 1);
  first.kill('SIGTERM');
  expect(await first.ended).toMatchObject({ exit: 0, signal: null });
  scene.release('gate');
  await scene.worker();
  expect(await handle.result()).toMatchObject({ decision: 'allow', metrics: { retried: 1 } });
});
