/** A test's own deployment whose workers are real processes, on the server that the whole run shares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject, type TestContext } from 'vitest';
import { makeHarness, type Harness, type HistoryEvent } from './harness.js';
import { eventually, start, startWorker, writePlan, type Running } from './processes.js';

export interface Scene extends Pick<Harness, 'client' | 'temporal' | 'connection' | 'deployment' | 'history'> {
  /** Path of a file of this test: what critics record, and what they wait for. */
  file(name: string): string;
  /** Lets go whoever waits for the file. */
  release(name: string): void;
  /** One more worker process of the deployment. */
  worker(env?: NodeJS.ProcessEnv): Promise<Running>;
  /** The same, without waiting until it polls. */
  process(env?: NodeJS.ProcessEnv): Running;
}

export interface ScenePlan {
  readonly critics: Readonly<Record<string, object>>;
  readonly [field: string]: unknown;
}

/**
 * The plan is called `scene`; it denies what has a severity of 0.9.
 * @param modules text of a critics module.
 */
export async function makeScene(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  plan: (file: Scene['file']) => ScenePlan,
  critics?: (file: Scene['file']) => string,
): Promise<Scene> {
  const harness = await makeHarness({ plans: [], worker: false });
  onTestFinished(() => harness.close());
  const file = (name: string): string => join(harness.dir, name);
  const { address, namespace } = inject('server');
  const args = ['--address', address, '--namespace', namespace, '--plan', writePlan(harness.dir, { ...BASE, ...plan(file) })];
  if (critics !== undefined) {
    writeFileSync(file('critics.mjs'), critics(file));
    args.push('--critics', file('critics.mjs'));
  }
  return {
    ...harness,
    file,
    release: (name) => writeFileSync(file(name), ''),
    async worker(env = {}) {
      const worker = await startWorker(harness.connection, harness.deployment, args, { cwd: harness.dir, env });
      onTestFinished(() => worker.destroy());
      return worker;
    },
    process(env = {}) {
      const worker = start(['worker', '--deployment', harness.deployment, ...args], { cwd: harness.dir, env });
      onTestFinished(() => worker.destroy());
      return worker;
    },
  };
}

const BASE = {
  plan: 'scene',
  version: 1,
  timeouts: { global: '60s' },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' }], otherwise: 'allow' },
};

/** A remote critic that records its calls, and answers when the file `gate` is there. */
export const gated = (file: Scene['file'], more: object = {}) => ({
  uses: 'scripted',
  with: { record: file('gated'), waitFor: file('gate') },
  stage: 'core_analysis',
  attemptTimeout: '50s',
  retryBackoffBase: 1,
  ...more,
});

/** Text of a critics module with one critic, whose `body` may call `note('start')` and use `attempt`. Its calls are recorded in a file of its name. */
export const moduleOf = (file: Scene['file'], name: string, body: string): string => `
  import { appendFileSync, existsSync } from 'node:fs';
  export default [{ name: '${name}', version: '1.0.0', async evaluate(_, { attempt, idempotencyKey: key }) {
    const note = (event) => {
      const line = JSON.stringify({ event, attempt, key, at: Date.now(), findings: [], pid: process.pid });
      appendFileSync(${JSON.stringify(file(name))}, line + '\\n');
    };
    const gate = ${JSON.stringify(file('gate'))};
    ${body}
  } }];`;

/** Waits until the server has this many results of remote critics: what it has not been told yet may be lost with a worker. */
export async function resultsKept({ history }: Pick<Scene, 'history'>, evaluationId: string, count: number): Promise<void> {
  await eventually(`${count} results in the history of ${evaluationId}`, async () => {
    const kept = (await history(evaluationId)).filter(isResult).length;
    return kept >= count ? true : undefined;
  });
}

export const isResult = (event: HistoryEvent): boolean => event.activityTaskCompletedEventAttributes != null;
export const isVerdict = (event: HistoryEvent): boolean => event.workflowExecutionCompletedEventAttributes != null;
