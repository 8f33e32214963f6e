/** What a worker insists on before it polls. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadCriticsModule } from '../../src/critics/module.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { formatProblem, loadPlan } from '../../src/plan-loader.js';
import { createTribunalWorker } from '../../src/worker.js';
import { setupNamespace } from '../../temporal/setup.js';
import { critic, plan } from '../support/plans.js';
import { escalating } from '../support/review-plans.js';
import { makePerson } from '../support/reviews.js';

describe('a worker', () => {
  let native: NativeConnection;
  let connection: Connection;
  beforeAll(async () => {
    const { address } = inject('server');
    native = await NativeConnection.connect({ address });
    connection = await Connection.connect({ address });
  });
  afterAll(async () => {
    await native.close();
    await connection.close();
  });

  const create = (namespace: string, of = plan([critic('one')]), registry = makeRegistry()): ReturnType<typeof createTribunalWorker> =>
    createTribunalWorker({
      deployment: { name: 'refused', plans: new Map([[of.name, of]]), registry, priorityLevels: 10 },
      connection: native,
      namespace,
      bundle: { codePath: inject('bundlePath') },
    });

  it('does not poll before the search attributes exist: a missing one would wedge every evaluation', async () => {
    const namespace = `bare-${randomUUID().slice(0, 8)}`;
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 } as never });
    await expect(create(namespace)).rejects.toThrow(/lacks the search attributes .*TribunalDecision.*: run `tribunal setup`/);
    await setupNamespace(connection, namespace);
    const worker = await create(namespace);
    const running = worker.run();
    worker.shutdown();
    await running;
  });

  it('does not start with a plan that uses an implementation it does not have', async () => {
    await expect(create('default', plan([critic('one', { uses: 'ghost' })]))).rejects.toThrow(
      /one uses ghost, which is not here; known are http, .*pattern/,
    );
  });

  it('does not start with a webhook at a private address that nobody named, and says which secrets of channels it lacks', async () => {
    const of = plan([critic('one')]);
    const told: string[] = [];
    const start = (webhook: string): ReturnType<typeof createTribunalWorker> =>
      createTribunalWorker({
        deployment: {
          name: 'refused',
          plans: new Map([[of.name, of]]),
          registry: makeRegistry(),
          priorityLevels: 10,
          notify: { oncall: { webhook, secretEnv: 'HOOK' } },
        },
        connection: native,
        namespace: 'default',
        bundle: { codePath: inject('bundlePath') },
        log: (level, message) => told.push(`${level} ${message}`),
      });
    await expect(start('http://10.0.0.7:8080/hook')).rejects.toThrow(
      /^channel oncall: 10\.0\.0\.7:8080 is a private address: name it in the deployment: hosts: \['10\.0\.0\.7:8080'\]/,
    );
    const worker = await start('https://hook.example/');
    const running = worker.run();
    worker.shutdown();
    await running;
    expect(told).toContain('warn channel oncall: there is no secret called HOOK: set TRIBUNAL_SECRET_HOOK');
  });

  it('starts with people who cannot decide, and says so: the file may be mended while it runs', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tribunal-people-'));
    const reviewers = join(dir, 'reviewers.yaml');
    const loaded = await loadPlan({ object: escalating('people', 'acknowledgement'), name: 'people' }, makeRegistry());
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const of = loaded.plan;
    const start = async (text: string): Promise<string[]> => {
      await writeFile(reviewers, text);
      const told: string[] = [];
      const worker = await createTribunalWorker({
        deployment: { name: 'people', plans: new Map([[of.name, of]]), registry: makeRegistry(), priorityLevels: 10, reviewers },
        connection: native,
        namespace: 'default',
        bundle: { codePath: inject('bundlePath') },
        log: (level, message) => told.push(`${level} ${message.replace(dir, '')}`),
      });
      const running = worker.run();
      worker.shutdown();
      await running;
      return told;
    };
    const broken = await start('people:\n  - { id: ann, groups: [board], key: short }\n');
    expect(broken).toContainEqual(expect.stringMatching(/^warn \/reviewers\.yaml:2:38 people\.0\.key is no Ed25519 public key/));
    expect(broken).toContain('warn nobody can decide reviews until the file of people is mended');
    const alone = await start(JSON.stringify({ people: [makePerson('ann', ['board', 'leads', 'moderators']).entry] }));
    expect(alone).toContainEqual(expect.stringMatching(/a determination of the plan people takes two people to proceed/));
    await rm(dir, { recursive: true });
  });

  it('does not start with a critic in a thread that no thread can load, or that cannot be made ready there', async () => {
    const own = { critic: { name: 'own', version: '1.0.0', evaluate: () => ({ severity: 0, violations: [] }) }, from: 'this test' };
    await expect(create('default', plan([critic('one', { uses: 'own', isolation: 'thread' })]), makeRegistry([own]))).rejects.toThrow(
      'plan test_plan: one: own cannot run in a thread: it was handed over as an object',
    );
    const cold = plan([critic('one', { uses: 'cold', isolation: 'thread' })]);
    const loaded = await loadCriticsModule('test/support/thread-critics/critics.mjs');
    await expect(create('default', cold, makeRegistry(loaded))).rejects.toThrow(
      'a critic cannot be made ready in a thread: the model is not there',
    );
  });
});
