/** How long `tribunal review next` lets a person wait who answers at once: from the last key to the next case. */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { run } from '../../../../src/cli/program.js';
import { keyFileOf, makeKeyPair, writeKey } from '../../../../src/review/keys.js';
import { escalating, inParallel, openOne, peopleOf } from '../../../faults/support/reviews.js';
import { fakeIo } from '../../../support/cli-io.js';
import { eventually } from '../../../support/processes.js';
import type { TestPerson } from '../../../support/reviews.js';
import { median, percentile, spreadOf } from '../../measure.js';
import type { Bench, Scenario } from '../../scenario.js';
import { withFleet } from '../limits/fleet.js';

const GOAL_MS = 1_000;
const PLAN = 'keys';
/** Stands in every case, and in nothing else. */
const MARK = `a text for ${PLAN}`;

export const next: Scenario = {
  name: 'review/next',
  title: '`tribunal review next`, a person who answers at once',
  async run(bench) {
    const { person, env } = await keyed(bench);
    const plans = [escalating(PLAN, 'triage')];
    return await withFleet(bench, 1, { plans, reviews: peopleOf([person]) }, async (fleet) => {
      const count = bench.quick ? 5 : 50;
      await inParallel(count + 1, () => openOne(fleet, PLAN));
      await eventually('the index has them', async () =>
        (await fleet.client.reviews.list({ limit: 2 * count })).length === count + 1 ? true : undefined,
      );
      const where = ['--address', bench.address, '--namespace', 'default', '--deployment', fleet.deployment];
      const waits = await waitsOf(count, ['review', 'next', ...where], env);
      return [
        { name: 'p50', value: median(waits), unit: 'ms', goal: GOAL_MS, spread: spreadOf(waits), samples: waits.length },
        { name: 'p95', value: percentile(waits, 0.95), unit: 'ms', goal: GOAL_MS, samples: waits.length },
      ];
    });
  },
};

async function keyed({ folder }: Bench): Promise<{ readonly person: TestPerson; readonly env: NodeJS.ProcessEnv }> {
  const pair = makeKeyPair();
  const env = { XDG_CONFIG_HOME: join(folder, 'reviewer') };
  const [id, groups] = ['mod', ['moderators']];
  await writeKey(keyFileOf(env), id, pair);
  const entry = { id, groups, key: pair.publicKey };
  return { person: { id, groups, entry, publicKey: pair.publicKey, sign: () => new Uint8Array() }, env };
}

/** Presses the keys of a decision as soon as a case is shown. */
async function waitsOf(count: number, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number[]> {
  const shownAt: number[] = [];
  let onShown = (): void => undefined;
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (chunk.toString().includes(MARK)) {
        shownAt.push(performance.now());
        onShown();
      }
      done();
    },
  });
  const pressedAt: number[] = [];
  const keys = (async function* () {
    for (let place = 1; place <= count; place += 1) {
      while (shownAt.length < place) await new Promise<void>((resolve) => (onShown = resolve));
      pressedAt.push(performance.now());
      yield 'h\n1\n';
    }
    while (shownAt.length <= count) await new Promise<void>((resolve) => (onShown = resolve));
    yield 'q\n';
  })();
  const io = { ...fakeIo({ env }), stdout: Object.assign(stdout, { isTTY: false, columns: 100 }), stdin: keys };
  if ((await run(args, io)) !== 0) throw new Error(`\`tribunal review next\` failed: ${io.written.stderr}`);
  return pressedAt.map((at, index) => (shownAt[index + 1] ?? Number.POSITIVE_INFINITY) - at);
}
