/** The faults of the campaign: each is done to a running fleet, waits until it is over, and leaves three workers. Knows no test runner. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from './chance.js';
import type { DurableServer } from './durable-server.js';
import type { Freeze } from './figures.js';
import type { Fleet, Member } from './fleet.js';
import { monotonicNow } from './recorder.js';

export interface Scene {
  readonly fleet: Fleet;
  readonly server: DurableServer;
  /** Those that are alive. */
  readonly members: Member[];
  readonly freezes: Freeze[];
  readonly chance: Chance;
}

/** Longer and shorter than a lease lasts. */
const FROZEN_MS = [500, 15_000] as const;
const CUT_MS = [500, 15_000] as const;
const DOWN_MS = [0, 7_000] as const;

/** Of the process that runs critics three times in four: there most can go wrong. */
function victim({ fleet, members, chance }: Scene): number {
  const owner = members.findIndex(({ pid }) => pid === fleet.recorder.open().at(-1)?.pid);
  return owner >= 0 && chance.in(0.75) ? owner : chance.between(0, members.length - 1);
}

function chosen(scene: Scene): { readonly member: Member; replace(): Promise<void> } {
  const place = victim(scene);
  const member = scene.members[place];
  if (member === undefined) throw new Error('no worker is left');
  return {
    member,
    async replace() {
      scene.members[place] = await scene.fleet.worker();
    },
  };
}

export const DISTURBANCES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  async kill(scene) {
    const { member, replace } = chosen(scene);
    member.kill('SIGKILL');
    await replace();
  },
  async stop(scene) {
    const { member, replace } = chosen(scene);
    member.kill('SIGTERM');
    const { exit, signal } = await member.ended;
    if (exit !== 0) throw new Error(`a worker that was stopped ended with ${signal ?? exit}`);
    await replace();
  },
  async freeze(scene) {
    const { member } = chosen(scene);
    const freeze: { pid: number; count: number; until?: number } = { pid: member.pid, count: scene.fleet.recorder.count() };
    scene.freezes.push(freeze);
    member.kill('SIGSTOP');
    await pause(scene.chance.between(...FROZEN_MS));
    freeze.until = monotonicNow();
    member.kill('SIGCONT');
  },
  async cut(scene) {
    const { member } = chosen(scene);
    member.wire.cut();
    await pause(scene.chance.between(...CUT_MS));
    member.wire.mend();
  },
  async server({ server, chance }) {
    await server.kill();
    await pause(chance.between(...DOWN_MS));
    await server.restart();
  },
};
