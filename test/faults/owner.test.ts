/**
 * "At most so many at once" over three worker processes while the one that runs the critics is killed, stopped, frozen or
 * cut off, and while the server is. Every limit is reached, none is passed, every evaluation is judged as it must be.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { build, eventually } from '../support/processes.js';
import { startDurableServer } from './support/durable-server.js';
import { peakOf, withoutFrozen, type Run } from './support/figures.js';
import { several, type Fleet, type FleetPlan, type Member } from './support/fleet.js';
import { askAll, misjudged, mixed, repeated, type Asked } from './support/load.js';
import { monotonicNow } from './support/recorder.js';
import { figure, fleetFor } from './support/scene.js';

beforeAll(build);

const PER_EVALUATION = 5;
/**
 * Each critic has a lane of its own and all share the plan's places, so that whoever runs them has been handed many more
 * than may begin: none of these may begin when it owns the lanes no more.
 */
const planOf = (limit: number): FleetPlan => ({
  plan: 'limited',
  limits: { maxConcurrentCritics: limit },
  critics: several(PER_EVALUATION, { maxConcurrent: limit }),
});

/** Three workers in the middle of a load, and the one of them that runs its critics. */
async function underLoad(
  fleet: Fleet,
  limit: number,
  evaluations: number,
  ms: number,
): Promise<{ readonly asked: Asked[]; readonly owner: Member }> {
  await fleet.workers(3);
  const first = await askAll(fleet, [{ plan: 'limited', script: { '*': { held: true } } }]);
  const rest = await askAll(fleet, mixed(evaluations, { plan: 'limited', script: { '*': { ms } } }));
  // Every place is taken once, however slow the machine is.
  await fleet.atOnce(limit);
  fleet.recorder.release();
  await begun(fleet, 5 * limit);
  return { asked: [...first, ...rest], owner: await fleet.owner() };
}

const begun = (fleet: Fleet, count: number): Promise<true> =>
  eventually(`${count} critics have begun`, () => (fleet.recorder.runs().length >= count ? true : undefined));

/** The first critic that another process begins after this moment. */
const takenOver = (fleet: Fleet, from: Member, since: number): Promise<Run> =>
  eventually('another process runs critics', () => fleet.recorder.runs().find(({ pid, at }) => pid !== from.pid && at > since));

