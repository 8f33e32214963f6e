/**
 * The process in which a critic is tested: whatever the critic does to it, the one that waits goes on. Started by
 * `run-apart.ts` alone, and told by its first message what to do.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { dirname, join } from 'node:path';
import type { Critic } from '../critics/critic.js';
import { loadCriticsModule } from '../critics/module.js';
import { makeRegistry } from '../critics/registry.js';
import { isErrorName } from '../domain/error-name.js';
import type { Json } from '../domain/finding.js';
import { caseChecks, readCases } from './cases.js';
import { CheckFailed, type Check } from './check.js';
import { conformanceChecks } from './conformance.js';
import type { CheckEnd, Job, Message } from './messages.js';

/** Several in the shortest time for which the waiting process has patience. */
const BEAT_MS = 250;

interface Planned {
  readonly critic: Critic;
  readonly check: Check;
}

/** Taken away from the process, so that a critics module cannot tell results of its own. */
const send = process.send?.bind(process);
delete process.send;

const strays = { count: 0 };
// A worker outlives them, and so must this.
process.on('unhandledRejection', () => (strays.count += 1));
process.on('uncaughtException', () => (strays.count += 1));
process.once('message', (job) => void work(job as Job));
// Whoever waited is gone.
process.once('disconnect', () => process.exit(1));

async function work({ token, ...job }: Job): Promise<void> {
  const tell = teller(token);
  setInterval(() => void tell({ type: 'beat' }), BEAT_MS);
  try {
    const planned = await plan(job);
    await tell({
      type: 'planned',
      checks: planned.map(({ critic, check }) => ({ critic: critic.name, version: critic.version, check: check.name })),
    });
    for (let index = job.from; index < planned.length; index += 1) {
      const end = await runOne(planned[index]?.check);
      await tell({ type: 'ended', index, ...end });
    }
    await tell({ type: 'done' });
  } catch (error) {
    await tell({ type: 'unusable', message: error instanceof Error ? error.message : 'it threw something that is not an Error' });
  }
  process.exit(0);
}

async function plan({ module, name, with: good, timeoutMs, loadMs }: Omit<Job, 'token'>): Promise<Planned[]> {
  const loaded = await loadCriticsModule(module, loadMs);
  // Two critics of one name, or one with the name of a built-in one, are refused by every worker.
  makeRegistry(loaded);
  // Each is handed only what its own schema accepts.
  const critics = loaded.map(({ critic }) => critic as Critic).filter((critic) => name === undefined || critic.name === name);
  if (critics.length === 0)
    throw new Error(
      `there is no critic called ${name ?? ''}; the module has ${loaded.map(({ critic }) => critic.name).join(', ') || 'none'}`,
    );
  return critics.flatMap((critic) => {
    const suite = { good: good as Json, timeoutMs };
    const cases = readCases(join(dirname(module), 'cases', critic.name));
    return [...conformanceChecks(critic, suite), ...caseChecks(critic, cases, suite)].map((check) => ({ critic, check }));
  });
}

async function runOne(check: Check | undefined): Promise<CheckEnd> {
  const before = strays.count;
  try {
    await check?.run();
  } catch (error) {
    return endOf(error);
  }
  // Rejections that nobody handles are told after the tasks of this turn.
  await turn();
  if (strays.count > before)
    return { status: 'warning', message: 'it left an error behind: a promise that nobody awaits, or a throw out of a timer', lost: false };
  return { status: 'passed' };
}

/** What a critic threw outside of an attempt may be anything, down to an object whose every property throws. */
function endOf(error: unknown): CheckEnd {
  try {
    if (error instanceof CheckFailed) return { status: error.level, message: error.message, lost: error.lost };
    // Its message may quote the content.
    if (error instanceof Error && isErrorName(error.name)) return failed(`it threw: ${error.name}`);
  } catch {
    // Told below.
  }
  return failed('it threw something that cannot be read');
}

const failed = (message: string): CheckEnd => ({ status: 'error', message, lost: false });

/** Each call settles when its message is on its way: a critic may end this process at any moment. */
function teller(token: string): (message: Message) => Promise<void> {
  return async (message) => {
    // As text: of an object that is sent, a `toJSON` that a module gives to all objects would see the token.
    const text = `${token}${JSON.stringify(message)}`;
    await new Promise<void>((resolve) => send?.(text, undefined, undefined, () => resolve()) ?? resolve());
  };
}
