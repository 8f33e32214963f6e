/** Workers of two releases beside each other, of which one alone has what the new plan needs. */
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { build, eventually } from '../support/processes.js';
import { startDurableServer } from './support/durable-server.js';
import { peakOf } from './support/figures.js';
import { recorded } from './support/fleet.js';
import { askAll, misjudged, mixed, type Ask } from './support/load.js';
import { monotonicNow } from './support/recorder.js';
import { fleetFor } from './support/scene.js';

beforeAll(build);

const NEWER = fileURLToPath(new URL('newer-critics.mjs', import.meta.url));
const LANES = { shared: { maxConcurrent: 2 } };
/** One plan in two versions: an evaluation gets that of the worker that opens it. */
const planOf = (version: number, uses: string) => ({
  plan: 'judged',
  version,
  critics: { judge: recorded(uses, { uses, lane: 'shared' }) },
});
const asks = (count: number): Ask[] => mixed(count, { plan: 'judged', script: { '*': { ms: 50 } } });

test('a lane goes to a worker that has its new critics, while older ones are there, and back to these when it is withdrawn', async (context) => {
  const fleet = await fleetFor(context, { plans: [planOf(1, 'recorded')], lanes: LANES });
  await fleet.workers(2);
  expect(await misjudged(await askAll(fleet, asks(6)))).toEqual([]);

  fleet.deploy({ plans: [planOf(2, 'newer')], lanes: LANES, critics: NEWER });
  const newer = await fleet.worker();
  expect(await misjudged(await askAll(fleet, asks(60)))).toEqual([]);
  const byNewer = fleet.recorder.runs().filter(({ name }) => name === 'newer');
  // A third of them, more or less, was opened there.
  expect(new Set(byNewer.map(({ pid }) => pid))).toEqual(new Set([newer.pid]));

  newer.kill('SIGTERM');
  expect(await newer.ended).toMatchObject({ exit: 0 });
  expect(await misjudged(await askAll(fleet, asks(6)))).toEqual([]);
  expect(fleet.recorder.runs().every(({ attempt }) => attempt === 1)).toBe(true);
  expect(peakOf(fleet.recorder.runs())).toBe(2);
});

test('a worker with a laxer plan of the same version does not start, also when the server has just come back and sees nobody yet', async (context) => {
  const server = await startDurableServer();
  context.onTestFinished(() => server.close());
  const fleet = await fleetFor(context, { address: server.address, plans: [planOf(1, 'recorded')], lanes: LANES });
  await fleet.workers(2);
  await server.kill();
  const downAt = monotonicNow();
  // Until the polls of the workers come back seconds apart.
  await eventually('12 s are over', () => (monotonicNow() - downAt > 12_000 ? true : undefined));
  fleet.deploy({ plans: [{ ...planOf(1, 'recorded'), verdict: { rules: [], otherwise: 'allow' } }], lanes: LANES });
  await server.restart();
  await expect(fleet.worker()).rejects.toThrow(/plan judged version 1 differs from the one that tribunal \d+@/);
  expect(await misjudged(await askAll(fleet, asks(12)))).toEqual([]);
});