describe('of three worker processes the one that runs the critics', () => {
  test('is killed: the limit holds, nothing is lost, and nothing that the server knew is asked again', async (context) => {
    const limit = 1;
    // Without a retry of its own a critic has its one attempt more when a worker is lost.
    const fleet = await fleetFor(context, { plans: [{ ...planOf(limit), defaults: { maxRetries: 0, attemptTimeout: '60s' } }] });
    const { asked, owner } = await underLoad(fleet, limit, 30, 150);
    const killedAt = monotonicNow();
    owner.kill('SIGKILL');
    expect(await owner.ended).toMatchObject({ signal: 'SIGKILL' });
    figure('killed, served again after', (await takenOver(fleet, owner, killedAt)).at - killedAt);
    expect(await misjudged(asked)).toEqual([]);
    expect(peakOf(fleet.recorder.runs())).toBe(limit);
    expect(await repeated(fleet, asked)).toEqual([]);
  });

  test('is stopped by SIGTERM: it ends by itself, no critic is cut off, and the limit holds', async (context) => {
    const limit = 2;
    const fleet = await fleetFor(context, { plans: [planOf(limit)] });
    const { asked, owner } = await underLoad(fleet, limit, 10, 150);
    // Critics that outlast the lease by far: the owner keeps it for as long as they need.
    asked.push(...(await askAll(fleet, [{ plan: 'limited', labels: { who: 'long' }, script: { '*': { ms: 6_000 } } }])));
    await eventually('a long one runs', () => fleet.recorder.open().find(({ labels }) => labels['who'] === 'long'));
    asked.push(...(await askAll(fleet, mixed(20, { plan: 'limited', script: { '*': { ms: 150 } } }))));
    const stoppedAt = monotonicNow();
    owner.kill('SIGTERM');
    figure('stopped, served again after', (await takenOver(fleet, owner, stoppedAt)).at - stoppedAt);
    expect(await owner.ended).toMatchObject({ exit: 0, signal: null });
    expect(await misjudged(asked)).toEqual([]);
    expect(peakOf(fleet.recorder.runs())).toBe(limit);
    const keys = fleet.recorder.runs().map((run) => run.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is frozen for 20 s and wakes up: another one serves meanwhile, it begins nothing more, and the limit holds', async (context) => {
    const limit = 10;
    const fleet = await fleetFor(context, { plans: [planOf(limit)] });
    const { asked, owner } = await underLoad(fleet, limit, 50, 400);
    const { recorder } = fleet;
    const freeze = { pid: owner.pid, count: recorder.count(), at: monotonicNow() };
    owner.kill('SIGSTOP');
    figure('frozen, served again after', (await takenOver(fleet, owner, freeze.at)).at - freeze.at);
    await eventually('20 s are over', () => (monotonicNow() - freeze.at > 20_000 ? true : undefined));
    const until = monotonicNow();
    owner.kill('SIGCONT');
    await eventually('what was frozen has settled', () => (recorder.open().every(({ pid }) => pid !== owner.pid) ? true : undefined));
    figure('woken up, settled after', monotonicNow() - until);
    expect(await misjudged(asked)).toEqual([]);
    const runs = recorder.runs();
    expect(runs.filter(({ pid, at }) => pid === owner.pid && at > until)).toEqual([]);
    expect(peakOf(withoutFrozen(runs, [{ ...freeze, until }]))).toBe(limit);
    expect(peakOf(runs.filter(({ pid }) => pid !== owner.pid))).toBe(limit);
  });

  test('is cut off from the server for 15 s: its critics are stopped before others begin', async (context) => {
    const limit = 4;
    const fleet = await fleetFor(context, { plans: [planOf(limit)] });
    await fleet.workers(3);
    // At first every place is taken by critics that would outlast the take-over.
    const long = await askAll(fleet, mixed(1, { plan: 'limited', script: { '*': { ms: [12_000, 150] } } }));
    await begun(fleet, limit);
    const short = await askAll(fleet, mixed(30, { plan: 'limited', script: { '*': { ms: 150 } } }));
    const owner = await fleet.owner();
    const cutAt = monotonicNow();
    owner.wire.cut();
    figure('cut off, served again after', (await takenOver(fleet, owner, cutAt)).at - cutAt);
    await eventually('15 s are over', () => (monotonicNow() - cutAt > 15_000 ? true : undefined));
    owner.wire.mend();
    expect(await misjudged([...long, ...short])).toEqual([]);
    expect(peakOf(fleet.recorder.runs())).toBe(limit);
  });
});

describe('the server of three worker processes', () => {
  test('is killed and comes back on the same file and port: the limit holds and nothing is lost', async (context) => {
    const limit = 10;
    const server = await startDurableServer();
    context.onTestFinished(() => server.close());
    const fleet = await fleetFor(context, { address: server.address, plans: [planOf(limit)] });
    const { asked, owner } = await underLoad(fleet, limit, 30, 150);
    await server.kill();
    await server.restart();
    const upAt = monotonicNow();
    const first = await eventually('critics run again', () => fleet.recorder.runs().find(({ at }) => at > upAt));
    figure(`server back, served again (by ${first.pid === owner.pid ? 'the same process' : 'another process'}) after`, first.at - upAt);
    expect(await misjudged(asked)).toEqual([]);
    expect(peakOf(fleet.recorder.runs())).toBe(limit);
    expect(await repeated(fleet, asked)).toEqual([]);
  });

  test('is away for longer than workers have to stop: each of them goes on, and critics that could not run lost nothing', async (context) => {
    const limit = 4;
    const server = await startDurableServer();
    context.onTestFinished(() => server.close());
    const plans = [
      { ...planOf(limit), defaults: { maxRetries: 2, attemptTimeout: '60s' } },
      { plan: 'idle', critics: several(1, { maxConcurrent: 1 }) },
    ];
    const fleet = await fleetFor(context, { address: server.address, plans, env: { TRIBUNAL_SHUTDOWN_GRACE: '1s' } });
    const { asked } = await underLoad(fleet, limit, 30, 150);
    const ended: number[] = [];
    for (const { pid, ended: end } of fleet.members) void end.then(() => ended.push(pid));
    await server.kill();
    const downAt = monotonicNow();
    await eventually('15 s are over', () => (monotonicNow() - downAt > 15_000 ? true : undefined));
    await server.restart();
    const upAt = monotonicNow();
    figure(
      'server back after 15 s, served again after',
      (await eventually('critics run', () => fleet.recorder.runs().find(({ at }) => at > upAt))).at - upAt,
    );
    expect(await misjudged(asked)).toEqual([]);
    expect(peakOf(fleet.recorder.runs())).toBe(limit);
    // Whoever owned the lanes stops their Workers 12 s after it has heard the server, which may take 6 s; one that fails does after another 6 s.
    await eventually('what had to stop has stopped', () => (monotonicNow() - upAt > 26_000 ? true : undefined));
    expect(ended).toEqual([]);
  });
});
